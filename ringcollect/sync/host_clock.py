"""How far receive times are behind event times: what a clock that runs by receive times, ``external``, must know.

A host whose clock is behind the venue's hides how late events are, one that is ahead makes events late. Measured over
each minute of stream time: the smallest delay, which without a network were the offset of the two clocks, and the 99th
percentile, which the hold-back should cover.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ringcollect.records import Flag, Kind

_MINUTE_NS, _MS = 60 * 10**9, 1_000_000
_LONGEST_MS = 60_000
_ENOUGH = 100
"""Fewer events in a minute tell nothing about its 99th percentile."""
_KINDS = (Kind.BOOK_DELTA, Kind.TRADE, Kind.BBO, Kind.LIQUIDATION)
_NO_NEWS = int(
    Flag.SNAPSHOT | Flag.UNSYNCED | Flag.REPLAYED | Flag.BACKFILLED | Flag.REST | Flag.DUPLICATE | Flag.BAD_TS
)


class HostClock:
    """Watches the delays of one ring for a clock with a hold-back of ``hold_back_ns``."""

    def __init__(self, hold_back_ns: int) -> None:
        self._hold_back_ns = hold_back_ns
        self._minute = -1
        self._counts = np.zeros(_LONGEST_MS + 1, np.int64)  # events by delay, ms
        self._least_ns = 0
        self._said: set[str] = set()

    def add(self, records: np.ndarray) -> list[str]:
        """Take in records (dtype RECORD, ring order); what is to be said of a minute that is over, once until it is
        otherwise."""
        said: list[str] = []
        minutes = np.maximum(np.maximum.accumulate(records["ts_recv"]) // _MINUTE_NS, self._minute)
        starts = [0, *(np.flatnonzero(np.diff(minutes)) + 1).tolist(), len(records)]
        for begin, end in pairwise(starts):
            if begin < end and minutes[begin] != self._minute:
                said += self._judge()
                self._minute = int(minutes[begin])
                self._counts[:] = 0
            self._count(records[begin:end])
        return said

    def _count(self, records: np.ndarray) -> None:
        news = np.isin(records["kind"], _KINDS) & (records["ts_event"] > 0) & ((records["flags"] & _NO_NEWS) == 0)
        delays = records["ts_recv"][news] - records["ts_event"][news]
        if len(delays):
            least = int(delays.min())
            self._least_ns = min(self._least_ns, least) if self._counts.any() else least
            self._counts += np.bincount(np.clip(delays // _MS, 0, _LONGEST_MS), minlength=_LONGEST_MS + 1)

    def _judge(self) -> list[str]:
        total = int(self._counts.sum())
        if total < _ENOUGH:
            return []
        most_ms = int(np.searchsorted(np.cumsum(self._counts), 0.99 * total)) + 1
        found = {}
        if self._least_ns < 0:
            found["behind"] = (
                f"the host's clock is at least {-self._least_ns / _MS:.0f} ms behind the exchange's: rows come out so "
                "much later than they could"
            )
        if most_ms * _MS > self._hold_back_ns:
            found["late"] = (
                f"sync.hold_back = {self._hold_back_ns // _MS} ms is less than the {most_ms} ms within which 99 % of "
                "events arrive: the rest is dropped as late"
            )
        new = [text for what, text in found.items() if what not in self._said]
        self._said = set(found)
        return new
