"""Which connections carry what, and the frames that ask for it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ringcollect.exchanges.kraken_futures.endpoints import limits, websocket_url
from ringcollect.exchanges.kraken_futures.streams import FEEDS, stream_name
from ringcollect.exchanges.protocol import Leg, Request, Want
from ringcollect.exchanges.sharding import by_stream, carried_by, legs_of, pieces

PRODUCTS_PER_REQUEST = 50
"""One bad product may spoil a whole request, and its error names neither feed nor product."""


def legs(market: str, wants: Sequence[Want], url: str = "") -> list[Leg]:
    """Connections of at most :func:`limits` streams; ``url`` replaces scheme, host and port."""
    streams = by_stream(wants, stream_name)
    return legs_of(market, websocket_url(url), streams, limits(market).streams_per_connection)


def _requests(event: str, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """One frame per feed and :data:`PRODUCTS_PER_REQUEST` products; answers have no id, they name what they are of."""
    feeds: dict[str, dict[str, list[Want]]] = {}
    for want in wants:
        feeds.setdefault(FEEDS[want.channel], {}).setdefault(want.symbol, []).append(want)
    made: list[Request] = []
    for feed, products in feeds.items():
        for some in pieces(list(products), PRODUCTS_PER_REQUEST):
            text = msgspec.json.encode({"event": event, "feed": feed, "product_ids": some}).decode()
            made.append(Request(first_request_id + len(made), text, carried_by(some, products)))
    return made


def subscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that subscribe ``wants``; the venue acknowledges every product by itself."""
    return _requests("subscribe", wants, first_request_id)


def unsubscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that end them."""
    return _requests("unsubscribe", wants, first_request_id)
