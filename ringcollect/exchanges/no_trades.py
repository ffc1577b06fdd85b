"""Trades that cannot be asked for by id: theirs do not count without holes, so nobody knows which are missing."""

from __future__ import annotations

from ringcollect.exchanges.protocol import Missing, RestCall


def last_trade_call(market: str, symbol: str, rest_url: str = "") -> RestCall | None:
    """An id that does not count says nothing about what is missing."""
    return None


def trades_call(market: str, symbol: str, missing: Missing, rest_url: str = "") -> RestCall | None:
    """Nothing is known to be missing."""
    return None
