"""ccxt's unified objects as frames. Books are live objects that change under one's hands: each is spelled out at once.

Nothing raises: an object that has not the form ccxt promises becomes a frame that the decoder rejects, and is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ringcollect.exchanges.ccxt import messages
from ringcollect.exchanges.ccxt.messages import Level

_MINUTE_MS = 60_000
_UNITS_MS = {"m": _MINUTE_MS, "h": 60 * _MINUTE_MS, "d": 1440 * _MINUTE_MS}
_NOT_AS_PROMISED = (TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError)
_encode = msgspec.json.Encoder().encode


def frame_of(build: Callable[[], msgspec.Struct]) -> bytes:
    """The frame that ``build`` makes, or one that says why it cannot."""
    try:
        return _encode(build())
    except _NOT_AS_PROMISED as error:
        return _encode(messages.Broken(f"ccxt's object: {type(error).__name__}: {str(error)[:80]}"))


def levels_of(side: Sequence[Sequence[Any]], most: int) -> list[Level]:
    """The ``most`` best levels; orders of one price (books by order) are one level."""
    levels: list[Level] = []
    for entry in side:
        price, size = float(entry[0]), float(entry[1])
        if levels and levels[-1][0] == price:
            levels[-1] = (price, levels[-1][1] + size)
        elif len(levels) == most:
            break
        else:
            levels.append((price, size))
    return levels


def book(symbol: str, found: Mapping[str, Any], depth: int) -> messages.Book:
    """``watchOrderBook``."""
    return messages.Book(symbol, levels_of(found["bids"], depth), levels_of(found["asks"], depth), t=_ms(found))


def trades(symbol: str, found: Sequence[Mapping[str, Any]], limit: int, since: int) -> messages.Trades:
    """``watchTrades``; ``limit`` is how many ccxt keeps."""
    prints = [
        messages.Trade(one.get("id"), _ms(one), float(one["price"]), float(one["amount"]), one.get("side"))
        for one in found
    ]
    return messages.Trades(symbol, prints, lost=len(prints) >= limit, since=since)


def best(symbol: str, found: Mapping[str, Any]) -> messages.Best:
    """``watchBidsAsks`` (by symbol) or ``watchTicker``."""
    one = found.get(symbol, found)
    return messages.Best(
        symbol, t=_ms(one), bid=_number(one.get("bid")), bid_size=_number(one.get("bidVolume")),
        ask=_number(one.get("ask")), ask_size=_number(one.get("askVolume")),
    )  # fmt: skip


def ticker(symbol: str, found: Mapping[str, Any]) -> messages.Ticker:
    """``watchTicker``."""
    names = ("last", "open", "high", "low", "baseVolume", "quoteVolume")
    last, first, high, low, base, quote = (_number(found.get(name)) for name in names)
    return messages.Ticker(symbol, t=_ms(found), last=last, open=first, high=high, low=low, base=base, quote=quote)


def funding(symbol: str, found: Mapping[str, Any], rest: bool) -> messages.Funding:
    """``watchFundingRate`` or ``fetchFundingRate``."""
    return messages.Funding(
        symbol, t=_ms(found), rate=_number(found.get("fundingRate")), next=_number(found.get("nextFundingRate")),
        at=_whole(found.get("fundingTimestamp")) or _whole(found.get("nextFundingTimestamp")),
        interval=_interval(found.get("interval")), rest=rest,
    )  # fmt: skip


def open_interest(symbol: str, found: Mapping[str, Any]) -> messages.OpenInterest:
    """``fetchOpenInterest``."""
    amount, value = _number(found.get("openInterestAmount")), _number(found.get("openInterestValue"))
    return messages.OpenInterest(symbol, t=_ms(found), amount=amount, value=value)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _ms(found: Mapping[str, Any]) -> int | None:
    return _whole(found.get("timestamp"))


def _interval(text: Any) -> int:
    """``8h`` in ms; 0 for anything else."""
    word = str(text or "")
    return int(word[:-1]) * _UNITS_MS[word[-1]] if word[:-1].isdecimal() and word[-1:] in _UNITS_MS else 0
