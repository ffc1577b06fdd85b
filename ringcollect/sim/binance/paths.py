"""Request targets: which market, which leg, which dress, which streams."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import msgspec


class Route(msgspec.Struct, frozen=True):
    """What a WebSocket path asks for. ``leg`` is ``all`` (spot), ``public`` or ``market`` (USD-M)."""

    market: str
    leg: str
    combined: bool
    streams: tuple[str, ...]
    divisor: int  # ns of one unit of the wire's times


def route(target: str) -> Route | None:
    """The route of a request target, or None when no such path exists.

    One port serves both markets: ``/public`` and ``/market`` are USD-M, bare ``/ws`` and ``/stream`` are spot. With
    ``/linear`` in front a bare path is USD-M's un-routed one, which delivers what ``/public`` does.
    """
    parts = urlsplit(target)
    words = [unquote(word) for word in parts.path.split("/") if word]
    query = parse_qs(parts.query)
    market, leg = "spot", "all"
    if words and words[0] in ("spot", "linear"):
        market = words.pop(0)
        leg = "all" if market == "spot" else "public"
    if words and words[0] in ("public", "market") and (market == "linear" or parts.path.startswith(f"/{words[0]}")):
        market, leg = "linear", words.pop(0)
    if not words or words[0] not in ("ws", "stream"):
        return None
    combined = words[0] == "stream"
    if combined and len(words) > 1:
        return None
    named = query.get("streams", [""])[0].split("/") if combined else words[1:]
    micro = market == "spot" and query.get("timeUnit", [""])[0].upper() == "MICROSECOND"
    return Route(market, leg, combined, tuple(filter(None, named)), 1_000 if micro else 1_000_000)
