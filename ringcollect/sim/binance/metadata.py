"""exchangeInfo of both markets, with the fields a collector needs."""

from __future__ import annotations

from typing import Any

import msgspec

from ringcollect.sim.fixed import trimmed
from ringcollect.sim.specs import SymbolSpec

_FAR_FUTURE_MS = 4133404800000
_ONBOARD_MS = 1569398400000


def exchange_info(market: str, specs: list[SymbolSpec], weight_limit: int, now_ns: int) -> str:
    """The body of exchangeInfo."""
    row = _spot_row if market == "spot" else _linear_row
    body: dict[str, Any] = {
        "timezone": "UTC",
        "serverTime": now_ns // 1_000_000,
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": weight_limit}
        ],
        "exchangeFilters": [],
        "symbols": [row(spec) for spec in specs],
    }
    return msgspec.json.encode(body).decode()


def _tick(spec: SymbolSpec) -> str:
    return trimmed(spec.tick_units, spec.price_decimals)


def _lot(spec: SymbolSpec) -> str:
    return trimmed(spec.lot_units, spec.size_decimals)


def _spot_row(spec: SymbolSpec) -> dict[str, Any]:
    tick, lot = spec.price(1), spec.size(1)
    return {
        "symbol": spec.symbol,
        "status": "TRADING",
        "baseAsset": spec.base,
        "baseAssetPrecision": 8,
        "quoteAsset": spec.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "isSpotTradingAllowed": True,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "9000.00000000", "stepSize": lot},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True},
        ],
    }


def _linear_row(spec: SymbolSpec) -> dict[str, Any]:
    tick, lot = _tick(spec), _lot(spec)
    return {
        "symbol": spec.symbol,
        "pair": spec.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": _FAR_FUTURE_MS,
        "onboardDate": _ONBOARD_MS,
        "status": "TRADING",
        "baseAsset": spec.base,
        "quoteAsset": spec.quote,
        "marginAsset": spec.quote,
        "pricePrecision": spec.price_decimals,
        "quantityPrecision": spec.size_decimals,
        "underlyingType": "COIN",
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "10000000", "stepSize": lot},
            {"filterType": "MIN_NOTIONAL", "notional": "5"},
        ],
    }
