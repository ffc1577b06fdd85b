"""One exchange on its way through a replay: the session, what is behind it, and the time each part took."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from ringcollect.config import Config
from ringcollect.feed.session import Session
from ringcollect.sources.events import Event, EventKind
from ringcollect.sources.pace import Pace
from ringcollect.sources.pipeline import Pipeline
from ringcollect.sources.report import ExchangeReport, Stage

PROGRESS_EVENTS = 1000
"""How often ``progress`` is called."""


def _silent(source: str, fraction: float, events: int) -> None:
    pass


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """``exchange`` and ``market`` are for captures without URLs; ``speed`` 0 is as fast as it goes."""

    data: Path
    config: Config = Config()
    exchange: str = ""
    market: str = ""
    speed: float = 0.0
    raw_only: bool = False
    progress: Callable[[str, float, int], None] = _silent
    """Called now and then with the source's name, the fraction done and the number of events so far."""


class ExchangeStage:
    """One exchange on its way through: a session and what is behind it. ``owner`` builds the session on the ring."""

    def __init__(self, pipeline: Pipeline, session: Session, speed: float) -> None:
        self.pipeline = pipeline
        self.session = session
        self.pace = Pace(speed, pipeline.pump)
        self.now_ns = pipeline.generation
        self.read_ns = 0
        self.live_ns = 0
        self.behind_ns = 0
        self.cut_frames = 0

    def take(self, event: Event) -> None:
        """Let time pass up to ``event``, then let it happen."""
        self.run_timers(event.ts)
        self.pace.wait_for(event.ts)
        self.pipeline.make_room()
        session, kind = self.session, event.kind
        if kind is EventKind.IN:
            session.frame(event.conn, event.payload, event.ts, event.opcode)
        elif kind is EventKind.OPEN:
            session.open(event.conn, event.url, event.ts)
        elif kind is EventKind.CLOSE:
            session.close(event.conn, event.code, event.payload.decode(errors="replace"), event.ts)
        elif kind is EventKind.REST:
            session.rest_seen(event.url, event.code, event.payload, event.ts)
        session.actions()  # what it would do now, the capture has done already

    def run_timers(self, until_ns: int) -> None:
        """Everything due up to ``until_ns``, each at its own time."""
        session = self.session
        while (due := session.next_deadline()) <= until_ns:
            self.pace.wait_for(due)
            self.pipeline.make_room()
            session.timer(due)
        self.now_ns = max(self.now_ns, until_ns)

    def finish(self) -> None:
        """Stop the session at the capture's last moment and seal everything."""
        begun = time.perf_counter_ns()
        self.pipeline.make_room()
        self.session.stop(self.now_ns)
        self.session.actions()
        self.live_ns += time.perf_counter_ns() - begun
        self.seal()

    def seal(self) -> None:
        """Bring out the last rows and make files of everything."""
        self.behind_ns = self.pipeline.sync_ns + self.pipeline.journal_ns
        self.pipeline.finish()

    def report(self) -> ExchangeReport:
        """What became of it."""
        pipeline = self.pipeline
        counters = dict(pipeline.ring.counters)
        stored = pipeline.rows_written()
        frames, records = counters["frames_in"], stored[pipeline.ring.name]
        times = {
            "read": self.read_ns,
            "decode+publish": self.live_ns - self.behind_ns - self.pace.waited_ns,
            "sync": pipeline.sync_ns,
            "journal": pipeline.journal_ns,
            "seal": pipeline.sealing.busy_ns,
        }
        through = dict.fromkeys(times, records) | {"journal": sum(stored.values()), "seal": sum(stored.values())}
        if not pipeline.workers:
            del times["sync"]
        return ExchangeReport(
            exchange=pipeline.exchange,
            generation=pipeline.generation,
            counters=counters,
            sync=pipeline.sync_counters(),
            stored=stored,
            lost=pipeline.losses(),
            unsealed=pipeline.sealing.unsealed,
            cut_frames=self.cut_frames,
            files=pipeline.sealing.sealers.files,
            bytes=pipeline.sealing.sealers.bytes,
            stages={name: Stage(seconds=ns / 1e9, frames=frames, records=through[name]) for name, ns in times.items()},
        )
