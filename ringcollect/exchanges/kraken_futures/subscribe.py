"""Which connections carry what, and the frames that ask for it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ringcollect.exchanges.kraken_futures.endpoints import limits, websocket_url
from ringcollect.exchanges.kraken_futures.streams import FEEDS, stream_name
from ringcollect.exchanges.protocol import Leg, Request, Want

PRODUCTS_PER_REQUEST = 50
"""One bad product may spoil a whole request, and its error names neither feed nor product."""


def legs(market: str, wants: Sequence[Want], url: str = "") -> list[Leg]:
    """Connections of at most :func:`limits` streams; ``url`` replaces scheme, host and port."""
    most = limits(market).streams_per_connection
    streams: dict[str, list[Want]] = {}
    for want in wants:
        streams.setdefault(stream_name(want), []).append(want)
    names = list(streams)
    made = []
    for start in range(0, len(names), most):
        some = names[start : start + most]
        carried = tuple(want for name in some for want in streams[name])
        made.append(Leg(market, websocket_url(url), tuple(some), carried))
    return made


def _requests(event: str, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """One frame per feed and :data:`PRODUCTS_PER_REQUEST` products; answers have no id, they name what they are of."""
    feeds: dict[str, dict[str, list[Want]]] = {}
    for want in wants:
        feeds.setdefault(FEEDS[want.channel], {}).setdefault(want.symbol, []).append(want)
    made: list[Request] = []
    for feed, products in feeds.items():
        symbols = list(products)
        for start in range(0, len(symbols), PRODUCTS_PER_REQUEST):
            some = symbols[start : start + PRODUCTS_PER_REQUEST]
            text = msgspec.json.encode({"event": event, "feed": feed, "product_ids": some}).decode()
            carried = tuple(want for symbol in some for want in products[symbol])
            made.append(Request(first_request_id + len(made), text, carried))
    return made


def subscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that subscribe ``wants``; the venue acknowledges every product by itself."""
    return _requests("subscribe", wants, first_request_id)


def unsubscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that end them."""
    return _requests("unsubscribe", wants, first_request_id)
