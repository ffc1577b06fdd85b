"""Stream names: ``<channel>:<product>``, what a name carries, and which of the two feeds an address leads to."""

from __future__ import annotations

from urllib.parse import urlsplit

from ringcollect.exchanges.protocol import Want
from ringcollect.records import Channel

ADVANCED = {
    Channel.BOOK: "level2", Channel.TRADE: "market_trades", Channel.BBO: "ticker", Channel.TICKER: "ticker",
}  # fmt: skip
"""Advanced Trade's channel of ours; what ``level2`` subscribes arrives as ``l2_data``."""
EXCHANGE = {
    Channel.BOOK: "level2_batch", Channel.TRADE: "matches", Channel.BBO: "ticker", Channel.TICKER: "ticker",
}  # fmt: skip
"""The Exchange feed's: ``level2`` without authentication is refused there since 2023, ``level2_batch`` is not."""
HEARTBEATS, HEARTBEAT = "heartbeats", "heartbeat"
"""What keeps a connection alive that has nothing to say: of Advanced Trade, of the Exchange feed."""

CARRIED = {
    name: tuple(channel for channel, of in names.items() if of == name)
    for names in (ADVANCED, EXCHANGE)
    for name in names.values()
} | dict.fromkeys(("level2", "l2_data"), (Channel.BOOK,))
"""Our channels of the venue's, on either feed."""

EXCHANGE_PATH = "/ws-feed"
"""Path that makes any address one of an Exchange feed: a proxy's, a simulator's."""


def is_exchange_feed(url: str) -> bool:
    """Whether the address leads to the Exchange feed: ``wss://ws-feed.…``, ``wss://ws-direct.…`` or a path of ours."""
    parts = urlsplit(url)
    return (parts.hostname or "").startswith(("ws-feed", "ws-direct")) or parts.path.rstrip("/") == EXCHANGE_PATH


def stream_name(want: Want, url: str) -> str:
    """The venue's name for ``want`` on the feed that ``url`` leads to; KeyError for a channel without a stream."""
    names = EXCHANGE if is_exchange_feed(url) else ADVANCED
    return f"{names[want.channel]}:{want.symbol}"


def read_stream(market: str, stream: str) -> tuple[Want, ...]:
    """What the stream carries; () for what is not recorded."""
    name, _, symbol = stream.partition(":")
    return tuple(Want(symbol, channel) for channel in CARRIED.get(name, ())) if symbol else ()
