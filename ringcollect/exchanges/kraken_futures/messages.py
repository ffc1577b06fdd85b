"""Kraken Futures' messages as types, only the fields that are used. Numbers stay as sent until they are judged."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from ringcollect.exchanges.numbers import Number

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Time = Annotated[int, Meta(ge=0, le=(2**63 - 1) // 1_000_000)]
"""Milliseconds."""


class Head(Struct):
    """Enough of any message to tell what it is; an ``event`` is about the connection."""

    feed: str | UnsetType = UNSET
    event: str | UnsetType = UNSET
    message: str | None = None
    product_id: str = ""
    product_ids: list[str] = field(default_factory=list)


class Delta(Struct):
    """``book``: one level, absolute; ``qty`` 0 removes it. Recordings of 2019 have no ``timestamp``."""

    side: str
    seq: Id
    price: Number
    qty: Number
    timestamp: Time = 0


class Level(Struct):
    """One price of a snapshot."""

    price: Number
    qty: Number


class Snapshot(Struct):
    """``book_snapshot``: the whole book. ``tickSize`` is always null."""

    seq: Id
    timestamp: Time
    bids: list[Level]
    asks: list[Level]


class Trade(Struct):
    """``trade``, and one of ``trade_snapshot``. ``uid`` was not there before 2019-09."""

    side: str
    seq: Id
    time: Time
    price: Number
    qty: Number
    type: str = "fill"
    uid: str = ""
    product_id: str = ""


class Trades(Struct):
    """``trade_snapshot``: the newest hundred, newest first."""

    trades: list[Trade]


class Ticker(Struct):
    """``ticker``: a side without orders is 0; ``next_due`` is 0 or not there where there is no funding."""

    time: Time
    bid: Number
    ask: Number
    bid_size: Number
    ask_size: Number
    mark: Number | None = field(default=None, name="markPrice")
    index: Number | None = None
    interest: Number | None = field(default=None, name="openInterest")
    rate: Number | None = field(default=None, name="relative_funding_rate")
    predicted: Number | None = field(default=None, name="relative_funding_rate_prediction")
    next_due: Time | None = field(default=None, name="next_funding_rate_time")
    last: Number | None = None
    open: Number | None = None
    high: Number | None = None
    low: Number | None = None
    volume: Number | None = None
    volume_quote: Number | None = field(default=None, name="volumeQuote")


class Instrument(Struct):
    """One row of REST ``instruments``; indices have no size. ``precision`` may be negative (-3: lots of 1000)."""

    symbol: str
    tradeable: bool = False
    tick: float | None = field(default=None, name="tickSize")
    contract: float = field(default=1.0, name="contractSize")
    precision: Annotated[int, Meta(ge=-18, le=18)] | None = field(default=None, name="contractValueTradePrecision")
    base: str = ""
    quote: str = ""


class InstrumentList(Struct):
    """REST ``instruments``."""

    result: str
    instruments: list[Instrument] = field(default_factory=list)
    error: str = ""


class DayTicker(Struct):
    """One row of REST ``tickers``."""

    symbol: str
    volume: Number = field(default="", name="volumeQuote")


class DayTickers(Struct):
    """REST ``tickers``."""

    result: str
    tickers: list[DayTicker] = field(default_factory=list)
    error: str = ""
