"""Simulated OKX instruments: coins on spot, contracts of a fixed value elsewhere."""

from __future__ import annotations

import zlib
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
    row: dict[str, Any] = {
        "instType": kind,
        "instId": spec.symbol,
        "tickSz": tick,
        "lotSz": lot,
        "minSz": lot,
        "state": "live",
    }
    row |= {"instIdCode": code_of(spec.symbol)}
    if kind == "SPOT":
        return row | {"baseCcy": spec.base, "quoteCcy": spec.quote, "ctType": "", "ctVal": "", "ctMult": ""}
    inverse = spec.quote == "USD"
    return row | {
        "ctType": "inverse" if inverse else "linear", "ctVal": "100" if inverse else "0.01", "ctMult": "1",
        "ctValCcy": "USD" if inverse else spec.base, "settleCcy": spec.base if inverse else spec.quote,
        "uly": f"{spec.base}-{spec.quote}", "instFamily": f"{spec.base}-{spec.quote}", "baseCcy": "", "quoteCcy": "",
    }  # fmt: skip


def code_of(symbol: str) -> int:
    """The number the venue knows the instrument by, whatever it is called."""
    return zlib.crc32(symbol.encode()) % 1_000_000


def day_ticker(spec: SymbolSpec) -> dict[str, Any]:
    """Its row of REST ``tickers``: ``volCcy24h`` is quote currency on spot, coins elsewhere."""
    kind = kind_of(spec.symbol)
    last, volume = spec.price(spec.start_tick), spec.size(spec.day_lots)
    coins = float(volume) * 100 / float(last) if spec.quote == "USD" else float(volume) * 0.01
    traded = spec.day_turnover() if kind == "SPOT" else f"{coins:.8f}"
    return {"instType": kind, "instId": spec.symbol, "last": last, "vol24h": volume, "volCcy24h": traded}


def index_of(symbol: str) -> str:
    """The index an instrument follows."""
    return "-".join(symbol.split("-")[:2])


def kind_of(symbol: str) -> str:
    """The venue's ``instType``."""
    parts = symbol.split("-")
    return "SPOT" if len(parts) == 2 else "SWAP" if parts[2] == "SWAP" else "FUTURES"
