"""Order books and best prices as records."""

from __future__ import annotations

from collections.abc import Sequence

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.kraken_futures.messages import Delta, Level, Snapshot, Ticker
from ringcollect.exchanges.numbers import to_float
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import NAN, Arrival, levels_into, rows
from ringcollect.records import Channel, Flag, Kind

SIDES = {"buy": 1, "sell": -1}
MS = 1_000_000


def side_of(text: str) -> int:
    """+1 of ``buy``, -1 of ``sell``; RejectedFrame for anything else."""
    if text not in SIDES:
        raise RejectedFrame(f"unknown side {text[:40]!r}")
    return SIDES[text]


def _left(size: float) -> float:
    """What stands at a level. The venue has sent sizes below zero, rarely: nothing stands there."""
    return size if size > 0 else 0.0


def delta_records(delta: Delta, arrival: Arrival, instrument: int) -> Batch:
    """The one level of a frame; ``seq`` is the only id."""
    records = rows(
        arrival, instrument, Kind.BOOK_DELTA, delta.timestamp * MS,
        price=to_float(delta.price), size=_left(to_float(delta.qty)), id=delta.seq, side=side_of(delta.side),
    )  # fmt: skip
    return Batch(instrument, Channel.BOOK, records, delta.seq, delta.seq)


def _columns(levels: Sequence[Level]) -> tuple[list[float], list[float]]:
    """Prices and sizes without the levels of size 0 that a snapshot may hold."""
    pairs = [(to_float(level.price), _left(to_float(level.qty))) for level in levels]
    return [price for price, size in pairs if size], [size for _, size in pairs if size]


def snapshot_records(book: Snapshot, arrival: Arrival, instrument: int) -> Batch:
    """The whole book: whatever was known is void."""
    bids, asks = _columns(book.bids), _columns(book.asks)
    n = max(1, len(bids[0]) + len(asks[0]))
    records = rows(arrival, instrument, Kind.BOOK_SNAPSHOT, book.timestamp * MS, n, id=book.seq, aux=-1)
    levels_into(records, bids, asks)
    records["flags"] |= int(Flag.SNAPSHOT)
    records["flags"][0] |= int(Flag.CLEAR)
    return Batch(instrument, Channel.BOOK, records, -1, book.seq)


def best_records(ticker: Ticker, arrival: Arrival, instrument: int) -> Batch:
    """Best bid and best ask; a price not above 0 is a side without orders: NaN."""
    records = rows(arrival, instrument, Kind.BBO, ticker.time * MS, 2)
    records["side"] = 1, -1
    records["price"] = [price if price > 0 else NAN for price in (to_float(ticker.bid), to_float(ticker.ask))]
    records["size"] = [to_float(ticker.bid_size), to_float(ticker.ask_size)]
    return Batch(instrument, Channel.BBO, records)
