"""Binance's messages as types, only the fields that are used. Numbers stay as sent until they are judged."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from ringcollect.exchanges.numbers import Number

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Time = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""Milliseconds, or microseconds where the connection asked for them."""
Level = tuple[Number, Number]


class DayTicker(Struct):
    """One row of ``ticker/24hr``."""

    symbol: str
    quote_volume: Number = msgspec.field(default="", name="quoteVolume")


class Head(Struct):
    """Enough of any object to tell what it is."""

    stream: str | UnsetType = UNSET
    data: Raw | UnsetType = UNSET
    e: str | UnsetType = UNSET
    result: Raw | UnsetType = UNSET
    id: int | str | UnsetType | None = UNSET
    error: Raw | UnsetType = UNSET
    code: int | UnsetType = UNSET
    msg: str | UnsetType = UNSET
    u: Raw | UnsetType = UNSET
    last_update_id: Raw | UnsetType = msgspec.field(default=UNSET, name="lastUpdateId")


class Depth(Struct):
    """``depthUpdate``; spot has neither ``T`` nor ``pu``."""

    E: Time
    s: str
    U: Id
    u: Id
    b: list[Level]
    a: list[Level]
    T: Time | UnsetType = UNSET
    pu: Id | UnsetType = UNSET


class Trade(Struct):
    """``trade``; ``X`` only on USD-M."""

    T: Time
    s: str
    t: Id
    p: Number
    q: Number
    m: bool
    X: str = "MARKET"


class AggregateTrade(Struct):
    """``aggTrade``; the oldest captures lack ``a``."""

    T: Time
    s: str
    f: Id
    l: Id  # noqa: E741
    p: Number
    q: Number
    m: bool
    a: Id = -1


class BookTicker(Struct):
    """``bookTicker``; on spot without ``e`` and times."""

    u: Id
    s: str
    b: Number
    B: Number
    a: Number
    A: Number
    T: Time | UnsetType = UNSET
    E: Time | UnsetType = UNSET


class MarkPrice(Struct):
    """``markPriceUpdate``; ``T`` is the NEXT FUNDING TIME, the event's own time is ``E``."""

    E: Time
    s: str
    p: Number
    i: Number = ""
    r: Number = ""
    T: Time = 0


class DayStatistics(Struct):
    """``24hrTicker``: statistics of the last 24 h."""

    E: Time
    s: str
    c: Number
    o: Number
    h: Number
    l: Number  # noqa: E741 - the wire's name
    v: Number
    q: Number


class Order(Struct):
    """The order of a ``forceOrder``."""

    s: str
    S: str
    q: Number
    p: Number
    T: Time
    ap: Number = "0"
    z: Number = "0"


class ForceOrder(Struct):
    """``forceOrder``: the largest forced order of a symbol in a second, not every one."""

    o: Order


class Failure(Struct):
    """``error`` of an answer."""

    code: int = 0
    msg: str = ""


class Snapshot(Struct):
    """REST ``depth``; spot has no times."""

    last_update_id: Annotated[int, Meta(ge=-1, le=2**63 - 1)] = msgspec.field(name="lastUpdateId")
    bids: list[Level]
    asks: list[Level]
    T: Time | UnsetType = UNSET
    E: Time | UnsetType = UNSET


class OldTrade(Struct):
    """A row of REST ``trades`` and ``historicalTrades``; ``isRPITrade`` only on USD-M."""

    id: Id
    price: Number
    qty: Number
    time: Time
    is_buyer_maker: bool = msgspec.field(name="isBuyerMaker")
    is_rpi: bool = msgspec.field(default=False, name="isRPITrade")


class OldAggregate(Struct):
    """A row of REST ``aggTrades``, of which only the newest trade's id is of use; ``trades`` has ``id`` for it."""

    last: Id = msgspec.field(default=-1, name="l")
    id: Id = -1


class OpenInterest(Struct):
    """REST ``openInterest``, in base units."""

    symbol: str
    time: Time
    open_interest: Number = msgspec.field(name="openInterest")


class Filter(Struct):
    """One of a symbol's ``filters``."""

    filter_type: str = msgspec.field(name="filterType")
    tick_size: str = msgspec.field(default="", name="tickSize")
    step_size: str = msgspec.field(default="", name="stepSize")


class Symbol(Struct):
    """One row of ``exchangeInfo``; spot has no contract."""

    symbol: str
    status: str
    base_asset: str = msgspec.field(name="baseAsset")
    quote_asset: str = msgspec.field(name="quoteAsset")
    filters: list[Filter] = []
    contract_type: str = msgspec.field(default="", name="contractType")


class FundingInfo(Struct):
    """One row of REST ``fundingInfo``: the symbols whose cap, floor or interval is not the usual one."""

    symbol: str
    hours: Annotated[int, Meta(ge=1, le=24)] = msgspec.field(name="fundingIntervalHours")


class ExchangeInfo(Struct):
    """REST ``exchangeInfo``."""

    symbols: list[Symbol]
