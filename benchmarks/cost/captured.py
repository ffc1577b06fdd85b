"""What a feed is told by a capture: its frames and REST answers, and the timers that are due between them."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.cost.labels import Labelling, Watched
from benchmarks.cost.script import Script
from benchmarks.decode.captures import CAPTURES, Capture
from benchmarks.simulated import Told, ring_of, tell
from ringcollect.exchanges import load
from ringcollect.feed.plan import MarketPlan, Options, Plan
from ringcollect.instruments import Registry
from ringcollect.sources.capture import CaptureReader
from ringcollect.sources.events import Event, EventKind

TICK_NS = 60 * 10**9
"""One capture has a night of silence in it: a tick every tenth of a second would be most of its calls."""


def captures() -> tuple[list[tuple[Capture, Path]], list[str]]:
    """The captures there are that are streams, and the names of those that are not there."""
    folder = Path(os.environ["RINGCOLLECT_CAPTURES"])
    streams = [(one, folder / f"{one.name}.jsonl.gz") for one in CAPTURES if not one.cold_only]
    return [one for one in streams if one[1].is_file()], [one.name for one, path in streams if not path.is_file()]


def captured(capture: Capture, path: Path, events: int, most: int) -> Script:
    """The script of the first ``events`` of a capture; the session takes its instruments from the frames."""
    options = Options(discover=True, tick_ns=TICK_NS)
    plan = Plan(exchange=capture.exchange, markets=(MarketPlan(market=capture.market),), options=options)
    with TemporaryDirectory(prefix="ringcollect-bench-") as folder:
        ring = ring_of(plan, Path(folder))
        session = Watched(plan, load(plan.exchange), Registry(None, plan.exchange), ring)
        labelling = Labelling(Script(capture.name, plan), session, ring, most)

        def call(told: Told) -> None:
            labelling.keep(told)
            tell(session, told)

        began = False
        for event in islice(CaptureReader(path), events):
            if not began:
                call(("start", [event.ts]))
                began = True
            while session.next_deadline() <= event.ts:
                call(("timer", [session.next_deadline()]))
            told = _told(event)
            if told is not None:
                call(told)
        labelling.finish()
        ring.close()
    return labelling.script


def _told(event: Event) -> Told | None:
    if event.kind is EventKind.OPEN:
        return "open", [event.conn, event.url, event.ts]
    if event.kind is EventKind.IN:
        return "frame", [event.conn, event.payload.decode(), event.ts, event.opcode]
    if event.kind is EventKind.REST:
        return "rest_seen", [event.url, event.code, event.payload.decode(), event.ts]
    return None
