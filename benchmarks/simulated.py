"""A feed's session and simulated venues in one process and virtual time, without sockets; what it is given is kept.

Every call of the session can be told again to another one (:func:`tell`): a session is a function of its calls, so
that a process of its own can go through the same without a simulator in its memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ringcollect.exchanges import load
from ringcollect.feed.actions import Action, Close, Connect, Ping, Rest, Send
from ringcollect.feed.counters import FEED_COUNTERS
from ringcollect.feed.plan import Plan
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.ring.producer import Producer
from ringcollect.sim.peer import Peer
from ringcollect.sim.stage import Host, Stage

START_NS = 1_790_000_000_000_000_000
STEP_NS = 10_000_000
Told = tuple[str, list[Any]]
"""A method of the session and its arguments, which JSON can hold: bytes as text."""
_BYTES_AT = {"frame": 1, "rest": 3, "rest_seen": 2}


def ring_of(plan: Plan, folder: Path) -> Producer:
    """A ring in ``folder``; every channel of every symbol has room for its row in the ledger."""
    rows = max(1024, 2 * plan.streams())
    return Producer.open(
        folder, f"{plan.exchange}.rec", generation=START_NS, counters=FEED_COUNTERS, ledger_rows=rows
    )  # fmt: skip


def new_session(plan: Plan, ring: Producer) -> Session:
    """A session that knows nothing yet, on a ring that may have been another one's before."""
    return Session(plan, load(plan.exchange), Registry(None, plan.exchange), ring)


def call_of(told: Told) -> list[Any]:
    """The arguments of a call, bytes as bytes."""
    name, arguments = told
    at = _BYTES_AT.get(name, len(arguments))
    return [*arguments[:at], *(argument.encode() for argument in arguments[at : at + 1]), *arguments[at + 1 :]]


def tell(session: Session, told: Told) -> list[Action]:
    """Make one call; what the session wants done."""
    getattr(session, told[0])(*call_of(told))
    return session.actions()


class Collecting:
    """``keep`` is told every call of ``session``, in order, before it is made."""

    def __init__(self, session: Session, stage: Stage, keep: Callable[[Told], None]) -> None:
        self.session, self._stage, self._keep = session, stage, keep
        self._seats: dict[int, tuple[Host, Peer]] = {}
        self._wanted: deque[Action] = deque()
        self.now = START_NS
        self._call("start", self.now)

    def run(self, seconds: float) -> None:
        """Let both live for so long."""
        end = self.now + int(seconds * 1_000_000_000)
        while self.now < end:
            self.now += STEP_NS
            while not self._stage.advance(self.now):
                pass
            for conn, (_, peer) in list(self._seats.items()):
                self._receive(conn, peer)
            while self.session.next_deadline() <= self.now:
                self._call("timer", self.session.next_deadline())

    def _receive(self, conn: int, peer: Peer) -> None:
        for kind, payload in peer.drain(self.now):
            if kind == "ping":
                peer.pong()
                self._call("alive", conn, self.now)
            else:
                self._call("frame", conn, payload.decode(), self.now, 2 if kind == "binary" else 1)
        if peer.closed and conn in self._seats:
            host, _ = self._seats.pop(conn)
            host.lost(peer, peer.close_code, "", self.now)
            self._call("close", conn, peer.close_code, "", self.now)

    def _call(self, name: str, *arguments: Any) -> None:
        """Make one call, and do what follows from it."""
        self._tell(name, *arguments)
        while self._wanted:
            self._do(self._wanted.popleft())

    def _tell(self, name: str, *arguments: Any) -> None:
        told = (name, list(arguments))
        self._keep(told)
        self._wanted += tell(self.session, told)

    def _do(self, action: Action) -> None:
        if isinstance(action, Connect):
            seat = self._stage.connect(_target(action.url), self.now)
            if seat is None:
                raise ValueError(f"the simulated venue has no {action.url}")
            self._seats[action.conn] = seat
            self._tell("open", action.conn, action.url, self.now)
        elif isinstance(action, Send) and action.conn in self._seats:
            host, peer = self._seats[action.conn]
            host.receive(peer, action.text, self.now)
        elif isinstance(action, Ping) and action.conn in self._seats:
            self._seats[action.conn][1].hear(self.now)
            self._tell("alive", action.conn, self.now)
        elif isinstance(action, Close) and action.conn in self._seats:
            host, peer = self._seats.pop(action.conn)
            host.lost(peer, 1000, "", self.now)
        elif isinstance(action, Rest):
            answer = self._stage.get(_target(action.url), self.now)
            if answer is None:
                raise ValueError(f"the simulated venue does not answer {action.url}")
            self._tell("rest", action.request, answer.status, answer.headers, answer.body, self.now)


def _target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
