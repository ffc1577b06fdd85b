"""Stream names: ``<feed>:<product>``, and what a feed carries."""

from __future__ import annotations

from ringcollect.exchanges.protocol import Want
from ringcollect.records import Channel

FEEDS = {
    Channel.BOOK: "book",
    Channel.TRADE: "trade",
    Channel.BBO: "ticker",
    Channel.MARK_PRICE: "ticker",
    Channel.INDEX_PRICE: "ticker",
    Channel.FUNDING: "ticker",
    Channel.OPEN_INTEREST: "ticker",
    Channel.TICKER: "ticker",
    Channel.LIQUIDATION: "trade",
}
"""The venue's feed of each channel: a forced order is a trade of type ``liquidation``."""


def stream_name(want: Want) -> str:
    """The venue's name for ``want``; KeyError for a channel without a stream."""
    return f"{FEEDS[want.channel]}:{want.symbol}"


def read_stream(market: str, stream: str) -> tuple[Want, ...]:
    """What the stream carries; () for what is not recorded."""
    feed, _, symbol = stream.partition(":")
    symbol = symbol.upper()
    return tuple(Want(symbol, channel) for channel, of in FEEDS.items() if of == feed and symbol)
