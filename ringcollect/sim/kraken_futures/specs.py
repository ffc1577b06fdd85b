"""Simulated Kraken Futures products: coins on linear, contracts of one dollar on inverse."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ringcollect.errors import ConfigError
from ringcollect.sim.specs import SymbolSpec, linear_spec

_PRODUCT = re.compile(r"(PF|FF|PI|FI)_([0-9A-Z]+)USD(_[0-9]{6})?", re.ASCII)
_COINS = {"XBT": "BTC"}
_DOLLARS_OF_A_PRINT = 500


def is_inverse(symbol: str) -> bool:
    """Contracts of dollars, margined in coin."""
    return symbol[1] == "I"


def is_dated(symbol: str) -> bool:
    """Delivered some day; has no funding."""
    return symbol[0] == "F"


def kraken_futures_spec(symbol: str) -> SymbolSpec:
    """``PF_XBTUSD``, ``FF_XBTUSD_261225``, ``PI_XBTUSD``, ``FI_XBTUSD_261225``. ConfigError for any other."""
    found = _PRODUCT.fullmatch(symbol)
    if found is None or bool(found[3]) != is_dated(found[1]):
        raise ConfigError(f"simulator: {symbol!r} is no product of Kraken Futures")
    base = _COINS.get(found[2], found[2])
    coin = msgspec.structs.replace(linear_spec(base + "USDT"), symbol=symbol, quote="USD")
    if not is_inverse(symbol):
        return coin
    return msgspec.structs.replace(coin, size_decimals=0, lot_units=1, median_lots=_DOLLARS_OF_A_PRINT)


def listed(spec: SymbolSpec) -> dict[str, Any]:
    """The product as ``instruments`` lists it."""
    inverse = is_inverse(spec.symbol)
    row: dict[str, Any] = {
        "symbol": spec.symbol, "type": "futures_inverse" if inverse else "flexible_futures",
        "tickSize": spec.tick_units / 10**spec.price_decimals, "contractSize": 1, "tradeable": True,
        "openingDate": "2022-01-01T00:00:00.000Z", "contractValueTradePrecision": spec.size_decimals,
        "base": spec.base, "quote": spec.quote, "pair": f"{spec.base}:{spec.quote}",
    }  # fmt: skip
    if is_dated(spec.symbol):
        day = spec.symbol[-6:]
        return row | {"lastTradingTime": f"20{day[:2]}-{day[2:4]}-{day[4:]}T08:00:00.000Z"}
    return row | {"fundingRateCoefficient": 24, "maxRelativeFundingRate": 0.0025}
