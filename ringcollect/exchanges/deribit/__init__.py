"""Deribit futures and perpetuals, JSON-RPC. The module is the :class:`~ringcollect.exchanges.protocol.Exchange`."""

from __future__ import annotations

from typing import Literal

from ringcollect.exchanges.deribit.continuity import accept as _accept
from ringcollect.exchanges.deribit.decoder import Decoder
from ringcollect.exchanges.deribit.endpoints import (
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
from ringcollect.exchanges.deribit.instruments import guessed, listings, resolve, volumes
from ringcollect.exchanges.deribit.streams import CHANNELS, read_stream
from ringcollect.exchanges.deribit.subscribe import legs, subscribe, unsubscribe
from ringcollect.exchanges.deribit.symbols import market_of
from ringcollect.exchanges.entries import decode_hot, on_hot_frames
from ringcollect.exchanges.protocol import Rule
from ringcollect.records import Channel

__all__ = [
    "accept", "acknowledges", "book_base", "book_depth", "channels", "decode_hot", "decoder", "dense_trade_ids",
    "guessed", "instruments_calls", "join", "keepalive", "last_trade_call", "legs", "limits", "listings", "market_of",
    "markets", "name", "next_instruments_call", "numbered_books", "on_hot_frames", "open_interest_call", "polled",
    "read_rest", "read_stream", "read_url", "resolve", "snapshot_call", "subscribe", "trades_call", "unsubscribe",
    "volumes", "volumes_calls",
]  # fmt: skip

name = "deribit"
markets = ("linear", "inverse")
acknowledges = True
decoder = Decoder


def channels(market: str) -> tuple[Channel, ...]:
    """What Deribit has; all of it is streamed. Liquidations are marks on trades."""
    return tuple(CHANNELS)


def polled(market: str) -> tuple[Channel, ...]:
    """Channels that have no stream: none."""
    return ()


def dense_trade_ids(market: str) -> bool:
    """``trade_seq`` counts by one, per instrument."""
    return True


def book_base(market: str, kind: str = "") -> Literal["rest", "stream"]:
    """The subscription begins with the whole book."""
    return "stream"


def numbered_books(market: str) -> bool:
    """``change_id``."""
    return True


def book_depth(market: str, depth: int) -> int:
    """No limit: the book is always whole."""
    return 0


def accept(market: str) -> Rule:
    """Does a delta follow a delta?"""
    return _accept


def join(market: str) -> Rule:
    """Does a delta follow a snapshot? The snapshot is a link of the same chain."""
    return _accept
