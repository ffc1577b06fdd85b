"""Until when a ring was written: the last receive time before each START, told from the rows of all its tables."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

import numpy as np


class Alive:
    """``starts``: per generation the seqs of its START records. Feed it every row of every table of the exchange."""

    def __init__(self) -> None:
        self._starts: dict[int, list[int]] = {}
        self._latest: dict[int, list[int]] = {}

    def begin_at(self, generation: int, seq: int) -> None:
        """A START record stands at ``seq``; all of them are named before the rows around them are added."""
        starts = self._starts.setdefault(generation, [])
        latest = self._latest.setdefault(generation, [0])
        place = bisect_left(starts, seq)
        if place == len(starts) or starts[place] != seq:
            starts.insert(place, seq)
            latest.insert(place + 1, 0)

    def add(self, generation: np.ndarray, seq: np.ndarray, ts_recv: np.ndarray) -> None:
        """Take rows; seqs ascend within the batch."""
        for own in np.unique(generation).tolist():
            mine = generation == own
            starts = self._starts.setdefault(own, [])
            latest = self._latest.setdefault(own, [0])
            times = ts_recv[mine]
            edges = [0, *np.searchsorted(seq[mine], starts).tolist(), len(times)]
            for piece, (first, last) in enumerate(pairwise(edges)):
                if last > first:
                    latest[piece] = max(latest[piece], int(times[first:last].max()))

    def __call__(self, generation: int, seq: int) -> int:
        """The latest time of the rows of ``generation`` before ``seq``; 0 if there are none."""
        latest = self._latest.get(generation, [0])
        return max(latest[: bisect_left(self._starts.get(generation, []), seq) + 1])
