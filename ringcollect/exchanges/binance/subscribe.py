"""Which connections carry what, and the frames that ask for it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ringcollect.exchanges.binance.endpoints import limits, websocket_url
from ringcollect.exchanges.binance.streams import stream_name
from ringcollect.exchanges.protocol import Leg, Request, Want
from ringcollect.records import Channel

STREAMS_PER_REQUEST = 100
"""Few, large requests: pongs count into the 5 messages a second of spot, too."""

PUBLIC_CHANNELS = (Channel.BOOK, Channel.TRADE, Channel.BBO)
AGGREGATED = "aggTrade"


def path_of(market: str, want: Want) -> str:
    """First path segment of the URL that carries ``want``: USD-M answers on the other one, and stays silent."""
    if market != "linear":
        return ""
    return "public" if want.channel in PUBLIC_CHANNELS and want.stream != AGGREGATED else "market"


def legs(market: str, wants: Sequence[Want], url: str = "") -> list[Leg]:
    """One connection per path and :func:`limits` streams; ``url`` replaces scheme, host and port."""
    most = limits(market).streams_per_connection
    by_path: dict[str, dict[str, list[Want]]] = {}
    for want in wants:
        streams = by_path.setdefault(path_of(market, want), {})
        streams.setdefault(stream_name(market, want), []).append(want)
    made = []
    for path, streams in by_path.items():
        names = list(streams)
        for start in range(0, len(names), most):
            some = names[start : start + most]
            carried = tuple(want for name in some for want in streams[name])
            made.append(Leg(market, websocket_url(market, path, url), tuple(some), carried))
    return made


def _requests(method: str, leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    streams: dict[str, list[Want]] = {}
    for want in wants:
        streams.setdefault(stream_name(leg.market, want), []).append(want)
    names = list(streams)
    made: list[Request] = []
    for start in range(0, len(names), STREAMS_PER_REQUEST):
        some = names[start : start + STREAMS_PER_REQUEST]
        number = first_request_id + len(made)
        text = msgspec.json.encode({"method": method, "params": some, "id": number}).decode()
        made.append(Request(number, text, tuple(want for name in some for want in streams[name])))
    return made


def subscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that subscribe ``wants``."""
    return _requests("SUBSCRIBE", leg, wants, first_request_id)


def unsubscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that end them."""
    return _requests("UNSUBSCRIBE", leg, wants, first_request_id)
