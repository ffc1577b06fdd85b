"""Instruments, unified names, and the spellings of a symbol that are accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.naming import nearest
from ringcollect.exchanges.protocol import Listing
from ringcollect.exchanges.typed import MOST_REASON, check_json
from ringcollect.exchanges.upbit import messages
from ringcollect.exchanges.volumes import quote_volumes

_QUOTES = ("KRW", "SGD", "IDR", "THB", "USDT", "BTC")
"""What markets are quoted in, the stronger first: ``USDT-BTC`` is BTC quoted in USDT."""

_day = msgspec.json.Decoder(list[messages.DayTicker])
_list = msgspec.json.Decoder(list[messages.Market])


def _metadata(symbol: str) -> dict[str, Any]:
    """Native symbols are QUOTE-BASE. The tick depends on the price of the moment and is not in the list."""
    quote, dash, base = symbol.partition("-")
    if not (quote and dash and base) or "-" in base:
        return {"size_unit": "base"}
    return {"unified": f"{base}-{quote}", "base": base, "quote": quote, "size_unit": "base"}


def listings(market: str, body: bytes) -> list[Listing]:
    """The instruments of a ``market/all`` answer. Raises RejectedFrame."""
    check_json(body)
    try:
        rows = _list.decode(body)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error
    known = {"multiplier": 1.0, "status": "trading", "inferred": False}
    return [Listing(row.market, _metadata(row.market) | known) for row in rows]


def volumes(market: str, body: bytes) -> dict[str, float]:
    """Quote volume of 24 h by market, of a ``ticker/all`` answer. Raises RejectedFrame."""
    check_json(body)
    try:
        return quote_volumes((row.market, row.acc_trade_price_24h, 1) for row in _day.decode(body))
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error


def guessed(market: str, symbol: str) -> Listing:
    """What the symbol's own spelling says, which is all there is."""
    return Listing(symbol, _metadata(symbol))


def native_spelling(spelling: str) -> str:
    """The native symbol a spelling would have: ``BTC/KRW``, ``btc-krw``, ``KRW-BTC``."""
    text = spelling.strip().upper()
    base, _, quote = text.partition("/")
    if quote:
        return f"{quote}-{base}"
    first, _, second = text.partition("-")
    ranks = {name: rank for rank, name in enumerate(_QUOTES)}
    if ranks.get(second, len(ranks)) < ranks.get(first, len(ranks)):
        return f"{second}-{first}"
    return text


def resolve(market: str, spelling: str, known: Sequence[Listing]) -> str:
    """Native symbol of any accepted spelling. With ``known`` it must be listed, else ConfigError names the nearest."""
    return nearest("upbit", market, spelling, native_spelling(spelling), known)
