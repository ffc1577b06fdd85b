"""Which connections carry what, and the frames that ask for it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ringcollect.exchanges.bybit.endpoints import ARGS_CHARACTERS, ARGS_PER_REQUEST, websocket_url
from ringcollect.exchanges.bybit.streams import topic_of
from ringcollect.exchanges.protocol import Leg, Request, Want
from ringcollect.exchanges.sharding import by_stream, carried_by, pieces


def _by_topic(market: str, wants: Sequence[Want]) -> dict[str, list[Want]]:
    return by_stream(wants, lambda want: topic_of(market, want))


def legs(market: str, wants: Sequence[Want], url: str = "") -> list[Leg]:
    """Connections whose topics have no more characters than allowed; ``url`` replaces scheme, host and port."""
    topics = _by_topic(market, wants)
    shards: list[list[str]] = []
    length = ARGS_CHARACTERS
    for topic in topics:
        if length + len(topic) > ARGS_CHARACTERS:
            shards.append([])
            length = 0
        shards[-1].append(topic)
        length += len(topic)
    where = websocket_url(market, url)
    return [Leg(market, where, tuple(some), carried_by(some, topics)) for some in shards]


def _requests(op: str, leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    topics = _by_topic(leg.market, wants)
    made: list[Request] = []
    for some in pieces(list(topics), ARGS_PER_REQUEST):
        number = first_request_id + len(made)
        text = msgspec.json.encode({"req_id": str(number), "op": op, "args": some}).decode()
        made.append(Request(number, text, carried_by(some, topics)))
    return made


def subscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that subscribe ``wants``."""
    return _requests("subscribe", leg, wants, first_request_id)


def unsubscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that end them."""
    return _requests("unsubscribe", leg, wants, first_request_id)
