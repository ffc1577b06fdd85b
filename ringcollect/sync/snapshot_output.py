"""The engine's second output: snapshot records, on their way to a ``.sync`` ring."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ringcollect.sync.snapshot import BESIDE_BOOK, S_CAPACITY, S_COUNT, S_LEVELS, S_MASK, S_OUT, S_TOTAL, S_WORDS
from ringcollect.sync.snapshot_record import SNAPSHOT, kind_mask

_SLACK = 4096

Sink = Callable[[np.ndarray], None]
"""Takes snapshot records (dtype SNAPSHOT); the array is only valid during the call."""


class SnapshotOutput:
    """Records of ``tables`` (none: nothing is written), books with ``levels`` per side.

    ``held`` is how many records of an instrument may wait for their row: all of them may come out at once.
    """

    def __init__(self, tables: tuple[str, ...], levels: int, held: int) -> None:
        self._words = np.zeros(S_WORDS, np.int64)
        self._words[S_MASK] = kind_mask(tables)
        self._words[S_LEVELS] = levels if "orderbooks" in tables else 0
        self._records = np.zeros(held + 2 * levels + BESIDE_BOOK + _SLACK if tables else 0, SNAPSHOT)
        self._words[S_CAPACITY] = len(self._records)

    def address(self) -> int:
        """Where the kernels find the words of this output; 0 without tables."""
        if not len(self._records):
            return 0
        self._words[S_OUT] = self._records.ctypes.data
        return self._words.ctypes.data

    @property
    def total(self) -> int:
        """Records written since the stream began; the seq of the next one."""
        return int(self._words[S_TOTAL])

    @total.setter
    def total(self, total: int) -> None:
        self._words[S_TOTAL] = total

    def hand_out(self, sink: Sink | None) -> None:
        """Give what was written since the last call to ``sink``; without one it is dropped."""
        count = int(self._words[S_COUNT])
        if count and sink is not None:
            sink(self._records[:count])
        self._words[S_COUNT] = 0

    def dump(self) -> np.ndarray:
        """The settings, which never change, and the state (int64)."""
        return self._words[: S_TOTAL + 1]

    def fits(self, state: np.ndarray) -> bool:
        """Whether ``state`` is of an output with these settings."""
        return np.array_equal(state[:S_TOTAL], self._words[:S_TOTAL])
