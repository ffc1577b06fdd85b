"""Kraken Futures: linear and inverse contracts. The module itself is the exchange
(:class:`~ringcollect.exchanges.protocol.Exchange`)."""

from __future__ import annotations

from typing import Literal

from ringcollect.exchanges.entries import decode_hot, on_hot_frames
from ringcollect.exchanges.kraken_futures.continuity import accept as _accept
from ringcollect.exchanges.kraken_futures.decode import warm
from ringcollect.exchanges.kraken_futures.decoder import Decoder
from ringcollect.exchanges.kraken_futures.endpoints import (
    MARKETS,
    instruments_calls,
    keepalive,
    limits,
    next_instruments_call,
    read_rest,
    read_url,
    volumes_calls,
)
from ringcollect.exchanges.kraken_futures.instruments import guessed, listings, resolve, volumes
from ringcollect.exchanges.kraken_futures.streams import FEEDS, read_stream
from ringcollect.exchanges.kraken_futures.subscribe import legs, subscribe, unsubscribe
from ringcollect.exchanges.kraken_futures.symbols import market_of
from ringcollect.exchanges.no_trades import last_trade_call, trades_call
from ringcollect.exchanges.protocol import Rule
from ringcollect.records import Channel

__all__ = [
    "accept", "acknowledges", "book_base", "book_depth", "channels", "decode_hot", "decoder", "dense_trade_ids",
    "guessed", "instruments_calls", "join", "keepalive", "last_trade_call", "legs", "limits", "listings", "market_of",
    "markets", "name", "next_instruments_call", "numbered_books", "on_hot_frames", "polled", "read_rest", "read_stream",
    "read_url", "resolve", "subscribe", "trades_call", "unsubscribe", "volumes", "volumes_calls", "warm",
]  # fmt: skip

name = "kraken_futures"
markets = MARKETS
acknowledges = True
decoder = Decoder


def channels(market: str) -> tuple[Channel, ...]:
    """What Kraken Futures has, in both markets; all of it is streamed."""
    return tuple(FEEDS)


def polled(market: str) -> tuple[Channel, ...]:
    """Channels that have no stream: none."""
    return ()


def dense_trade_ids(market: str) -> bool:
    """``seq`` of trades counts by one per product (their ``uid`` is what the records name them by)."""
    return True


def book_base(market: str) -> Literal["rest", "stream"]:
    """The subscription begins with ``book_snapshot``."""
    return "stream"


def numbered_books(market: str) -> bool:
    """``seq`` of each product."""
    return True


def book_depth(market: str, depth: int) -> int:
    """No limit: the whole book is sent, removals included."""
    return 0


def accept(market: str) -> Rule:
    """Does a delta follow a delta?"""
    return _accept


def join(market: str) -> Rule:
    """Does a delta follow a snapshot?"""
    return _accept
