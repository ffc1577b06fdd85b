"""Prints as records."""

from __future__ import annotations

from collections.abc import Sequence

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.deribit.messages import Trade
from ringcollect.exchanges.numbers import ms_to_ns, to_float, to_whole
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import Arrival, rows
from ringcollect.records import Channel, Kind, TradeSub

SIDES = {"buy": 1, "sell": -1}


def _sub(trade: Trade) -> TradeSub:
    """A liquidation on either side of the trade, else a block, else an ordinary one."""
    if trade.liquidation:
        return TradeSub.LIQUIDATION
    return TradeSub.BLOCK if trade.block_trade_id else TradeSub.ORDINARY


def print_records(trades: Sequence[Trade], arrival: Arrival, instrument: int) -> Batch:
    """Prints of one instrument, in the order sent; ``side`` is the taker's."""
    if any(trade.direction not in SIDES for trade in trades):
        raise RejectedFrame("trade of unknown direction")
    ids = [to_whole(trade.trade_seq) for trade in trades]
    records = rows(
        arrival, instrument, Kind.TRADE, [ms_to_ns(trade.timestamp) for trade in trades], len(trades),
        price=[to_float(trade.price) for trade in trades],
        size=[to_float(trade.amount) for trade in trades],
        id=ids,
        aux=ids,
        side=[SIDES[trade.direction] for trade in trades],
        sub=[_sub(trade) for trade in trades],
    )  # fmt: skip
    return Batch(instrument, Channel.TRADE, records, min(ids), max(ids))
