"""A capture file played to clients over the socket: the exact frames, at their own pace or another.

Frames start to flow when the first client subscribes. Each goes to whoever subscribed to its stream; a depth or
metadata request is answered with the recorded body nearest before the current place in the file, else the next.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec

from ringcollect.errors import NotFoundError, RingcollectError
from ringcollect.sim.binance.paths import Route, route
from ringcollect.sim.binance.venue import Venue
from ringcollect.sim.faults import FaultPlan, dice
from ringcollect.sim.peer import Peer
from ringcollect.sim.scene import Answer, Scene
from ringcollect.sim.scheduler import Scheduler
from ringcollect.sim.truth import Truth

_DEPTH = ("depth@100ms", "depth", "depth@0ms", "depth@500ms")


class Line(msgspec.Struct, frozen=True):
    """One line of a capture: time ns, connection, direction, URL, text."""

    t: int
    c: int
    d: str
    f: str
    u: str = ""


class _Payload(msgspec.Struct, frozen=True):
    """Enough of a frame to tell its stream."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw()
    e: str = ""
    s: str = ""
    b: msgspec.Raw = msgspec.Raw()


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a ``.jsonl`` or ``.jsonl.gz`` capture. Raises RingcollectError naming a bad line."""
    if not path.is_file():
        raise NotFoundError(f"no capture file {path}")
    decode = msgspec.json.Decoder(Line).decode
    with path.open("rb") as raw:
        lines: io.BufferedIOBase = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
        for number, text in enumerate(lines, 1):
            try:
                yield decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise RingcollectError(f"{path}:{number}: not a capture line: {error}") from error


class CaptureStage:
    """Plays ``path``; ``speed`` (above 0) multiplies its pace."""

    markets: tuple[str, ...] = ("spot", "linear")

    def __init__(
        self,
        path: Path,
        *,
        speed: float = 1.0,
        faults: FaultPlan | None = None,
        seed: int = 1,
        truth: Path | None = None,
    ) -> None:
        self.truth = Truth(truth)
        self._speed = speed
        self._scheduler = Scheduler()
        self._scene = Scene(seed, 0, faults or FaultPlan(), dice(seed), self.truth, self._scheduler)
        self.venues = {market: Venue(market, (), 0.0, self._scene) for market in ("spot", "linear")}
        self._answers: dict[tuple[str, str], list[tuple[int, str]]] = {}
        self._routes: dict[int, Route] = {}
        self._default = "spot"
        first_ns = self._survey(path)
        self._lines = read_lines(path)
        self._next: Line | None = next(self._lines, None)
        self._first_ns = first_ns
        self._began_ns = 0
        self._place_ns = first_ns
        self._connections = 0
        self._played = 0

    def wire_ns(self, now_ns: int) -> int:
        return now_ns

    def advance(self, wire_ns: int, most: int = 5_000) -> bool:
        """Send what is due."""
        if not self._began_ns and any(peer.streams for venue in self.venues.values() for peer in venue.peers):
            self._began_ns = wire_ns
        if self._began_ns:
            due_ns = self._first_ns + int((wire_ns - self._began_ns) * self._speed)
            while self._next is not None and self._next.t <= due_ns:
                if (most := most - 1) < 0:
                    return False
                self._place_ns = self._next.t
                if self._next.d == "in":
                    self._play(self._next, wire_ns)
                self._next = next(self._lines, None)
        for venue in self.venues.values():
            for peer in venue.peers:
                peer.timer(wire_ns)
        return True

    def has(self, target: str) -> bool:
        """Whether ``target`` is a path of the venue."""
        return route(target) is not None

    def connect(self, target: str, wire_ns: int) -> tuple[Venue, Peer] | None:
        """As a generated world does."""
        where = route(target)
        if where is None:
            return None
        self._connections += 1
        venue = self.venues[where.market]
        return venue, venue.open(self._connections - 1, target, where, wire_ns)

    def get(self, target: str, wire_ns: int) -> Answer | None:
        """The recorded answer to a path and symbol; 404 where the capture has none."""
        if not target.startswith(("/api/", "/fapi/")):
            return None
        answers = self._answers.get(_rest_key(target), [])
        before = [body for t, body in answers if t <= self._place_ns]
        after = [body for t, body in answers if t > self._place_ns]
        body = before[-1] if before else after[0] if after else ""
        answer = Answer(200 if body else 404, {"Content-Type": "application/json;charset=UTF-8"}, body or "{}")
        self.truth.line("rest", t=wire_ns, u=target, status=answer.status, f=answer.body)
        return answer

    def finish(self) -> None:
        """Nothing is held back."""

    def frames_made(self) -> int:
        return self._played

    def finished(self) -> bool:
        """Whether the file is played to its end."""
        return self._next is None

    def _survey(self, path: Path) -> int:
        """Read the file once for REST bodies and connections' URLs; returns its first time (ns)."""
        first_ns = -1
        for line in read_lines(path):
            if first_ns < 0:
                first_ns = line.t
            if line.d == "rest":
                self._answers.setdefault(_rest_key(line.u), []).append((line.t, line.f))
                if "/fapi/" in line.u:
                    self._default = "linear"
            elif line.d == "out" and not line.f:
                self._routes[line.c] = _recorded_route(line.u)
        if first_ns < 0:
            raise RingcollectError(f"{path}: the capture is empty")
        return first_ns

    def _play(self, line: Line, wire_ns: int) -> None:
        try:
            payload = msgspec.json.decode(line.f, type=_Payload)
        except (msgspec.DecodeError, msgspec.ValidationError):
            return  # an array stream or garbage: nobody can have asked for it by name
        recorded = self._routes.get(line.c)
        hub = self.venues[recorded.market if recorded else self._default].hub
        for stream in self._streams(payload, recorded):
            if hub.wanted(stream):
                self._played += 1
                raw = bytes(payload.data).decode() if payload.stream else line.f
                wrapped = line.f if payload.stream else ""
                hub.publish(stream, self._played, wire_ns, partial(_as_recorded, raw), wrapped)
                return

    def _streams(self, payload: _Payload, recorded: Route | None) -> list[str]:
        """The names a frame may have been sent under; a bare frame does not say its speed."""
        if payload.stream:
            return [payload.stream]
        symbol = payload.s.lower()
        if payload.e == "depthUpdate":
            names = [f"{symbol}@{topic}" for topic in _DEPTH]
            return [name for name in names if recorded is None or not recorded.streams or name in recorded.streams]
        topic = {"": "bookTicker", "markPriceUpdate": "markPrice@1s"}.get(payload.e, payload.e)
        return [f"{symbol}@{topic}"] if symbol else []


def _as_recorded(text: str, _unit: int) -> str:
    return text


def _rest_key(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.path, parse_qs(parts.query).get("symbol", [""])[0]


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
