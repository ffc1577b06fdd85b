"""Topics: what a subscription is called, and what a topic carries."""

from __future__ import annotations

from ringcollect.exchanges.protocol import Want
from ringcollect.records import Channel

USUAL_DEPTH = 200
DEPTHS = (50, 200, 1000)
"""Levels per side a book can be asked for; 1 is the bbo channel."""

_EVERYWHERE = {
    Channel.BOOK: "orderbook", Channel.TRADE: "publicTrade", Channel.BBO: "orderbook.1", Channel.TICKER: "tickers",
}  # fmt: skip
_DERIVATIVES = {
    **_EVERYWHERE,
    **dict.fromkeys((Channel.MARK_PRICE, Channel.INDEX_PRICE, Channel.FUNDING, Channel.OPEN_INTEREST), "tickers"),
    Channel.LIQUIDATION: "allLiquidation",
}
CHANNELS = {"spot": _EVERYWHERE, "linear": _DERIVATIVES, "inverse": _DERIVATIVES}
"""The first part of a channel's topic; one topic, ``tickers``, carries up to five."""


def topic_of(market: str, want: Want) -> str:
    """The venue's name for ``want``; KeyError for a channel without a topic."""
    name = CHANNELS[market][want.channel]
    if want.channel is Channel.BOOK:
        name = f"{name}.{want.depth or USUAL_DEPTH}"
    return f"{name}.{want.symbol}"


def read_stream(market: str, stream: str) -> tuple[Want, ...]:
    """What a topic carries; () for what is not recorded."""
    name, _, rest = stream.partition(".")
    channels = CHANNELS.get(market, {})
    if name == "orderbook":
        depth, _, symbol = rest.partition(".")
        if not symbol or not depth.isdecimal():
            return ()
        return (Want(symbol, Channel.BBO),) if depth == "1" else (Want(symbol, Channel.BOOK, int(depth)),)
    return tuple(Want(rest, channel) for channel, topic in channels.items() if topic == name and rest)
