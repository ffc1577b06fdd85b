"""Trades and liquidations as records."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.bybit.messages import Liquidation, Trade
from ringcollect.exchanges.numbers import to_float, to_whole
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import NAN, Arrival, rows
from ringcollect.records import Channel, Flag, Kind, LiquidationSub, TradeSub, aux_f

_SIDES = {"Buy": 1, "Sell": -1}
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def _side(text: str) -> int:
    if text not in _SIDES:
        raise RejectedFrame(f"unknown side {text[:40]!r}")
    return _SIDES[text]


def _words(identity: str) -> tuple[int, int, bool]:
    """(id, aux, is a UUID): both halves of a UUID as signed words, or the number twice."""
    if _UUID.fullmatch(identity):
        high, low = np.frombuffer(bytes.fromhex(identity.replace("-", "")), ">i8").tolist()
        return high, low, True
    number = to_whole(identity)
    return number, number, False


def trade_records(trades: list[Trade], arrival: Arrival, instrument: int) -> Batch:
    """Prints in the order sent. Every frame is news, though ``type`` says snapshot; ``S`` is the taker's side."""
    words = [_words(trade.i) for trade in trades]
    records = rows(
        arrival, instrument, Kind.TRADE, [trade.T * 1_000_000 for trade in trades], len(trades),
        price=[to_float(trade.p) for trade in trades],
        size=[to_float(trade.v) for trade in trades],
        side=[_side(trade.S) for trade in trades],
        sub=[TradeSub.BLOCK if t.BT else TradeSub.RPI if t.RPI else TradeSub.ORDINARY for t in trades],
        id=[high for high, _, _ in words],
        aux=[low for _, low, _ in words],
    )  # fmt: skip
    records["flags"][[is_uuid for _, _, is_uuid in words]] |= int(Flag.UUID)
    return Batch(instrument, Channel.TRADE, records)


def liquidation_records(liquidations: list[Liquidation], arrival: Arrival, instrument: int) -> Batch:
    """Every forced order. ``S`` is the side of the position: a liquidated long (Buy) is closed by selling."""
    columns: dict[str, Any] = {
        "price": [to_float(one.p) for one in liquidations],
        "size": [to_float(one.v) for one in liquidations],
        "side": [-_side(one.S) for one in liquidations],
        "sub": LiquidationSub.BANKRUPTCY,
    }
    times = [one.T * 1_000_000 for one in liquidations]
    records = rows(arrival, instrument, Kind.LIQUIDATION, times, len(liquidations), **columns)
    aux_f(records)[:] = NAN
    return Batch(instrument, Channel.LIQUIDATION, records)
