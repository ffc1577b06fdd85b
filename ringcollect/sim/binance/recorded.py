"""A capture of Binance, both markets: which stream a recorded frame is of, and the venues that send it again."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec

from ringcollect.sim.binance.paths import Route, route
from ringcollect.sim.binance.venue import Venue
from ringcollect.sim.hub import Hub
from ringcollect.sim.peer import Peer
from ringcollect.sim.recording import Line, Part, Placed, as_recorded
from ringcollect.sim.scene import Answer, Scene
from ringcollect.sim.stage import Host

_DEPTH = ("depth@100ms", "depth", "depth@0ms", "depth@500ms")


class _Payload(msgspec.Struct, frozen=True):
    """Enough of a frame to tell its stream."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw()
    e: str = ""
    s: str = ""
    b: msgspec.Raw = msgspec.Raw()


class BinanceSorter:
    """A frame in combined dress says its stream; a bare one its event, and its connection's URL the rest."""

    def __init__(self) -> None:
        self._routes: dict[int, Route] = {}
        self._default = "spot"
        self._decode = msgspec.json.Decoder(_Payload).decode

    def place(self, line: Line) -> Placed | None:
        """Whoever comes late asks REST for his base: nothing is kept for him."""
        if line.d == "rest" and "/fapi/" in line.u:
            self._default = "linear"
        elif line.d == "out" and not line.f:
            self._routes[line.c] = _recorded_route(line.u)
        if line.d != "in":
            return None
        payload, recorded = self._decode(line.f), self._routes.get(line.c)
        market = recorded.market if recorded else self._default
        if payload.stream:
            raw = as_recorded(bytes(payload.data).decode())
            return Placed(market, "", (payload.stream,), Part.EVENT, raw, line.f)
        streams = _streams(payload, recorded)
        return Placed(market, "", streams, Part.EVENT, as_recorded(line.f)) if streams else None


def _streams(payload: _Payload, recorded: Route | None) -> tuple[str, ...]:
    """The names a bare frame may have been sent under: it does not say its speed."""
    symbol = payload.s.lower()
    if payload.e == "depthUpdate":
        names = [f"{symbol}@{topic}" for topic in _DEPTH]
        return tuple(name for name in names if recorded is None or not recorded.streams or name in recorded.streams)
    topic = {"": "bookTicker", "markPriceUpdate": "markPrice@1s"}.get(payload.e, payload.e)
    return (f"{symbol}@{topic}",) if symbol else ()


def _recorded_route(url: str) -> Route:
    """The route of a recorded URL; ``fstream`` hosts are USD-M whatever their path."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}"
    if "fstream" in (parts.hostname or "") and not target.startswith(("/public", "/market")):
        target = f"/linear{target}"
    where = route(target)
    if where is None:
        return Route("spot", "all", True, (), 1_000_000)
    return where


class BinanceReplica:
    """Both markets' venues without a market; every list of theirs has to be in the capture."""

    markets: tuple[str, ...] = ("spot", "linear")

    def __init__(self, _instruments: Iterable[tuple[str, str]], scene: Scene) -> None:
        self._venues = {market: Venue(market, (), 0.0, scene) for market in self.markets}

    def peers(self) -> list[Peer]:
        """Everybody who is connected."""
        return [peer for venue in self._venues.values() for peer in venue.peers]

    def hub(self, market: str) -> Hub:
        """The subscriptions of ``market``."""
        return self._venues[market].hub

    def joins(self) -> int:
        """Subscriptions so far."""
        return sum(venue.hub.joins for venue in self._venues.values())

    def has(self, target: str) -> bool:
        """Whether ``target`` is a path of the venue."""
        return route(target) is not None

    def connect(self, number: int, target: str, now_ns: int) -> tuple[Host, Peer] | None:
        """As a generated world does."""
        where = route(target)
        if where is None:
            return None
        venue = self._venues[where.market]
        return venue, venue.open(number, target, where, now_ns)

    def made(self, target: str, now_ns: int) -> Answer | None:
        """Nothing."""
        return None
