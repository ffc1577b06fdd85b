"""A session's inputs in the frame ring, and back: what is recorded is exactly what a replay needs.

Frames and REST answers are kept as they came. Everything else is an EVENT whose payload is JSON ``[name, data]``.
Frames sent are kept for people; a replay sends its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ringcollect.feed.pages import Page
from ringcollect.feed.plan import Plan
from ringcollect.feed.sink import Sink
from ringcollect.instruments import Instrument
from ringcollect.ring.frames import Direction, FrameEntry

if TYPE_CHECKING:
    from ringcollect.feed.session import Session

NO_CONN = 255


class Recorder:
    """Writes inputs while ``on``; one look-up otherwise."""

    def __init__(self, sink: Sink, on: bool) -> None:
        self._sink = sink
        self.on = on

    def event(self, name: str, now_ns: int, data: Any = None, *, conn: int = NO_CONN) -> None:
        """Any input that is neither frame nor REST answer."""
        if self.on:
            self._sink.keep(msgspec.json.encode([name, data]), now_ns, conn, Direction.EVENT, reason=name)

    def frame(self, conn: int, payload: bytes, ts_recv: int, opcode: int) -> None:
        """A message as received."""
        self._sink.keep(payload, ts_recv, conn, Direction.IN, opcode=opcode)

    def rest(self, url: str, request: int, status: int, headers: dict[str, str], body: bytes, now_ns: int) -> None:
        """A REST answer; of its headers those the session looks at."""
        if self.on:
            note = msgspec.json.encode([request, headers]).decode()
            self._sink.keep(body, now_ns, NO_CONN, Direction.REST, status=status, url=url, reason=note)


def plan_of(entry: FrameEntry) -> Plan | None:
    """The plan in a ``start`` event, None for any other entry."""
    if entry.direction is not Direction.EVENT or entry.reason != "start":
        return None
    return msgspec.convert(msgspec.json.decode(entry.payload)[1], Plan)


def instrument_of(entry: FrameEntry) -> Instrument | None:
    """The instrument in an ``instrument`` event (what the registry knew at the start), None for any other entry."""
    if entry.direction is not Direction.EVENT or entry.reason != "instrument":
        return None
    return msgspec.convert(msgspec.json.decode(entry.payload)[1], Instrument)


def apply(session: Session, entry: FrameEntry) -> None:
    """Give ``entry`` to ``session`` as the input it was. The session must have been built from the recorded plan."""
    ts = entry.ts_recv
    if entry.direction is Direction.IN:
        session.frame(entry.conn, entry.payload, ts, entry.opcode)
    elif entry.direction is Direction.REST:
        request, headers = msgspec.json.decode(entry.reason)
        session.rest(request, entry.status, headers, entry.payload, ts)
    elif entry.direction is Direction.EVENT:
        name, data = msgspec.json.decode(entry.payload)
        _apply_event(session, name, data, entry.conn, ts)


def _apply_event(session: Session, name: str, data: Any, conn: int, ts: int) -> None:
    if name == "timer":
        session.timer(ts)
    elif name == "start":
        session.start(ts)
    elif name == "open":
        session.open(conn, data, ts)
    elif name == "alive":
        session.alive(conn, ts)
    elif name == "close":
        session.close(conn, data[0], data[1], ts)
    elif name == "metadata":
        page = None if data[3] is None else msgspec.convert(data[3], Page)
        session.metadata(data[0], data[1], data[2], page, ts)
    elif name == "aligned":
        session.aligned(data[0], data[1], data[2], ts)
    elif name == "resync":
        session.resync(data, ts)
    elif name == "books_wanted":
        session.books_wanted(ts)
    elif name == "clock_step":
        session.clock_step(data, ts)
    elif name == "clock_quality":
        session.clock_quality(data[0], data[1], ts)
    elif name == "reload":
        session.reload(msgspec.convert(data, Plan), ts)
    elif name == "stop":
        session.stop(ts)
