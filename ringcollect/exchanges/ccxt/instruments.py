"""Instruments as ccxt lists them, their names in our spelling, and the spellings of a symbol that are accepted.

The native symbol of these exchanges is ccxt's unified one (``BTC/USDT``, ``BTC/USDT:USDT``): the one name every class
understands.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.ccxt.messages import Instrument
from ringcollect.exchanges.naming import nearest
from ringcollect.exchanges.protocol import Listing
from ringcollect.exchanges.typed import MOST_REASON, check_json
from ringcollect.exchanges.volumes import quote_volumes

_PERPETUAL = "-PERP"
_list = msgspec.json.Decoder(list[Instrument])
_volumes = msgspec.json.Decoder(dict[str, float | None])


def _decimals(step: float) -> int:
    exponent = Decimal(repr(step)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _steps(tick: float | None, lot: float | None) -> dict[str, Any]:
    known: dict[str, Any] = {}
    if tick:
        known |= {"tick_size": tick, "price_precision": _decimals(tick)}
    if lot:
        known |= {"lot_size": lot, "size_precision": _decimals(lot)}
    return known


def _metadata(one: Instrument, market: str) -> dict[str, Any]:
    ending = {"spot": "", "swap": _PERPETUAL}.get(one.kind, f"-{one.expiry}" if one.expiry else "")
    return {
        "unified": f"{one.base}-{one.quote}{ending}", "base": one.base, "quote": one.quote,
        "size_unit": "contract" if one.contract else "base", "multiplier": one.contract or 1.0,
        "inverse": market == "inverse", "status": "trading" if one.active else "halted", "inferred": False,
    } | _steps(one.tick, one.lot)  # fmt: skip


def listings(market: str, body: bytes) -> list[Listing]:
    """The instruments of one answer. Raises RejectedFrame."""
    check_json(body)
    try:
        rows = _list.decode(body)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error
    return [Listing(row.s, _metadata(row, market), market) for row in rows]


def volumes(market: str, body: bytes) -> dict[str, float]:
    """Native symbol -> quote volume of 24 h, of one answer. Raises RejectedFrame."""
    check_json(body)
    try:
        found = _volumes.decode(body)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error
    return quote_volumes((symbol, volume or 0.0, 1.0) for symbol, volume in found.items())


def guessed(market: str, symbol: str) -> Listing:
    """What ccxt's own spelling says: ``BASE/QUOTE:SETTLE-YYMMDD``."""
    pair, _, settle = symbol.partition(":")
    base, slash, quote = pair.partition("/")
    if not (base and slash and quote):
        return Listing(symbol, {"size_unit": "base", "inverse": market == "inverse"})
    _, _, expiry = settle.partition("-")
    ending = "" if market == "spot" else f"-{expiry}" if expiry else _PERPETUAL
    known = {"unified": f"{base}-{quote}{ending}", "base": base, "quote": quote, "inverse": market == "inverse"}
    return Listing(symbol, known | {"size_unit": "base" if market == "spot" else "contract"})


def native_spelling(market: str, spelling: str) -> str:
    """ccxt's symbol that a spelling probably means: ``btc-usdt``, ``BTC-USDT-PERP``, or ccxt's own."""
    text = spelling.strip().upper()
    if "/" in text:
        if market == "spot" or ":" in text:
            return text
        base, _, quote = text.partition("/")
        return f"{text}:{quote if market == 'linear' else base}"
    base, _, quote = text.removesuffix(_PERPETUAL).partition("-")
    quote, _, expiry = quote.partition("-")
    if not (base and quote):
        return text
    if market == "spot":
        return f"{base}/{quote}"
    return f"{base}/{quote}:{quote if market == 'linear' else base}" + (f"-{expiry}" if expiry else "")


def resolve(name: str, market: str, spelling: str, known: Sequence[Listing]) -> str:
    """Native symbol of any accepted spelling. With ``known`` it must be listed, else ConfigError names the nearest."""
    return nearest(name, market, spelling, native_spelling(market, spelling), known)
