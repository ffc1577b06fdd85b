"""Instrument metadata, unified names, and the spellings of a symbol that are accepted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.binance import messages
from ringcollect.exchanges.naming import nearest, precision
from ringcollect.exchanges.protocol import Listing
from ringcollect.exchanges.typed import check_json
from ringcollect.exchanges.volumes import quote_volumes

_QUOTES = (
    "FDUSD", "USDT", "USDC", "TUSD", "BUSD", "USDP", "USD1", "DAI", "BIDR", "IDRT", "AEUR", "EURI", "BTC", "ETH", "BNB",
    "XRP", "TRX", "DOGE", "DOT", "EUR", "TRY", "BRL", "GBP", "AUD", "RUB", "UAH", "NGN", "PLN", "RON", "ZAR", "ARS",
    "JPY", "MXN", "COP", "CZK", "USD", "PAX", "VAI", "U",
)  # fmt: skip
_DATED = re.compile(r"(?P<pair>.+)_(?P<date>\d{6})")
_day = msgspec.json.Decoder(list[messages.DayTicker])
_info = msgspec.json.Decoder(messages.ExchangeInfo)
_funding_info = msgspec.json.Decoder(list[messages.FundingInfo])
HOUR = 3600 * 1_000_000_000
FUNDING_INTERVAL_NS = 8 * HOUR
"""Of a perpetual that ``fundingInfo`` does not list (USD-M documentation, "Get Funding Rate Info")."""


def unified_name(market: str, symbol: str, base: str, quote: str) -> str:
    """``BTC-USDT`` on spot, ``BTC-USDT-PERP`` or ``BTC-USDT-260925`` on USD-M."""
    if market == "spot":
        return f"{base}-{quote}"
    dated = _DATED.fullmatch(symbol)
    return f"{base}-{quote}-{dated['date'] if dated else 'PERP'}"


def _metadata(market: str, row: messages.Symbol) -> dict[str, Any]:
    steps = {kind.filter_type: kind for kind in row.filters}
    tick = steps["PRICE_FILTER"].tick_size if "PRICE_FILTER" in steps else ""
    lot = steps["LOT_SIZE"].step_size if "LOT_SIZE" in steps else ""
    metadata: dict[str, Any] = {
        "unified": unified_name(market, row.symbol, row.base_asset, row.quote_asset),
        "base": row.base_asset,
        "quote": row.quote_asset,
        "size_unit": "base",
        "multiplier": 1.0,
        "status": row.status.lower(),
        "inferred": False,
    }
    if row.contract_type.endswith("PERPETUAL"):
        metadata["funding_interval_ns"] = FUNDING_INTERVAL_NS
    try:
        if tick and float(tick) > 0:  # 0 switches the filter off; pricePrecision is not the tick
            metadata |= {"tick_size": float(tick), "price_precision": precision(tick)}
        if lot and float(lot) > 0:
            metadata |= {"lot_size": float(lot), "size_precision": precision(lot)}
    except ValueError as error:
        raise RejectedFrame(f"{row.symbol}: {error}") from error
    return metadata


def listings(market: str, body: bytes) -> list[Listing]:
    """The instruments of an ``exchangeInfo`` answer, or the intervals of ``fundingInfo``. Raises RejectedFrame."""
    check_json(body)
    try:
        if body.lstrip()[:1] == b"[":
            intervals = _funding_info.decode(body)
            return [Listing(i.symbol, {"funding_interval_ns": i.hours * HOUR}, partial=True) for i in intervals]
        info = _info.decode(body)
    except msgspec.DecodeError as error:
        raise RejectedFrame(str(error)[:120]) from error
    return [Listing(row.symbol, _metadata(market, row)) for row in info.symbols]


def volumes(market: str, body: bytes) -> dict[str, float]:
    """Quote volume of 24 h by symbol, of a ``ticker/24hr`` answer. Raises RejectedFrame."""
    check_json(body)
    try:
        return quote_volumes((row.symbol, row.quote_volume, 1) for row in _day.decode(body))
    except msgspec.DecodeError as error:
        raise RejectedFrame(str(error)[:120]) from error


def guessed(market: str, symbol: str) -> Listing:
    """What the symbol's own spelling says: base and quote by the known quote assets. Nothing when it says nothing."""
    dated = _DATED.fullmatch(symbol) if market == "linear" else None
    pair = dated["pair"] if dated else symbol
    for quote in sorted(_QUOTES, key=len, reverse=True):
        base = pair.removesuffix(quote)
        if base and base != pair:
            unified = unified_name(market, symbol, base, quote)
            return Listing(symbol, {"unified": unified, "base": base, "quote": quote, "size_unit": "base"})
    return Listing(symbol, {"size_unit": "base"})


def native_spelling(market: str, spelling: str) -> str:
    """The native symbol a spelling would have: ``BTC/USDT``, ``btcusdt``, ``BTC-USDT-PERP``, ``BTC-USDT-260925``."""
    text = spelling.strip().upper().partition(":")[0].replace("/", "-")
    if market == "linear":
        text = text.removesuffix("-PERP")
        head, _, date = text.rpartition("-")
        if "-" in head and re.fullmatch(r"\d{6}", date):
            return head.replace("-", "") + "_" + date
    return text.replace("-", "")


def resolve(market: str, spelling: str, known: Sequence[Listing]) -> str:
    """Native symbol of any accepted spelling. With ``known`` it must be listed, else ConfigError names the nearest."""
    return nearest("binance", market, spelling, native_spelling(market, spelling), known)
