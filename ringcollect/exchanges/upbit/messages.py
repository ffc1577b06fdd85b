"""Upbit's messages as types, only the fields that are used, in both formats. Numbers stay as sent until judged."""

from __future__ import annotations

from msgspec import UNSET, Raw, Struct, UnsetType, field

from ringcollect.exchanges.numbers import Number


class Head(Struct):
    """Enough of any object to tell what it is; ``type`` is the format DEFAULT, ``ty`` is SIMPLE."""

    type: str | UnsetType = UNSET
    ty: str | UnsetType = UNSET
    error: Raw | UnsetType = UNSET
    status: Raw | UnsetType = UNSET
    method: Raw | UnsetType = UNSET


class Unit(Struct):
    """The i-th ask beside the i-th bid; a price of 0 is padding on the side that has fewer levels."""

    ask_price: Number
    bid_price: Number
    ask_size: Number
    bid_size: Number


class Book(Struct):
    """``orderbook``: complete, up to 30 units."""

    code: str
    timestamp: int
    units: list[Unit] = field(name="orderbook_units")
    stream_type: str = "REALTIME"


class Trade(Struct):
    """``trade``; ``sequential_id`` has up to 17 digits, more than a float64 holds."""

    code: str
    timestamp: int
    trade_price: Number
    trade_volume: Number
    ask_bid: str
    sequential_id: int
    stream_type: str = "REALTIME"


class SimpleUnit(Struct):
    """:class:`Unit` in the format SIMPLE."""

    ask_price: Number = field(name="ap")
    bid_price: Number = field(name="bp")
    ask_size: Number = field(name="as")
    bid_size: Number = field(name="bs")


class SimpleBook(Struct):
    """:class:`Book` in the format SIMPLE."""

    code: str = field(name="cd")
    timestamp: int = field(name="tms")
    units: list[SimpleUnit] = field(name="obu")
    stream_type: str = field(default="REALTIME", name="st")


class SimpleTrade(Struct):
    """:class:`Trade` in the format SIMPLE."""

    code: str = field(name="cd")
    timestamp: int = field(name="tms")
    trade_price: Number = field(name="tp")
    trade_volume: Number = field(name="tv")
    ask_bid: str = field(name="ab")
    sequential_id: int = field(name="sid")
    stream_type: str = field(default="REALTIME", name="st")


class Ticker(Struct):
    """``ticker``: the last price, and what was traded in 24 h."""

    code: str
    timestamp: int
    trade_price: Number | None = None
    acc_trade_volume_24h: Number | None = None
    acc_trade_price_24h: Number | None = None
    stream_type: str = "REALTIME"


class SimpleTicker(Struct):
    """:class:`Ticker` in the format SIMPLE."""

    code: str = field(name="cd")
    timestamp: int = field(name="tms")
    trade_price: Number | None = field(default=None, name="tp")
    acc_trade_volume_24h: Number | None = field(default=None, name="atv24h")
    acc_trade_price_24h: Number | None = field(default=None, name="atp24h")
    stream_type: str = field(default="REALTIME", name="st")


class Failure(Struct):
    """``error`` of an answer."""

    name: str = ""
    message: str = ""


class RestBook(Struct):
    """One book of REST ``orderbook``."""

    market: str
    timestamp: int
    units: list[Unit] = field(name="orderbook_units")


class Market(Struct):
    """One row of REST ``market/all``."""

    market: str


class DayTicker(Struct):
    """One row of ``ticker/all``."""

    market: str
    acc_trade_price_24h: Number = ""
