"""Instrument metadata, unified names, and the spellings of a symbol that are accepted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.bybit import messages
from ringcollect.exchanges.naming import nearest, precision
from ringcollect.exchanges.protocol import Listing
from ringcollect.exchanges.typed import MOST_REASON, check_json
from ringcollect.exchanges.volumes import quote_volumes

MINUTE = 60 * 1_000_000_000
_QUOTES = (
    "USDT", "USDC", "USDE", "USDQ", "USDR", "USD1", "USD", "BTC", "ETH", "EUR", "BRL", "DAI", "MNT", "SOL", "PLN",
    "TRY", "GBP",
)  # fmt: skip
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DATED = re.compile(r"(?P<pair>[^-]+)-(?P<day>\d{1,2})(?P<month>[A-Z]{3})(?P<year>\d{2})", re.ASCII)
_QUARTERLY = re.compile(r"(?P<base>.+)USD(?P<quarter>[HMUZ])(?P<year>\d{2})", re.ASCII)
_QUARTERS = {"H": 3, "M": 6, "U": 9, "Z": 12}

_Result = TypeVar("_Result")

_envelope = msgspec.json.Decoder(messages.Envelope)
_tickers = msgspec.json.Decoder(messages.DayTickers)
_page = msgspec.json.Decoder(messages.Page)


def _result_of(body: bytes, decoder: msgspec.json.Decoder[_Result]) -> _Result:
    """What an answer is about. Raises RejectedFrame, also for the venue's own errors."""
    check_json(body)
    try:
        envelope = _envelope.decode(body)
        if envelope.code != 0 or envelope.result is UNSET:
            raise RejectedFrame(f"{envelope.code}: {envelope.message[:80]}")
        return decoder.decode(envelope.result)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error


def page_of(body: bytes) -> messages.Page:
    """An ``instruments-info`` answer. Raises RejectedFrame, also for the venue's own errors."""
    return _result_of(body, _page)


def _last_friday(year: int, month: int) -> date:
    """Quarterly contracts are delivered on the last Friday of their month."""
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - 4) % 7)


def _delivery(symbol: str) -> str:
    """The delivery date a symbol spells, ``YYMMDD``; "" for a perpetual."""
    dated = _DATED.fullmatch(symbol)
    if dated and dated["month"] in _MONTHS:
        return f"{dated['year']}{_MONTHS.index(dated['month']) + 1:02}{int(dated['day']):02}"
    quarterly = _QUARTERLY.fullmatch(symbol)
    if quarterly:
        return _last_friday(2000 + int(quarterly["year"]), _QUARTERS[quarterly["quarter"]]).strftime("%y%m%d")
    return ""


def unified_name(market: str, base: str, quote: str, delivery: str) -> str:
    """``BTC-USDT`` on spot; ``BTC-USDC-PERP``, ``BTC-USD-260327`` on the others."""
    return f"{base}-{quote}" if market == "spot" else f"{base}-{quote}-{delivery or 'PERP'}"


def _metadata(market: str, row: messages.Instrument) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "base": row.base,
        "quote": row.quote,
        "size_unit": "quote" if market == "inverse" else "base",  # sizes of inverse contracts are USD
        "inverse": market == "inverse",
        "multiplier": 1.0,
        "status": row.status.lower(),
        "inferred": False,
        "funding_interval_ns": row.funding_minutes * MINUTE,
    }
    lot = row.lot.step or row.lot.base_precision
    try:
        delivery = "" if row.contract.endswith("Perpetual") else _date(int(row.delivery or 0))
        metadata["unified"] = unified_name(market, row.base, row.quote, delivery or _delivery(row.symbol))
        if row.price.tick and float(row.price.tick) > 0:
            metadata |= {"tick_size": float(row.price.tick), "price_precision": precision(row.price.tick)}
        if lot and float(lot) > 0:
            metadata |= {"lot_size": float(lot), "size_precision": precision(lot)}
    except (ValueError, OverflowError, OSError) as error:
        raise RejectedFrame(f"{row.symbol}: {error}") from error
    return metadata


def _date(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%y%m%d") if ms else ""


def listings(market: str, body: bytes) -> list[Listing]:
    """The instruments of one page. Raises RejectedFrame."""
    return [Listing(row.symbol, _metadata(market, row)) for row in page_of(body).rows]


def volumes(market: str, body: bytes) -> dict[str, float]:
    """Quote volume of 24 h by symbol, of a ``tickers`` answer. Raises RejectedFrame.

    ``turnover24h`` is in quote currency, but in coins where contracts are dollars: there ``volume24h`` is in dollars.
    """
    rows = _result_of(body, _tickers).rows
    return quote_volumes((row.symbol, row.volume if market == "inverse" else row.turnover, 1) for row in rows)


def _pair(market: str, symbol: str) -> tuple[str, str]:
    """(base, quote) by the symbol's spelling; ("", "") when it says nothing."""
    quarterly = _QUARTERLY.fullmatch(symbol)
    if quarterly and market == "inverse":
        return quarterly["base"], "USD"
    dated = _DATED.fullmatch(symbol)
    text = dated["pair"] if dated else symbol
    if market == "linear" and text.endswith("PERP"):
        return text.removesuffix("PERP"), "USDC"
    for quote in _QUOTES:
        base = text.removesuffix(quote)
        if base and base != text:
            return base, quote
    return (text, "USDC") if dated else ("", "")


def guessed(market: str, symbol: str) -> Listing:
    """What the symbol's own spelling says. Nothing when it says nothing."""
    metadata: dict[str, Any] = {"size_unit": "base"}
    if market == "inverse":
        metadata = {"size_unit": "quote", "inverse": True}
    base, quote = _pair(market, symbol)
    if base:
        metadata |= {"unified": unified_name(market, base, quote, _delivery(symbol)), "base": base, "quote": quote}
    return Listing(symbol, metadata)


def native_spelling(market: str, spelling: str) -> str:
    """The native symbol a spelling would have: ``BTC/USDT``, ``btcusdt``, ``BTC-USDC-PERP``, ``BTC-USD-260327``."""
    text = spelling.strip().upper().partition(":")[0].replace("/", "-")
    if _DATED.fullmatch(text):
        return text
    parts = text.split("-")
    if market == "spot" or len(parts) != 3:
        return "".join(parts)
    base, quote, end = parts
    if not re.fullmatch(r"\d{6}", end, re.ASCII):
        return f"{base}PERP" if quote == "USDC" else base + quote
    month = int(end[2:4])
    if market == "inverse":
        quarter = next((letter for letter, of in _QUARTERS.items() if of == month), "")
        return f"{base}{quote}{quarter}{end[:2]}"
    name = _MONTHS[month - 1] if 1 <= month <= 12 else ""
    return f"{base if quote == 'USDC' else base + quote}-{int(end[4:])}{name}{end[:2]}"


def resolve(market: str, spelling: str, known: Sequence[Listing]) -> str:
    """Native symbol of any accepted spelling. With ``known`` it must be listed, else ConfigError names the nearest."""
    return nearest("bybit", market, spelling, native_spelling(market, spelling), known)
