"""Upbit: spot. The module itself is the :class:`~ringcollect.exchanges.protocol.Exchange`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ringcollect.exchanges.entries import decode_hot, on_hot_frames
from ringcollect.exchanges.no_trades import last_trade_call, trades_call
from ringcollect.exchanges.protocol import Rule
from ringcollect.exchanges.upbit.continuity import follows
from ringcollect.exchanges.upbit.decode import warm
from ringcollect.exchanges.upbit.decoder import Decoder
from ringcollect.exchanges.upbit.endpoints import (
    instruments_calls,
    keepalive,
    limits,
    next_instruments_call,
    open_interest_call,
    read_rest,
    read_url,
    snapshot_call,
    volumes_calls,
)
from ringcollect.exchanges.upbit.instruments import guessed, listings, resolve, volumes
from ringcollect.exchanges.upbit.streams import CHANNELS, read_stream
from ringcollect.exchanges.upbit.subscribe import legs, subscribe, unsubscribe
from ringcollect.records import Channel

__all__ = [
    "accept", "acknowledges", "book_base", "book_depth", "channels", "decode_hot", "decoder", "dense_trade_ids",
    "guessed", "instruments_calls", "join", "keepalive", "last_trade_call", "legs", "limits", "listings", "market_of",
    "markets", "name", "next_instruments_call", "numbered_books", "on_hot_frames", "open_interest_call", "polled",
    "read_rest", "read_stream", "read_url", "resolve", "snapshot_call", "subscribe", "trades_call", "unsubscribe",
    "volumes", "volumes_calls", "warm",
]  # fmt: skip

name = "upbit"
markets = ("spot",)
acknowledges = False
decoder = Decoder


def channels(market: str) -> tuple[Channel, ...]:
    """What Upbit has; all of it is streamed."""
    return tuple(CHANNELS)


def polled(market: str) -> tuple[Channel, ...]:
    """Channels that have no stream: none."""
    return ()


def dense_trade_ids(market: str) -> bool:
    """``sequential_id`` is unique, but neither dense nor always increasing: nothing can be missed by it."""
    return False


def book_base(market: str, kind: str = "") -> Literal["rest", "stream"]:
    """Every message is a complete book."""
    return "stream"


def numbered_books(market: str) -> bool:
    """There is no update id."""
    return False


def book_depth(market: str, depth: int) -> int:
    """No limit: every message says all there is."""
    return 0


def market_of(market: str, symbol: str, listed: Sequence[str]) -> str:
    """There is only one."""
    return market


def accept(market: str) -> Rule:
    """Does a delta follow a delta? There are none."""
    return follows


def join(market: str) -> Rule:
    """Does a delta follow a snapshot? There are none."""
    return follows
