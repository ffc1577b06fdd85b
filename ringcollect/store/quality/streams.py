"""What each (instrument, channel) was doing: from its status records to the windows without it, each with its cause."""

from __future__ import annotations

import numpy as np

from ringcollect.feed.books import Cause
from ringcollect.feed.ledger import REASON_TEXT, Reason
from ringcollect.records import Status
from ringcollect.store.quality.windows import Window

SUBSCRIBING = "subscribing"
DISCONNECTED = "disconnected"
COLLECTOR = "collector: "
"""How causes begin that are not the stream's own; the collector's offline windows say the same."""
_CAUSES = {cause.value: f"book resync: {cause.name.lower()}" for cause in Cause}
_REASONS = {reason.value: text for reason, text in REASON_TEXT.items()}


class Stream:
    """One subscription. ``gaps``: windows without data, ``resyncs``: with a book that has no valid base; each list's
    last may be open. ``sequence``: where ids were missing."""

    def __init__(self) -> None:
        self.wanted_ns: int | None = None  # since when somebody wants it; None: nobody does
        self.wanted: list[Window] = []
        self.gaps: list[Window] = []
        self.resyncs: list[Window] = []
        self.sequence: list[Window] = []
        self.flowing = False

    def event(self, row: np.void) -> None:
        """Take one of its own status records."""
        code, now = int(row["code"]), int(row["ts_recv"])
        last = int(row["ts_event"]) or now
        if code == Status.REQUESTED:
            self._silent(last if self.flowing else now, now, SUBSCRIBING)
        elif code == Status.DISCONNECTED:
            self._silent(min(last, now), now, DISCONNECTED)
        elif code == Status.STALE:
            self._silent(min(last, now), now, _reason(row))
        elif code in (Status.ACKED, Status.FLOWING):  # from the answer on nothing is missed, however rare its data is
            self._want(now)
            _close(self.gaps, now)
            self.flowing = True
        elif code == Status.CLOSED:
            self._unwanted(now)
        elif code == Status.SEQ_GAP:
            expected, got = int(row["id_from"]), int(row["id_to"])
            self.sequence.append(Window(min(last, now), now, f"ids {expected} to {got - 1} missing"))
        elif code == Status.RESYNC_BEGIN and not _is_open(self.resyncs):
            self.resyncs.append(Window(now, None, _CAUSES.get(int(row["number_1"]), "book resync")))
        elif code == Status.RESYNC_DONE:
            _close(self.resyncs, now)

    def assume(self, since: int) -> None:
        """It flowed since ``since``: how it began is in no file any more, but its data is there."""
        self._want(since)
        self.flowing = True

    def stopped(self, now: int, cause: str) -> None:
        """The collector went away at ``now``: what flowed does not any more."""
        _close(self.resyncs, now)
        if self.wanted_ns is not None:
            _close(self.gaps, now)
            self.gaps.append(Window(now, None, f"{COLLECTOR}{cause}"))
        self.flowing = False

    def started(self, now: int) -> None:
        """A new run began: whether the stream is still wanted is for it to say."""
        self._unwanted(now)

    def _silent(self, since: int, now: int, cause: str) -> None:
        self._want(now)
        if _is_open(self.gaps):
            if self.gaps[-1].cause == SUBSCRIBING:
                self.gaps[-1].cause = cause
        else:
            self.gaps.append(Window(since, None, cause))
        self.flowing = False

    def _want(self, now: int) -> None:
        if self.wanted_ns is None:
            self.wanted_ns = now
            self.wanted.append(Window(now, None, ""))

    def _unwanted(self, now: int) -> None:
        for windows in (self.gaps, self.resyncs, self.wanted):
            _close(windows, now)
        self.wanted_ns = None
        self.flowing = False

    def forget(self, before_ns: int) -> None:
        """Drop windows that ended before ``before_ns``: memory does not grow with the days."""
        for name in ("wanted", "gaps", "resyncs", "sequence"):
            kept = [w for w in getattr(self, name) if w.to_ns is None or w.to_ns >= before_ns]
            setattr(self, name, kept)


def _reason(row: np.void) -> str:
    number = int(row["number_1"]) if row["number_1"] == row["number_1"] else int(Reason.NONE)
    return _REASONS.get(number) or "silent"


def _is_open(windows: list[Window]) -> bool:
    return bool(windows) and windows[-1].to_ns is None


def _close(windows: list[Window], now: int) -> None:
    if _is_open(windows):
        windows[-1].to_ns = max(windows[-1].from_ns, now)
