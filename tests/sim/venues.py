"""A session and a simulated venue in one process and virtual time: no sockets, every frame at its own moment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import orjson

from ringcollect.config.symbols import is_rule
from ringcollect.exchanges import load
from ringcollect.feed.actions import Close, Connect, Ping, Rest, Send
from ringcollect.feed.counters import FEED_COUNTERS
from ringcollect.feed.ledger import Reason, State
from ringcollect.feed.plan import MarketPlan, Options, Plan, RulePlan, SymbolPlan
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.ring.attach import attach
from ringcollect.ring.producer import Producer
from ringcollect.sim.faults import dice, parse_faults
from ringcollect.sim.peer import Peer
from ringcollect.sim.scene import Scene
from ringcollect.sim.scheduler import Scheduler
from ringcollect.sim.truth import Truth

T0 = 1_790_000_000_000_000_000
MS = 1_000_000
LATENCY = 5 * MS


def scene(folder: Path, faults: str = "", seed: int = 7) -> Scene:
    """Shared parts of a simulation that writes its truth to ``folder``."""
    truth = Truth(folder / "truth.jsonl")
    return Scene(seed, T0, parse_faults(faults), dice(seed), truth, Scheduler())


class Desk:
    """``markets``: market -> (symbols, channels). ``venue`` has open, receive, lost, get and peers."""

    def __init__(
        self,
        folder: Path,
        exchange: str,
        venue: Any,
        markets: dict[str, tuple[Sequence[str], Sequence[str]]],
        *,
        url: str = "",
        depth: int = 0,
        **options: Any,
    ) -> None:
        self.venue, self.folder = venue, folder
        self.now = T0
        plans = tuple(
            MarketPlan(
                market=market, url=url,
                symbols=tuple(
                    SymbolPlan(symbol=s, channels=tuple(channels), depth=depth) for s in symbols if not is_rule(s)
                ),
                rules=tuple(RulePlan(rules=(s,), channels=tuple(channels), depth=depth) for s in symbols if is_rule(s)),
            )
            for market, (symbols, channels) in markets.items()
        )  # fmt: skip
        self.ring = Producer.open(
            folder, f"{exchange}.rec", capacity=1 << 18, generation=T0, counters=FEED_COUNTERS, ledger_rows=256
        )  # fmt: skip
        self.registry = Registry(None, exchange)
        plan = Plan(exchange=exchange, markets=plans, options=Options(**options))
        self.session = Session(plan, load(exchange), self.registry, self.ring)
        self.peers: dict[int, Peer] = {}
        self.opened = 0
        self.session.start(self.now)

    def run(self, seconds: float) -> None:
        """Let both live for so long."""
        end = self.now + int(seconds * 1_000_000_000)
        while self.now < end:
            self.now += LATENCY
            self.venue.scene.scheduler.run_until(self.now - T0, 1 << 30)
            self._act()
            for conn, peer in list(self.peers.items()):
                peer.timer(self.now)
                for kind, payload in peer.drain(self.now):
                    if kind == "ping":
                        peer.pong()
                        self.session.alive(conn, self.now)
                    else:
                        self.session.frame(conn, payload, self.now, 2 if kind == "binary" else 1)
                if peer.closed and conn in self.peers:
                    self._drop(conn, peer.close_code)
            while self.session.next_deadline() <= self.now:
                self.session.timer(self.session.next_deadline())
            self._act()

    def _act(self) -> None:
        for action in self.session.actions():
            if isinstance(action, Connect):
                self.peers[action.conn] = self.venue.open(self.opened, action.url, self.now)
                self.opened += 1
                self.session.open(action.conn, action.url, self.now)
            elif isinstance(action, Send):
                if action.conn in self.peers:
                    self.venue.receive(self.peers[action.conn], action.text, self.now)
            elif isinstance(action, Ping):
                peer = self.peers.get(action.conn)
                if peer is not None and not peer.half_open:
                    peer.hear(self.now)
                    self.session.alive(action.conn, self.now)
            elif isinstance(action, Close):
                peer = self.peers.pop(action.conn, None)
                if peer is not None:
                    self.venue.lost(peer, 1000, "", self.now)
            elif isinstance(action, Rest):
                parts = urlsplit(action.url)
                answer = self.venue.get(f"{parts.path}?{parts.query}", self.now)
                assert answer is not None, action.url
                self.session.rest(action.request, answer.status, answer.headers, answer.body.encode(), self.now)

    def _drop(self, conn: int, code: int) -> None:
        self.venue.lost(self.peers.pop(conn), code, "", self.now)
        self.session.close(conn, code, "", self.now)

    def records(self) -> np.ndarray:
        """Everything published so far."""
        reader = attach(self.ring.path)
        reader.cursor = 0
        return reader.read(1 << 18).records

    def ledger(self) -> dict[tuple[str, int], tuple[State, Reason]]:
        """State and reason of every stream."""
        streams = self.session.core.streams.values()
        return {(stream.symbol, int(stream.channel)): (stream.state, stream.reason) for stream in streams}

    def truth(self, kind: str) -> list[dict[str, Any]]:
        """Lines of one kind of the truth file."""
        self.venue.scene.truth.flush()
        rows = [orjson.loads(line) for line in (self.folder / "truth.jsonl").read_bytes().splitlines()]
        return [row for row in rows if row["k"] == kind]
