"""Kraken's messages spelled out by hand: numbers are bare and keep their zeros, of which the checksum is made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from ringcollect.sim.day import Statistics

Level = tuple[str, str]
"""Price and quantity as they go over the wire."""
CHECKED = 10
"""Levels of each side that the checksum is made of."""


def iso(now_ns: int) -> str:
    """RFC 3339, microseconds."""
    seconds, rest = divmod(now_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06}Z"


def checksum(bids: Sequence[Level], asks: Sequence[Level]) -> int:
    """CRC32 of the best asks from low to high, then the best bids from high to low: digits without leading zeros."""
    texts = [text for level in (*asks[:CHECKED], *bids[:CHECKED]) for text in level]
    return crc32("".join(text.replace(".", "").lstrip("0") for text in texts).encode())


def _levels(levels: Sequence[Level]) -> str:
    return "[" + ",".join(f'{{"price":{price},"qty":{qty}}}' for price, qty in levels) + "]"


def book(symbol: str, kind: str, bids: Sequence[Level], asks: Sequence[Level], check: int, now_ns: int) -> str:
    """A snapshot or an update of one book."""
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{symbol}","bids":{_levels(bids)},'
        f'"asks":{_levels(asks)},"checksum":{check},"timestamp":"{iso(now_ns)}"}}]}}'
    )


def trade(symbol: str, side: int, price: str, qty: str, identity: int, now_ns: int) -> str:
    """One print as an object."""
    taker = "buy" if side > 0 else "sell"
    return (
        f'{{"symbol":"{symbol}","side":"{taker}","price":{price},"qty":{qty},"ord_type":"limit",'
        f'"trade_id":{identity},"timestamp":"{iso(now_ns)}"}}'
    )


def trades(kind: str, rows: Sequence[str]) -> str:
    """Prints, or the last ones before the subscription."""
    return f'{{"channel":"trade","type":"{kind}","data":[{",".join(rows)}]}}'


def ticker(symbol: str, kind: str, bid: Level, ask: Level, day: Statistics, now_ns: int) -> str:
    """Best prices among the day's statistics."""
    last = day.last
    return (
        f'{{"channel":"ticker","type":"{kind}","data":[{{"symbol":"{symbol}","bid":{bid[0]},"bid_qty":{bid[1]},'
        f'"ask":{ask[0]},"ask_qty":{ask[1]},"last":{last},"volume":{day.volume},"vwap":{last},'
        f'"low":{day.low},"high":{day.high},"change":-1.5,"change_pct":-0.24,"timestamp":"{iso(now_ns)}"}}]}}'
    )


def status(system: str, connection: int) -> str:
    """What a connection is greeted with."""
    row = {"version": "2.0.10", "system": system, "api_version": "v2", "connection_id": connection}
    return json.dumps({"channel": "status", "type": "update", "data": [row]}, separators=(",", ":"))


def done(method: str, result: dict[str, Any], number: Any, now_ns: int) -> str:
    """One symbol's acknowledgement."""
    head: dict[str, Any] = {"method": method, "result": result, "success": True}
    return _answer(head, number, now_ns)


def refused(method: str, error: str, symbol: str, number: Any, now_ns: int) -> str:
    """One symbol's refusal; of the whole request without a symbol."""
    head: dict[str, Any] = {"error": error, "method": method, "success": False}
    return _answer(head | ({"symbol": symbol} if symbol else {}), number, now_ns)


def pong(number: Any, now_ns: int) -> str:
    """The answer to a ping."""
    return _answer({"method": "pong"}, number, now_ns)


def _answer(head: dict[str, Any], number: Any, now_ns: int) -> str:
    echoed = {} if number is None else {"req_id": number}
    return json.dumps(head | echoed | {"time_in": iso(now_ns), "time_out": iso(now_ns)}, separators=(",", ":"))
