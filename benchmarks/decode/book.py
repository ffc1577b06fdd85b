"""The synchronizer's book, fed frame by frame: what its kernel does with the records of one decoded frame."""

from __future__ import annotations

import numpy as np

from ringcollect.instruments import Instrument
from ringcollect.jit import njit
from ringcollect.records import RECORD_WORDS, W_TAIL, W_TS_EVENT
from ringcollect.sync.apply import apply_update
from ringcollect.sync.arrays import BOOKS, FLOATS, INTS, PARAMS, RECORDS, SHARED, array_at, put
from ringcollect.sync.book import has_room
from ringcollect.sync.engine import Engine, Parameters


@njit
def apply_batch(context: np.ndarray, first: int, n: int) -> int:
    """Apply records ``first .. n-1`` of the batch; n, or the first whose book has no room for another level."""
    records = array_at(context, RECORDS)
    ints = array_at(context, INTS)
    floats = array_at(context, FLOATS).view(np.float64)
    books = array_at(context, BOOKS).view(np.float64)
    params = array_at(context, PARAMS)[0]
    shared = array_at(context, SHARED)[0]
    for r in range(first, n):
        record = records[r]
        row = ints[record[W_TAIL] & 0xFFFF]
        if not has_room(row, params):
            return r
        apply_update(record, record[W_TS_EVENT], row, floats[record[W_TAIL] & 0xFFFF], books, params, shared)
    return n


class Books:
    """Books of the synchronizer's engine, without its grid."""

    def __init__(self, exchange: str, market: str, count: int) -> None:
        self._engine = Engine(
            Parameters(),
            lambda number: Instrument(number=number, exchange=exchange, market=market, symbol=f"I{number}"),
        )
        self._engine.ensure_instruments(max(count, 1))
        self.context = self._engine._context

    def of(self, batch: np.ndarray) -> None:
        """Take records from ``batch`` (dtype RECORD) from now on."""
        self._batch = batch
        put(self.context, RECORDS, batch.view(np.int64).reshape(-1, RECORD_WORDS))

    def apply(self, n: int) -> None:
        """Apply the first ``n`` records; arrays grow as the engine has them grow."""
        first = apply_batch(self.context, 0, n)
        while first < n:
            self._engine._grow_book(int(self._batch[first]["instrument"]))
            first = apply_batch(self.context, first, n)

    def top(self, number: int, levels: int) -> list[list[list[float]]]:
        """The best levels of both sides, [[price, size], ...] each."""
        return [side[:levels].tolist() for side in self._engine.book(number)]
