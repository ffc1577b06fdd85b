"""A capture file played to clients over the socket: the exact frames, at their own pace, another, or at full speed.

Frames start to flow when clients have subscribed and asked for nothing more for a while; each goes to whoever
subscribed to its stream, and one who comes later gets the stream's last whole state and the changes since. A REST
request is answered with the recorded body nearest before the current place in the file, else the next; a list of
instruments that was not recorded is made of the capture's symbols.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec

from ringcollect.errors import ConfigError, RingcollectError
from ringcollect.sim.faults import FaultPlan, dice
from ringcollect.sim.peer import Peer
from ringcollect.sim.recording import Line, Part, Placed, Sorter, read_lines
from ringcollect.sim.replica import replica_of, sorter_of
from ringcollect.sim.scene import Answer, Scene
from ringcollect.sim.scheduler import Scheduler
from ringcollect.sim.stage import Host
from ringcollect.sim.truth import Truth

SETTLED_NS = 2_000_000_000
"""How long nobody has to ask for anything more before the first frame goes out."""
_ABOUT = ("symbol", "pair", "category", "instType", "instId", "uly")
"""Parameters of a REST request that make it another one; limits and cursors do not."""


class CaptureStage:
    """Plays ``path`` of ``exchange``; ``speed`` multiplies its pace, 0 is as fast as the clients read.

    ``now_ns`` is the wire time at construction. Raises ConfigError for an exchange whose captures are not served, or
    listings among the faults, and RingcollectError for an unreadable file.
    """

    patient = True

    def __init__(
        self, path: Path, now_ns: int, *, exchange: str = "binance", speed: float = 1.0,
        settled_ns: int = SETTLED_NS, faults: FaultPlan | None = None, seed: int = 1, truth: Path | None = None,
    ) -> None:  # fmt: skip
        if faults is not None and faults.changes:
            raise ConfigError("simulator: a capture lists what it lists: no list= or delist= in its faults")
        self._sorter = sorter_of(exchange)
        self._answers: dict[tuple[str, ...], list[tuple[int, str]]] = {}
        self._first_ns, instruments = self._survey(path, sorter_of(exchange))
        self.truth = Truth(truth)
        self._speed, self._settled_ns = speed, settled_ns
        self._start_ns, self._scheduler = now_ns, Scheduler()
        scene = Scene(seed, now_ns, faults or FaultPlan(), dice(seed), self.truth, self._scheduler)
        self._replica = replica_of(exchange, instruments, scene)
        self.markets = self._replica.markets
        self._numbers = count()
        self._lines = read_lines(path)
        self._next: Line | None = next(self._lines, None)
        self._place_ns = self._first_ns
        self._joins = self._joined_ns = 0
        self._began_ns = 0
        self._played = 0

    def wire_ns(self, now_ns: int) -> int:
        """The wire clock is the local one."""
        return now_ns

    def advance(self, wire_ns: int, most: int = 5_000) -> bool:
        """Send what is due."""
        self._scheduler.run_until(wire_ns - self._start_ns, most)
        if not self._began_ns:
            self._settle(wire_ns)
        done = True
        if self._began_ns:
            due_ns = self._first_ns + int((wire_ns - self._began_ns) * self._speed)
            while self._next is not None and (not self._speed or self._next.t <= due_ns):
                if (most := most - 1) < 0:
                    done = False
                    break
                self._place_ns = self._next.t
                self._play(self._next, wire_ns)
                self._next = next(self._lines, None)
        for peer in self._replica.peers():
            peer.timer(wire_ns)
        return done

    def has(self, target: str) -> bool:
        """Whether ``target`` is a path of the venue."""
        return self._replica.has(target)

    def connect(self, target: str, wire_ns: int) -> tuple[Host, Peer] | None:
        """A client opens ``target``; None when there is no such path."""
        return self._replica.connect(next(self._numbers), target, wire_ns) if self.has(target) else None

    def get(self, target: str, wire_ns: int) -> Answer | None:
        """The answer to whatever is no path to connect to; 404 where the capture has none and none can be made."""
        if self.has(target):
            return None
        answers = self._answers.get(_rest_key(target), [])
        before = [body for t, body in answers if t <= self._place_ns]
        body = before[-1] if before else answers[0][1] if answers else ""
        headers = {"Content-Type": "application/json;charset=UTF-8"}
        made = None if body else self._replica.made(target, wire_ns)
        answer = made or Answer(200 if body else 404, headers, body or "{}")
        self.truth.line("rest", t=wire_ns, u=target, status=answer.status, f=answer.body)
        return answer

    def finish(self) -> None:
        """Nothing is held back."""

    def frames_made(self) -> int:
        """Frames played so far, whether anybody listened or not."""
        return self._played

    def finished(self) -> bool:
        """Whether the file is played to its end."""
        return self._next is None

    def _survey(self, path: Path, sorter: Sorter) -> tuple[int, list[tuple[str, str]]]:
        """Read the file once for REST bodies: the time of its first frame (ns), (market, symbol) of all of them."""
        first_ns = began_ns = -1
        instruments: dict[tuple[str, str], None] = {}
        for line in read_lines(path):
            if first_ns < 0:
                first_ns = line.t
            if line.d == "rest":
                self._answers.setdefault(_rest_key(line.u), []).append((line.t, line.f))
            if line.d != "in":
                self._sorter.place(line)  # a connection may be told of after its first frames
            placed = _placed(sorter, line)
            if placed is not None and began_ns < 0:
                began_ns = line.t  # lists may have been asked for long before
            if placed is not None and placed.symbol:
                instruments[placed.market, placed.symbol] = None
        if first_ns < 0:
            raise RingcollectError(f"{path}: the capture is empty")
        return max(first_ns, began_ns), list(instruments)

    def _settle(self, wire_ns: int) -> None:
        joins = self._replica.joins()
        if joins != self._joins:
            self._joins, self._joined_ns = joins, wire_ns
        if joins and wire_ns - self._joined_ns >= self._settled_ns:
            self._began_ns = wire_ns

    def _play(self, line: Line, wire_ns: int) -> None:
        placed = _placed(self._sorter, line)
        if placed is None:
            return
        hub = self._replica.hub(placed.market)
        self._played += 1
        for stream in placed.streams:
            if placed.part is not Part.EVENT:
                hub.keep(stream, self._played, placed.text, whole=placed.part is Part.WHOLE)
            hub.publish(stream, self._played, wire_ns, placed.text, placed.wrapped)


def _placed(sorter: Sorter, line: Line) -> Placed | None:
    """Where a frame goes; None for garbage, which nobody can have asked for."""
    try:
        return sorter.place(line)
    except msgspec.DecodeError:
        return None


def _rest_key(url: str) -> tuple[str, ...]:
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    return parts.path, *(query.get(name, [""])[0] for name in _ABOUT)
