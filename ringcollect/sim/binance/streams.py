"""Stream names: which exist, and which of the USD-M paths carries them."""

from __future__ import annotations

import re

_DEPTH_SPEEDS_MS = {"spot": {"": 1000, "100ms": 100}, "linear": {"": 250, "0ms": 0, "100ms": 100, "500ms": 500}}
_DEPTH = re.compile(r"depth(5|10|20)?(?:@(\d+ms))?")
_KLINE_NS = {
    f"kline_{count}{unit}": count * size * 1_000_000_000
    for unit, size, counts in (
        ("s", 1, (1,)),
        ("m", 60, (1, 3, 5, 15, 30)),
        ("h", 3600, (1, 2, 4, 6, 8, 12)),
        ("d", 86400, (1,)),
    )
    for count in counts
}


def topic_of(stream: str) -> tuple[str, str]:
    """``btcusdt@depth@100ms`` is symbol ``BTCUSDT``, topic ``depth@100ms``; an all-market stream has no symbol."""
    if stream.startswith("!"):
        return "", stream
    symbol, _, topic = stream.partition("@")
    return symbol.upper(), topic


def depth_topic(market: str, topic: str) -> tuple[int, int] | None:
    """Interval in ms and levels (0 = diff) of a depth topic of this market, or None."""
    match = _DEPTH.fullmatch(topic)
    if match is None:
        return None
    speed = _DEPTH_SPEEDS_MS[market].get(match[2] or "")
    return None if speed is None else (speed, int(match[1] or 0))


def kline_ns(topic: str) -> int | None:
    """Length of a kline topic's bars in ns, or None."""
    return _KLINE_NS.get(topic)


def leg_of(stream: str) -> str:
    """The USD-M path that carries ``stream``: ``public`` for books and raw trades, ``market`` for the rest."""
    _, topic = topic_of(stream)
    name = topic.lstrip("!").partition("@")[0]
    return "public" if name in ("bookTicker", "trade", "rpiDepth") or name.startswith("depth") else "market"
