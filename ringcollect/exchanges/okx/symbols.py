"""What a native symbol (``instId``) says by its spelling: kind, market, index."""

from __future__ import annotations

import re
from collections.abc import Sequence

SPOT, SWAP, FUTURES, OPTION, OTHER = "SPOT", "SWAP", "FUTURES", "OPTION", ""
"""The venue's ``instType``; OTHER is what none of its spellings is."""

_DATE = re.compile(r"[0-9]{6}", re.ASCII)


def kind_of(symbol: str) -> str:
    """``instType`` of ``BTC-USDT``, ``BTC-USDT-SWAP``, ``BTC-USD-220527``, ``BTC-USD-220527-50000-C``."""
    parts = symbol.split("-")
    if not all(parts):
        return OTHER
    if len(parts) == 2:
        return SPOT
    if len(parts) == 3:
        return SWAP if parts[2] == "SWAP" else FUTURES if _DATE.fullmatch(parts[2]) else OTHER
    return OPTION if len(parts) == 5 else OTHER


def guessed_market(symbol: str) -> str:
    """The market a symbol belongs to where no metadata says ``ctType``: margined in coin against USD, else linear.

    ``BTC-USD_UM-250926`` is quoted in USD and margined in a stable coin: linear. ``option`` and "" are not collected.
    """
    kind = kind_of(symbol)
    if kind == SPOT:
        return "spot"
    if kind == OPTION:
        return "option"
    if kind == OTHER:
        return ""
    return "inverse" if symbol.split("-")[1] == "USD" else "linear"


def market_of(market: str, symbol: str, listed: Sequence[str]) -> str:
    """The market of a symbol: every connection may carry every market."""
    if listed:
        return listed[0]
    of = guessed_market(symbol)
    return of if of in ("spot", "linear", "inverse") else ""


def pair_of(symbol: str) -> tuple[str, str]:
    """Base and quote: ``BTC-USD_UM-250926`` is BTC against USD."""
    base, _, rest = symbol.partition("-")
    return base, rest.partition("-")[0].partition("_")[0]


def index_of(symbol: str) -> str:
    """The index a derivative follows, which has the spelling of a spot symbol."""
    return "-".join(pair_of(symbol))
