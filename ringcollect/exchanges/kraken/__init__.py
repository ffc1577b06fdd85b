"""Kraken spot, WebSocket v2. The module itself is the :class:`~ringcollect.exchanges.protocol.Exchange`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ringcollect.exchanges.entries import decode_hot, on_hot_frames
from ringcollect.exchanges.kraken.continuity import follows
from ringcollect.exchanges.kraken.decode import warm
from ringcollect.exchanges.kraken.decoder import Decoder
from ringcollect.exchanges.kraken.endpoints import (
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
from ringcollect.exchanges.kraken.instruments import guessed, listings, resolve, volumes
from ringcollect.exchanges.kraken.streams import CHANNELS, book_depth, read_stream
from ringcollect.exchanges.kraken.subscribe import legs, subscribe, unsubscribe
from ringcollect.exchanges.protocol import Rule
from ringcollect.records import Channel

__all__ = [
    "accept", "acknowledges", "book_base", "book_depth", "channels", "decode_hot", "decoder", "dense_trade_ids",
    "guessed", "instruments_calls", "join", "keepalive", "last_trade_call", "legs", "limits", "listings", "market_of",
    "markets", "name", "next_instruments_call", "numbered_books", "on_hot_frames", "open_interest_call", "polled",
    "read_rest", "read_stream", "read_url", "resolve", "snapshot_call", "subscribe", "trades_call", "unsubscribe",
    "volumes", "volumes_calls", "warm",
]  # fmt: skip

name = "kraken"
markets = ("spot",)
acknowledges = True
decoder = Decoder


def channels(market: str) -> tuple[Channel, ...]:
    """What Kraken has; all of it is streamed."""
    return tuple(CHANNELS)


def polled(market: str) -> tuple[Channel, ...]:
    """Channels that have no stream: none."""
    return ()


def dense_trade_ids(market: str) -> bool:
    """``trade_id`` counts by one, per symbol."""
    return True


def book_base(market: str, kind: str = "") -> Literal["rest", "stream"]:
    """The subscription begins with the whole book."""
    return "stream"


def numbered_books(market: str) -> bool:
    """There is no update id: a checksum on every message takes its place."""
    return False


def market_of(market: str, symbol: str, listed: Sequence[str]) -> str:
    """There is only one."""
    return market


def accept(market: str) -> Rule:
    """Does a delta follow a delta? The synchronizer's checksum says."""
    return follows


def join(market: str) -> Rule:
    """Does a delta follow a snapshot? The synchronizer's checksum says."""
    return follows
