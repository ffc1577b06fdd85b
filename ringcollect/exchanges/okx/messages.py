"""OKX's messages as types, only the fields that are used. Numbers stay as sent until they are judged."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Raw, Struct, UnsetType, field

from ringcollect.exchanges.numbers import Number

Whole = str | int
"""A whole number, in quotes on the wire."""
Level = list[Any]
"""``[price, size, "0", orders]``; what follows the size is not used."""


class Arg(Struct):
    """What a frame is about."""

    channel: str = ""
    inst_id: str = field(default="", name="instId")
    inst_type: str = field(default="", name="instType")


class Head(Struct):
    """Enough of any object to tell what it is."""

    arg: Arg | UnsetType = UNSET
    action: str = ""
    data: Raw | UnsetType = UNSET
    event: str | UnsetType = UNSET
    id: str | int | UnsetType | None = UNSET
    code: Whole = ""
    msg: str = ""


class Book(Struct):
    """One book of any book channel; ids since 2022-12, ``checksum`` constantly 0 since 2026-06, REST has neither."""

    asks: list[Level]
    bids: list[Level]
    ts: Whole
    seq_id: int | UnsetType = field(default=UNSET, name="seqId")
    prev_seq_id: int | UnsetType = field(default=UNSET, name="prevSeqId")
    checksum: int = 0


class Trade(Struct):
    """One row of ``trades`` or ``trades-all``; only the former has ``count``."""

    inst_id: str = field(name="instId")
    trade_id: Whole = field(name="tradeId")
    px: Number
    sz: Number
    side: str
    ts: Whole
    count: Whole | UnsetType = UNSET
    source: Whole = ""


class MarkPrice(Struct):
    """One row of ``mark-price``."""

    inst_id: str = field(name="instId")
    mark_px: Number = field(name="markPx")
    ts: Whole


class Ticker(Struct):
    """One row of ``tickers``."""

    inst_id: str = field(name="instId")
    inst_type: str = field(name="instType")
    last: Number
    open: Number = field(name="open24h")
    high: Number = field(name="high24h")
    low: Number = field(name="low24h")
    volume: Number = field(name="vol24h")
    currency_volume: Number = field(name="volCcy24h")
    ts: Whole


class IndexTicker(Struct):
    """One row of ``index-tickers``; ``instId`` is the index."""

    inst_id: str = field(name="instId")
    idx_px: Number = field(name="idxPx")
    ts: Whole


class FundingRate(Struct):
    """One row of ``funding-rate``: the rate applies at ``fundingTime``, the coming settlement."""

    inst_id: str = field(name="instId")
    funding_time: Whole = field(name="fundingTime")
    funding_rate: Number = field(default="", name="fundingRate")
    next_funding_rate: Number = field(default="", name="nextFundingRate")
    next_funding_time: Whole = field(default="", name="nextFundingTime")
    ts: Whole = ""


class OpenInterest(Struct):
    """One row of ``open-interest``."""

    inst_id: str = field(name="instId")
    oi: Number
    ts: Whole
    oi_usd: Number = field(default="", name="oiUsd")


class Forced(Struct):
    """One order of a ``liquidation-orders`` row; ``side`` is the order's."""

    bk_px: Number = field(name="bkPx")
    side: str
    sz: Number
    ts: Whole


class Liquidation(Struct):
    """One row of ``liquidation-orders``."""

    inst_id: str = field(name="instId")
    details: list[Forced]


class Instrument(Struct):
    """One row of REST ``instruments``."""

    inst_type: str = field(name="instType")
    inst_id: str = field(name="instId")
    base_ccy: str = field(default="", name="baseCcy")
    quote_ccy: str = field(default="", name="quoteCcy")
    ct_type: str = field(default="", name="ctType")
    ct_val: str = field(default="", name="ctVal")
    ct_mult: str = field(default="", name="ctMult")
    tick_sz: str = field(default="", name="tickSz")
    lot_sz: str = field(default="", name="lotSz")
    state: str = ""
    code: int | str | None = field(default=None, name="instIdCode")


class DayTicker(Struct):
    """One row of REST ``tickers``."""

    inst_id: str = field(name="instId")
    last: Number = ""
    vol_ccy: Number = field(default="", name="volCcy24h")


class Body(Struct):
    """Every REST answer."""

    code: str
    data: Raw
    msg: str = ""
