"""Marks, indices, fundings, open interest and liquidations of OKX as a table for the shared kernel.

The typed path is the reference.
"""

from __future__ import annotations

import functools

import numpy as np

from ringcollect.exchanges.okx.derivatives import TICKER_KEYS
from ringcollect.exchanges.okx.fields import F_HISTORY
from ringcollect.exchanges.tabular import layout as at
from ringcollect.exchanges.tabular.describe import Key, Program, Record, Scope, Shape, refused, table, ticker_fields
from ringcollect.records import Kind, LiquidationSub, TickerField

_TS, _PRICE, _SIZE, _SIDE, _WHEN, _AFTER, _NEXT_RATE, _INTERVAL = range(8)
_IS_SPOT, _STATISTIC = 8, 9
_IGNORED = ("instruments", "estimated-price", "price-limit", "opt-summary", "option-trades", "status")

_ARG = Scope(
    (
        Key("channel", at.NAME),
        Key("instId", at.TEXT, required=False),
        Key("instType", at.TEXT, required=False),
    )
)
_ROOT = Scope(
    (
        Key("arg", at.OBJECT, scope=_ARG),
        Key("data", at.DATA),
        Key("action", at.TEXT, required=False),
        *refused("event", "id", "code", "msg"),
    )
)
_SYMBOL = Key("instId", at.SYMBOL, at.INSTRUMENTS)
_TIME = Key("ts", at.MS, _TS)


def _price(kind: Kind, name: str, symbol: Key, flags: int) -> Scope:
    record = Record(kind, time=_TS, price=_PRICE)
    return Scope((symbol, Key(name, at.NUMBER, _PRICE), _TIME), Program(records=(record,)), flags)


_FUNDING = Scope(
    (
        _SYMBOL,
        Key("fundingTime", at.MS, _WHEN),
        Key("fundingRate", at.NUMBER | at.EMPTY, _PRICE, required=False),
        Key("nextFundingRate", at.NUMBER | at.EMPTY, _NEXT_RATE, required=False),
        Key("nextFundingTime", at.MS | at.EMPTY, _AFTER, required=False),
        Key("ts", at.MS | at.EMPTY, _TS, required=False),
    ),
    Program(
        ((at.NONZERO, _AFTER), (at.DIFFERENCE, _INTERVAL, _AFTER, _WHEN)),
        (Record(Kind.FUNDING, time=_TS, price=_PRICE, size=_NEXT_RATE, id=_INTERVAL, aux=_WHEN),),
    ),
    at.OWNER,
)
_TICKER = Scope(
    (
        _SYMBOL,
        _TIME,
        Key("instType", at.WORD, _IS_SPOT, choice={"SPOT": 1, "SWAP": 0, "FUTURES": 0, "MARGIN": 0, "OPTION": 0}),
        *(Key(name, at.NUMBER | at.EMPTY, _STATISTIC + field) for field, name in TICKER_KEYS.items()),
    ),
    Program(
        ((at.NONZERO, _IS_SPOT),),
        ticker_fields(
            _TS, {field: _STATISTIC + field for field in TICKER_KEYS}, {TickerField.QUOTE_VOLUME: (_IS_SPOT,)}
        ),
    ),
    at.OWNER,
)
_OPEN_INTEREST = Scope(
    (
        _SYMBOL,
        Key("oi", at.NUMBER, _SIZE),
        Key("oiUsd", at.NUMBER | at.EMPTY, _PRICE, required=False),
        _TIME,
    ),
    Program(records=(Record(Kind.OPEN_INTEREST, time=_TS, price=_PRICE, size=_SIZE),)),
    at.OWNER,
)
_FORCED = Scope(
    (
        Key("bkPx", at.NUMBER, _PRICE),
        Key("side", at.WORD, _SIDE, choice={"buy": 1, "sell": -1}),
        Key("sz", at.NUMBER, _SIZE),
        _TIME,
    ),
    Program(
        records=(
            Record(
                Kind.LIQUIDATION, time=_TS, price=_PRICE, size=_SIZE, aux=at.NOT_A_NUMBER, side=_SIDE,
                sub=LiquidationSub.BANKRUPTCY,
            ),
        )
    ),
)  # fmt: skip
_LIQUIDATIONS = Scope((_SYMBOL, Key("details", at.LIST, scope=_FORCED)), flags=at.OWNER)
_INDEX_SYMBOL = Key("instId", at.SYMBOL, at.GROUPS)


@functools.cache
def frames() -> np.ndarray:
    """The table of WebSocket frames (int64), of all markets."""
    return table(
        _ROOT,
        (
            Shape("mark-price", _price(Kind.MARK_PRICE, "markPx", _SYMBOL, at.OWNER), at.LIST_SHAPE),
            Shape(
                "index-tickers", _price(Kind.INDEX_PRICE, "idxPx", _INDEX_SYMBOL, at.OWNER | at.GROUP), at.LIST_SHAPE
            ),
            Shape("tickers", _TICKER, at.LIST_SHAPE),
            Shape("funding-rate", _FUNDING, at.LIST_SHAPE),
            Shape("open-interest", _OPEN_INTEREST, at.LIST_SHAPE),
            Shape("liquidation-orders", _LIQUIDATIONS, at.LIST_SHAPE | at.BLOCKED),
            *(Shape(name, None) for name in _IGNORED),
        ),
        block=F_HISTORY,
    )
