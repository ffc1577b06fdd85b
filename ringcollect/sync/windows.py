"""The windows of all books: memory for them, laying one out anew, and taking them into a checkpoint and out of it.

This is what kernels ask of Python now and then: a first level, a best price that left its window, a tick that changed.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from ringcollect.sync import layout as at
from ringcollect.sync.window import HOME, WINDOW, WINDOW_WORDS

SIDES = ((at.I_BID, 1.0), (at.I_ASK, -1.0))
NEAR_LEVEL = 4
"""Words of a level in a checkpoint: instrument, side (0 bid, 1 ask), index in the window, size."""


def tick_fraction(tick_size: float | None) -> tuple[float, float, float]:
    """(ticks in one unit of price, numerator, denominator of the tick); zeros if no window can be made of it.

    The fraction is that of the tick's shortest decimal, so that ``n * numerator / denominator`` is the correctly
    rounded price of tick ``n``.
    """
    if tick_size is None or not (0.0 < tick_size < math.inf):
        return 0.0, 0.0, 0.0
    tick = Fraction(repr(float(tick_size)))
    if max(tick.numerator, tick.denominator) >= 2**53:
        return 0.0, 0.0, 0.0
    return tick.denominator / tick.numerator, float(tick.numerator), float(tick.denominator)


class Windows:
    """Owner of the windows' memory; ``ints`` rows hold its addresses. Pages without a level take no memory."""

    def __init__(self) -> None:
        self._memory: dict[int, np.ndarray] = {}

    def open(self, number: int, row: np.ndarray) -> None:
        """Give instrument ``number`` two empty windows. The side must not hold anything in one."""
        words = self._memory.get(number)
        if words is None:
            words = self._memory[number] = np.zeros((2, WINDOW_WORDS), np.int64)
        else:
            words[:] = 0
        for (side, _), window in zip(SIDES, words, strict=True):
            row[side + at.BOOK_WINDOW] = window.ctypes.data
            row[side + at.BOOK_NEAR] = 0
            row[side + at.BOOK_BEST] = -1

    def close(self, number: int, row: np.ndarray) -> None:
        """The instrument has no windows any more."""
        self._memory.pop(number, None)
        for side, _ in SIDES:
            row[side + at.BOOK_WINDOW] = 0
            row[side + at.BOOK_NEAR] = 0
            row[side + at.BOOK_BEST] = -1

    def levels(self, number: int, row: np.ndarray, values: np.ndarray, which: int) -> np.ndarray:
        """(key, size) of what stands in window ``which`` (0 bid, 1 ask), worst first."""
        if number not in self._memory:
            return np.zeros((0, 2))
        sizes = self._memory[number][which, :WINDOW].view(np.float64)
        places = np.flatnonzero(sizes)
        ticks = (places + row[SIDES[which][0] + at.BOOK_BASE]).astype(np.float64)
        keys = ticks * values[at.F_TICK_NUMERATOR] / values[at.F_TICK_DENOMINATOR]
        return np.column_stack((keys, sizes[places]))

    def place(self, number: int, row: np.ndarray, values: np.ndarray, which: int, levels: np.ndarray) -> np.ndarray:
        """Put what fits of ``levels`` (key, size; worst first) into an empty window around the best; the rest."""
        side = SIDES[which][0]
        ticks = np.rint(levels[:, 0] * values[at.F_TICKS])
        exact = ticks * values[at.F_TICK_NUMERATOR] / values[at.F_TICK_DENOMINATOR] == levels[:, 0]
        on_grid = exact & (np.abs(ticks) < 2.0**52)
        if not on_grid.any():
            return levels
        base = int(ticks[on_grid][-1]) - HOME
        places = np.where(on_grid, ticks - base, -1.0)
        near = (places >= 0) & (places < WINDOW)
        row[side + at.BOOK_BASE] = base
        self._fill(number, row, which, places[near].astype(np.int64), levels[near, 1])
        return levels[~near]

    def dump(self) -> np.ndarray:
        """Every level in a window, float64[n, NEAR_LEVEL]."""
        parts = [np.zeros((0, NEAR_LEVEL))]
        for number, words in self._memory.items():
            for which in range(2):
                sizes = words[which, :WINDOW].view(np.float64)
                places = np.flatnonzero(sizes)
                one = np.empty((len(places), NEAR_LEVEL))
                one[:, 0], one[:, 1], one[:, 2], one[:, 3] = number, which, places, sizes[places]
                parts.append(one)
        return np.concatenate(parts)

    def load(self, ints: np.ndarray, near: np.ndarray) -> None:
        """Take over dumped windows; the rows of ``ints`` say who has one, and get the new addresses."""
        self._memory.clear()
        for number, row in enumerate(ints):
            if not row[at.I_BID + at.BOOK_WINDOW]:
                continue
            self.open(number, row)
            for which in range(2):
                mine = near[(near[:, 0] == number) & (near[:, 1] == which)]
                self._fill(number, row, which, mine[:, 2].astype(np.int64), mine[:, 3])

    def _fill(self, number: int, row: np.ndarray, which: int, places: np.ndarray, sizes: np.ndarray) -> None:
        side = SIDES[which][0]
        words = self._memory[number][which]
        words[:WINDOW].view(np.float64)[places] = sizes
        bits = np.zeros(WINDOW, np.uint8)
        bits[places] = 1
        words[WINDOW:] = np.packbits(bits, bitorder="little").view(np.int64)
        row[side + at.BOOK_NEAR] = len(places)
        row[side + at.BOOK_BEST] = int(places.max()) if len(places) else -1
