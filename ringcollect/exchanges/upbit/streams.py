"""Stream names: ``<type>:<code>``, and what a name carries."""

from __future__ import annotations

from collections.abc import Sequence

from ringcollect.exchanges.protocol import Want
from ringcollect.records import Channel

CHANNELS = {
    Channel.BOOK: "orderbook", Channel.TRADE: "trade", Channel.BBO: "orderbook", Channel.TICKER: "ticker",
}  # fmt: skip
"""The venue's type of ours: best prices are the top of the book's own messages."""

MOST_UNITS = 30

_CARRIED = {"orderbook": (Channel.BOOK, Channel.BBO), "trade": (Channel.TRADE,), "ticker": (Channel.TICKER,)}


def stream_name(want: Want) -> str:
    """The venue's name for ``want``, with ``.<units>`` where fewer than 30 are wanted; KeyError without a stream."""
    whole = want.channel not in (Channel.BOOK, Channel.BBO) or want.depth in (0, MOST_UNITS)
    units = "" if whole else f".{want.depth}"
    return f"{CHANNELS[want.channel]}:{want.symbol}{units}"


def by_stream(wants: Sequence[Want]) -> dict[str, list[Want]]:
    """What each stream carries: best prices come with the book, and where that is not wanted, with a book of one."""
    books = {want.symbol: stream_name(want) for want in wants if want.channel is Channel.BOOK}
    streams: dict[str, list[Want]] = {}
    for want in wants:
        name = stream_name(want)
        if want.channel is Channel.BBO:
            name = books.get(want.symbol, f"{CHANNELS[Channel.BOOK]}:{want.symbol}.1")
        streams.setdefault(name, []).append(want)
    return streams


def read_stream(market: str, stream: str) -> tuple[Want, ...]:
    """What the stream carries; () for what is not recorded."""
    kind, _, code = stream.partition(":")
    code, _, units = code.partition(".")
    depth = int(units) if units.isdecimal() else 0
    return tuple(Want(code, channel, depth) for channel in _CARRIED.get(kind, ())) if code else ()
