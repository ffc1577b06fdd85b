"""Order books and best prices as records."""

from __future__ import annotations

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.deribit.messages import Book, Level, Quote
from ringcollect.exchanges.numbers import Number, ms_to_ns, to_float, to_whole
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import NAN, Arrival, levels_into, rows
from ringcollect.records import Channel, Flag, Kind


def _columns(levels: list[Level]) -> tuple[list[float], list[float]]:
    """Prices and sizes; what is deleted has size 0, whatever amount is said."""
    sizes = [to_float(amount) for _, _, amount in levels]
    return [to_float(price) for _, price, _ in levels], [
        0.0 if action == "delete" else size for (action, _, _), size in zip(levels, sizes, strict=True)
    ]


def book_records(book: Book, arrival: Arrival, instrument: int) -> Batch:
    """A whole book or a delta, whose ``prev_change_id`` is the last message's ``change_id``."""
    delta = book.type == "change"
    if delta and book.prev_change_id is None:
        raise RejectedFrame("a change without prev_change_id")
    identity = to_whole(book.change_id)
    previous = to_whole(book.prev_change_id) if delta and book.prev_change_id is not None else -1
    n = max(1, len(book.bids) + len(book.asks))
    kind = Kind.BOOK_DELTA if delta else Kind.BOOK_SNAPSHOT
    records = rows(arrival, instrument, kind, ms_to_ns(book.timestamp), n, id=identity, aux=0 if delta else -1)
    levels_into(records, _columns(book.bids), _columns(book.asks))
    if not delta:
        records["flags"] |= int(Flag.SNAPSHOT)
        records["flags"][0] |= int(Flag.CLEAR)
    return Batch(instrument, Channel.BOOK, records, -1, identity, previous)


def _price(value: Number | None) -> float:
    """A side without orders is NaN."""
    price = NAN if value is None else to_float(value)
    return price if price > 0 else NAN


def best_records(quote: Quote, arrival: Arrival, instrument: int) -> Batch:
    """Best bid and best ask."""
    records = rows(arrival, instrument, Kind.BBO, ms_to_ns(quote.timestamp), 2)
    records["side"] = 1, -1
    records["price"] = _price(quote.best_bid_price), _price(quote.best_ask_price)
    records["size"] = to_float(quote.best_bid_amount), to_float(quote.best_ask_amount)
    return Batch(instrument, Channel.BBO, records)
