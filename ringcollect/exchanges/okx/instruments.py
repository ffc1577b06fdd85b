"""Instrument metadata, unified names, and the spellings of a symbol that are accepted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.naming import nearest, precision
from ringcollect.exchanges.okx import messages
from ringcollect.exchanges.okx.rest import data_of
from ringcollect.exchanges.okx.symbols import FUTURES, OTHER, SPOT, SWAP, kind_of, pair_of
from ringcollect.exchanges.protocol import Listing
from ringcollect.exchanges.typed import MOST_REASON
from ringcollect.exchanges.volumes import quote_volumes

_list = msgspec.json.Decoder(list[messages.Instrument])
_day = msgspec.json.Decoder(list[messages.DayTicker])
_MARKETS = {(SPOT, ""): "spot"} | {(kind, form): form for kind in (SWAP, FUTURES) for form in ("linear", "inverse")}
_DATE = re.compile(r"[0-9]{6}", re.ASCII)


def unified_name(symbol: str) -> str:
    """``BTC-USDT``, ``BTC-USDT-PERP``, ``BTC-USD-220527``; "" for what is not collected."""
    kind = kind_of(symbol)
    pair = "-".join(pair_of(symbol))
    if kind == SPOT:
        return pair
    if kind == SWAP:
        return f"{pair}-PERP"
    return f"{pair}-{symbol.rpartition('-')[2]}" if kind == FUTURES else ""


def _metadata(row: messages.Instrument) -> dict[str, Any]:
    base, quote = pair_of(row.inst_id)
    metadata: dict[str, Any] = {
        "unified": unified_name(row.inst_id),
        "base": row.base_ccy or base,
        "quote": row.quote_ccy or quote,
        "size_unit": "base",
        "multiplier": 1.0,
        "status": "trading" if row.state == "live" else row.state,
        "inferred": False,
    }
    try:
        if row.inst_type != SPOT:
            # ctVal is in ctValCcy: the base coin of linear, USD of inverse contracts
            metadata |= {"size_unit": "contract", "inverse": row.ct_type == "inverse"}
            metadata["multiplier"] = float(row.ct_val) * float(row.ct_mult or "1")
        if row.tick_sz and float(row.tick_sz) > 0:
            metadata |= {"tick_size": float(row.tick_sz), "price_precision": precision(row.tick_sz)}
        if row.lot_sz and float(row.lot_sz) > 0:
            metadata |= {"lot_size": float(row.lot_sz), "size_precision": precision(row.lot_sz)}
    except ValueError as error:
        raise RejectedFrame(f"{row.inst_id}: {error}") from error
    return metadata


def listings(market: str, body: bytes) -> list[Listing]:
    """The instruments of an ``instruments`` answer, with their markets: a list of swaps has linear and inverse ones."""
    try:
        rows = _list.decode(data_of(body))
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error
    collected = [(row, _MARKETS.get((row.inst_type, row.ct_type))) for row in rows]
    return [
        Listing(row.inst_id, _metadata(row), of, code=str(row.code or "")) for row, of in collected if of is not None
    ]


def volumes(market: str, body: bytes) -> dict[str, float]:
    """Quote volume of 24 h by symbol, of a ``tickers`` answer. Raises RejectedFrame.

    ``volCcy24h`` is quote currency on spot, and coins of the base elsewhere.
    """
    try:
        rows = _day.decode(data_of(body))
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error
    return quote_volumes((row.inst_id, row.vol_ccy, 1 if market == "spot" else row.last) for row in rows)


def guessed(market: str, symbol: str) -> Listing:
    """What the symbol's own spelling says; how much a contract is, it does not say."""
    kind = kind_of(symbol)
    if kind == OTHER or not unified_name(symbol):
        return Listing(symbol, {"size_unit": "base" if market == "spot" else "contract"})
    base, quote = pair_of(symbol)
    metadata: dict[str, Any] = {"unified": unified_name(symbol), "base": base, "quote": quote, "size_unit": "base"}
    if kind != SPOT:
        metadata |= {"size_unit": "contract", "inverse": market == "inverse"}
    return Listing(symbol, metadata)


def native_spelling(market: str, spelling: str) -> str:
    """The native symbol a spelling would have: ``BTC/USDT``, ``btc-usdt-swap``, ``BTC-USDT-PERP``."""
    text = spelling.strip().upper().partition(":")[0].replace("/", "-")
    if market == "spot":
        return text
    if text.endswith("-PERP"):
        return text.removesuffix("-PERP") + "-SWAP"
    return text + "-SWAP" if text.count("-") == 1 else text


def resolve(market: str, spelling: str, known: Sequence[Listing]) -> str:
    """Native symbol of any accepted spelling. With ``known`` it must be listed, else ConfigError names the nearest."""
    return nearest("okx", market, spelling, native_spelling(market, spelling), known)
