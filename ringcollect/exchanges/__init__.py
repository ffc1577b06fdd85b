"""Exchanges: one folder each, the same file names in each; :func:`load` gives one by name."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from ringcollect.config.unified import is_unified
from ringcollect.errors import ConfigError
from ringcollect.exchanges.protocol import Exchange

NAMES = ("binance", "bybit", "coinbase", "deribit", "kraken", "kraken_futures", "okx", "upbit")


def load(name: str) -> Exchange:
    """The exchange ``name``; raises ConfigError for a name that is none."""
    if is_unified(name):
        return cast(Exchange, import_module("ringcollect.exchanges.ccxt").exchange(name))
    if name not in NAMES:
        raise ConfigError(f"exchange {name!r} is none of {', '.join(NAMES)}, and no ccxt_<class>")
    return cast(Exchange, import_module(f"ringcollect.exchanges.{name}"))
