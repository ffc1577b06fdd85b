"""Prints as records."""

from __future__ import annotations

from msgspec import UNSET

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.numbers import ms_to_ns, to_float, to_whole
from ringcollect.exchanges.okx.messages import Trade
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import Arrival, rows
from ringcollect.records import Channel, Kind, TradeSub

SIDES = {"buy": 1, "sell": -1}
_RPI_SOURCE = "1"


def print_records(trades: list[Trade], arrival: Arrival, instrument: int) -> Batch:
    """Prints of one instrument, in the order sent.

    A row of ``trades`` with ``count`` stands for that many fills of one taker order at one price, the last of which
    has ``tradeId``: an aggregated stream, whatever the count. Rows of ``trades-all``, and of ``trades`` before there
    were counts, are single fills.
    """
    counts = [1 if trade.count is UNSET else to_whole(trade.count) for trade in trades]
    ids = [to_whole(trade.trade_id) for trade in trades]
    if any(not 0 < count <= identity + 1 for count, identity in zip(counts, ids, strict=True)):
        raise RejectedFrame("a print of less than one fill, or of more than there were")
    if any(trade.side not in SIDES for trade in trades):
        raise RejectedFrame("trade of unknown side")
    firsts = [identity - count + 1 for identity, count in zip(ids, counts, strict=True)]
    records = rows(
        arrival, instrument, Kind.TRADE, [ms_to_ns(trade.ts) for trade in trades], len(trades),
        price=[to_float(trade.px) for trade in trades],
        size=[to_float(trade.sz) for trade in trades],
        id=ids,
        aux=firsts,
        side=[SIDES[trade.side] for trade in trades],
        sub=[_sub(trade) for trade in trades],
    )  # fmt: skip
    return Batch(instrument, Channel.TRADE, records, min(firsts), max(ids))


def _sub(trade: Trade) -> int:
    """``source`` 1 is a retail price improvement order's fill; a source nobody knows is still a trade."""
    kind = TradeSub.RPI if str(trade.source) == _RPI_SOURCE else TradeSub.ORDINARY
    return int(kind) if trade.count is UNSET else int(kind) + int(TradeSub.AGGREGATED)
