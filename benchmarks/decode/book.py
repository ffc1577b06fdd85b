"""The synchronizer's book, fed frame by frame: what its kernel does with the records of one decoded frame."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import numpy as np

from ringcollect.decode.memory import address_of, plain
from ringcollect.instruments import Instrument
from ringcollect.jit import Entry, njit, types
from ringcollect.records import RECORD_WORDS, W_TAIL
from ringcollect.sync.arrays import BOOKS, FLOATS, INTS, PARAMS, RECORDS, SHARED, array_at, put
from ringcollect.sync.book import clear, truncate
from ringcollect.sync.engine import Engine
from ringcollect.sync.layout import B_CLEAR, B_LAST
from ringcollect.sync.run_of_levels import set_levels
from ringcollect.sync.settings import Parameters


@njit
def apply_batch(context: np.ndarray, first: int, n: int) -> int:
    """Apply records ``first .. n-1`` of the batch; n, or the first whose book has no room for another level."""
    records = array_at(context, RECORDS)
    ints = array_at(context, INTS)
    floats = array_at(context, FLOATS).view(np.float64)
    books = array_at(context, BOOKS).view(np.float64)
    params = array_at(context, PARAMS)[0]
    shared = array_at(context, SHARED)[0]
    at = first
    while at < n:
        tail = records[at, W_TAIL]
        row, values = ints[tail & 0xFFFF], floats[tail & 0xFFFF]
        if (tail >> 48) & B_CLEAR:
            clear(row, values)
        if (tail >> 40) & 0xFF == 0:
            levels = 1
        else:
            levels = 1
            while not (records[at + levels - 1, W_TAIL] >> 48) & B_LAST:
                levels += 1
            done = set_levels(address_of(records) + 64 * at, plain(0), levels, row, values, books, params, shared)
            if done < levels:
                return at + done
        at += levels
        if (records[at - 1, W_TAIL] >> 48) & B_LAST:
            truncate(row, values, books)
    return n


def tick_of(prices: Sequence[float]) -> float:
    """The largest power of ten that every price is a multiple of; NaN without prices or below 1e-12."""
    seen = np.asarray(prices)
    for places in range(13):
        if len(seen) and np.array_equal(np.rint(seen * 10.0**places) / 10.0**places, seen):
            return float(f"1e-{places}")
    return nan


_apply = Entry(apply_batch, lambda: (types.Array(types.int64, 1, "C"), types.int64, types.int64))
"""As the feed calls its kernels: without numba's look at the types."""


class Books:
    """Books of the synchronizer's engine, without its grid."""

    def __init__(self, exchange: str, market: str, ticks: Sequence[float]) -> None:
        """One book for each of ``ticks``, the price steps the venue's instrument list says; NaN: not known."""
        count = len(ticks)
        self._engine = Engine(
            Parameters(),
            lambda number: Instrument(
                number=number, exchange=exchange, market=market, symbol=f"I{number}",
                tick_size=ticks[number] if number < count else nan,
            ),
        )  # fmt: skip
        self._engine.ensure_instruments(max(count, 1))
        self.context = self._engine.state.context
        self._apply = _apply.direct

    def of(self, batch: np.ndarray) -> None:
        """Take records from ``batch`` (dtype RECORD) from now on."""
        self._batch = batch
        put(self.context, RECORDS, batch.view(np.int64).reshape(-1, RECORD_WORDS))

    def apply(self, n: int) -> None:
        """Apply the first ``n`` records; arrays grow as the engine has them grow."""
        first = self._apply(self.context, 0, n)
        while first < n:
            self._engine.state.grow_book(int(self._batch[first]["instrument"]))
            first = self._apply(self.context, first, n)

    def top(self, number: int, levels: int) -> list[list[list[float]]]:
        """The best levels of both sides, [[price, size], ...] each."""
        return [side[:levels].tolist() for side in self._engine.book(number)]
