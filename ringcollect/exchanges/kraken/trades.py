"""Prints as records."""

from __future__ import annotations

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.kraken.messages import Trade
from ringcollect.exchanges.numbers import iso_to_ns, to_float, to_whole
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import Arrival, rows
from ringcollect.records import Channel, Kind

SIDES = {"buy": 1, "sell": -1}


def print_records(trades: list[Trade], arrival: Arrival, instrument: int, extra: int) -> Batch:
    """Prints of one instrument, in the order sent; ``side`` is the taker's. ``extra`` flags are on all of them."""
    if any(trade.side not in SIDES for trade in trades):
        raise RejectedFrame("trade of unknown side")
    ids = [to_whole(trade.trade_id) for trade in trades]
    records = rows(
        arrival, instrument, Kind.TRADE, [iso_to_ns(trade.timestamp) for trade in trades], len(trades),
        price=[to_float(trade.price) for trade in trades],
        size=[to_float(trade.qty) for trade in trades],
        id=ids,
        aux=ids,
        side=[SIDES[trade.side] for trade in trades],
    )  # fmt: skip
    records["flags"] |= extra
    return Batch(instrument, Channel.TRADE, records, min(ids), max(ids))
