"""Simulated Deribit instruments: inverse contracts count USD in tens, linear ones coins."""

from __future__ import annotations

from typing import Any

import msgspec

from ringcollect.errors import ConfigError
from ringcollect.sim.specs import SymbolSpec, linear_spec

_USD_A_CONTRACT = 10
_MEDIAN_CONTRACTS = 60


def deribit_spec(symbol: str) -> SymbolSpec:
    """``BTC-PERPETUAL``, ``BTC-25DEC26``, ``BTC_USDC-PERPETUAL``. Raises ConfigError for what is none of them."""
    pair, dash, term = symbol.partition("-")
    base, _, quote = pair.partition("_")
    if not dash or not base or not term or "-" in term:
        raise ConfigError(f"simulator: {symbol!r} is no future of Deribit")
    coin = msgspec.structs.replace(linear_spec(base + "USDT"), symbol=symbol, quote=quote or "USD")
    if quote:
        return coin
    return msgspec.structs.replace(coin, size_decimals=0, lot_units=_USD_A_CONTRACT, median_lots=_MEDIAN_CONTRACTS)


def is_perpetual(symbol: str) -> bool:
    """Whether it has a funding."""
    return symbol.endswith("-PERPETUAL")


def listed(spec: SymbolSpec) -> dict[str, Any]:
    """The instrument as REST ``get_instruments`` lists it."""
    inverse = spec.quote == "USD"
    return {
        "tick_size": float(spec.price(1)), "contract_size": float(spec.size(1)),
        "kind": "future", "is_active": True, "instrument_name": spec.symbol,
        "future_type": "reversed" if inverse else "linear", "base_currency": spec.base,
        "quote_currency": spec.quote, "counter_currency": spec.quote,
        "settlement_currency": spec.base if inverse else spec.quote,
        "settlement_period": "perpetual" if is_perpetual(spec.symbol) else "month",
        "expiration_timestamp": 32_503_708_800_000, "creation_timestamp": 1_534_242_287_000,
    }  # fmt: skip
