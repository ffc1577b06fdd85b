"""Deribit's messages as types, only the fields that are used. Numbers stay as sent until judged."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Raw, Struct, UnsetType

from ringcollect.exchanges.numbers import Number


class Params(Struct):
    """``params`` of a notification."""

    channel: str = ""
    data: Raw | UnsetType = UNSET


class Error(Struct):
    """``error`` of an answer."""

    code: int = 0
    message: str = ""


class Head(Struct):
    """Enough of any message to tell what it is."""

    method: str | UnsetType = UNSET
    params: Params | UnsetType = UNSET
    id: int | str | None = None
    result: Raw | UnsetType = UNSET
    error: Error | UnsetType = UNSET


Level = tuple[Literal["new", "change", "delete"], Number, Number]
"""What happened to a price, the price, and its new amount."""


class Book(Struct):
    """``book.<instrument>.100ms``."""

    type: Literal["snapshot", "change"]
    timestamp: int
    instrument_name: str
    change_id: int
    bids: list[Level]
    asks: list[Level]
    prev_change_id: int | None = None


class Trade(Struct):
    """One of ``trades.<instrument>.100ms`` or of REST ``get_last_trades_by_instrument``."""

    trade_seq: int
    timestamp: int
    instrument_name: str
    direction: str
    price: Number
    amount: Number
    liquidation: str | None = None
    block_trade_id: str | None = None


class Quote(Struct):
    """``quote.<instrument>``; a side without orders has price null or 0."""

    timestamp: int
    instrument_name: str
    best_bid_amount: Number
    best_ask_amount: Number
    best_bid_price: Number | None = None
    best_ask_price: Number | None = None


class Statistics(Struct, frozen=True):
    """``stats`` of a ticker: of 24 h. ``volume`` is coins, whatever amounts are."""

    high: Number | None = None
    low: Number | None = None
    volume: Number | None = None


class Ticker(Struct):
    """``ticker.<instrument>.100ms``; only perpetuals have a funding."""

    timestamp: int
    instrument_name: str
    mark_price: Number
    index_price: Number
    open_interest: Number
    current_funding: Number | None = None
    last_price: Number | None = None
    stats: Statistics | None = None


class Instrument(Struct):
    """A row of REST ``get_instruments``."""

    instrument_name: str
    kind: str
    tick_size: Number
    contract_size: Number
    future_type: str = ""
    is_active: bool = True


class Listed(Struct):
    """REST ``get_instruments``."""

    result: list[Instrument]


class RestBook(Struct):
    """``result`` of REST ``get_order_book``: rows of price and amount."""

    timestamp: int
    change_id: int
    bids: list[tuple[Number, Number]]
    asks: list[tuple[Number, Number]]


class RestBookAnswer(Struct):
    """REST ``get_order_book``."""

    result: RestBook


class RestTrades(Struct):
    """``result`` of REST ``get_last_trades_by_instrument``."""

    trades: list[Trade]


class RestTradesAnswer(Struct):
    """REST ``get_last_trades_by_instrument``."""

    result: RestTrades
