"""Which connections carry what, and the frames that ask for it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ringcollect.exchanges.binance.endpoints import limits, websocket_url
from ringcollect.exchanges.binance.streams import stream_name
from ringcollect.exchanges.protocol import Leg, Request, Want
from ringcollect.exchanges.sharding import by_stream, carried_by, legs_of, pieces
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
    made: list[Leg] = []
    for path, some in by_stream(wants, lambda want: path_of(market, want)).items():
        made += legs_of(market, websocket_url(market, path, url), _by_stream(market, some), most)
    return made


def _by_stream(market: str, wants: Sequence[Want]) -> dict[str, list[Want]]:
    return by_stream(wants, lambda want: stream_name(market, want))


def _requests(method: str, leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    streams = _by_stream(leg.market, wants)
    made: list[Request] = []
    for some in pieces(list(streams), STREAMS_PER_REQUEST):
        number = first_request_id + len(made)
        text = msgspec.json.encode({"method": method, "params": some, "id": number}).decode()
        made.append(Request(number, text, carried_by(some, streams)))
    return made


def subscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that subscribe ``wants``."""
    return _requests("SUBSCRIBE", leg, wants, first_request_id)


def unsubscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """Requests that end them."""
    return _requests("UNSUBSCRIBE", leg, wants, first_request_id)
