"""Our way of a frame: transport, session with its venue's kernel, ring. ``python -m benchmarks.sockets.own``."""

from __future__ import annotations

import asyncio
import gzip
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.serving import Subject, serve
from benchmarks.sockets.receiving import Receiving
from ringcollect.exchanges import load
from ringcollect.feed.counters import FEED_COUNTERS
from ringcollect.feed.plan import MarketPlan, Options, Plan
from ringcollect.feed.session import Session
from ringcollect.feed.transport import Callbacks, Connection, opener
from ringcollect.instruments import Registry
from ringcollect.records import RECORD
from ringcollect.ring.producer import Producer

COUNTED = ("frames_in", "decoded", "ignored", "rejected", "records", "seq_gaps", "trade_gaps")


class Feed:
    """A session that has seen the capture's beginning, so that every stream flows; new for every round."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._spec = spec
        self._folder = Path(spec["folder"])
        self._open_connection = opener(spec["library"])
        with gzip.open(spec["capture"], "rt") as lines:
            self._beginning = [json.loads(line) for _, line in zip(range(spec["from_line"]), lines, strict=False)]
        self._ring: Producer | None = None
        self.renew()

    def renew(self) -> None:
        """A new ring and a session up to the capture's line ``from_line``."""
        if self._ring is not None:
            self._ring.close()
        self._ring = Producer.open(
            Path(tempfile.mkdtemp(dir=self._folder)), f"{self._spec['exchange']}.rec", RECORD,
            generation=1, counters=FEED_COUNTERS, ledger_rows=1024,
        )  # fmt: skip
        exchange = load(self._spec["exchange"])
        plan = Plan(
            exchange=exchange.name, markets=(MarketPlan(market=self._spec["market"]),), options=Options(discover=True)
        )
        self._session = Session(plan, exchange, Registry(None, exchange.name), self._ring)
        self._session.start(self._beginning[0]["t"])
        for line in self._beginning:
            if line["d"] == "in":
                self._session.frame(line["c"], line["f"].encode(), line["t"])
            elif line["d"] == "rest":
                self._session.rest_seen(line["u"], 200, line["f"].encode(), line["t"])
            self._session.actions()
        self._before = self._counts()

    def _counts(self) -> dict[str, int]:
        assert self._ring is not None
        return {name: int(self._ring.counters[name]) for name in COUNTED}

    async def receive(self, url: str, frames: int) -> dict[str, int]:
        """As the feed's shell does: one call of the session a socket read, then whatever it asks for."""
        enough = asyncio.Event()
        session, left = self._session, frames
        clock_ns, shift_ns = time.time_ns, self._spec["last_ns"] - time.time_ns()

        def on_frames(conn: int, payloads: list[bytes], opcode: int, ts_recv: int) -> None:
            nonlocal left
            session.frames(conn, payloads, ts_recv, opcode)
            if session.core.actions:
                session.actions()
            left -= len(payloads)
            if left <= 0:
                enough.set()

        await self._connect(url, enough, Callbacks(on_frames, _on_alive, _on_close, lambda: clock_ns() + shift_ns))
        return {name: count - self._before[name] for name, count in self._counts().items()}

    async def count(self, url: str, frames: int) -> dict[str, int]:
        """The transport alone."""
        enough = asyncio.Event()
        left = frames

        def on_frames(conn: int, payloads: list[bytes], opcode: int, ts_recv: int) -> None:
            nonlocal left
            left -= len(payloads)
            if left <= 0:
                enough.set()

        await self._connect(url, enough, Callbacks(on_frames, _on_alive, _on_close))
        return {"frames_in": frames - left}

    async def _connect(self, url: str, enough: asyncio.Event, callbacks: Callbacks) -> None:
        opened: list[Connection] = []
        conn = next(line["c"] for line in self._beginning if line["d"] == "in")
        await self._open_connection(url, conn, callbacks, on_open=lambda connection, _: opened.append(connection))
        await asyncio.wait_for(enough.wait(), 60)
        opened[0].drop()


def _on_alive(conn: int, ts_recv: int) -> None:
    """The server sends no pings."""


def _on_close(conn: int, code: int, reason: str, ts: int) -> None:
    """We drop the connection first."""


def _open(spec: dict[str, Any]) -> Subject:
    uvloop.install()
    feed = Feed(spec)
    if spec["into"] == "ring":
        return Receiving(feed.receive, spec["url"], spec["frames"], feed.renew)
    return Receiving(feed.count, spec["url"], spec["frames"])


if __name__ == "__main__":
    serve(_open, {})
