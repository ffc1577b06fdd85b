"""Quotes and tickers of Deribit as a table for the shared kernel; the typed path is the reference."""

from __future__ import annotations

import functools

import numpy as np

from ringcollect.exchanges.tabular import layout as at
from ringcollect.exchanges.tabular.describe import Key, Program, Record, Scope, Shape, refused, table, ticker_fields
from ringcollect.records import Kind, TickerField

_TS, _METHOD, _BID, _BID_SIZE, _ASK, _ASK_SIZE, _MARK, _INDEX, _RATE, _INTERVAL, _INTEREST = range(11)
_NAMES = {TickerField.HIGH: "high", TickerField.LOW: "low", TickerField.BASE_VOLUME: "volume"}
_STATISTICS: dict[TickerField, int] = {field: _INTEREST + field for field in (TickerField.LAST, *_NAMES)}

_PARAMS = Scope((Key("channel", at.TOPIC), Key("data", at.DATA)))
_ROOT = Scope(
    (
        Key("method", at.WORD, _METHOD, choice={"subscription": 1}),
        Key("params", at.OBJECT, scope=_PARAMS),
        *refused("id", "result", "error"),
    )
)
# The channel's name has an interval behind the symbol: the object names its instrument itself.
_SYMBOL = Key("instrument_name", at.SYMBOL, at.INSTRUMENTS)
_TIME = Key("timestamp", at.MS | at.BARE, _TS)
_QUOTE = Scope(
    (
        _SYMBOL,
        _TIME,
        Key("best_bid_price", at.NUMBER, _BID, required=False),
        Key("best_bid_amount", at.NUMBER, _BID_SIZE),
        Key("best_ask_price", at.NUMBER, _ASK, required=False),
        Key("best_ask_amount", at.NUMBER, _ASK_SIZE),
    ),
    Program(
        ((at.POSITIVE, _BID), (at.POSITIVE, _ASK)),
        (
            Record(Kind.BBO, time=_TS, price=_BID, size=_BID_SIZE, sign=1),
            Record(Kind.BBO, time=_TS, price=_ASK, size=_ASK_SIZE, sign=-1),
        ),
    ),
    at.OWNER,
)
_STATS = Scope(tuple(Key(name, at.NUMBER, _STATISTICS[field], required=False) for field, name in _NAMES.items()))
_TICKER = Scope(
    (
        _SYMBOL,
        _TIME,
        Key("mark_price", at.NUMBER, _MARK),
        Key("index_price", at.NUMBER, _INDEX),
        Key("open_interest", at.NUMBER, _INTEREST),
        Key("current_funding", at.NUMBER, _RATE, required=False),
        Key("last_price", at.NUMBER, _STATISTICS[TickerField.LAST], required=False),
        Key("stats", at.OBJECT, scope=_STATS, required=False),
    ),
    Program(
        ((at.OWN_INTERVAL, _INTERVAL),),
        (
            Record(Kind.MARK_PRICE, time=_TS, price=_MARK),
            Record(Kind.INDEX_PRICE, time=_TS, price=_INDEX),
            Record(Kind.FUNDING, time=_TS, price=_RATE, id=_INTERVAL, need=(_RATE,)),
            Record(Kind.OPEN_INTEREST, time=_TS, size=_INTEREST),
            *ticker_fields(_TS, _STATISTICS),
        ),
    ),
    at.OWNER,
)


@functools.cache
def frames() -> np.ndarray:
    """The table of WebSocket frames (int64), of both markets."""
    return table(_ROOT, (Shape("quote", _QUOTE), Shape("ticker", _TICKER)))
