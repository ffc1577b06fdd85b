"""Tickers of Upbit in the format DEFAULT as a table for the shared kernel; the typed path is the reference."""

from __future__ import annotations

import functools

import numpy as np

from ringcollect.exchanges.tabular import layout as at
from ringcollect.exchanges.tabular.describe import Key, Program, Scope, Shape, refused, table, ticker_fields
from ringcollect.exchanges.upbit.tickers import KEYS

_TIME, _IS_NEWS, _STATISTIC = range(3)

_TICKER = Scope(
    (
        Key("type", at.TEXT),
        Key("code", at.SYMBOL, at.INSTRUMENTS),
        Key("timestamp", at.EPOCH | at.BARE, _TIME),
        Key("stream_type", at.WORD, _IS_NEWS, required=False, choice={"REALTIME": 1}),
        *(Key(name, at.NUMBER, _STATISTIC + field, required=False) for field, name in KEYS.items()),
        *refused("error", "status", "method"),
    ),
    Program(records=ticker_fields(_TIME, {field: _STATISTIC + field for field in KEYS})),
    at.OWNER,
)


@functools.cache
def frames() -> np.ndarray:
    """The table of WebSocket frames (int64); a message names itself."""
    return table(Scope(()), (Shape("ticker", _TICKER),), inside="type")
