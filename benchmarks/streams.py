"""Records as the synchronizer gets them: a feed's ring, read to its end, of a capture or of a simulated venue."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec
import numpy as np

from benchmarks.decode.book import tick_of
from benchmarks.simulated import START_NS, Collecting, Told, new_session, ring_of, tell
from ringcollect.feed.plan import MarketPlan, Options, Plan, RulePlan
from ringcollect.feed.session import Session
from ringcollect.instruments import MAX_INSTRUMENTS, Instrument
from ringcollect.records import RECORD, Flag, Kind
from ringcollect.ring.attach import attach
from ringcollect.ring.producer import Producer
from ringcollect.sim.together import stage_of
from ringcollect.sources.capture import CaptureReader
from ringcollect.sources.events import Event, EventKind

_BOOK = (int(Kind.BOOK_SNAPSHOT), int(Kind.BOOK_DELTA))
CHANNELS = ("book", "trade", "bbo")
_LOOK = 64
"""Calls of the session between two looks at its ring, which holds many times as much."""


class Stream(NamedTuple):
    """``records``: dtype RECORD in ring order; ``instruments``: theirs, with the tick their prices show."""

    records: np.ndarray
    instruments: tuple[Instrument, ...]

    def of(self, number: int) -> Instrument:
        """The instrument of this number."""
        return self.instruments[number]

    @property
    def seconds(self) -> float:
        """From the first to the last receive time."""
        times = self.records["ts_recv"]
        return float(times.max() - times.min()) / 1e9

    def save(self, path: Path) -> None:
        """For workers."""
        np.save(path, self.records)

    def times(self, many: int) -> Stream:
        """The same stream of ``many`` instruments: each of them is one of ours, a frame of one behind that of another.

        What is of no instrument (ticks, connections) is told once.
        """
        own, records = len(self.instruments), self.records
        copies = -(-many // own)
        ends = np.flatnonzero((records["flags"] & int(Flag.LAST)) != 0)
        frame = np.searchsorted(ends, np.arange(len(records)))
        number = records["instrument"].astype(np.int64)
        parts, keys = [], []
        for copy in range(copies):
            mine = number + copy * own < many
            here = np.flatnonzero(mine | (number >= MAX_INSTRUMENTS)) if copy == 0 else np.flatnonzero(mine)
            part = records[here].copy()
            part["instrument"][number[here] < MAX_INSTRUMENTS] += copy * own
            parts.append(part)
            keys.append(frame[here] * copies + copy)
        all_of_them = np.concatenate(parts)[np.argsort(np.concatenate(keys), kind="stable")]
        all_of_them["seq"] = np.arange(len(all_of_them))
        return Stream(all_of_them, tuple(_renumbered(self.instruments[n % own], n) for n in range(many)))


def _renumbered(instrument: Instrument, number: int) -> Instrument:
    return msgspec.structs.replace(instrument, number=number, symbol=f"{instrument.symbol}{number}")


class _Tape:
    """What a ring got, a part at a time."""

    def __init__(self, ring: Producer) -> None:
        self._reader = attach(ring.path)
        self._parts: list[np.ndarray] = []
        self._calls = 0

    def look(self, told: Told | None = None) -> None:
        """A call of the session was made, or is about to be."""
        self._calls += 1
        if self._calls % _LOOK == 0:
            self.read()

    def read(self) -> None:
        """What is in the ring and was not read."""
        got = self._reader.read()
        if got.lost[1] > got.lost[0]:
            raise ValueError("the ring was lapped while a benchmark recorded it")
        self._parts.append(got.records.copy())

    def stream(self) -> Stream:
        """All of it."""
        self.read()
        records = np.concatenate(self._parts) if self._parts else np.zeros(0, RECORD)
        count = 1 + int(records["instrument"].astype(np.int64)[records["instrument"] < MAX_INSTRUMENTS].max(initial=-1))
        return Stream(records, tuple(_instrument(records, self._reader.instrument(number)) for number in range(count)))


def _instrument(records: np.ndarray, known: Instrument) -> Instrument:
    own = records[(records["instrument"] == known.number) & np.isin(records["kind"], _BOOK) & (records["side"] != 0)]
    tick = tick_of(own["price"])
    return msgspec.structs.replace(known, tick_size=tick if tick == tick else None)


def captured(path: Path, exchange: str, market: str, events: int | None = None) -> Stream:
    """The records of the first ``events`` events of a capture (all, if None)."""
    plan = Plan(exchange=exchange, markets=(MarketPlan(market=market),), options=Options(discover=True))
    with TemporaryDirectory(prefix="ringcollect-bench-") as folder:
        ring = ring_of(plan, Path(folder))
        session, tape = new_session(plan, ring), _Tape(ring)
        began = False
        for event in islice(CaptureReader(path), events):
            if not began:
                tell(session, ("start", [event.ts]))
                began = True
            while session.next_deadline() <= event.ts:
                session.timer(session.next_deadline())
                session.actions()
            _happen(session, event)
            tape.look()
        stream = tape.stream()
        ring.close()
    return stream


def _happen(session: Session, event: Event) -> None:
    if event.kind is EventKind.OPEN:
        session.open(event.conn, event.url, event.ts)
    elif event.kind is EventKind.IN:
        session.frame(event.conn, event.payload, event.ts, event.opcode)
    elif event.kind is EventKind.REST:
        session.rest_seen(event.url, event.code, event.payload, event.ts)
    session.actions()


def simulated(symbols: Sequence[str], seconds: float, rate: float, channels: tuple[str, ...] = CHANNELS) -> Stream:
    """A simulated Binance's books, trades and best prices, ``rate`` frames a second of all symbols together."""
    stage = stage_of(("binance",), START_NS, symbols=tuple(symbols), rate=rate)
    rule = RulePlan(rules=tuple(symbols), channels=channels)
    plan = Plan(exchange="binance", markets=(MarketPlan(market="spot", rules=(rule,)),))
    with TemporaryDirectory(prefix="ringcollect-bench-") as folder:
        ring = ring_of(plan, Path(folder))
        tape = _Tape(ring)
        Collecting(new_session(plan, ring), stage, tape.look).run(seconds)
        stream = tape.stream()
        ring.close()
    return stream
