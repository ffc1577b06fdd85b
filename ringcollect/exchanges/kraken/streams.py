"""Stream names: ``<channel>:<symbol>``, books with their depth: ``book-25:BTC/USD``."""

from __future__ import annotations

from ringcollect.exchanges.protocol import Want
from ringcollect.records import Channel

CHANNELS = {Channel.BOOK: "book", Channel.TRADE: "trade", Channel.BBO: "ticker", Channel.TICKER: "ticker"}
"""The venue's channel of ours."""
CARRIED = {name: tuple(ours for ours, of in CHANNELS.items() if of == name) for name in CHANNELS.values()}
"""Our channels of the venue's."""
DEPTHS = (10, 25, 100, 500, 1000)
"""Levels per side a book can be subscribed with; any other number is refused."""
USUAL_DEPTH = 1000


def book_depth(market: str, depth: int) -> int:
    """The subscribed depth: the venue says nothing of levels that it pushes out of it, so whoever keeps them is wrong.

    A number between two depths, the levels of a thin book's snapshot, is the next larger one.
    """
    return next((one for one in DEPTHS if one >= depth), USUAL_DEPTH) if depth else USUAL_DEPTH


def stream_name(want: Want) -> str:
    """The venue's name for ``want``; KeyError for a channel without a stream."""
    depth = f"-{want.depth or USUAL_DEPTH}" if want.channel is Channel.BOOK else ""
    return f"{CHANNELS[want.channel]}{depth}:{want.symbol}"


def read_stream(market: str, stream: str) -> tuple[Want, ...]:
    """What the stream carries; () for what is not recorded."""
    kind, _, symbol = stream.partition(":")
    kind, _, depth = kind.partition("-")
    levels = int(depth) if depth.isdecimal() else 0
    return tuple(Want(symbol, channel, levels) for channel in CARRIED.get(kind, ())) if symbol else ()
