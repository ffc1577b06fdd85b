"""Exchanges that are reached through the ccxt package: their names, and whether this host has what they need.

Nothing here imports ccxt: it takes half a second and 100 MB, which only the feed process that uses it may pay.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

PREFIX = "ccxt_"
MARKETS = ("spot", "linear", "inverse")
_EVERYWHERE = ("book", "trade", "bbo", "ticker")
_CONTRACTS = (*_EVERYWHERE, "funding", "open_interest")
CHANNELS = {"spot": _EVERYWHERE, "linear": _CONTRACTS, "inverse": _CONTRACTS}
"""What ccxt has one way of asking for; a class that lacks one is refused in the ledger, by name. Of a spot pair some
classes give the open interest of the perpetual that is called alike: it is not asked for.
"""

_NAME = re.compile(r"ccxt_[a-z0-9]{2,30}")


def is_unified(exchange: str) -> bool:
    """Whether ``exchange`` is spelled like one that ccxt reaches: ``ccxt_kucoin``."""
    return _NAME.fullmatch(exchange) is not None


def class_of(exchange: str) -> str:
    """The name of the ccxt class: ``kucoin`` for ``ccxt_kucoin``."""
    return exchange.removeprefix(PREFIX)


@cache
def classes() -> tuple[str, ...]:
    """The ccxt classes that have WebSocket feeds, sorted; none where ccxt is not installed."""
    spec = find_spec("ccxt")
    if spec is None or spec.origin is None:
        return ()
    return tuple(sorted(file.stem for file in (Path(spec.origin).parent / "pro").glob("[a-z]*.py")))


def missing(exchange: str) -> str:
    """Why ``exchange`` cannot be collected on this host and what to do; empty if it can."""
    if find_spec("ccxt") is None:
        return f'"{exchange}" needs the package ccxt, which is not installed: pip install "ringcollect[ccxt]"'
    return ""
