"""Which connections carry what, and the frames that ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ringcollect.exchanges.kraken.endpoints import limits, websocket_url
from ringcollect.exchanges.kraken.streams import CHANNELS, USUAL_DEPTH, stream_name
from ringcollect.exchanges.protocol import Leg, Request, Want
from ringcollect.exchanges.sharding import by_stream, carried_by, legs_of, pieces
from ringcollect.records import Channel

SYMBOLS_PER_REQUEST = 100


def legs(market: str, wants: Sequence[Want], url: str = "") -> list[Leg]:
    """Connections of at most :func:`limits` streams; ``url`` replaces scheme, host and port."""
    streams = by_stream(wants, stream_name)
    return legs_of(market, websocket_url(url), streams, limits(market).streams_per_connection)


def _requests(method: str, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """One frame per channel and depth; ``snapshot`` is always said, its default differs between documents.

    Tickers come with every change of the best prices, also where their statistics alone are wanted: two ways to
    subscribe one ticker would not mix.
    """
    alike: dict[tuple[str, int], dict[str, list[Want]]] = {}
    for want in wants:
        depth = (want.depth or USUAL_DEPTH) if want.channel is Channel.BOOK else 0
        alike.setdefault((CHANNELS[want.channel], depth), {}).setdefault(want.symbol, []).append(want)
    made: list[Request] = []
    for (channel, depth), of_symbol in alike.items():
        for some in pieces(list(of_symbol), SYMBOLS_PER_REQUEST):
            params: dict[str, Any] = {"channel": channel, "symbol": some}
            if depth:
                params["depth"] = depth
            if channel == CHANNELS[Channel.BBO]:
                params["event_trigger"] = "bbo"
            if method == "subscribe":
                params["snapshot"] = True
            number = first_request_id + len(made)
            text = msgspec.json.encode({"method": method, "params": params, "req_id": number}).decode()
            made.append(Request(number, text, carried_by(some, of_symbol)))
    return made


def subscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that subscribe ``wants``; the venue acknowledges every symbol by itself."""
    return _requests("subscribe", wants, first_request_id)


def unsubscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that end them."""
    return _requests("unsubscribe", wants, first_request_id)
