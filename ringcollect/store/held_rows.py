"""Rows that never were in a ring and wait for the journal, as a ring's reader would give them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ringcollect.instruments import Instrument
from ringcollect.ring.attach import Read

_ENDLESS = 2**62


class HeldRows:
    """Rows of one (ring, generation); ``store.drain.Source``. Those given are taken in order, from ``cursor`` on."""

    registered = False
    head = _ENDLESS

    def __init__(
        self, name: str, generation: int, dtype: np.dtype, meta: dict[str, Any], table: dict[int, Instrument]
    ) -> None:
        self.name = name
        self.generation = generation
        self.dtype = dtype
        self.meta = meta
        self.cursor = 0
        self._table = table
        self._waiting: list[np.ndarray] = []

    @property
    def instrument_count(self) -> int:
        return len(self._table)

    def instruments(self) -> list[Instrument]:
        return [self._table[number] for number in sorted(self._table)]

    def give(self, rows: np.ndarray) -> None:
        """Rows that follow those given before."""
        self._waiting.append(rows)

    def read(self, max_records: int | None = None) -> Read:
        if not self._waiting:
            return Read(np.empty(0, self.dtype), (self.cursor, self.cursor))
        rows = self._waiting.pop(0)
        if max_records is not None and len(rows) > max_records:
            self._waiting.insert(0, rows[max_records:])
            rows = rows[:max_records]
        lost = (self.cursor, self.cursor)
        self.cursor = int(rows["seq"][-1]) + 1
        return Read(rows, lost)

    def commit(self, cursor: int | None = None) -> None:
        return None
