"""Deribit's messages spelled out; numbers are bare, whole ones with a zero behind the point."""

from __future__ import annotations

import json
from typing import Any

MILLISECOND = 1_000_000
Level = tuple[str, str]
"""Price and amount, exact."""


def note(channel: str, data: Any) -> str:
    """A notification of ``channel``."""
    return _text({"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": data}})


def result(identity: Any, value: Any, now_ns: int) -> str:
    """The answer to a request, over the socket and over REST."""
    return _text(_head(identity) | {"result": value} | _times(now_ns))


def error(identity: Any, code: int, message: str, reason: str, now_ns: int) -> str:
    """The refusal of a request."""
    body = {"message": message, "data": {"reason": reason}, "code": code}
    return _text(_head(identity) | {"error": body} | _times(now_ns))


def changes(levels: list[tuple[str, Level]]) -> list[list[Any]]:
    """Rows of a book: what happened, price, amount."""
    return [[action, float(price), float(amount)] for action, (price, amount) in levels]


def _head(identity: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0"} | ({} if identity is None else {"id": identity})


def _times(now_ns: int) -> dict[str, Any]:
    micros = now_ns // 1000
    return {"usIn": micros, "usOut": micros + 122, "usDiff": 122, "testnet": False}


def _text(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"))
