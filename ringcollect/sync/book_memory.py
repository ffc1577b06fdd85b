"""Where the levels of all books stand: their windows, and one slab with a sorted region for each side's rest.

Kernels change levels in place; what needs memory, or a side divided anew between its window and the rest, is done here,
between two of their calls. ``ints`` and ``floats`` are the engine's (layout.py), one row per instrument.
"""

from __future__ import annotations

import numpy as np

from ringcollect.sync import layout as at
from ringcollect.sync.windows import SIDES, Windows

_FIRST_SIDE = 64


class BookMemory:
    """``slab`` is float64[slots, 2] of (key, size); a side takes at most ``most`` of its slots.

    It is another array after anything here that may grow it: its user takes the new address.
    """

    def __init__(self, most: int) -> None:
        self.slab = np.zeros((0, 2), np.float64)
        self.windows = Windows()
        self._most = most

    def levels(self, number: int, which: int, ints: np.ndarray, floats: np.ndarray) -> np.ndarray:
        """(key, size) of one side (0 bid, 1 ask) of instrument ``number``, worst first."""
        row, side = ints[number], SIDES[which][0]
        far = self.slab[row[side + at.BOOK_LOW] : row[side + at.BOOK_HIGH]]
        levels = np.concatenate((far, self.windows.levels(number, row, floats[number], which)))
        return levels[np.argsort(levels[:, 0], kind="stable")]

    def grow(self, number: int, ints: np.ndarray, floats: np.ndarray) -> None:
        """What a book needs before its next level: windows around its best, or room for the rest."""
        row = ints[number]
        if row[at.I_LAY_OUT]:
            tick = tuple(floats[number, at.F_TICKS : at.F_TICK_DENOMINATOR + 1])
            self.lay_out(number, tick, ints, floats)
        for side, _ in SIDES:
            self._make_room(number, side, int(row[side + at.BOOK_HIGH] - row[side + at.BOOK_LOW]) + 1, ints)

    def lay_out(self, number: int, tick: tuple[float, ...], ints: np.ndarray, floats: np.ndarray) -> None:
        """Divide the levels of both sides anew between window and sorted rest, with ticks of this size."""
        row, values = ints[number], floats[number]
        sides = [self.levels(number, which, ints, floats) for which in range(2)]
        values[at.F_TICKS : at.F_TICK_DENOMINATOR + 1] = tick
        row[at.I_LAY_OUT] = 0
        if tick[0]:
            self.windows.open(number, row)
        else:
            self.windows.close(number, row)
        for which, levels in enumerate(sides):
            side = SIDES[which][0]
            row[side + at.BOOK_LOW] = row[side + at.BOOK_HIGH] = row[side + at.BOOK_OFFSET]
            rest = self.windows.place(number, row, values, which, levels) if tick[0] and len(levels) else levels
            self._make_room(number, side, len(rest) + 1, ints)
            low = int(row[side + at.BOOK_OFFSET] + (row[side + at.BOOK_CAPACITY] - len(rest)) // 2)
            self.slab[low : low + len(rest)] = rest
            row[side + at.BOOK_LOW], row[side + at.BOOK_HIGH] = low, low + len(rest)

    def _make_room(self, number: int, side: int, levels: int, ints: np.ndarray) -> None:
        """Double the region of a side until ``levels`` fill at most half of it, or it is as large as it may be."""
        capacity = int(ints[number, side + at.BOOK_CAPACITY])
        wanted = capacity
        while wanted < self._most and 2 * levels > wanted:
            wanted = min(max(2 * wanted, _FIRST_SIDE), self._most)
        if wanted != capacity:
            self._resize(number, side, wanted, ints)

    def _resize(self, number: int, side: int, capacity: int, ints: np.ndarray) -> None:
        """Another slab, in which this side has ``capacity`` slots and every other what it had, in the same order."""
        total = int(ints[:, at.I_BID + at.BOOK_CAPACITY].sum() + ints[:, at.I_ASK + at.BOOK_CAPACITY].sum())
        slab = np.zeros((total - int(ints[number, side + at.BOOK_CAPACITY]) + capacity, 2), np.float64)
        offset = 0
        for owner, row in enumerate(ints):
            for word in (at.I_BID, at.I_ASK):
                room = capacity if (owner, word) == (number, side) else int(row[word + at.BOOK_CAPACITY])
                low, high = int(row[word + at.BOOK_LOW]), int(row[word + at.BOOK_HIGH])
                to = offset + (room - (high - low)) // 2
                slab[to : to + high - low] = self.slab[low:high]
                row[word + at.BOOK_OFFSET] = offset
                row[word + at.BOOK_CAPACITY] = room
                row[word + at.BOOK_LOW] = to
                row[word + at.BOOK_HIGH] = to + high - low
                offset += room
        self.slab = slab
