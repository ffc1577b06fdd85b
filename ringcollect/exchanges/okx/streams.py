"""Stream names: ``<channel>:<id>`` for the venue's subscription argument, and what a name carries."""

from __future__ import annotations

from collections.abc import Iterable

from ringcollect.exchanges.okx.symbols import FUTURES, SPOT, SWAP, index_of, kind_of
from ringcollect.exchanges.protocol import Want
from ringcollect.records import Channel

FULL_BOOKS = ("books", "books-l2-tbt", "books50-l2-tbt")
"""Snapshot, then deltas; a connection has one of them per instrument."""
SHORT_BOOK = "books5"
"""Five levels a side, complete each time."""
SHORT_DEPTH = 5

_DERIVATIVES = {
    Channel.MARK_PRICE: "mark-price",
    Channel.INDEX_PRICE: "index-tickers",
    Channel.FUNDING: "funding-rate",
    Channel.OPEN_INTEREST: "open-interest",
    Channel.LIQUIDATION: "liquidation-orders",
}
_EVERYWHERE = {
    Channel.BOOK: "books", Channel.TRADE: "trades", Channel.BBO: "bbo-tbt", Channel.TICKER: "tickers",
}  # fmt: skip
CHANNELS = {
    "spot": _EVERYWHERE, "linear": {**_EVERYWHERE, **_DERIVATIVES}, "inverse": {**_EVERYWHERE, **_DERIVATIVES},
}  # fmt: skip
"""The venue's channel of ours."""

CARRIED = {
    **dict.fromkeys((*FULL_BOOKS, SHORT_BOOK), Channel.BOOK),
    "trades": Channel.TRADE,
    "trades-all": Channel.TRADE,
    "bbo-tbt": Channel.BBO,
    "tickers": Channel.TICKER,
    **{name: channel for channel, name in _DERIVATIVES.items()},
}
BUSINESS = ("trades-all",)
"""Channels that live on ``/business``; on ``/public`` they are refused."""


def stream_name(market: str, want: Want) -> str:
    """The venue's name for ``want``; KeyError for a channel without a stream."""
    channel = CHANNELS[market][want.channel]
    if want.stream:
        channel = want.stream
    elif want.channel is Channel.BOOK and want.depth == SHORT_DEPTH:
        channel = SHORT_BOOK
    if want.channel is Channel.INDEX_PRICE:
        return f"{channel}:{index_of(want.symbol)}"
    if want.channel is Channel.LIQUIDATION:  # of all instruments of a type at once
        return f"{channel}:{kind_of(want.symbol)}"
    return f"{channel}:{want.symbol}"


def argument(stream: str) -> dict[str, str]:
    """The venue's argument for a stream of this name."""
    channel, _, identity = stream.partition(":")
    return {"channel": channel, "instType" if identity in (SPOT, SWAP, FUTURES) else "instId": identity}


def carried(stream: str, known: Iterable[str]) -> tuple[Want, ...]:
    """What a stream of this name carries, where ``known`` are the symbols somebody may want it for."""
    name, _, identity = stream.partition(":")
    channel = CARRIED.get(name)
    if channel is None or not identity:
        return ()
    if channel is Channel.INDEX_PRICE:
        return tuple(Want(s, channel) for s in known if kind_of(s) in (SWAP, FUTURES) and index_of(s) == identity)
    if channel is Channel.LIQUIDATION:
        return tuple(Want(s, channel) for s in known if kind_of(s) == identity)
    return (Want(identity, channel),)


def read_stream(market: str, stream: str) -> tuple[Want, ...]:
    """What the stream carries by its name alone; () for streams of many instruments or not recorded."""
    return tuple(want for want in carried(stream, ()) if want.channel in CHANNELS.get(market, {}))
