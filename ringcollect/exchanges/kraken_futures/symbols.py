"""What a product's name says: ``PF_XBTUSD``, ``PI_XBTUSD``, ``FI_XBTUSD_261225``; and the names others have for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_MARKETS = {"PF": "linear", "FF": "linear", "PI": "inverse", "FI": "inverse"}
_PRODUCT = re.compile(r"(PF|FF|PI|FI)_([0-9A-Z.]+?)(USDT|USDC|USD|EUR|GBP|XBT)(?:_([0-9]{6}))?", re.ASCII)
_KINDS = {("linear", False): "PF", ("linear", True): "FF", ("inverse", False): "PI", ("inverse", True): "FI"}
_RENAMED = {"XBT": "BTC"}
_NATIVE = {new: old for old, new in _RENAMED.items()}


class Product(NamedTuple):
    """A name taken apart; base and quote as everybody else spells them. ``delivery``: ``YYMMDD``, "" of a perpetual."""

    market: str
    base: str
    quote: str
    delivery: str

    @property
    def unified(self) -> str:
        """``BTC-USD-PERP``, ``BTC-USD-261225``."""
        return f"{self.base}-{self.quote}-{self.delivery or 'PERP'}"


def asset(name: str) -> str:
    """An asset's usual name: ``BTC`` of ``XBT``."""
    return _RENAMED.get(name, name)


def market_of_symbol(symbol: str) -> str:
    """``linear``, ``inverse``, or "" for what is not collected: spot indices (``IN_``, ``RR_``) and others."""
    return _MARKETS.get(symbol.partition("_")[0], "")


def market_of(market: str, symbol: str, listed: Sequence[str]) -> str:
    """The market of a symbol: every connection may carry both."""
    return listed[0] if listed else market_of_symbol(symbol)


def product_of(symbol: str) -> Product | None:
    """The name taken apart, None where it is not of that form."""
    found = _PRODUCT.fullmatch(symbol)
    if found is None:
        return None
    kind, base, quote, delivery = found.groups()
    return Product(_MARKETS[kind], asset(base), asset(quote), delivery or "")


def native_spelling(market: str, spelling: str) -> str:
    """The product a spelling stands for: ``pf_xbtusd``, ``BTC-USD-PERP``, ``BTC/USD``, ``BTC-USD-261225``."""
    text = spelling.strip().upper().partition(":")[0].replace("/", "-")
    if market_of_symbol(text):
        return text
    base, _, rest = text.partition("-")
    quote, _, end = rest.partition("-")
    delivery = end if re.fullmatch("[0-9]{6}", end, re.ASCII) else ""
    kind = _KINDS[market, bool(delivery)]
    name = f"{kind}_{_NATIVE.get(base, base)}{quote}"
    return f"{name}_{delivery}" if delivery else name
