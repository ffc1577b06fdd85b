"""Stream names: what a subscription is called, and what a name carries."""

from __future__ import annotations

from ringcollect.exchanges.protocol import Want
from ringcollect.records import Channel

MARK_CHANNELS = (Channel.MARK_PRICE, Channel.INDEX_PRICE, Channel.FUNDING)
"""One stream, ``@markPrice``, carries these three."""

SUFFIXES = {
    "spot": {
        Channel.BOOK: "depth@100ms",
        Channel.TRADE: "trade",
        Channel.BBO: "bookTicker",
        Channel.TICKER: "ticker",
    },
    "linear": {
        Channel.BOOK: "depth@100ms",
        Channel.TRADE: "trade",  # undocumented, but single fills with ids that count without holes
        Channel.BBO: "bookTicker",
        **dict.fromkeys(MARK_CHANNELS, "markPrice@1s"),
        Channel.LIQUIDATION: "forceOrder",
        Channel.TICKER: "ticker",
    },
}
"""Stream of a channel behind ``<symbol>@``."""

_CARRIED = {
    "depth": (Channel.BOOK,),
    "trade": (Channel.TRADE,),
    "aggTrade": (Channel.TRADE,),
    "bookTicker": (Channel.BBO,),
    "markPrice": MARK_CHANNELS,
    "forceOrder": (Channel.LIQUIDATION,),
    "ticker": (Channel.TICKER,),
}


def stream_name(market: str, want: Want) -> str:
    """The venue's name for ``want``; KeyError for a channel without a stream."""
    return f"{want.symbol.lower()}@{want.stream or SUFFIXES[market][want.channel]}"


def is_diff_depth(stream: str) -> bool:
    """``btcusdt@depth`` and ``btcusdt@depth@100ms`` are diffs; ``@depth20`` and ``@rpiDepth`` look the same inside."""
    return stream.partition("@")[2].partition("@")[0] == "depth"


def read_stream(market: str, stream: str) -> tuple[Want, ...]:
    """What the stream carries, with the symbol in native spelling; () for streams of all symbols or not recorded."""
    symbol, _, suffix = stream.partition("@")
    kind = suffix.partition("@")[0]
    carried = _CARRIED.get(kind, ())
    if not symbol or symbol.startswith("!"):
        return ()
    return tuple(Want(symbol.upper(), channel) for channel in carried if channel in SUFFIXES.get(market, {}))
