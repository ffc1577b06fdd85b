"""Kraken's messages as types, only the fields that are used. Numbers stay as sent until judged."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import UNSET, Raw, Struct, UnsetType, field

from ringcollect.exchanges.numbers import Number


class Head(Struct):
    """Enough of any message to tell what it is."""

    channel: str | UnsetType = UNSET
    type: str = ""
    data: Raw | UnsetType = UNSET
    method: str | UnsetType = UNSET
    error: str | None = None
    success: bool | None = None
    result: Raw | UnsetType = UNSET
    req_id: int | None = None
    symbol: str | None = None


class Result(Struct):
    """``result`` of an acknowledgement: what was asked for."""

    channel: str = ""
    symbol: str = ""


class Status(Struct):
    """``status``; its ``connection_id`` is beyond 2^53 and of no use."""

    system: str = ""


class Level(Struct):
    """One price; ``qty`` 0 removes it."""

    price: Number
    qty: Number


class Book(Struct):
    """``book``: the whole of it or what changed, and the CRC32 of the ten best levels afterwards."""

    symbol: str
    bids: list[Level] = field(default_factory=list)
    asks: list[Level] = field(default_factory=list)
    checksum: int | UnsetType = UNSET
    timestamp: str | UnsetType = UNSET


class Trade(Struct):
    """``trade``."""

    symbol: str
    side: str
    price: Number
    qty: Number
    trade_id: str | int
    timestamp: str


OldTrade = tuple[str, str, Decimal, str, str, str, int]
"""Price, volume, seconds since the epoch, ``b`` or ``s``, ``m`` or ``l``, a note, trade id."""


class RestTrades(Struct):
    """REST ``Trades``: the pair's list under a name of its own, and ``last``, where the next page begins."""

    error: list[str] = []
    result: dict[str, Raw] = {}


class Ticker(Struct):
    """``ticker``; a side without orders is 0."""

    symbol: str
    bid: Number
    bid_qty: Number
    ask: Number
    ask_qty: Number
    timestamp: str | UnsetType = UNSET
    last: Number | None = None
    high: Number | None = None
    low: Number | None = None
    volume: Number | None = None


class Pair(Struct):
    """One value of REST ``AssetPairs``."""

    pair_decimals: int
    lot_decimals: int
    wsname: str = ""
    tick_size: str = ""
    status: str = "online"


class PairList(Struct):
    """REST ``AssetPairs``."""

    error: list[str] = field(default_factory=list)
    result: dict[str, Pair] = field(default_factory=dict)


class RestBook(Struct):
    """One value of REST ``Depth``: rows of ``[price, size, seconds]``."""

    bids: list[list[Any]]
    asks: list[list[Any]]


class RestBooks(Struct):
    """REST ``Depth``."""

    error: list[str] = field(default_factory=list)
    result: dict[str, RestBook] = field(default_factory=dict)
