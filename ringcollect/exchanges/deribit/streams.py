"""Channels: ``book.BTC-PERPETUAL.100ms``, ``quote.BTC-PERPETUAL``, and what they carry."""

from __future__ import annotations

from ringcollect.exchanges.protocol import Want
from ringcollect.records import Channel

CHANNELS = {
    Channel.BOOK: "book",
    Channel.TRADE: "trades",
    Channel.BBO: "quote",
    **dict.fromkeys(
        (Channel.MARK_PRICE, Channel.INDEX_PRICE, Channel.FUNDING, Channel.OPEN_INTEREST, Channel.TICKER), "ticker"
    ),
}
"""The first part of the venue's channel of ours; ``ticker`` carries five."""
_INTERVAL = ".100ms"


def stream_name(want: Want) -> str:
    """The venue's name for ``want``; KeyError for a channel without a stream."""
    name = CHANNELS[want.channel]
    return f"{name}.{want.symbol}{'' if want.channel is Channel.BBO else _INTERVAL}"


def read_stream(market: str, stream: str) -> tuple[Want, ...]:
    """What the channel carries; () for what is not recorded, as books of a few levels are."""
    name, _, rest = stream.partition(".")
    symbol, _, interval = rest.partition(".")
    if not symbol or interval.count(".") or (name == "quote") == bool(interval):
        return ()
    return tuple(Want(symbol, channel) for channel, of in CHANNELS.items() if of == name)
