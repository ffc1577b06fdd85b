"""Bybit's messages spelled out: spot trims its numbers and puts ``ts`` before ``type``, derivatives do neither."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

MILLISECOND = 1_000_000
Level = tuple[str, str]
"""Price and size as they go over the wire."""


def _text(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"))


def _head(market: str, topic: str, kind: str, now_ns: int) -> dict[str, Any]:
    ts = now_ns // MILLISECOND
    if market == "spot" or topic.startswith("orderbook.1."):
        return {"topic": topic, "ts": ts, "type": kind}
    return {"topic": topic, "type": kind, "ts": ts}


def book(
    market: str, topic: str, symbol: str, sides: tuple[Sequence[Level], Sequence[Level]], update: int, sequence: int,
    kind: str, match_ns: int, now_ns: int,
) -> str:  # fmt: skip
    """A snapshot or delta of one depth; ``match_ns`` is the matching engine's time."""
    data = {"s": symbol, "b": sides[0], "a": sides[1], "u": update, "seq": sequence}
    return _text(_head(market, topic, kind, now_ns) | {"data": data, "cts": match_ns // MILLISECOND})


def trades(market: str, symbol: str, rows: list[dict[str, Any]], now_ns: int) -> str:
    """Prints; the type says snapshot and means nothing."""
    return _text(_head(market, f"publicTrade.{symbol}", "snapshot", now_ns) | {"data": rows})


def liquidations(symbol: str, rows: list[dict[str, Any]], now_ns: int) -> str:
    """Every forced order of half a second."""
    return _text(_head("linear", f"allLiquidation.{symbol}", "snapshot", now_ns) | {"data": rows})


def ticker(market: str, symbol: str, kind: str, fields: dict[str, str], sequence: int, now_ns: int) -> str:
    """A ticker; ``cs`` and ``ts`` come last in those of derivatives."""
    data = {"data": {"symbol": symbol, **fields}}
    if market == "spot":
        return _text(_head(market, f"tickers.{symbol}", kind, now_ns) | {"cs": sequence} | data)
    message = {"topic": f"tickers.{symbol}", "type": kind} | data
    return _text(message | {"cs": sequence, "ts": now_ns // MILLISECOND})


def answer(market: str, op: str, request: str, message: str = "") -> str:
    """The answer to a request; ``message`` says what was wrong with it."""
    success = {"success": not message, "ret_msg": message or ("pong" if op == "ping" else "")}
    if market == "spot":
        good = success if message or op == "ping" else success | {"ret_msg": op}
        head = {"req_id": request} if request else {}
        return _text(good | {"conn_id": "d9avt8shteepr00gfc1g-4zd1x"} | head | {"op": op})
    return _text(success | {"conn_id": "a38867ec-70b5-4044-a765-54b36bdd6fd9", "req_id": request, "op": op})
