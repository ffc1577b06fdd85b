"""The engine's third output: bars, on their way to ``.bar`` rings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ringcollect.bar_kinds import TIME, Bar
from ringcollect.sync.bar_record import BAR
from ringcollect.sync.features.bar_writing import (
    K_KIND,
    K_SIZE,
    K_TOTAL,
    KIND_WORDS,
    R_BY_TRADES,
    R_CAPACITY,
    R_COUNT,
    R_KIND,
    R_KINDS,
    R_OUT,
    R_WORDS,
)

_SLACK = 1024

Sink = Callable[[np.ndarray], None]
"""Takes bars (dtype BAR) of all kinds, each kind in order; the array is only valid during the call."""


class BarOutput:
    """Bars of the kinds ``wanted`` on a grid of ``grid_ns``.

    ``held`` is how many records of an instrument may wait for their row: each may be a trade that closes a bar.
    """

    def __init__(self, wanted: Sequence[Bar], grid_ns: int, held: int) -> None:
        self._words = np.zeros(R_WORDS, np.int64)
        by_trades = sum(bar.kind != TIME for bar in wanted)
        capacity = (held + 2) * by_trades + 2 * len(wanted) + _SLACK if wanted else 0
        self._bars = np.zeros(capacity, BAR)  # pages of it cost memory only when so many bars close at once
        self._words[[R_KINDS, R_BY_TRADES, R_CAPACITY]] = (len(wanted), by_trades, capacity)
        for i, bar in enumerate(wanted):
            at = R_KIND + i * KIND_WORDS
            self._words[at + K_KIND] = bar.kind
            if bar.kind == TIME:
                self._words[at + K_SIZE] = int(bar.size) // grid_ns
            else:
                self._words.view(np.float64)[at + K_SIZE] = bar.size
        self._totals = R_KIND + K_TOTAL + KIND_WORDS * np.arange(len(wanted))
        self._settings = np.ones(R_WORDS, bool)
        self._settings[[R_OUT, R_COUNT, *self._totals]] = False

    def address(self) -> int:
        """Where the kernels find the words of this output; 0 without bars."""
        if not len(self._bars):
            return 0
        self._words[R_OUT] = self._bars.ctypes.data
        return self._words.ctypes.data

    @property
    def kinds(self) -> int:
        """How many kinds of bars there are."""
        return len(self._totals)

    @property
    def totals(self) -> list[int]:
        """Per kind, bars written since the stream began; the seq of the next one."""
        return [int(total) for total in self._words[self._totals]]

    @totals.setter
    def totals(self, totals: Sequence[int]) -> None:
        self._words[self._totals] = totals

    def hand_out(self, sink: Sink | None) -> None:
        """Give what closed since the last call to ``sink``; without one it is dropped."""
        count = int(self._words[R_COUNT])
        if count and sink is not None:
            sink(self._bars[:count])
        self._words[R_COUNT] = 0

    def dump(self) -> np.ndarray:
        """The settings, which never change, and the totals (int64)."""
        state = self._words.copy()
        state[[R_OUT, R_COUNT]] = 0
        return state

    def fits(self, state: np.ndarray) -> bool:
        """Whether ``state`` is of an output with these settings."""
        return np.array_equal(state[self._settings], self._words[self._settings])

    def load(self, state: np.ndarray) -> None:
        """Go on counting from a dumped state."""
        self._words[self._totals] = state[self._totals]
