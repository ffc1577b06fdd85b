"""Binance: spot and USD-M futures. The module itself is the :class:`~ringcollect.exchanges.protocol.Exchange`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ringcollect.exchanges.binance.continuity import accept_linear, accept_spot, join_linear, join_spot
from ringcollect.exchanges.binance.decode import warm
from ringcollect.exchanges.binance.decoder import Decoder
from ringcollect.exchanges.binance.endpoints import (
    instruments_calls,
    keepalive,
    last_trade_call,
    limits,
    next_instruments_call,
    open_interest_call,
    read_rest,
    read_url,
    snapshot_call,
    trades_call,
    volumes_calls,
)
from ringcollect.exchanges.binance.instruments import guessed, listings, resolve, volumes
from ringcollect.exchanges.binance.streams import SUFFIXES, read_stream
from ringcollect.exchanges.binance.subscribe import legs, subscribe, unsubscribe
from ringcollect.exchanges.binance.whole import is_whole
from ringcollect.exchanges.entries import decode_hot, on_hot_frames
from ringcollect.exchanges.protocol import Rule
from ringcollect.records import Channel

__all__ = [
    "accept", "acknowledges", "book_base", "book_depth", "channels", "decode_hot", "decoder", "dense_trade_ids",
    "guessed", "instruments_calls", "join", "keepalive", "last_trade_call", "legs", "limits", "listings", "market_of",
    "markets", "name", "next_instruments_call", "numbered_books", "on_hot_frames", "open_interest_call", "polled",
    "read_rest", "read_stream", "read_url", "resolve", "snapshot_call", "subscribe", "trades_call", "unsubscribe",
    "volumes", "volumes_calls", "warm",
]  # fmt: skip

name = "binance"
markets = ("spot", "linear")
acknowledges = True
decoder = Decoder

_ACCEPT: dict[str, Rule] = {"spot": accept_spot, "linear": accept_linear}
_JOIN: dict[str, Rule] = {"spot": join_spot, "linear": join_linear}
_POLLED = {"spot": (), "linear": (Channel.OPEN_INTEREST,)}


def channels(market: str) -> tuple[Channel, ...]:
    """What Binance has for the market, streamed or polled."""
    return (*SUFFIXES[market], *_POLLED[market])


def market_of(market: str, symbol: str, listed: Sequence[str]) -> str:
    """A connection carries one market."""
    return market


def polled(market: str) -> tuple[Channel, ...]:
    """Channels that have no stream."""
    return _POLLED[market]


def dense_trade_ids(market: str) -> bool:
    """Trade ids (and aggregate ids) count by one, per symbol."""
    return True


def book_base(market: str, kind: str = "") -> Literal["rest", "stream"]:
    """A REST snapshot, bridged by the deltas held meanwhile; partial depth is complete each time."""
    return "stream" if is_whole(kind) else "rest"


def numbered_books(market: str) -> bool:
    """``u`` of depthUpdate."""
    return True


def book_depth(market: str, depth: int) -> int:
    """No limit: the diff stream removes every level it ever named."""
    return 0


def accept(market: str) -> Rule:
    """Does a delta follow a delta?"""
    return _ACCEPT[market]


def join(market: str) -> Rule:
    """Does a delta follow a snapshot?"""
    return _JOIN[market]
