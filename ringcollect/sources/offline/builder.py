"""One build on its way: segments in, engine, rows out, a state kept now and then from which it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ringcollect.errors import LakeError
from ringcollect.failpoints import fail
from ringcollect.instruments import Instrument
from ringcollect.records import WHOLE_EXCHANGE
from ringcollect.sources.offline import merge
from ringcollect.sources.offline.feeding import Feeder, Sinks
from ringcollect.sources.offline.output import Output
from ringcollect.sources.offline.report import Built
from ringcollect.sources.offline.row_files import RowFiles
from ringcollect.sources.offline.seeds import Seeds, seeds_for
from ringcollect.sources.offline.segments import Entry, Place, Segment
from ringcollect.sources.offline.settings import Settings
from ringcollect.sources.offline.versions import Versions
from ringcollect.sources.offline.work import DONE, Work, snapshots_of
from ringcollect.sync.bar_record import BAR
from ringcollect.sync.bar_ring import bar_meta, split
from ringcollect.sync.checkpoint import Checkpoint
from ringcollect.sync.engine import Engine
from ringcollect.sync.settings import Parameters
from ringcollect.sync.snapshot_record import SNAPSHOT
from ringcollect.sync.snapshot_ring import snapshot_meta


class Task(NamedTuple):
    """What is built: the engine's settings, whose rows, and whether records of others matter to them.

    ``limit_ns``: records are taken up to this stream time.
    """

    parameters: Parameters
    wants: Callable[[Instrument], bool] | None
    asks: Callable[[Instrument], bool]
    is_whole: bool
    limit_ns: int


class Builder:
    """Builds rows of ``work``, whose token its owner holds."""

    def __init__(self, settings: Settings, work: Work, task: Task, versions: Versions) -> None:
        own = work.description
        self.built = Built(ring=own.ring, generation=own.generation, source_generation=own.source_generation, notes=[])
        self._settings = settings
        self._work = work
        self._task = task
        self._versions = versions
        self._engine = Engine(task.parameters, versions.of, wants=task.wants)
        target, table = settings.target(), versions.table
        rows = RowFiles(target, own.ring, own.generation, self._engine.dtype, own.meta, table)
        self._rows = Output(rows, own.start_ns)
        self._snapshots: Output | None = None
        if task.parameters.snapshots:
            name, meta = snapshots_of(own.ring), snapshot_meta(task.parameters, own.meta)
            self._snapshots = Output(RowFiles(target, name, own.generation, SNAPSHOT, meta, table), own.start_ns)
        self._bars = []
        for bar, name in zip(task.parameters.bars, own.bars, strict=True):
            files = RowFiles(target, name, own.generation, BAR, bar_meta(bar, own.meta), table)
            self._bars.append(Output(files, own.start_ns, stamp="ts_open_ns"))
        self._outputs = [self._rows, *([] if self._snapshots is None else [self._snapshots]), *self._bars]
        self._begun = self._end = 0
        self._next_save = time.monotonic() + self._pause()

    def run(self, places: Sequence[Place], *, is_over: bool) -> int:
        """Build what of ``places`` (ring order) is not built yet; returns the position that is safe.

        ``is_over``: no record will ever follow the last of them, so the last rows come out, PARTIAL. Raises LakeError
        naming the file that is missing or damaged; what was built by then is kept.
        """
        position = self._resume(places)
        self._begun = position
        self._end = max(position, places[-1].load().seq_to) if places else position
        sinks = Sinks(self._rows.take, None if self._snapshots is None else self._snapshots.take, self._take_bars)
        feeder = Feeder(self._engine, self._versions, sinks, position, is_whole=self._task.is_whole)
        before = self._engine.counters()
        try:
            finished = self._feed_known(feeder, places)
            if is_over and finished:
                self._engine.finalize(*sinks)
            self._write()
            self._close()
            self._save(feeder.at)
            if is_over and finished:
                self._work.advance(feeder.at, DONE)
                self.built.state = "finished"
        finally:
            self._count(feeder, before)
            for output in self._outputs:
                output.files.abandon()
        return feeder.at

    def _resume(self, places: Sequence[Place]) -> int:
        """Bring the engine to where it was; the position to go on at."""
        saved = self._work.load()
        reaches = [output.files.reach for output in self._outputs]
        counts = [] if saved is None else self._counts_of(saved)
        is_there = len(counts) == len(reaches) and all(n <= reach for n, reach in zip(counts, reaches, strict=True))
        if saved is not None and is_there and self._engine.load(saved.state):
            for output, count in zip(self._outputs, counts, strict=True):
                output.count = count
            self._recall(places, saved.cursor, len(saved.state["ints"]))
            return saved.cursor
        origin = self._work.description.origin
        if saved is not None or any(reaches):
            if not places or places[0].seq_from > origin:
                raise LakeError(
                    f"{self._work.folder}: no state to go on from, and the records from {origin} on are not in the "
                    "lake any more; its rows stay as they are: build what follows with another --out"
                )
            if saved is not None:
                self.built.notes.append("its state is of no use any more: computed anew, rows that are there are kept")
        return origin

    def _counts_of(self, saved: Checkpoint) -> list[int]:
        """How much of each output had come by then."""
        return [saved.rows, *([] if self._snapshots is None else [saved.snapshots]), *saved.bars]

    def _take_bars(self, bars: np.ndarray) -> None:
        for kind, mine in split(bars, len(self._bars)):
            self._bars[kind].take(mine)

    def _recall(self, places: Sequence[Place], position: int, instruments: int) -> None:
        """Learn again what the engine knows: the rows' files say whose they are."""
        last = places[-1].load() if places else None
        segment = next((segment for _, segment in _ahead(places, position)), last)
        if segment is not None:
            self._versions.learn(segment.instruments)
            self._versions.now_ns = segment.stream_ns[0] if segment.stream_ns else 0
            for number in range(instruments):
                self._versions.of(number)

    def _feed_known(self, feeder: Feeder, places: Sequence[Place]) -> bool:
        """As :meth:`_feed`; rows that came before something that cannot be read are in files when it is said."""
        try:
            return self._feed(feeder, places)
        except LakeError:
            self._write()
            self._close()
            raise

    def _feed(self, feeder: Feeder, places: Sequence[Place]) -> bool:
        """True if everything was taken, nothing was left for later."""
        for place, segment in _ahead(places, feeder.at):
            lost = [(start, stop) for start, stop, _ in segment.lost]
            self._versions.learn(segment.instruments)
            if segment.seq_from > feeder.at:
                feeder.hole(segment.seq_from)
            if segment.seq_from == feeder.at == self._work.description.origin > segment.first_seq:
                feeder.seeds = seeds_for(self._settings.data, segment, self._task.asks)
            if not self._feed_segment(feeder, place, segment, lost):
                return False
            feeder.seeds = Seeds()
            feeder.end_segment(segment.seq_to, lost)
            self.built.segments += 1
            self._settle(feeder.at)
            if self._settings.stop():
                return False
        return True

    def _feed_segment(self, feeder: Feeder, place: Place, segment: Segment, lost: list[tuple[int, int]]) -> bool:
        """False if the limit of stream time was reached."""
        limit = self._task.limit_ns
        if segment.stream_ns is not None and segment.stream_ns[0] >= limit:
            return False
        for window in merge.windows(self._settings.data, segment, self._entries(place, segment), feeder.at):
            beyond = np.flatnonzero(window["ts_recv"] >= limit)
            taken = window[: int(beyond[0])] if len(beyond) else window
            feeder.take(taken, lost)
            self._settings.progress(self.built.ring, feeder.at - self._begun, self._end - self._begun)
            if len(beyond):
                return False
        return True

    def _entries(self, place: Place, segment: Segment) -> list[Entry]:
        if self._task.is_whole:
            return segment.files
        known = {instrument.number: instrument for instrument in segment.instruments}
        chosen = []
        for entry in segment.files:
            if entry.instrument == WHOLE_EXCHANGE:
                chosen.append(entry)
            elif entry.instrument not in known:
                raise LakeError(f"{place.path}: does not say what instrument {entry.instrument} is")
            elif self._task.asks(known[entry.instrument]):
                chosen.append(entry)
        return chosen

    def _settle(self, position: int) -> None:
        """At the end of a segment: files and state where they are due, and say how far it is."""
        self._write()
        fail("build.after_rows")
        if self._settings.by_segment:
            self._close()
        if self._settings.by_segment or time.monotonic() >= self._next_save:
            self._save(position)
        self._work.advance(position)

    def _save(self, position: int) -> None:
        """Rows before state: whoever goes on from the state must find every row that came before it."""
        for output in self._outputs:
            output.files.flush()
        snapshots = 0 if self._snapshots is None else self._snapshots.count
        bars = [output.count for output in self._bars]
        self._work.save(position, self._rows.count, snapshots, bars, self._engine.dump(), sync=self._settings.sync)
        fail("build.after_save")
        self._next_save = time.monotonic() + self._pause()

    def _pause(self) -> float:
        return self._settings.config.sync.checkpoint_interval_ns / 1e9

    def _write(self) -> None:
        for output in self._outputs:
            output.write()

    def _close(self) -> None:
        for output in self._outputs:
            output.files.close()

    def _count(self, feeder: Feeder, before: dict[str, int]) -> None:
        built = self.built
        built.records, built.lost, built.missing = feeder.counts.records, feeder.counts.lost, feeder.counts.missing
        sealed = [one for output in self._outputs for one in output.files.sealed]
        built.files, built.bytes = sum(one.files for one in sealed), sum(one.bytes for one in sealed)
        built.rows, built.until_ns = self._rows.written, self._rows.until_ns
        built.snapshots = 0 if self._snapshots is None else self._snapshots.written
        built.bars = sum(output.written for output in self._bars)
        built.sync = {name: n - before.get(name, 0) for name, n in self._engine.counters().items()}


def _ahead(places: Sequence[Place], position: int) -> Iterator[tuple[Place, Segment]]:
    """The segments that end behind ``position``, loaded one at a time."""
    for number, place in enumerate(places):
        if number + 1 < len(places) and places[number + 1].seq_from <= position:
            continue
        segment = place.load()
        if segment.seq_to > position:
            yield place, segment
