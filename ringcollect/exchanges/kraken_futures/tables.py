"""Tickers of Kraken Futures as a table for the shared kernel; the typed path is the reference."""

from __future__ import annotations

import functools

import numpy as np

from ringcollect.exchanges.tabular import layout as at
from ringcollect.exchanges.tabular.describe import Key, Program, Record, Scope, Shape, refused, table, ticker_fields
from ringcollect.records import Kind, TickerField

_TIME, _BID, _BID_SIZE, _ASK, _ASK_SIZE, _MARK, _INDEX, _RATE, _PREDICTED, _DUE, _INTERVAL, _INTEREST = range(12)
_STATISTIC = _INTEREST  # and the field's number
_KEYS = {
    TickerField.LAST: "last", TickerField.OPEN: "open", TickerField.HIGH: "high", TickerField.LOW: "low",
    TickerField.BASE_VOLUME: "volume", TickerField.QUOTE_VOLUME: "volumeQuote",
}  # fmt: skip

_TICKER = Scope(
    (
        Key("feed", at.TEXT),
        Key("product_id", at.SYMBOL, at.INSTRUMENTS),
        Key("time", at.MS | at.BARE, _TIME),
        Key("bid", at.NUMBER, _BID),
        Key("bid_size", at.NUMBER, _BID_SIZE),
        Key("ask", at.NUMBER, _ASK),
        Key("ask_size", at.NUMBER, _ASK_SIZE),
        Key("markPrice", at.NUMBER, _MARK, required=False),
        Key("index", at.NUMBER, _INDEX, required=False),
        Key("relative_funding_rate", at.NUMBER, _RATE, required=False),
        Key("relative_funding_rate_prediction", at.NUMBER, _PREDICTED, required=False),
        Key("openInterest", at.NUMBER, _INTEREST, required=False),
        Key("next_funding_rate_time", at.MS | at.BARE, _DUE, required=False),
        *(Key(name, at.NUMBER, _STATISTIC + field, required=False) for field, name in _KEYS.items()),
        *refused("event", "message", "product_ids"),
    ),
    Program(
        ((at.POSITIVE, _BID), (at.POSITIVE, _ASK), (at.NONZERO, _DUE), (at.OWN_INTERVAL, _INTERVAL)),
        (
            Record(Kind.BBO, time=_TIME, price=_BID, size=_BID_SIZE, sign=1),
            Record(Kind.BBO, time=_TIME, price=_ASK, size=_ASK_SIZE, sign=-1),
            Record(Kind.MARK_PRICE, time=_TIME, price=_MARK, need=(_MARK,)),
            Record(Kind.INDEX_PRICE, time=_TIME, price=_INDEX, need=(_INDEX,)),
            Record(Kind.FUNDING, time=_TIME, price=_RATE, size=_PREDICTED, id=_INTERVAL, aux=_DUE, need=(_RATE, _DUE)),
            Record(Kind.OPEN_INTEREST, time=_TIME, size=_INTEREST, need=(_INTEREST,)),
            *ticker_fields(_TIME, {field: _STATISTIC + field for field in _KEYS}),
        ),
    ),
    at.OWNER,
)


@functools.cache
def frames() -> np.ndarray:
    """The table of WebSocket frames (int64), of both markets; a message names itself."""
    return table(Scope(()), (Shape("ticker", _TICKER),), inside="feed")
