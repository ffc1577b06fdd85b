"""Simulated Bybit instruments: coins on spot and linear, dollars on inverse."""

from __future__ import annotations

from typing import Any

import msgspec

from ringcollect.errors import ConfigError
from ringcollect.sim.fixed import fixed, trimmed
from ringcollect.sim.specs import SymbolSpec, linear_spec, spot_spec

_DOLLARS_OF_A_PRINT = 500


def bybit_spec(market: str, symbol: str) -> SymbolSpec:
    """``BTCUSDT`` (spot, linear), ``BTCPERP`` (linear, USDC), ``BTCUSD`` (inverse). ConfigError for any other."""
    if market == "spot":
        return spot_spec(symbol)
    if market == "linear":
        if not symbol.endswith("PERP"):
            return linear_spec(symbol)
        base = symbol.removesuffix("PERP")
        return msgspec.structs.replace(linear_spec(base + "USDC"), symbol=symbol)
    base = symbol.removesuffix("USD")
    if base == symbol or not base:
        raise ConfigError(f"simulator: {symbol!r} is no inverse symbol of Bybit")
    coin = linear_spec(base + "USDT")
    return msgspec.structs.replace(
        coin, symbol=symbol, quote="USD", size_decimals=0, lot_units=1, median_lots=_DOLLARS_OF_A_PRINT
    )


def listed(market: str, spec: SymbolSpec) -> dict[str, Any]:
    """The instrument as ``instruments-info`` lists it."""
    tick, lot = fixed(spec.tick_units, spec.price_decimals), trimmed(spec.lot_units, spec.size_decimals)
    row = {
        "symbol": spec.symbol, "baseCoin": spec.base, "quoteCoin": spec.quote, "status": "Trading",
        "priceFilter": {"tickSize": trimmed(spec.tick_units, spec.price_decimals)},
    }  # fmt: skip
    if market == "spot":
        return row | {"lotSizeFilter": {"basePrecision": lot, "minOrderQty": lot, "minOrderAmt": "5"}}
    return row | {
        "contractType": "LinearPerpetual" if market == "linear" else "InversePerpetual", "deliveryTime": "0",
        "priceFilter": {"minPrice": tick, "maxPrice": "1999999.80", "tickSize": tick}, "fundingInterval": 480,
        "lotSizeFilter": {"maxOrderQty": "1500.000", "minOrderQty": lot, "qtyStep": lot}, "launchTime": "1584230400000",
        "settleCoin": spec.base if market == "inverse" else spec.quote,
    }  # fmt: skip


def day_ticker(market: str, spec: SymbolSpec) -> dict[str, str]:
    """Its row of ``tickers``: turnover is in quote currency, in coins where sizes are dollars."""
    volume = spec.size(spec.day_lots)
    turnover = (
        f"{float(volume) / float(spec.price(spec.start_tick)):.8f}" if market == "inverse" else spec.day_turnover()
    )
    return {
        "symbol": spec.symbol, "lastPrice": spec.price(spec.start_tick), "volume24h": volume, "turnover24h": turnover,
    }  # fmt: skip
