"""Which connections carry what, and the frames that ask for it: one channel a frame, heartbeats always."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ringcollect.exchanges.coinbase.endpoints import BOOKS_PER_CONNECTION, limits, websocket_url
from ringcollect.exchanges.coinbase.streams import CARRIED, HEARTBEAT, HEARTBEATS, is_exchange_feed, stream_name
from ringcollect.exchanges.protocol import Leg, Request, Want
from ringcollect.exchanges.sharding import by_stream, carried_by, pieces, shards
from ringcollect.records import Channel

PRODUCTS_PER_REQUEST = 100


def _is_book(stream: str) -> bool:
    return Channel.BOOK in CARRIED[stream.partition(":")[0]]


def legs(market: str, wants: Sequence[Want], url: str = "") -> list[Leg]:
    """Connections of at most 25 books; ``url`` replaces the address, and one of the Exchange feed chooses that."""
    where = websocket_url(url)
    streams = by_stream(wants, lambda want: stream_name(want, where))
    return [
        Leg(market, where, tuple(some), carried_by(some, streams))
        for some in shards(list(streams), limits(market).streams_per_connection, _is_book, BOOKS_PER_CONNECTION)
    ]


def _frame(op: str, channel: str, products: Sequence[str], url: str) -> str:
    named: dict[str, Any] = {"channels": [channel]} if is_exchange_feed(url) else {"channel": channel}
    return msgspec.json.encode({"type": op} | ({"product_ids": products} if products else {}) | named).decode()


def _requests(op: str, leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    by_channel: dict[str, dict[str, list[Want]]] = {}
    for want in wants:
        channel = stream_name(want, leg.url).partition(":")[0]
        by_channel.setdefault(channel, {}).setdefault(want.symbol, []).append(want)
    made: list[Request] = []
    for channel in sorted(by_channel, key=_is_book):  # megabytes come last
        asked = by_channel[channel]
        for some in pieces(list(asked), PRODUCTS_PER_REQUEST):
            text = _frame(op, channel, some, leg.url)
            made.append(Request(first_request_id + len(made), text, carried_by(some, asked)))
    return made


def subscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that subscribe ``wants``, and before them the heartbeats: a quiet channel is closed after 60 to 90 s.

    Without an id, an answer says what it is about by listing everything that is subscribed.
    """
    if is_exchange_feed(leg.url):
        alive = _frame("subscribe", HEARTBEAT, sorted({want.symbol for want in leg.wants}), leg.url)
    else:
        alive = _frame("subscribe", HEARTBEATS, (), leg.url)
    return [Request(first_request_id, alive, ()), *_requests("subscribe", leg, wants, first_request_id + 1)]


def unsubscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that end them; heartbeats stay."""
    return _requests("unsubscribe", leg, wants, first_request_id)
