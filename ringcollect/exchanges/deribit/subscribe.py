"""Which connections carry what, and the frames that ask for it.

The answers to a subscription and to its end look alike, lists of channels: the ids tell them apart. A subscription's
is even, twice the request's; every other one is odd.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ringcollect.exchanges.deribit.endpoints import limits, websocket_url
from ringcollect.exchanges.deribit.streams import stream_name
from ringcollect.exchanges.protocol import Leg, Request, Want
from ringcollect.exchanges.sharding import by_stream, carried_by, legs_of, pieces

CHANNELS_PER_REQUEST = 100


def legs(market: str, wants: Sequence[Want], url: str = "") -> list[Leg]:
    """Connections of at most :func:`limits` channels; ``url`` replaces scheme, host and port."""
    streams = by_stream(wants, stream_name)
    return legs_of(market, websocket_url(url), streams, limits(market).streams_per_connection)


def _requests(method: str, wants: Sequence[Want], first_request_id: int, odd: int) -> list[Request]:
    streams = by_stream(wants, stream_name)
    made: list[Request] = []
    for some in pieces(list(streams), CHANNELS_PER_REQUEST):
        number = first_request_id + len(made)
        frame = {"jsonrpc": "2.0", "id": 2 * number + odd, "method": method, "params": {"channels": some}}
        made.append(Request(number, msgspec.json.encode(frame).decode(), carried_by(some, streams)))
    return made


def subscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that subscribe ``wants``."""
    return _requests("public/subscribe", wants, first_request_id, 0)


def unsubscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that end them."""
    return _requests("public/unsubscribe", wants, first_request_id, 1)


def request_of(identity: int | str | None) -> int | None:
    """The number of the subscription that an answer's id is about; None for another's."""
    return identity // 2 if isinstance(identity, int) and identity % 2 == 0 else None
