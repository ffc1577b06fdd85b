"""What a venue allows on one connection: the numbers of its documentation, in ns."""

from __future__ import annotations

import msgspec

SECOND = 1_000_000_000


class WireRules(msgspec.Struct, frozen=True, kw_only=True):
    """Limits and keepalive of one market's WebSocket; 0 is "no such thing" for pings, messages and lifetime."""

    market: str
    ping_every_ns: int
    pong_within_ns: int
    messages_per_s: int
    streams_per_connection: int = 1024
    lifetime_ns: int = 24 * 3600 * SECOND
    string_ids: bool = True  # whether a request id may be a text or null
    announces_shutdown: bool = True
    binary: bool = False  # texts travel in binary frames
    idle_ns: int = 0  # a client that says nothing for so long is cut off; 0 = it may be silent


class WeightRules(msgspec.Struct, frozen=True, kw_only=True):
    """The REST budget of one market, per address and minute."""

    per_minute: int


SPOT_WIRE = WireRules(market="spot", ping_every_ns=20 * SECOND, pong_within_ns=60 * SECOND, messages_per_s=5)
LINEAR_WIRE = WireRules(
    market="linear",
    ping_every_ns=180 * SECOND,
    pong_within_ns=600 * SECOND,
    messages_per_s=10,
    string_ids=False,
    announces_shutdown=False,
)
OKX_WIRE = WireRules(
    market="okx", ping_every_ns=0, pong_within_ns=0, messages_per_s=0, lifetime_ns=0, idle_ns=30 * SECOND
)
COINBASE_WIRE = WireRules(
    market="spot", ping_every_ns=0, pong_within_ns=0, messages_per_s=8, lifetime_ns=0, announces_shutdown=False
)
UPBIT_WIRE = WireRules(
    market="spot", ping_every_ns=0, pong_within_ns=0, messages_per_s=5, lifetime_ns=0, announces_shutdown=False,
    binary=True, idle_ns=120 * SECOND,
)  # fmt: skip
KRAKEN_WIRE = WireRules(
    market="spot", ping_every_ns=0, pong_within_ns=0, messages_per_s=0, lifetime_ns=0, announces_shutdown=False,
    idle_ns=60 * SECOND,
)  # fmt: skip
KRAKEN_FUTURES_WIRE = WireRules(
    market="kraken_futures", ping_every_ns=0, pong_within_ns=0, messages_per_s=100, lifetime_ns=0,
    announces_shutdown=False, idle_ns=60 * SECOND,
)  # fmt: skip
DERIBIT_WIRE = WireRules(
    market="deribit", ping_every_ns=0, pong_within_ns=0, messages_per_s=20, lifetime_ns=0, announces_shutdown=False,
    idle_ns=60 * SECOND,
)  # fmt: skip
BYBIT_WIRE = WireRules(
    market="bybit", ping_every_ns=0, pong_within_ns=0, messages_per_s=0, lifetime_ns=0, announces_shutdown=False,
    idle_ns=600 * SECOND,
)  # fmt: skip
SPOT_WEIGHT = WeightRules(per_minute=6000)
LINEAR_WEIGHT = WeightRules(per_minute=2400)
