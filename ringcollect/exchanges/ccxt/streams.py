"""Stream names: ``<channel>:<unified symbol>``, with ``#<levels>`` behind a book of a configured depth."""

from __future__ import annotations

from ringcollect.exchanges.protocol import Want
from ringcollect.records import CHANNELS_BY_NAME, Channel

CHANNELS = (
    Channel.BOOK, Channel.TRADE, Channel.BBO, Channel.TICKER, Channel.FUNDING, Channel.OPEN_INTEREST,
)  # fmt: skip
_NAMES = {channel: channel.name.lower() for channel in CHANNELS}


def stream_name(want: Want) -> str:
    """The name of what ``want`` asks for."""
    levels = f"#{want.depth}" if want.channel is Channel.BOOK and want.depth else ""
    return f"{_NAMES[want.channel]}:{want.symbol}{levels}"


def read_stream(market: str, stream: str) -> tuple[Want, ...]:
    """What :func:`stream_name` named; () for anything else."""
    kind, _, rest = stream.partition(":")
    symbol, _, levels = rest.partition("#")
    channel = CHANNELS_BY_NAME.get(kind)
    if channel not in CHANNELS or not symbol:
        return ()
    return (Want(symbol, channel, int(levels) if levels.isdecimal() else 0),)
