"""Which connections carry what, and the frames that ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ringcollect.exchanges.kraken.endpoints import limits, websocket_url
from ringcollect.exchanges.kraken.streams import CHANNELS, USUAL_DEPTH, stream_name
from ringcollect.exchanges.protocol import Leg, Request, Want
from ringcollect.records import Channel

SYMBOLS_PER_REQUEST = 100


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
        symbols = list(of_symbol)
        for start in range(0, len(symbols), SYMBOLS_PER_REQUEST):
            some = symbols[start : start + SYMBOLS_PER_REQUEST]
            params: dict[str, Any] = {"channel": channel, "symbol": some}
            if depth:
                params["depth"] = depth
            if channel == CHANNELS[Channel.BBO]:
                params["event_trigger"] = "bbo"
            if method == "subscribe":
                params["snapshot"] = True
            number = first_request_id + len(made)
            text = msgspec.json.encode({"method": method, "params": params, "req_id": number}).decode()
            made.append(Request(number, text, tuple(want for symbol in some for want in of_symbol[symbol])))
    return made


def subscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that subscribe ``wants``; the venue acknowledges every symbol by itself."""
    return _requests("subscribe", wants, first_request_id)


def unsubscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that end them."""
    return _requests("unsubscribe", wants, first_request_id)
