"""Which connections carry what, and the frames that ask for it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ringcollect.exchanges.okx.endpoints import ARGS_BYTES, BOOKS_PER_CONNECTION, limits, websocket_url
from ringcollect.exchanges.okx.streams import BUSINESS, FULL_BOOKS, argument, stream_name
from ringcollect.exchanges.protocol import Leg, Request, Want
from ringcollect.exchanges.sharding import by_stream, carried_by, shards


def _by_stream(market: str, wants: Sequence[Want]) -> dict[str, list[Want]]:
    return by_stream(wants, lambda want: stream_name(market, want))


def _is_book(stream: str) -> bool:
    return stream.partition(":")[0] in FULL_BOOKS


def legs(market: str, wants: Sequence[Want], url: str = "") -> list[Leg]:
    """Connections of at most 25 whole books and :func:`limits` streams; ``url`` replaces scheme, host and port."""
    most = limits(market).streams_per_connection
    made: list[Leg] = []
    streams = _by_stream(market, wants)
    for business in (False, True):
        names = [name for name in streams if (name.partition(":")[0] in BUSINESS) == business]
        for some in shards(names, most, _is_book, BOOKS_PER_CONNECTION):
            where = websocket_url(some[0].partition(":")[0], url)
            made.append(Leg(market, where, tuple(some), carried_by(some, streams)))
    return made


def _requests(op: str, leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    streams = _by_stream(leg.market, wants)
    made: list[Request] = []
    some: list[str] = []
    size = 0
    for name in [*streams, ""]:
        length = len(msgspec.json.encode(argument(name))) + 1 if name else ARGS_BYTES
        if some and size + length > ARGS_BYTES:
            number = first_request_id + len(made)
            frame = {"id": str(number), "op": op, "args": [argument(one) for one in some]}
            made.append(Request(number, msgspec.json.encode(frame).decode(), carried_by(some, streams)))
            some, size = [], 0
        some.append(name)
        size += length
    return made


def subscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that subscribe ``wants``; the venue acknowledges every argument by itself."""
    return _requests("subscribe", leg, wants, first_request_id)


def unsubscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that end them."""
    return _requests("unsubscribe", leg, wants, first_request_id)
