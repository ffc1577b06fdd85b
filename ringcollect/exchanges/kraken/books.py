"""Order books, their checksums, and best prices as records."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.kraken.messages import Book, Level
from ringcollect.exchanges.numbers import iso_to_ns, to_float
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import NAN, Arrival, levels_into, rows
from ringcollect.records import Channel, Flag, Kind


def time_of(text: str | UnsetType) -> int:
    """A time as ns, 0 where none was sent."""
    return 0 if isinstance(text, UnsetType) else iso_to_ns(text)


def _columns(levels: list[Level]) -> tuple[list[float], list[float]]:
    return [to_float(level.price) for level in levels], [to_float(level.qty) for level in levels]


def book_batches(book: Book, arrival: Arrival, instrument: int, *, delta: bool) -> tuple[Batch, ...]:
    """A whole book or a delta, and behind it the venue's checksum of what it makes.

    Levels are in the order sent: a price may come twice in one frame, and the last one counts.
    """
    n = max(1, len(book.bids) + len(book.asks))
    ts_event = time_of(book.timestamp)
    kind = Kind.BOOK_DELTA if delta else Kind.BOOK_SNAPSHOT
    records = rows(arrival, instrument, kind, ts_event, n, aux=0 if delta else -1)
    levels_into(records, _columns(book.bids), _columns(book.asks))
    if not delta:
        records["flags"] |= int(Flag.SNAPSHOT)
        records["flags"][0] |= int(Flag.CLEAR)
    levels = Batch(instrument, Channel.BOOK, records)
    if book.checksum is UNSET:
        return (levels,)
    if not 0 <= book.checksum < 2**32:
        raise RejectedFrame(f"checksum out of range: {str(book.checksum)[:40]}")
    check = rows(arrival, instrument, Kind.BOOK_CHECK, ts_event, price=NAN, size=NAN, aux=book.checksum)
    return levels, Batch(instrument, Channel.BOOK, check)
