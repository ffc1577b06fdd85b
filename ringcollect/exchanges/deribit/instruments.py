"""Instruments, and the spellings of a symbol that are accepted."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.deribit import messages
from ringcollect.exchanges.deribit.symbols import market_of, native_spelling, parts_of
from ringcollect.exchanges.naming import nearest, precision
from ringcollect.exchanges.numbers import to_float
from ringcollect.exchanges.protocol import Listing
from ringcollect.exchanges.typed import MOST_REASON, check_json

FUNDING_INTERVAL_NS = 8 * 3600 * 1_000_000_000
"""The rate is said for eight hours, though it is paid all the time."""

_listed = msgspec.json.Decoder(messages.Listed)


def _metadata(symbol: str, market: str) -> dict[str, Any]:
    """What the spelling says. Amounts are USD of contracts margined in coin, coins of the others."""
    known: dict[str, Any] = {"size_unit": "quote" if market == "inverse" else "base", "inverse": market == "inverse"}
    parts = parts_of(symbol)
    if parts is None:
        return known
    base, quote, term = parts
    interval = FUNDING_INTERVAL_NS if term == "PERP" else 0
    return known | {"unified": "-".join(parts), "base": base, "quote": quote, "funding_interval_ns": interval}


def _listing(row: messages.Instrument) -> Listing | None:
    """None for what is not collected: anything but futures, and a future of no known kind."""
    linear = {"linear": True, "reversed": False}.get(row.future_type)
    parts = parts_of(row.instrument_name)
    if row.kind != "future" or parts is None:
        return None
    market = market_of("", row.instrument_name, ()) if linear is None else "linear" if linear else "inverse"
    metadata = _metadata(row.instrument_name, market) | {
        "multiplier": 1.0, "status": "trading" if row.is_active else "inactive", "inferred": False,
    }  # fmt: skip
    for step, of, sent in (("tick_size", "price", row.tick_size), ("lot_size", "size", row.contract_size)):
        if to_float(sent) > 0:
            metadata |= {step: to_float(sent), f"{of}_precision": precision(f"{Decimal(str(sent)):f}")}
    return Listing(row.instrument_name, metadata, market)


def listings(market: str, body: bytes) -> list[Listing]:
    """The instruments of a ``get_instruments`` answer, with their markets. Raises RejectedFrame."""
    check_json(body)
    try:
        rows = _listed.decode(body).result
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error
    return [listing for listing in map(_listing, rows) if listing is not None]


def volumes(market: str, body: bytes) -> dict[str, float]:
    """Nothing is asked for."""
    return {}


def guessed(market: str, symbol: str) -> Listing:
    """What the symbol's own spelling says."""
    return Listing(symbol, _metadata(symbol, market))


def resolve(market: str, spelling: str, known: Sequence[Listing]) -> str:
    """Native symbol of any accepted spelling. With ``known`` it must be listed, else ConfigError names the nearest."""
    return nearest("deribit", market, spelling, native_spelling(spelling), known)
