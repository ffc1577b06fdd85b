"""OKX v5: spot, linear and inverse. The module itself is the :class:`~ringcollect.exchanges.protocol.Exchange`."""

from __future__ import annotations

from typing import Literal

from ringcollect.exchanges.entries import decode_hot, on_hot_frames
from ringcollect.exchanges.okx.continuity import accept as _accept
from ringcollect.exchanges.okx.continuity import join as _join
from ringcollect.exchanges.okx.decode import warm
from ringcollect.exchanges.okx.decoder import Decoder
from ringcollect.exchanges.okx.endpoints import (
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
from ringcollect.exchanges.okx.instruments import guessed, listings, resolve, volumes
from ringcollect.exchanges.okx.streams import CHANNELS, read_stream
from ringcollect.exchanges.okx.subscribe import legs, subscribe, unsubscribe
from ringcollect.exchanges.okx.symbols import market_of
from ringcollect.exchanges.protocol import Rule
from ringcollect.records import Channel

__all__ = [
    "accept", "acknowledges", "book_base", "book_depth", "channels", "decode_hot", "decoder", "dense_trade_ids",
    "guessed", "instruments_calls", "join", "keepalive", "last_trade_call", "legs", "limits", "listings", "market_of",
    "markets", "name", "next_instruments_call", "numbered_books", "on_hot_frames", "open_interest_call", "polled",
    "read_rest", "read_stream", "read_url", "resolve", "snapshot_call", "subscribe", "trades_call", "unsubscribe",
    "volumes", "volumes_calls", "warm",
]  # fmt: skip

name = "okx"
markets = ("spot", "linear", "inverse")
acknowledges = True
decoder = Decoder


def channels(market: str) -> tuple[Channel, ...]:
    """What OKX has for the market; all of it is streamed."""
    return tuple(CHANNELS[market])


def polled(market: str) -> tuple[Channel, ...]:
    """Channels that have no stream: none."""
    return ()


def dense_trade_ids(market: str) -> bool:
    """Trade ids count by one, per instrument; a merged print says how many it stands for."""
    return True


def book_base(market: str, kind: str = "") -> Literal["rest", "stream", "either"]:
    """The subscription begins with the whole book, which was announced to end; REST's has the same ``seqId``."""
    return "either"


def numbered_books(market: str) -> bool:
    """``seqId``; books of before 2022-12, which have none, say so themselves."""
    return True


def book_depth(market: str, depth: int) -> int:
    """No limit: the venue removes what falls out of its 400 levels."""
    return 0


def accept(market: str) -> Rule:
    """Does a delta follow a delta?"""
    return _accept


def join(market: str) -> Rule:
    """Does a delta follow a snapshot?"""
    return _join
