"""Bybit's messages as types, only the fields that are used. Numbers stay as sent until they are judged."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from ringcollect.exchanges.numbers import Number

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Time = Annotated[int, Meta(ge=0, le=(2**63 - 1) // 1_000_000)]
"""Milliseconds."""
Level = tuple[Number, Number]


class Head(Struct):
    """Enough of any object to tell what it is. ``ts`` of a ticker sits here, on the envelope, not in ``data``."""

    topic: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    ts: Time | UnsetType = UNSET
    cts: Time | UnsetType = UNSET
    data: Raw | UnsetType = UNSET
    op: str | UnsetType = UNSET
    success: bool | UnsetType = UNSET
    ret_msg: str = ""
    req_id: str | None = None


class Book(Struct):
    """``data`` of ``orderbook``; ``u`` counts the deltas of one topic."""

    s: str
    b: list[Level]
    a: list[Level]
    u: Id


class Trade(Struct):
    """One of ``data`` of ``publicTrade``; ``i`` is a UUID on derivatives, digits on spot."""

    s: str
    i: str
    T: Time
    p: Number
    v: Number
    S: str
    BT: bool = False
    RPI: bool = False


class Liquidation(Struct):
    """One of ``data`` of ``allLiquidation``; ``S`` is the side of the POSITION, ``p`` its bankruptcy price."""

    s: str
    T: Time
    v: Number
    p: Number
    S: str


class Ticker(Struct):
    """``data`` of ``tickers``; in a delta, which spot does not send, what is missing has not changed."""

    symbol: str
    last: str = msgspec.field(default="", name="lastPrice")
    open: str = msgspec.field(default="", name="prevPrice24h")
    high: str = msgspec.field(default="", name="highPrice24h")
    low: str = msgspec.field(default="", name="lowPrice24h")
    volume: str = msgspec.field(default="", name="volume24h")
    turnover: str = msgspec.field(default="", name="turnover24h")
    mark: str = msgspec.field(default="", name="markPrice")
    index: str = msgspec.field(default="", name="indexPrice")
    rate: str = msgspec.field(default="", name="fundingRate")
    rate_time: str = msgspec.field(default="", name="nextFundingTime")
    rate_hours: str = msgspec.field(default="", name="fundingIntervalHour")
    interest: str = msgspec.field(default="", name="openInterest")
    interest_value: str = msgspec.field(default="", name="openInterestValue")
    single: str = msgspec.field(default="", name="singleOpenInterest")
    single_value: str = msgspec.field(default="", name="singleOpenInterestValue")


class PriceFilter(Struct):
    """``priceFilter``."""

    tick: str = msgspec.field(default="", name="tickSize")


class LotFilter(Struct):
    """``lotSizeFilter``; spot has ``basePrecision``."""

    step: str = msgspec.field(default="", name="qtyStep")
    base_precision: str = msgspec.field(default="", name="basePrecision")


class Instrument(Struct):
    """One row of ``instruments-info``."""

    symbol: str
    status: str
    base: str = msgspec.field(name="baseCoin")
    quote: str = msgspec.field(name="quoteCoin")
    contract: str = msgspec.field(default="", name="contractType")
    delivery: str = msgspec.field(default="0", name="deliveryTime")
    price: PriceFilter = msgspec.field(default_factory=PriceFilter, name="priceFilter")
    lot: LotFilter = msgspec.field(default_factory=LotFilter, name="lotSizeFilter")
    funding_minutes: Annotated[int, Meta(ge=0, le=100_000)] = msgspec.field(default=0, name="fundingInterval")


class Page(Struct):
    """``result`` of ``instruments-info``; an empty cursor, or none, is the last page's."""

    rows: list[Instrument] = msgspec.field(name="list")
    category: str = ""
    next_cursor: str | None = msgspec.field(default=None, name="nextPageCursor")

    @property
    def cursor(self) -> str:
        """ "" on the last page."""
        return self.next_cursor or ""


class Envelope(Struct):
    """Every REST answer; errors come with HTTP 200."""

    code: int = msgspec.field(name="retCode")
    message: str = msgspec.field(default="", name="retMsg")
    result: Raw | UnsetType = UNSET


class DayTicker(Struct):
    """One row of ``tickers``."""

    symbol: str
    turnover: Number = msgspec.field(default="", name="turnover24h")
    volume: Number = msgspec.field(default="", name="volume24h")


class DayTickers(Struct):
    """``tickers`` of one category."""

    rows: list[DayTicker] = msgspec.field(name="list")
