"""Order book topics as records: the primary book of an instrument, and depth 1 as its best prices."""

from __future__ import annotations

import numpy as np

from ringcollect.exchanges.bybit import fields as at
from ringcollect.exchanges.bybit.messages import Book, Level
from ringcollect.exchanges.numbers import to_float, to_floats
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import NAN, Arrival, levels_into, rows
from ringcollect.records import Channel, Flag, Kind


def _columns(levels: list[Level]) -> tuple[list[float], list[float]]:
    return [to_float(price) for price, _ in levels], [to_float(size) for _, size in levels]


def _many(levels: list[Level]) -> tuple[np.ndarray, np.ndarray]:
    return to_floats([price for price, _ in levels]), to_floats([size for _, size in levels])


def book_records(book: Book, arrival: Arrival, instrument: int, ts_event: int, *, delta: bool) -> Batch:
    """A snapshot (whatever was known is void) or a delta; ``u`` is the only id."""
    n = max(1, len(book.b) + len(book.a))
    kind = Kind.BOOK_DELTA if delta else Kind.BOOK_SNAPSHOT
    records = rows(arrival, instrument, kind, ts_event, n, id=book.u, aux=0 if delta else -1)
    columns = _columns if delta else _many
    levels_into(records, columns(book.b), columns(book.a))
    if not delta:
        records["flags"] |= int(Flag.SNAPSHOT)
        records["flags"][0] |= int(Flag.CLEAR)
    return Batch(instrument, Channel.BOOK, records, book.u if delta else -1, book.u)


def best_records(
    book: Book, arrival: Arrival, instrument: int, ts_event: int, row: np.ndarray | None, *, delta: bool
) -> Batch:
    """Best bid and ask. ``row`` (the instrument's of no channel) has them for deltas, as they were sent until 2023."""
    best = [0.0, 0.0, 0.0, 0.0]
    if delta and row is not None:
        best = row[at.R_BID : at.R_ASK_SIZE + 1].view(np.float64).tolist()
    for place, levels, better in ((0, book.b, 1), (2, book.a, -1)):
        prices, sizes = _columns(levels)
        for price, size in zip(prices, sizes, strict=True):
            if size == 0 and price == best[place]:
                best[place] = best[place + 1] = 0.0
        left = [(better * price, size) for price, size in zip(prices, sizes, strict=True) if size != 0]
        if left:
            price, size = max(left)
            best[place], best[place + 1] = better * price, size
    if row is not None:
        row[at.R_BID : at.R_ASK_SIZE + 1].view(np.float64)[:] = best
    records = rows(arrival, instrument, Kind.BBO, ts_event, 2, id=book.u)
    records["price"] = [best[0] or NAN, best[2] or NAN]
    records["size"] = [best[1], best[3]]
    records["side"] = 1, -1
    return Batch(instrument, Channel.BBO, records, book.u, book.u)
