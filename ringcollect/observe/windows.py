"""True sliding windows over counters: what happened in the last 1, 5 and 15 minutes, forgotten after that."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import msgspec

WINDOWS_S = (60, 300, 900)


class Windowed(msgspec.Struct, frozen=True, kw_only=True):
    """Events in the last 1, 5 and 15 minutes, and since the watch began."""

    last_1m: int = 0
    last_5m: int = 0
    last_15m: int = 0
    total: int = 0


class SlidingWindows:
    """Fed with lifetime totals at any pace; memory is bounded by the seconds in the longest window.

    A total that falls was reset by a restart: what it shows then has happened since.
    """

    def __init__(self) -> None:
        self._events: deque[tuple[float, dict[str, int]]] = deque()
        self._before: dict[str, int] = {}
        self._names: dict[str, int] = {}

    def add(self, now_s: float, totals: Mapping[str, int], *, baseline: bool = False) -> None:
        """Take ``totals`` by key ``name`` or ``name/part`` (parts of one name add up). ``baseline``: count nothing yet.

        A key never seen before counts from zero, unless this is the baseline.
        """
        grown: dict[str, int] = {}
        for key, value in totals.items():
            name = key.partition("/")[0]
            before = self._before.get(key, 0)
            delta = 0 if baseline else (value - before if value >= before else value)
            self._before[key] = value
            self._names.setdefault(name, 0)
            if delta:
                grown[name] = grown.get(name, 0) + delta
                self._names[name] += delta
        if grown:
            self._events.append((now_s, grown))
        while self._events and self._events[0][0] <= now_s - WINDOWS_S[-1]:
            self._events.popleft()

    def at(self, now_s: float) -> dict[str, Windowed]:
        """The windows ending at ``now_s``, half-open: an event exactly a window ago is out."""
        sums = {name: [0, 0, 0] for name in self._names}
        for when, grown in self._events:
            for name, count in grown.items():
                for i, span in enumerate(WINDOWS_S):
                    if when > now_s - span:
                        sums[name][i] += count
        return {
            name: Windowed(last_1m=one, last_5m=five, last_15m=fifteen, total=self._names[name])
            for name, (one, five, fifteen) in sums.items()
        }
