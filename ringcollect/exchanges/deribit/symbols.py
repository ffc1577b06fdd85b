"""What a native symbol says by its spelling, and unified names."""

from __future__ import annotations

import re
from collections.abc import Sequence

PERPETUAL = "PERPETUAL"
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_SYMBOL = re.compile(r"([A-Z0-9]+)(?:_([A-Z0-9]+))?-(PERPETUAL|([0-9]{1,2})([A-Z]{3})([0-9]{2}))", re.ASCII)
_UNIFIED = re.compile(r"([A-Z0-9]+)-([A-Z0-9]+)-(PERP|([0-9]{2})([0-9]{2})([0-9]{2}))", re.ASCII)
_COIN_QUOTE = "USD"
"""Quote of contracts margined in coin, which their symbols do not say."""


def parts_of(symbol: str) -> tuple[str, str, str] | None:
    """Base, quote, ``PERP`` or ``YYMMDD`` of ``BTC-PERPETUAL``, ``BTC_USDC-25SEP26``; None for what is no future."""
    found = _SYMBOL.fullmatch(symbol)
    if found is None:
        return None
    base, quote, term, day, month, year = found.groups()
    if term == PERPETUAL:
        return base, quote or _COIN_QUOTE, "PERP"
    if month not in _MONTHS:
        return None
    return base, quote or _COIN_QUOTE, f"{year}{_MONTHS.index(month) + 1:02}{int(day):02}"


def market_of(market: str, symbol: str, listed: Sequence[str]) -> str:
    """The market of a symbol: a connection may carry both; options and spot are not collected."""
    if listed:
        return listed[0]
    parts = parts_of(symbol)
    if parts is None:
        return ""
    return "inverse" if parts[1] == _COIN_QUOTE else "linear"


def native_spelling(spelling: str) -> str:
    """The native symbol a spelling would have: ``BTC-PERPETUAL`` for ``btc-usd-perp``, ``BTC/USD-PERP``."""
    text = spelling.strip().upper().replace("/", "-")
    found = _UNIFIED.fullmatch(text)
    if found is None:
        return text
    base, quote, term, year, month, day = found.groups()
    pair = base if quote == _COIN_QUOTE else f"{base}_{quote}"
    if term == "PERP":
        return f"{pair}-{PERPETUAL}"
    return f"{pair}-{int(day)}{_MONTHS[int(month) - 1]}{year}" if 1 <= int(month) <= len(_MONTHS) else text
