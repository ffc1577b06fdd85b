"""Instruments of REST, their metadata, and the spellings of a symbol that are accepted."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.kraken_futures import messages
from ringcollect.exchanges.kraken_futures.symbols import (
    Product,
    asset,
    market_of_symbol,
    native_spelling,
    product_of,
)
from ringcollect.exchanges.kraken_futures.tickers import FUNDING_INTERVAL
from ringcollect.exchanges.naming import nearest, precision
from ringcollect.exchanges.protocol import Listing
from ringcollect.exchanges.typed import MOST_REASON, check_json
from ringcollect.exchanges.volumes import quote_volumes

_list = msgspec.json.Decoder(messages.InstrumentList)
_day = msgspec.json.Decoder(messages.DayTickers)


def _size(market: str) -> dict[str, Any]:
    """Linear sizes are base coins, inverse ones contracts."""
    inverse = market == "inverse"
    return {"size_unit": "contract" if inverse else "base", "inverse": inverse}


def _names(product: Product | None, row: messages.Instrument | None = None) -> dict[str, Any]:
    if product is None:
        return {}
    base, quote = product.base, product.quote
    if row is not None and row.base and row.quote:
        base, quote = asset(row.base.upper()), asset(row.quote.upper())
    named = product._replace(base=base, quote=quote)
    return {"unified": named.unified, "base": base, "quote": quote}


def _metadata(market: str, symbol: str, row: messages.Instrument) -> dict[str, Any]:
    product = product_of(symbol)
    metadata: dict[str, Any] = _size(market) | _names(product, row)
    metadata |= {
        "multiplier": row.contract if market == "inverse" else 1.0,
        "status": "trading" if row.tradeable else "suspended",
        "inferred": False,
        "funding_interval_ns": 0 if product is None or product.delivery else FUNDING_INTERVAL,
    }
    if row.tick is not None and row.tick > 0:
        text = format(Decimal(repr(float(row.tick))), "f")
        metadata |= {"tick_size": float(row.tick), "price_precision": precision(text)}
    decimals = 0 if row.precision is None and market == "inverse" else row.precision
    if decimals is not None:
        metadata |= {"lot_size": float(f"1e{-decimals}"), "size_precision": max(0, decimals)}
    return metadata


def _answer(body: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    check_json(body)
    try:
        answer = decoder.decode(body)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error
    if answer.result != "success":
        raise RejectedFrame(f"an error: {(answer.error or answer.result)[:MOST_REASON]}")
    return answer


def listings(market: str, body: bytes) -> list[Listing]:
    """The instruments of an ``instruments`` answer with their markets; indices are none. Raises RejectedFrame."""
    made = []
    for row in _answer(body, _list).instruments:
        symbol = row.symbol.upper()  # lower case in lists of 2021
        of = market_of_symbol(symbol)
        if of:
            made.append(Listing(symbol, _metadata(of, symbol, row), of))
    return made


def volumes(market: str, body: bytes) -> dict[str, float]:
    """Quote volume of 24 h by symbol, of a ``tickers`` answer: dollars in both markets. Raises RejectedFrame."""
    rows = _answer(body, _day).tickers
    return quote_volumes((row.symbol.upper(), row.volume, 1) for row in rows if market_of_symbol(row.symbol.upper()))


def guessed(market: str, symbol: str) -> Listing:
    """What the symbol's own spelling says."""
    return Listing(symbol, _size(market) | _names(product_of(symbol)))


def resolve(market: str, spelling: str, known: Sequence[Listing]) -> str:
    """Native symbol of any accepted spelling. With ``known`` it must be listed, else ConfigError names the nearest."""
    mine = [listing for listing in known if listing.market in ("", market)]
    return nearest("kraken_futures", market, spelling, native_spelling(market, spelling), mine)
