"""What the rows of one stream say: how many, when, how late, how trustworthy. Fed batch by batch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ringcollect.records import Flag
from ringcollect.store.quality.facts import Latency
from ringcollect.store.quality.latency import Delays

MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
_NOT_LIVE = Flag.SNAPSHOT | Flag.REPLAYED | Flag.BACKFILLED | Flag.REST
COLUMNS = ("generation", "seq", "ts_event", "ts_recv", "flags")


class RowFacts(NamedTuple):
    """What the rows of one (instrument, table) and day come to; fields as in facts.py."""

    rows: int
    minutes: np.ndarray
    gap_flags: int
    duplicate_flags: int
    bad_ts: int
    unsynced: int
    first_ns: int
    last_ns: int
    silence_ns: int
    silent_from_ns: int
    crossed_ns: int
    crossings: int
    latency: Latency | None
    hours_p50_ns: list[int | None]
    hours_p99_ns: list[int | None]


class Rows:
    """One (instrument, table) of one UTC day that begins at ``day_ns``.

    ``minutes``: int64[1440], rows received in each. Delays leave out history (snapshots, REST, backfill) and times
    marked BAD_TS, which are counted.
    """

    def __init__(self, day_ns: int) -> None:
        self.day_ns = day_ns
        self.rows = 0
        self.minutes = np.zeros(1440, np.int64)
        self.gap_flags = 0
        self.duplicate_flags = 0
        self.bad_ts = 0
        self.unsynced = 0
        self.delays = [Delays() for _ in range(24)]
        self.first_ns = 0
        self.last_ns = 0
        self.silence_ns = 0
        self.silent_from_ns = 0
        self.crossed_ns = 0
        self.crossings = 0
        self._crossed_since = 0

    def add(self, ts_event: np.ndarray, ts_recv: np.ndarray, flags: np.ndarray) -> None:
        """Take consecutive rows, int64 ns and uint16 bits."""
        if not len(ts_recv):
            return
        self.rows += len(ts_recv)
        self._times(ts_recv)
        self.minutes += np.bincount(np.clip((ts_recv - self.day_ns) // MINUTE_NS, 0, 1439), minlength=1440)
        self.gap_flags += int(np.count_nonzero(flags & Flag.GAP))
        self.duplicate_flags += int(np.count_nonzero(flags & Flag.DUPLICATE))
        self.unsynced += int(np.count_nonzero(flags & Flag.UNSYNCED))
        bad = (flags & Flag.BAD_TS) != 0
        self.bad_ts += int(np.count_nonzero(bad))
        live = (ts_event != 0) & ~bad & ((flags & _NOT_LIVE) == 0)
        hours = np.clip((ts_recv[live] - self.day_ns) // HOUR_NS, 0, 23)
        delays = ts_recv[live] - ts_event[live]
        for hour in np.unique(hours).tolist():
            self.delays[hour].add(delays[hours == hour])

    def _times(self, ts_recv: np.ndarray) -> None:
        before = self.last_ns or int(ts_recv[0])
        steps = np.diff(ts_recv, prepend=before)
        longest = int(steps.argmax())
        if steps[longest] > self.silence_ns:
            self.silence_ns = int(steps[longest])
            self.silent_from_ns = int(ts_recv[longest]) - self.silence_ns
        self.first_ns = self.first_ns or int(ts_recv[0])
        self.last_ns = int(ts_recv[-1])

    def quotes(self, ts_recv: np.ndarray, bid: np.ndarray, ask: np.ndarray) -> None:
        """Add up how long best bid and ask were crossed: from a quote with bid above ask to the next one without."""
        crossed = bid > ask
        since = self._crossed_since
        for place in np.flatnonzero(np.diff(crossed, prepend=since != 0)).tolist():
            if crossed[place]:
                since = int(ts_recv[place])
                self.crossings += 1
            else:
                self.crossed_ns += max(0, int(ts_recv[place]) - since)
                since = 0
        self._crossed_since = since

    def facts(self) -> RowFacts:
        """What the day comes to; what is still crossed was so until its last row."""
        if self._crossed_since:
            self.crossed_ns += max(0, self.last_ns - self._crossed_since)
            self._crossed_since = 0
        whole = Delays()
        for hour in self.delays:
            whole.merge(hour)
        names = [name for name in RowFacts._fields if name in self.__dict__]
        return RowFacts(
            latency=_latency(whole),
            hours_p50_ns=[hour.percentile(0.5) for hour in self.delays],
            hours_p99_ns=[hour.percentile(0.99) for hour in self.delays],
            **{name: getattr(self, name) for name in names},
        )


def _latency(delays: Delays) -> Latency | None:
    if delays.low_ns is None or delays.high_ns is None:
        return None
    shares = {"p50_ns": 0.5, "p90_ns": 0.9, "p99_ns": 0.99, "p999_ns": 0.999}
    return Latency(
        rows=int(delays.counts.sum()),
        min_ns=delays.low_ns,
        max_ns=delays.high_ns,
        negative=delays.negative,
        **{name: delays.percentile(share) or 0 for name, share in shares.items()},
    )
