"""Bybit v5: spot, linear and inverse. The module itself is the :class:`~ringcollect.exchanges.protocol.Exchange`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ringcollect.exchanges.bybit.continuity import accept as _accept
from ringcollect.exchanges.bybit.decode import warm
from ringcollect.exchanges.bybit.decoder import Decoder
from ringcollect.exchanges.bybit.endpoints import (
    MARKETS,
    instruments_calls,
    keepalive,
    limits,
    next_instruments_call,
    read_rest,
    read_url,
    volumes_calls,
)
from ringcollect.exchanges.bybit.instruments import guessed, listings, resolve, volumes
from ringcollect.exchanges.bybit.streams import CHANNELS, read_stream
from ringcollect.exchanges.bybit.subscribe import legs, subscribe, unsubscribe
from ringcollect.exchanges.entries import decode_hot, on_hot_frames
from ringcollect.exchanges.no_trades import last_trade_call, trades_call
from ringcollect.exchanges.protocol import Rule
from ringcollect.records import Channel

__all__ = [
    "accept", "acknowledges", "book_base", "book_depth", "channels", "decode_hot", "decoder", "dense_trade_ids",
    "guessed", "instruments_calls", "join", "keepalive", "last_trade_call", "legs", "limits", "listings", "market_of",
    "markets", "name", "next_instruments_call", "numbered_books", "on_hot_frames", "polled", "read_rest", "read_stream",
    "read_url", "resolve", "subscribe", "trades_call", "unsubscribe", "volumes", "volumes_calls", "warm",
]  # fmt: skip

name = "bybit"
markets = MARKETS
acknowledges = True
decoder = Decoder


def channels(market: str) -> tuple[Channel, ...]:
    """What Bybit has for the market; all of it is streamed."""
    return tuple(CHANNELS[market])


def polled(market: str) -> tuple[Channel, ...]:
    """Channels that have no stream: none."""
    return ()


def market_of(market: str, symbol: str, listed: Sequence[str]) -> str:
    """A connection carries one market: the category is in its URL."""
    return market


def dense_trade_ids(market: str) -> bool:
    """UUIDs on derivatives; numbers with holes on spot."""
    return False


def book_base(market: str, kind: str = "") -> Literal["rest", "stream"]:
    """The subscription begins with a snapshot."""
    return "stream"


def numbered_books(market: str) -> bool:
    """``u`` of each topic."""
    return True


def book_depth(market: str, depth: int) -> int:
    """No limit: what falls out of the depth is removed by a delta (seen at every checkpoint of the captures)."""
    return 0


def accept(market: str) -> Rule:
    """Does a delta follow a delta?"""
    return _accept


def join(market: str) -> Rule:
    """Does a delta follow a snapshot?"""
    return _accept
