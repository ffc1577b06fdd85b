"""Coinbase: spot, by Advanced Trade or by the Exchange feed, whichever the address leads to.

The module itself is the :class:`~ringcollect.exchanges.protocol.Exchange`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ringcollect.exchanges.coinbase.continuity import follows
from ringcollect.exchanges.coinbase.decode import warm
from ringcollect.exchanges.coinbase.decoder import Decoder
from ringcollect.exchanges.coinbase.endpoints import (
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
from ringcollect.exchanges.coinbase.instruments import guessed, listings, resolve, volumes
from ringcollect.exchanges.coinbase.streams import ADVANCED, read_stream
from ringcollect.exchanges.coinbase.subscribe import legs, subscribe, unsubscribe
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

name = "coinbase"
markets = ("spot",)
acknowledges = True
decoder = Decoder


def channels(market: str) -> tuple[Channel, ...]:
    """What Coinbase has, on either feed; all of it is streamed."""
    return tuple(ADVANCED)


def polled(market: str) -> tuple[Channel, ...]:
    """Channels that have no stream: none."""
    return ()


def dense_trade_ids(market: str) -> bool:
    """Trade ids count by one, per product."""
    return True


def book_base(market: str, kind: str = "") -> Literal["rest", "stream"]:
    """The subscription begins with the whole book."""
    return "stream"


def numbered_books(market: str) -> bool:
    """There is no update id."""
    return False


def book_depth(market: str, depth: int) -> int:
    """No limit: books are complete."""
    return 0


def market_of(market: str, symbol: str, listed: Sequence[str]) -> str:
    """There is only one."""
    return market


def accept(market: str) -> Rule:
    """Does a delta follow a delta?"""
    return follows


def join(market: str) -> Rule:
    """Does a delta follow a snapshot?"""
    return follows
