"""Book messages as records: levels, best prices, and the checksum of recordings made before June 2026."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import UNSET

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.numbers import Number, ms_to_ns, to_float, to_floats
from ringcollect.exchanges.okx.messages import Book, Level
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import NAN, Arrival, levels_into, rows
from ringcollect.records import Channel, Flag, Kind

_MOST = 2**63 - 1


def columns(levels: list[Level]) -> tuple[list[float], list[float]]:
    """Prices and sizes of ``[price, size, ...]`` rows."""
    return [_number(level, 0) for level in levels], [_number(level, 1) for level in levels]


def _many(levels: list[Level]) -> tuple[np.ndarray, np.ndarray]:
    """:func:`columns` of a whole book."""
    return to_floats([_value(level, 0) for level in levels]), to_floats([_value(level, 1) for level in levels])


def _number(level: Level, place: int) -> float:
    return to_float(_value(level, place))


def _value(level: Level, place: int) -> Number:
    value: Any = level[place] if len(level) > place else None
    if type(value) not in (str, int, float):
        raise RejectedFrame("a level is no price and size")
    number: Number = value
    return number


def _id(value: Any) -> int:
    """An update id; -1 where none is sent (before 2022-12)."""
    if value is UNSET:
        return -1
    if not -1 <= value <= _MOST:
        raise RejectedFrame(f"id out of range: {str(value)[:40]}")
    return int(value)


def book_batches(book: Book, arrival: Arrival, instrument: int, *, delta: bool, extra: int = 0) -> tuple[Batch, ...]:
    """A whole book (CLEAR and ``extra`` flags) or a delta, and behind it the venue's checksum, if it sent one.

    A checksum of 0 is none: production sends nothing else since 2026-06-23, and whoever compares it resyncs for ever.
    """
    n = max(1, len(book.bids) + len(book.asks))
    last_id, prev_id = _id(book.seq_id), _id(book.prev_seq_id)
    kind = Kind.BOOK_DELTA if delta else Kind.BOOK_SNAPSHOT
    ts_event = ms_to_ns(book.ts)
    records = rows(arrival, instrument, kind, ts_event, n, id=max(0, last_id), aux=0 if delta else -1)
    numbers = columns if delta else _many
    levels_into(records, numbers(book.bids), numbers(book.asks))
    if not delta:
        records["flags"] |= extra
        records["flags"][0] |= int(Flag.CLEAR)
    levels = Batch(instrument, Channel.BOOK, records, -1, last_id, prev_id if delta else -1)
    if not book.checksum:
        return (levels,)
    if not -(2**31) <= book.checksum < 2**31:
        raise RejectedFrame(f"checksum out of range: {str(book.checksum)[:40]}")
    check = rows(
        arrival, instrument, Kind.BOOK_CHECK, ts_event, price=NAN, size=NAN, id=max(0, last_id), aux=book.checksum
    )
    return levels, Batch(instrument, Channel.BOOK, check, -1, last_id)


def best_records(book: Book, arrival: Arrival, instrument: int) -> Batch:
    """Best bid and best ask; a side without orders is an empty list: NaN."""
    last_id = _id(book.seq_id)
    records = rows(arrival, instrument, Kind.BBO, ms_to_ns(book.ts), 2, id=max(0, last_id))
    records["side"] = 1, -1
    for row, side in enumerate((book.bids, book.asks)):
        prices, sizes = columns(side)
        records["price"][row] = prices[0] if prices else NAN
        records["size"][row] = sizes[0] if sizes else 0.0
    return Batch(instrument, Channel.BBO, records, last_id, last_id)
