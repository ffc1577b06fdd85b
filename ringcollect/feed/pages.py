"""An instrument list as it comes: in pages and of several kinds, of which only what was planned is kept."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ringcollect.errors import ConfigError
from ringcollect.exchanges.protocol import Exchange, Listing

Listed = dict[str, list | None]
"""Planned spelling -> [native symbol, metadata], or None for a symbol the exchange does not list."""


class Page(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer: where the next page is ("" = this was the last of its kind), and with the very last one the list."""

    listed: Listed = {}
    next_url: str = ""
    next_weight: int = 0


def merged(listings: Iterable[Listing]) -> list[Listing]:
    """Every listed instrument once, with what partial listings add to it."""
    by_symbol: dict[str, Listing] = {}
    more: dict[str, dict] = {}
    for listing in listings:
        if listing.partial:
            more[listing.symbol] = more.get(listing.symbol, {}) | listing.metadata
        else:
            by_symbol[listing.symbol] = listing
    return [Listing(symbol, one.metadata | more.get(symbol, {}), one.market) for symbol, one in by_symbol.items()]


def look_up(exchange: Exchange, market: str, spellings: Iterable[str], listings: list[Listing]) -> tuple[Listed, str]:
    """What the list says about each spelling, and the complaint about the last one that it does not have."""
    by_symbol = {listing.symbol: listing for listing in listings}
    listed: Listed = {}
    complaint = ""
    for spelling in spellings:
        try:
            symbol = exchange.resolve(market, spelling, listings)
        except ConfigError as error:
            complaint = str(error)
            listed[spelling] = None
            continue
        found = by_symbol.get(symbol)
        listed[spelling] = None if found is None else [symbol, found.metadata]
    return listed, complaint
