"""Trades and forced orders as records."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.kraken_futures.books import MS, side_of
from ringcollect.exchanges.kraken_futures.messages import Trade
from ringcollect.exchanges.numbers import to_float
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import NAN, Arrival, rows
from ringcollect.records import Channel, Flag, Kind, LiquidationSub, TradeSub, aux_f

FILL, LIQUIDATION = "fill", "liquidation"
_SUBS = {
    FILL: TradeSub.ORDINARY,
    LIQUIDATION: TradeSub.LIQUIDATION,
    "block": TradeSub.BLOCK,
    "assignment": TradeSub.ADL_INSURANCE,
    "termination": TradeSub.ADL_INSURANCE,
}
"""``type``: a position that could not be liquidated is assigned to others, and failing that, terminated."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def _trade(trade: Trade, arrival: Arrival, instrument: int, extra: int) -> Batch:
    """A print. Records name it by its ``uid`` (before there was one, by its ``seq``); ``seq`` tells what is missing."""
    if trade.type not in _SUBS:
        raise RejectedFrame(f"trade of unknown type {trade.type[:40]!r}")
    high = low = trade.seq
    if trade.uid:
        if not _UUID.fullmatch(trade.uid):
            raise RejectedFrame(f"not a UUID: {trade.uid[:40]!r}")
        high, low = np.frombuffer(bytes.fromhex(trade.uid.replace("-", "")), ">i8").tolist()
        extra |= int(Flag.UUID)
    records = rows(
        arrival, instrument, Kind.TRADE, trade.time * MS, price=to_float(trade.price), size=to_float(trade.qty),
        id=high, aux=low, sub=_SUBS[trade.type], side=side_of(trade.side),
    )  # fmt: skip
    records["flags"] |= extra
    return Batch(instrument, Channel.TRADE, records, trade.seq, trade.seq)


def _forced(trades: Sequence[Trade], arrival: Arrival, instrument: int, extra: int) -> Batch:
    """Forced orders: every trade they make is told with its own price, so that is an average of one fill."""
    n = len(trades)
    records = rows(
        arrival, instrument, Kind.LIQUIDATION, [trade.time * MS for trade in trades], n,
        price=[to_float(trade.price) for trade in trades],
        size=[to_float(trade.qty) for trade in trades],
        id=[trade.seq for trade in trades],
        side=[side_of(trade.side) for trade in trades],
        sub=[LiquidationSub.AVERAGE] * n,
    )  # fmt: skip
    aux_f(records)[:] = NAN
    records["flags"] |= extra
    return Batch(instrument, Channel.LIQUIDATION, records)


def print_batches(trades: Sequence[Trade], arrival: Arrival, instrument: int, *, history: bool) -> tuple[Batch, ...]:
    """A batch per trade, oldest first, and the forced orders among them once more as such.

    ``history``: what happened before the subscription, SNAPSHOT. Each trade stands alone because its ids are two: the
    UUID of the record does not say which numbers a frame fills.
    """
    extra = int(Flag.SNAPSHOT) if history else 0
    ordered = sorted(trades, key=lambda trade: trade.seq)
    made = [_trade(trade, arrival, instrument, extra) for trade in ordered]
    forced = [trade for trade in ordered if trade.type == LIQUIDATION]
    if forced:
        made.append(_forced(forced, arrival, instrument, extra))
    return tuple(made)
