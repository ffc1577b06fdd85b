"""Simulated OKX instruments: coins on spot, contracts of a fixed value elsewhere."""

from __future__ import annotations

from typing import Any

import msgspec

from ringcollect.errors import ConfigError
from ringcollect.sim.fixed import trimmed
from ringcollect.sim.specs import SymbolSpec, spot_spec

_CONTRACTS_OF_A_PRINT = 30


def okx_spec(symbol: str) -> SymbolSpec:
    """``BTC-USDT``, ``BTC-USDT-SWAP``, ``BTC-USD-261225``. Raises ConfigError for what is none of them."""
    parts = symbol.split("-")
    if len(parts) not in (2, 3):
        raise ConfigError(f"simulator: {symbol!r} is no symbol of OKX")
    coin = spot_spec(parts[0] + ("USDT" if parts[1] == "USD" else parts[1]))
    if len(parts) == 2:
        return msgspec.structs.replace(coin, symbol=symbol, base=parts[0], quote=parts[1])
    return msgspec.structs.replace(
        coin, symbol=symbol, base=parts[0], quote=parts[1], size_decimals=2, lot_units=1,
        median_lots=_CONTRACTS_OF_A_PRINT * 100,
    )  # fmt: skip


def listed(spec: SymbolSpec) -> dict[str, Any]:
    """The instrument as REST ``instruments`` lists it."""
    kind = kind_of(spec.symbol)
    tick, lot = trimmed(spec.tick_units, spec.price_decimals), trimmed(spec.lot_units, spec.size_decimals)
    row = {"instType": kind, "instId": spec.symbol, "tickSz": tick, "lotSz": lot, "minSz": lot, "state": "live"}
    if kind == "SPOT":
        return row | {"baseCcy": spec.base, "quoteCcy": spec.quote, "ctType": "", "ctVal": "", "ctMult": ""}
    inverse = spec.quote == "USD"
    return row | {
        "ctType": "inverse" if inverse else "linear", "ctVal": "100" if inverse else "0.01", "ctMult": "1",
        "ctValCcy": "USD" if inverse else spec.base, "settleCcy": spec.base if inverse else spec.quote,
        "uly": f"{spec.base}-{spec.quote}", "instFamily": f"{spec.base}-{spec.quote}", "baseCcy": "", "quoteCcy": "",
    }  # fmt: skip


def kind_of(symbol: str) -> str:
    """The venue's ``instType``."""
    parts = symbol.split("-")
    return "SPOT" if len(parts) == 2 else "SWAP" if parts[2] == "SWAP" else "FUTURES"
