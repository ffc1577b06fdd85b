"""Tickers and liquidations of Bybit as a table for the shared kernel; the typed path is the reference."""

from __future__ import annotations

import functools

import numpy as np

from ringcollect.exchanges.bybit.tickers import (
    DUE,
    FIRST,
    HOURS,
    INTEREST,
    INTEREST_VALUE,
    RATE,
    SINGLE,
    SINGLE_VALUE,
    STATISTICS,
    statistic_keys,
)
from ringcollect.exchanges.tabular import layout as at
from ringcollect.exchanges.tabular.describe import Key, Program, Record, Scope, Shape, refused, table, ticker_fields
from ringcollect.records import Flag, Kind, LiquidationSub

# Slots: those of a ticker's state, then these.
_MARK, _INDEX, _TS, _PUBLISHED, _IS_SNAPSHOT, _TIME, _PRICE, _SIZE, _SIDE = range(
    FIRST + at.STATE_WORDS - 1, FIRST + at.STATE_WORDS + 8
)
_TEXT = at.QUOTED | at.EMPTY
_IGNORED = ("kline", "liquidation", "priceLimit", "insurance", "adlAlert", "system", "kline_lt", "tickers_lt", "lt")

_ROOT = Scope(
    (
        Key("topic", at.TOPIC),
        Key("type", at.WORD, _IS_SNAPSHOT, choice={"snapshot": 1, "delta": 0}),
        Key("data", at.DATA),
        Key("ts", at.MS | at.BARE, _TS, required=False),
        Key("cts", at.MS | at.BARE, _PUBLISHED, required=False),
        *refused("op", "success", "ret_msg", "req_id"),
    )
)
_DERIVATIVE_KEYS = (
    Key("markPrice", at.NUMBER | _TEXT, _MARK, required=False),
    Key("indexPrice", at.NUMBER | _TEXT, _INDEX, required=False),
    Key("fundingRate", at.NUMBER | _TEXT, RATE, required=False),
    Key("nextFundingTime", at.MS | _TEXT, DUE, required=False),
    Key("fundingIntervalHour", at.WHOLE | _TEXT, HOURS, required=False),
    Key("openInterest", at.NUMBER | _TEXT, INTEREST, required=False),
    Key("openInterestValue", at.NUMBER | _TEXT, INTEREST_VALUE, required=False),
    Key("singleOpenInterest", at.NUMBER | _TEXT, SINGLE, required=False),
    Key("singleOpenInterestValue", at.NUMBER | _TEXT, SINGLE_VALUE, required=False),
)
_NEWS = Program(
    (
        (at.RESET, _IS_SNAPSHOT),
        (at.MERGE, FIRST, FIRST + at.STATE_WORDS - 1),
        (at.NONZERO, DUE),
        (at.HOURS, HOURS),
        (at.OWN_INTERVAL, HOURS),
        (at.HALF, INTEREST),
        (at.HALF, INTEREST_VALUE),
    ),
    (
        Record(Kind.MARK_PRICE, time=_TS, price=_MARK, need=(_MARK,)),
        Record(Kind.INDEX_PRICE, time=_TS, price=_INDEX, need=(_INDEX,)),
        Record(Kind.FUNDING, time=_TS, price=RATE, aux=DUE, id=HOURS, need=(RATE, DUE), news=(RATE, DUE, HOURS)),
        Record(
            Kind.OPEN_INTEREST, time=_TS, price=SINGLE_VALUE, size=SINGLE, need=(SINGLE,), news=(SINGLE, SINGLE_VALUE)
        ),
        Record(
            Kind.OPEN_INTEREST, time=_TS, price=INTEREST_VALUE, size=INTEREST, flags=Flag.DERIVED, need=(INTEREST,),
            forbid=(SINGLE,), news=(INTEREST, INTEREST_VALUE, SINGLE_VALUE),
        ),
        *ticker_fields(_TS, STATISTICS, partial=True),
    ),
)  # fmt: skip
_LIQUIDATION = Scope(
    (
        Key("s", at.SAME_SYMBOL),
        Key("T", at.MS | at.BARE, _TIME),
        Key("v", at.NUMBER, _SIZE),
        Key("p", at.NUMBER, _PRICE),
        Key("S", at.WORD, _SIDE, choice={"Buy": -1, "Sell": 1}),
    ),
    Program(
        records=(
            Record(
                Kind.LIQUIDATION, time=_TIME, price=_PRICE, size=_SIZE, aux=at.NOT_A_NUMBER, side=_SIDE,
                sub=LiquidationSub.BANKRUPTCY,
            ),
        )
    ),
)  # fmt: skip


@functools.cache
def frames(market: str) -> np.ndarray:
    """The table of a market's frames (int64)."""
    statistics = (
        Key(name, at.NUMBER | _TEXT, STATISTICS[field], required=False)
        for field, name in statistic_keys(market).items()
    )
    ticker = Scope((Key("symbol", at.SAME_SYMBOL), *statistics, *_DERIVATIVE_KEYS))
    orders = at.LIST_SHAPE | at.WHOLE_FRAME | at.NOT_EMPTY
    return table(
        _ROOT,
        (
            Shape("tickers", ticker, at.OBJECT_SHAPE | at.WHOLE_FRAME, _NEWS),
            Shape("allLiquidation", _LIQUIDATION, orders),
            *(Shape(name, None) for name in _IGNORED),
        ),
    )
