"""Marks, fundings and forced orders of Binance as a table for the shared kernel; the typed path is the reference."""

from __future__ import annotations

import functools

import numpy as np

from ringcollect.exchanges.binance.cold import IGNORED_EVENTS, TICKER_KEYS
from ringcollect.exchanges.protocol import Purpose
from ringcollect.exchanges.tabular import layout as at
from ringcollect.exchanges.tabular.describe import Key, Program, Record, Scope, Shape, refused, table, ticker_fields
from ringcollect.records import Flag, Kind, LiquidationSub

_TIME, _PRICE, _INDEX, _RATE, _DUE, _INTERVAL = range(6)
_SIDE, _AVERAGE, _ORDERED, _FILLED = range(6, 10)
_FIRST_STATISTIC = 10

_HEAD = (Key("e", at.TEXT), *refused("stream", "data", "id", "code", "msg"))
_TIME_KEY = Key("E", at.EPOCH | at.BARE, _TIME)

_MARK_PRICE = Scope(
    (
        *_HEAD,
        _TIME_KEY,
        Key("s", at.SYMBOL),
        Key("p", at.NUMBER, _PRICE),
        Key("i", at.NUMBER | at.EMPTY, _INDEX, required=False),
        Key("r", at.NUMBER | at.EMPTY, _RATE, required=False),
        Key("T", at.EPOCH | at.BARE, _DUE, required=False),
    ),
    Program(
        ((at.NONZERO, _DUE), (at.OWN_INTERVAL, _INTERVAL)),
        (
            Record(Kind.MARK_PRICE, time=_TIME, price=_PRICE),
            Record(Kind.INDEX_PRICE, time=_TIME, price=_INDEX, need=(_INDEX,)),
            Record(Kind.FUNDING, time=_TIME, price=_RATE, aux=_DUE, id=_INTERVAL, need=(_RATE, _DUE)),
        ),
    ),
    at.OWNER,
)
_ORDER = Scope(
    (
        Key("s", at.SYMBOL),
        Key("S", at.WORD, _SIDE, choice={"BUY": 1, "SELL": -1}),
        Key("q", at.NUMBER, _ORDERED),
        Key("p", at.NUMBER, _PRICE),
        Key("T", at.EPOCH | at.BARE, _TIME),
        Key("ap", at.NUMBER, _AVERAGE, required=False),
        Key("z", at.NUMBER, _FILLED, required=False),
    ),
    Program(
        ((at.POSITIVE, _AVERAGE), (at.POSITIVE, _FILLED), (at.OR_ELSE, _FILLED, _ORDERED)),
        (
            Record(
                Kind.LIQUIDATION, time=_TIME, price=_AVERAGE, size=_FILLED, aux=_PRICE, side=_SIDE,
                sub=LiquidationSub.AVERAGE, need=(_AVERAGE,),
            ),
            Record(
                Kind.LIQUIDATION, time=_TIME, price=_PRICE, size=_FILLED, aux=at.NOT_A_NUMBER, side=_SIDE,
                sub=LiquidationSub.ORDER, forbid=(_AVERAGE,),
            ),
        ),
    ),
    at.OWNER,
)  # fmt: skip


_FIRST_TIME, _ID = 10, 11
_BOOK = Scope(
    (
        Key("lastUpdateId", at.ID, _ID),
        Key("bids", at.BIDS),
        Key("asks", at.ASKS),
        Key("T", at.EPOCH | at.BARE, _FIRST_TIME, required=False),
        Key("E", at.EPOCH | at.BARE, _TIME, required=False),
    ),
    Program(
        ((at.OR_ELSE, _FIRST_TIME, _TIME),),
        (Record(Kind.BOOK_SNAPSHOT, time=_FIRST_TIME, id=_ID, flags=Flag.SNAPSHOT | Flag.REST),),
    ),
)
_OPEN_INTEREST = Scope(
    (
        Key("symbol", at.SAME_SYMBOL),
        Key("openInterest", at.NUMBER, _ORDERED),
        Key("time", at.EPOCH | at.BARE, _TIME),
    ),
    Program(records=(Record(Kind.OPEN_INTEREST, time=_TIME, size=_ORDERED, flags=Flag.REST),)),
)
_BODIES = {Purpose.SNAPSHOT: _BOOK, Purpose.OPEN_INTEREST: _OPEN_INTEREST}


_DAY_TICKER = Scope(
    (
        *_HEAD,
        _TIME_KEY,
        Key("s", at.SYMBOL),
        *(Key(name, at.NUMBER, _FIRST_STATISTIC + field) for field, name in TICKER_KEYS.items()),
    ),
    Program(records=ticker_fields(_TIME, {field: _FIRST_STATISTIC + field for field in TICKER_KEYS})),
    at.OWNER,
)


@functools.cache
def body(purpose: Purpose) -> np.ndarray | None:
    """The table of a REST answer's body, None if there is no such."""
    return table(_BODIES[purpose], ()) if purpose in _BODIES else None


@functools.cache
def frames() -> np.ndarray:
    """The table of WebSocket frames (int64), of both markets."""
    either = at.OBJECT_SHAPE | at.LIST_SHAPE
    return table(
        Scope((Key("stream", at.TEXT), Key("data", at.DATA))),
        (
            Shape("markPriceUpdate", _MARK_PRICE, either),
            Shape("24hrTicker", _DAY_TICKER, either),
            Shape("forceOrder", Scope((*_HEAD, Key("o", at.OBJECT, scope=_ORDER))), either),
            *(Shape(name, Scope(_HEAD), either) for name in sorted(IGNORED_EVENTS)),
        ),
        inside="e",
    )
