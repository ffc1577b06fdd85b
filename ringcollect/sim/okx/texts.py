"""OKX's messages spelled out; times in ms as texts, numbers without trailing zeros."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

MILLISECOND = 1_000_000
CONNECTION = "a4d3ae55"
Level = tuple[str, str]
"""Price and size as they go over the wire."""


def frame(channel: str, identity: str, data: list[dict[str, Any]], action: str = "") -> str:
    """One push of ``channel`` about an instrument, an index, or a type of instruments."""
    arg = {"channel": channel, "instType" if channel == "liquidation-orders" else "instId": identity}
    message: dict[str, Any] = {"arg": arg}
    if action:
        message["action"] = action
    return _text(message | {"data": data})


def event(name: str, request: str | None, **fields: Any) -> str:
    """An acknowledgement, an error or a notice; ``request`` is the id the client gave."""
    head = {} if request is None else {"id": request}
    return _text(head | {"event": name} | fields | {"connId": CONNECTION})


def ms(time_ns: int) -> str:
    """A time as OKX writes it."""
    return str(time_ns // MILLISECOND)


def levels(side: Sequence[Level]) -> list[list[str]]:
    """Rows of a book: price, size, "0", number of orders."""
    return [[price, size, "0", "0" if size == "0" else "1"] for price, size in side]


def checksum(bids: Sequence[Level], asks: Sequence[Level]) -> int:
    """The venue's CRC32 of its best 25 levels, bids and asks in turn, as a signed number (until June 2026)."""
    parts: list[str] = []
    for k in range(25):
        for side in (bids, asks):
            parts += side[k] if k < len(side) else ()
    crc = zlib.crc32(":".join(parts).encode())
    return crc - (1 << 32) if crc >> 31 else crc


def _text(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"))
