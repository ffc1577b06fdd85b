"""Kraken Futures' messages spelled out by hand: numbers are bare, and whole ones end in ``.0``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

MILLISECOND = 1_000_000
Level = tuple[str, str]
"""Price and size as they go over the wire."""


def number(text: str) -> str:
    """A decimal as the venue writes it: without zeros at its end but one."""
    if "." not in text:
        return text + ".0"
    whole, _, part = text.partition(".")
    return f"{whole}.{part.rstrip('0') or '0'}"


def info() -> str:
    """What a connection is greeted with."""
    return '{"event":"info","version":1}'


def subscription(event: str, feed: str, product: str = "") -> str:
    """One product's acknowledgement; ``heartbeat`` has no products."""
    head: dict[str, Any] = {"event": event, "feed": feed}
    return json.dumps(head | ({"product_ids": [product]} if product else {}), separators=(",", ":"))


def refused(event: str, message: str) -> str:
    """An error or alert: it does not say what it is about."""
    return json.dumps({"event": event, "message": message}, separators=(",", ":"))


def heartbeat(now_ns: int) -> str:
    """One second's sign of life."""
    return f'{{"feed":"heartbeat","time":{now_ns // MILLISECOND}}}'


def delta(product: str, side: int, sequence: int, level: Level, now_ns: int) -> str:
    """One level of the book, absolute."""
    name = "buy" if side > 0 else "sell"
    return (
        f'{{"feed":"book","product_id":"{product}","side":"{name}","seq":{sequence},"price":{level[0]},'
        f'"qty":{level[1]},"timestamp":{now_ns // MILLISECOND}}}'
    )


def _levels(levels: Sequence[Level]) -> str:
    return "[" + ",".join(f'{{"price":{price},"qty":{qty}}}' for price, qty in levels) + "]"


def snapshot(product: str, sequence: int, bids: Sequence[Level], asks: Sequence[Level], now_ns: int) -> str:
    """The whole book."""
    return (
        f'{{"feed":"book_snapshot","product_id":"{product}","timestamp":{now_ns // MILLISECOND},"seq":{sequence},'
        f'"tickSize":null,"bids":{_levels(bids)},"asks":{_levels(asks)}}}'
    )


def trade(product: str, uid: str, side: int, kind: str, sequence: int, level: Level, now_ns: int) -> str:
    """One print, alone or of a history."""
    name = "buy" if side > 0 else "sell"
    return (
        f'{{"product_id":"{product}","feed":"trade","uid":"{uid}","side":"{name}","type":"{kind}",'
        f'"time":{now_ns // MILLISECOND},"qty":{level[1]},"price":{level[0]},"seq":{sequence}}}'
    )


def history(product: str, trades: Sequence[str]) -> str:
    """The newest prints, newest first."""
    return f'{{"feed":"trade_snapshot","product_id":"{product}","trades":[{",".join(trades)}]}}'


def ticker(product: str, fields: dict[str, str], now_ns: int) -> str:
    """Best prices and what derives from them; ``fields`` are bare."""
    inner = ",".join(f'"{name}":{text}' for name, text in fields.items())
    return (
        f'{{"time":{now_ns // MILLISECOND},"product_id":"{product}",{inner},"leverage":"100x","premium":-0.0,'
        f'"feed":"ticker","suspended":false,"post_only":false}}'
    )


def ticker_lite(product: str, bid: str, ask: str) -> str:
    """Best prices without sizes and time."""
    return (
        f'{{"premium":0.0,"product_id":"{product}","feed":"ticker_lite","bid":{bid},"ask":{ask},"change":-0.68,'
        f'"volume":3669.9134,"dtm":0,"maturityTime":0}}'
    )
