"""What is asked of an exchange, over its connections and over REST, and what it allows."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any, Literal

from ringcollect.records import Channel


@dataclass(frozen=True, slots=True)
class Want:
    """One stream to be subscribed. ``depth`` is a book's levels per side as configured, 0 = the exchange's usual.

    ``stream`` is the venue's name of the kind of stream that was chosen for the channel, "" = the usual one.
    """

    symbol: str  # native
    channel: Channel
    depth: int = 0
    stream: str = ""


@dataclass(frozen=True, slots=True)
class Leg:
    """One connection: where to, and what it carries."""

    market: str
    url: str
    streams: tuple[str, ...]  # the venue's names, each once
    wants: tuple[Want, ...]  # what they carry (one stream may carry several wants)


@dataclass(frozen=True, slots=True)
class Request:
    """One text frame to send; the exchange answers with an :class:`Answer` of the same id."""

    request_id: int
    text: str
    wants: tuple[Want, ...]


@dataclass(frozen=True, slots=True)
class Keepalive:
    """What we send unasked, and how long nothing at all may come. Times in ns.

    kind "none": nothing (the server pings, or heartbeats come by themselves); "frame": a WebSocket ping every
    ``interval_ns``; "text": ``text`` every ``interval_ns``. ``deadline_ns`` 0 is the configured one. Half of the
    deadline without a sign of life brings a WebSocket ping in any case; the whole of it ends the connection.
    """

    kind: Literal["none", "frame", "text"] = "none"
    text: str = ""
    interval_ns: int = 0
    deadline_ns: int = 0


class Purpose(enum.StrEnum):
    """What a REST request is for."""

    INSTRUMENTS = "instruments"
    VOLUMES = "volumes"
    SNAPSHOT = "snapshot"
    OPEN_INTEREST = "open_interest"
    LAST_TRADE = "last_trade"
    TRADES = "trades"


@dataclass(frozen=True, slots=True)
class RestCall:
    """A GET; ``weight`` is its price in the budget of its market (:class:`Limits`)."""

    url: str
    weight: int
    purpose: Purpose
    market: str
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """Trades that did not come: dense ids ``first_id..last_id``, none of them older than ``after_ns`` (0: unknown)."""

    first_id: int
    last_id: int
    after_ns: int = 0


@dataclass(frozen=True, slots=True)
class UrlMeaning:
    """What a WebSocket URL says. ``streams`` are the venue's names; ``combined``: frames name their stream."""

    market: str
    streams: tuple[str, ...]
    combined: bool


@dataclass(frozen=True, slots=True)
class RestMeaning:
    """What a REST URL asks for."""

    market: str
    purpose: Purpose
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the venue allows, per IP unless it says otherwise. Times in ns."""

    messages_per_s: int  # text, ping and pong frames we send on one connection
    streams_per_connection: int
    connects: int
    connects_window_ns: int
    lifetime_ns: int  # the venue cuts a connection after this long
    server_ping_ns: int  # the venue pings this often; 0 = it does not
    rest_budget: str  # name of the budget REST weights are spent from
    rest_weight: int
    rest_window_ns: int
    rest_used_header: str  # lower case
    forbidden_pause_ns: int = (
        0  # 403 says that too much was asked for: stay away for so long; 0: it says something else
    )
    deflate: bool = False  # the venue sends permessage-deflate only; where it is a choice it is not asked for


@dataclass(frozen=True, slots=True)
class Listing:
    """One instrument as the exchange lists it; ``metadata`` are keyword arguments of ``Registry.register``.

    ``market`` is said where one list has instruments of several; "" is the market that was asked for. ``partial``: not
    a list of instruments but more about those that another one lists; it makes no symbol known. ``code``: what the
    venue calls the instrument by whatever its symbol is: when that changes, this does not ("" where it has none).
    """

    symbol: str
    metadata: dict[str, Any] = field(default_factory=dict)
    market: str = ""
    partial: bool = False
    code: str = ""
