"""A client without a socket: drives a World in virtual time and reads what its connections are sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ringcollect.sim.binance.venue import Venue
from ringcollect.sim.faults import parse_faults
from ringcollect.sim.peer import Peer
from ringcollect.sim.world import Options, World

MS = 1_000_000
SECOND = 1_000_000_000
START = 1_790_000_000_123_000_000


class Line:
    """One connection of a Desk."""

    def __init__(self, desk: Desk, venue: Venue, peer: Peer) -> None:
        self.desk = desk
        self.venue = venue
        self.peer = peer
        self.texts: list[str] = []
        self.pings: list[bytes] = []
        self.binary: list[bytes] = []

    def send(self, body: Any) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.venue.receive(self.peer, text, self.desk.now)
        self.collect()

    def collect(self) -> None:
        for kind, payload in self.peer.drain(self.desk.now):
            if kind == "text":
                self.texts.append(payload.decode())
            elif kind == "ping":
                self.pings.append(payload)
            else:
                self.binary.append(payload)

    def frames(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts]

    def data(self, stream: str) -> list[dict[str, Any]]:
        """Payloads of one stream of a combined connection."""
        return [frame["data"] for frame in self.frames() if frame.get("stream") == stream]


class Desk:
    """A world whose clock stands still between ``run`` calls."""

    def __init__(self, faults: str = "", truth: Path | None = None, **options: Any) -> None:
        fields: dict[str, Any] = {"spot": ("BTCUSDT",), "linear": ("BTCUSDT",), "rate": 200.0, "start_ns": START}
        self.world = World(Options(**(fields | options), faults=parse_faults(faults), truth=truth), START)
        self.now = START
        self.lines: list[Line] = []

    def open(self, target: str) -> Line:
        seat = self.world.connect(target, self.now)
        assert seat is not None, target
        self.lines.append(Line(self, *seat))
        return self.lines[-1]

    def run(self, length_ns: int, step_ns: int = 10 * MS) -> None:
        end = self.now + length_ns
        while self.now < end:
            self.now = min(end, self.now + step_ns)
            while not self.world.advance(self.now):
                pass
            for line in self.lines:
                line.collect()

    def get(self, target: str) -> Any:
        answer = self.world.get(target, self.now)
        assert answer is not None, target
        return json.loads(answer.body) if answer.status == 200 else answer

    def finish(self) -> None:
        self.world.finish()
        for line in self.lines:
            line.collect()
        self.world.truth.close()


def truth_lines(path: Path, kind: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, path.read_text().splitlines()) if line["k"] == kind]
