"""Ids that count without holes: which are new, which were seen, which are missing. Exact within a window."""

from __future__ import annotations

import enum


class Seen(enum.IntEnum):
    """What an arriving id is."""

    NEXT = 0  # follows the newest
    AHEAD = 1  # leaves a hole behind the newest
    LATE = 2  # older than the newest, not seen before: fills a hole
    AGAIN = 3  # seen before
    FIRST = 4  # nothing was known


class DenseIds:
    """Newest id of one stream, and the holes below it. The newest id never goes back.

    At most ``max_holes`` holes are remembered, the newest ones; what lies in a forgotten hole or below the first id
    ever seen counts as seen, so that an old copy is never taken for news.
    """

    __slots__ = ("_max_holes", "first", "holes", "newest")

    def __init__(self, max_holes: int = 256) -> None:
        self.first = 0
        self.newest = 0
        self.holes: list[tuple[int, int]] = []
        self._max_holes = max_holes

    def arrive(self, low: int, high: int) -> tuple[Seen, int]:
        """Ids ``low..high`` (a merged print; low = high for one) arrive; returns (what, how many ids are missing).

        The number is that of ids newly missing with AHEAD, else 0.
        """
        if self.newest == 0 and self.first == 0:
            self.first, self.newest = low, high
            return Seen.FIRST, 0
        if high > self.newest:
            missing = low - self.newest - 1
            if missing > 0:
                self.holes.append((self.newest + 1, low))
                if len(self.holes) > self._max_holes:
                    del self.holes[0]
            self.newest = high
            return (Seen.AHEAD, missing) if missing > 0 else (Seen.NEXT, 0)
        return (Seen.LATE, 0) if self._fill(low, high) else (Seen.AGAIN, 0)

    def knows(self, low: int, high: int) -> bool:
        """Whether ids ``low..high`` arrived here: none is older than the first, newer than the newest, or in a hole."""
        if self.newest == 0 and self.first == 0:
            return False
        if low < self.first or high > self.newest:
            return False
        return not any(start <= high and low < stop for start, stop in self.holes)

    def missing(self, start: int, stop: int) -> int:
        """How many of the ids from ``start`` to before ``stop`` are in a hole that is remembered."""
        return sum(max(0, min(stop, end) - max(start, begin)) for begin, end in self.holes)

    def _fill(self, low: int, high: int) -> bool:
        for i, (start, stop) in enumerate(self.holes):
            if start <= low and high < stop:
                left = [(start, low)] if start < low else []
                right = [(high + 1, stop)] if high + 1 < stop else []
                self.holes[i : i + 1] = left + right
                return True
        return False
