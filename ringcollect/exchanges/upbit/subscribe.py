"""Which connections carry what, and the frame that asks for it.

A request replaces the one before on the same connection: each names everything the connection is to carry, and there
is no way to end a subscription but to leave it out.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ringcollect.exchanges.protocol import Leg, Request, Want
from ringcollect.exchanges.sharding import legs_of
from ringcollect.exchanges.upbit.endpoints import limits, websocket_url
from ringcollect.exchanges.upbit.streams import by_stream


def legs(market: str, wants: Sequence[Want], url: str = "") -> list[Leg]:
    """Connections of at most :func:`limits` streams; ``url`` replaces scheme, host and port."""
    return legs_of(market, websocket_url(url), by_stream(wants), limits(market).streams_per_connection)


def subscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """The one request for everything ``leg`` carries, whatever part of it ``wants`` is."""
    codes: dict[str, list[str]] = {}
    for name in leg.streams:
        kind, _, code = name.partition(":")
        codes.setdefault(kind, []).append(code)
    frame = [
        {"ticket": f"ringcollect-{first_request_id}"},
        *({"type": kind, "codes": some} for kind, some in codes.items()),
        {"format": "DEFAULT"},
    ]
    return [Request(first_request_id, msgspec.json.encode(frame).decode(), tuple(wants))]


def unsubscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """There is no such request."""
    return []
