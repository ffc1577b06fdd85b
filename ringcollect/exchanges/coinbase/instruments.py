"""Instruments, unified names, and the spellings of a symbol that are accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.coinbase import messages
from ringcollect.exchanges.naming import nearest, precision
from ringcollect.exchanges.protocol import Listing
from ringcollect.exchanges.typed import MOST_REASON, check_json
from ringcollect.exchanges.volumes import quote_volumes

_advanced = msgspec.json.Decoder(messages.Products)
_exchange = msgspec.json.Decoder(list[messages.ExchangeProduct])
_ONLINE = "online"


def _metadata(symbol: str) -> dict[str, Any]:
    base, dash, quote = symbol.partition("-")
    if not (base and dash and quote) or "-" in quote:
        return {"size_unit": "base"}
    return {"unified": symbol, "base": base, "quote": quote, "size_unit": "base"}


def _steps(symbol: str, tick: str, lot: str) -> dict[str, Any]:
    steps: dict[str, Any] = {}
    try:
        if tick and float(tick) > 0:
            steps |= {"tick_size": float(tick), "price_precision": precision(tick)}
        if lot and float(lot) > 0:
            steps |= {"lot_size": float(lot), "size_precision": precision(lot)}
    except ValueError as error:
        raise RejectedFrame(f"{symbol}: {error}") from error
    return steps


def _listing(symbol: str, tick: str, lot: str, status: str, disabled: bool) -> Listing:
    trading = "trading" if status == _ONLINE and not disabled else "disabled" if status == _ONLINE else status
    known = {"multiplier": 1.0, "status": trading, "inferred": False}
    return Listing(symbol, _metadata(symbol) | _steps(symbol, tick, lot) | known)


def listings(market: str, body: bytes) -> list[Listing]:
    """The products of either feed's list. Raises RejectedFrame.

    An alias (``BTC-USDC`` of ``BTC-USD``) is no instrument: what one subscribes by it comes under the other's name.
    """
    check_json(body)
    try:
        if body.lstrip()[:1] == b"[":
            rows = _exchange.decode(body)
            return [_listing(p.id, p.quote_increment, p.base_increment, p.status, p.trading_disabled) for p in rows]
        products = _advanced.decode(body).products
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error
    return [
        _listing(p.product_id, p.price_increment or p.quote_increment, p.base_increment, p.status, p.trading_disabled)
        for p in products
        if p.product_type == "SPOT" and not p.alias
    ]


def volumes(market: str, body: bytes) -> dict[str, float]:
    """Quote volume of 24 h by product, of Advanced Trade's list: the base volume at the last price."""
    check_json(body)
    try:
        products = _advanced.decode(body).products
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error
    return quote_volumes((p.product_id, p.volume_24h, p.price) for p in products)


def guessed(market: str, symbol: str) -> Listing:
    """What the symbol's own spelling says."""
    return Listing(symbol, _metadata(symbol))


def resolve(market: str, spelling: str, known: Sequence[Listing]) -> str:
    """Native symbol of any accepted spelling. With ``known`` it must be listed, else ConfigError names the nearest."""
    return nearest("coinbase", market, spelling, spelling.strip().upper().replace("/", "-"), known)
