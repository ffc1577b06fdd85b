"""Which connections carry what, and the frames that ask for it.

A connection of ours is a few of ccxt's calls, not a socket: few of them on each, so that one that fails ends no others.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ringcollect.exchanges.ccxt.endpoints import url_of
from ringcollect.exchanges.ccxt.messages import Asked
from ringcollect.exchanges.ccxt.streams import stream_name
from ringcollect.exchanges.protocol import Leg, Request, Want

MOST_CONNECTIONS = 32
"""Per market; three markets stay below what a record's ``conn`` can tell apart."""


def legs(name: str, market: str, wants: Sequence[Want]) -> list[Leg]:
    """At most :data:`MOST_CONNECTIONS` legs of nearly equal size, each want in one."""
    count = min(MOST_CONNECTIONS, len(wants))
    made = []
    for number in range(count):
        some = tuple(wants[number::count])
        made.append(Leg(market, url_of(name, market), tuple(stream_name(want) for want in some), some))
    return made


def subscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """One request for all ``wants``; each is answered for itself."""
    return [_request("subscribe", wants, first_request_id)] if wants else []


def unsubscribe(leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
    """One request that ends ``wants``."""
    return [_request("unsubscribe", wants, first_request_id)] if wants else []


def _request(what: str, wants: Sequence[Want], number: int) -> Request:
    asked = Asked(number, what, [(want.symbol, want.channel.name.lower(), want.depth) for want in wants])
    return Request(number, msgspec.json.encode(asked).decode(), tuple(wants))
