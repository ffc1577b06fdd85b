"""The messages of both feeds as types, only the fields that are used. Numbers stay as sent until judged."""

from __future__ import annotations

from msgspec import UNSET, Raw, Struct, UnsetType

from ringcollect.exchanges.numbers import Number


class Head(Struct):
    """Enough of any message to tell what it is: ``channel`` is Advanced Trade's, ``type`` alone the Exchange feed's."""

    channel: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    timestamp: str | None = None
    sequence_num: int | UnsetType = UNSET
    events: list[Raw] = []
    message: str = ""
    reason: str = ""


class Level(Struct):
    """One level of ``l2_data``: ``bid`` or ``offer``, the whole size there is now."""

    side: str
    price_level: Number
    new_quantity: Number
    event_time: str | None = None


class Levels(Struct):
    """An event of ``l2_data``."""

    type: str
    product_id: str
    updates: list[Level]


class Trade(Struct):
    """One trade; ``side`` is the maker's."""

    product_id: str
    trade_id: str | int
    price: Number
    size: Number
    side: str
    time: str | None = None


class OldTrade(Struct):
    """A row of REST ``/products/{id}/trades``; ``side`` is the maker's."""

    trade_id: str | int
    price: Number
    size: Number
    side: str
    time: str | None = None


class Trades(Struct):
    """An event of ``market_trades``: newest first; a snapshot may be of several products."""

    type: str
    trades: list[Trade]


class Ticker(Struct):
    """Best prices of Advanced Trade, and statistics of 24 h."""

    product_id: str
    price: Number | None = None
    high_24_h: Number | None = None
    low_24_h: Number | None = None
    volume_24_h: Number | None = None
    best_bid: Number | None = None
    best_ask: Number | None = None
    best_bid_quantity: Number | None = None
    best_ask_quantity: Number | None = None


class Tickers(Struct):
    """An event of ``ticker``."""

    type: str
    tickers: list[Ticker]


class Subscriptions(Struct):
    """The event of ``subscriptions``: the products of every channel that is subscribed now."""

    subscriptions: dict[str, list[str]] = {}


class Snapshot(Struct):
    """A whole book of the Exchange feed."""

    product_id: str
    bids: list[tuple[Number, Number]]
    asks: list[tuple[Number, Number]]
    time: str | None = None


class Changes(Struct):
    """``l2update`` of the Exchange feed: (buy or sell, price, the whole size there is now)."""

    product_id: str
    changes: list[tuple[str, Number, Number]]
    time: str | None = None


class ExchangeTicker(Struct):
    """``ticker`` of the Exchange feed: best prices (sizes since 2022), and statistics of 24 h."""

    product_id: str
    price: Number | None = None
    open_24h: Number | None = None
    high_24h: Number | None = None
    low_24h: Number | None = None
    volume_24h: Number | None = None
    best_bid: Number | None = None
    best_ask: Number | None = None
    best_bid_size: Number | None = None
    best_ask_size: Number | None = None
    time: str | None = None


class Subscribed(Struct):
    """One channel of the Exchange feed's ``subscriptions``."""

    name: str
    product_ids: list[str] = []


class SubscribedChannels(Struct):
    """``subscriptions`` of the Exchange feed."""

    channels: list[Subscribed] = []


class Product(Struct):
    """One row of Advanced Trade's list."""

    product_id: str
    base_increment: str = ""
    quote_increment: str = ""
    price_increment: str = ""
    status: str = ""
    trading_disabled: bool = False
    product_type: str = "SPOT"
    alias: str = ""
    price: Number = ""
    volume_24h: Number = ""


class Products(Struct):
    """Advanced Trade's list."""

    products: list[Product]


class ExchangeProduct(Struct):
    """One row of the Exchange's list."""

    id: str
    base_increment: str = ""
    quote_increment: str = ""
    status: str = ""
    trading_disabled: bool = False
