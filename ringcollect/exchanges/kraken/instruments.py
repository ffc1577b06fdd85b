"""Instruments, unified names, and the spellings of a symbol that are accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.kraken import messages
from ringcollect.exchanges.naming import nearest
from ringcollect.exchanges.numbers import to_float
from ringcollect.exchanges.protocol import Listing
from ringcollect.exchanges.typed import MOST_REASON, check_json

_RENAMED = {"XBT": "BTC", "XDG": "DOGE"}
"""Assets that REST still spells as v1 did; v2 refuses these names."""
_QUOTES = ("USDT", "USDC", "USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "BTC", "XBT", "ETH")

_pairs = msgspec.json.Decoder(messages.PairList)


def _v2(symbol: str) -> str:
    return "/".join(_RENAMED.get(asset, asset) for asset in symbol.split("/"))


def _metadata(symbol: str) -> dict[str, Any]:
    base, _, quote = symbol.partition("/")
    if not (base and quote) or "/" in quote:
        return {"size_unit": "base"}
    return {"unified": f"{base}-{quote}", "base": base, "quote": quote, "size_unit": "base"}


def _listing(pair: messages.Pair) -> Listing:
    symbol = _v2(pair.wsname)
    if not (0 <= pair.pair_decimals <= 18 and 0 <= pair.lot_decimals <= 18):
        raise RejectedFrame(f"decimals of {symbol[:40]!r} out of range")
    tick = to_float(pair.tick_size) if pair.tick_size else float(f"1e-{pair.pair_decimals}")
    status = "trading" if pair.status == "online" else pair.status
    known = {
        "multiplier": 1.0, "status": status, "inferred": False, "tick_size": tick,
        "lot_size": float(f"1e-{pair.lot_decimals}"), "price_precision": pair.pair_decimals,
        "size_precision": pair.lot_decimals,
    }  # fmt: skip
    return Listing(symbol, _metadata(symbol) | known)


def listings(market: str, body: bytes) -> list[Listing]:
    """The instruments of an ``AssetPairs`` answer. Raises RejectedFrame."""
    check_json(body)
    try:
        answer = _pairs.decode(body)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error
    if answer.error:
        raise RejectedFrame(f"an error: {'; '.join(answer.error)[:MOST_REASON]}")
    return [_listing(pair) for pair in answer.result.values() if pair.wsname]


def volumes(market: str, body: bytes) -> dict[str, float]:
    """Nothing is asked for."""
    return {}


def guessed(market: str, symbol: str) -> Listing:
    """What the symbol's own spelling says."""
    return Listing(symbol, _metadata(symbol))


def native_spelling(spelling: str) -> str:
    """The native symbol a spelling would have: ``BTC/USD`` for ``btc-usd``, ``XBT/USD``, ``BTCUSD``."""
    text = spelling.strip().upper().replace("-", "/").replace("_", "/")
    if "/" not in text:
        quote = next((one for one in _QUOTES if text.endswith(one) and len(text) > len(one)), "")
        text = f"{text.removesuffix(quote)}/{quote}" if quote else text
    return _v2(text)


def resolve(market: str, spelling: str, known: Sequence[Listing]) -> str:
    """Native symbol of any accepted spelling. With ``known`` it must be listed, else ConfigError names the nearest."""
    if any(listing.symbol == spelling for listing in known):
        return spelling  # symbols are case-sensitive: ``AAPLx/USD``
    native = native_spelling(spelling)
    folded = {listing.symbol.upper(): listing.symbol for listing in known}
    return nearest("kraken", market, spelling, folded.get(native, native), known)
