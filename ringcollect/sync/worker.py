"""One ring, one grid: reads the records, runs the engine, publishes rows, snapshots, bars. Live and in replay alike."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from ringcollect.errors import EnvironmentRefused, NotFoundError
from ringcollect.instruments import Instrument
from ringcollect.ring.attach import Reader, attach
from ringcollect.ring.control import Control
from ringcollect.ring.paths import control_path, ring_path
from ringcollect.ring.producer import Producer
from ringcollect.sync import checkpoint
from ringcollect.sync.bar_ring import BarWriter, open_bar_rings
from ringcollect.sync.book_ring import BookWriter, open_book_ring
from ringcollect.sync.engine import COUNTERS, Engine
from ringcollect.sync.host_clock import HostClock
from ringcollect.sync.output import Output, Room
from ringcollect.sync.row_ring import existing, row_capacity, row_meta, row_ring_name, rows_out
from ringcollect.sync.rows import row_dtype
from ringcollect.sync.settings import Parameters
from ringcollect.sync.snapshot_ring import SnapshotRings

_log = logging.getLogger(__name__)
CONSUMER = "sync"
"""Name of the synchronizer's row in a control file, for the grid of ``[sync]``; see :func:`consumer_name`."""
_CHUNK = 4096


class RingWorker:
    """Moves records from ``reader`` through ``engine`` into ``producer``, and snapshot records into ``snapshots``.

    Both are numbered by the engine; what a ring holds already is recomputed and not published again. ``room``, if
    given, is called before anything is published (replay: the gate).
    """

    def __init__(
        self,
        reader: Reader,
        engine: Engine,
        producer: Producer,
        *,
        room: Room | None = None,
        checkpoints: Path | None = None,
    ) -> None:
        self.reader = reader
        self.engine = engine
        self.producer = producer
        self._room = room
        self.rows = Output(producer, reader, room)
        self.use_snapshots(None)
        self.use_bars(BarWriter((), reader, room))
        self.books: BookWriter | None = None
        self._control = Control(control_path(reader.path)) if reader.registered else None
        self._checkpoints = checkpoints
        self._number = 0
        parameters = engine.parameters
        self._host_clock = HostClock(parameters.resolved_hold_back_ns()) if parameters.mode == "external" else None
        self._counted = self._counts()
        self._skipped = producer.counters.names.index("skipped_rows")
        self._base = producer.counters.words.copy() - self._counted

    def use_snapshots(self, snapshots: Producer | None) -> None:
        """Publish snapshot records there from now on; None: nowhere."""
        self.snapshots = snapshots
        self._snapshots = None if snapshots is None else Output(snapshots, self.reader, self._room).publish

    def use_bars(self, bars: BarWriter) -> None:
        """Publish bars there from now on."""
        self.bars = bars
        self._bars = bars.publish if bars.rings else None

    def step(self) -> bool:
        """Work on what is there now, at most one chunk; True if there was anything.

        Raises RingReset when the input was replaced and all of it is read.
        """
        read = self.reader.read(_CHUNK)
        lost = read.lost[1] - read.lost[0]
        if not lost and not len(read.records):
            return False
        if lost:
            self.engine.lost(lost)
        pieces = iter([read.records]) if self.books is None else self.books.pieces(self.engine, read.records)
        for piece in pieces:
            self.engine.feed(piece, self.rows.publish, self._snapshots, self._bars)
        self._report()
        if self._host_clock is not None:
            for line in self._host_clock.add(read.records):
                _log.warning("%s: %s", self.producer.name, line)
        if self.reader.registered:
            self.reader.commit()
        return True

    def finish(self) -> None:
        """The stream is over (end of a replay or import): read what is left and emit the remaining rows, PARTIAL."""
        while self.step():
            pass
        self.engine.finalize(self.rows.publish, self._snapshots, self._bars)
        self._report()

    def save(self) -> None:
        """Write a checkpoint. Raises OSError."""
        if self._checkpoints is None:
            return
        self._number += 1
        state = checkpoint.Checkpoint(
            self._number,
            self.reader.generation,
            self.producer.generation,
            self.reader.cursor,
            self.engine.rows_total,
            self.engine.dump(),
            0 if self.snapshots is None else self.snapshots.generation,
            self.engine.snapshots_total,
            0 if self.books is None else self.books.producer.generation,
            0 if self.books is None else self.books.total,
            self.bars.generations,
            tuple(self.engine.bars_total),
        )
        checkpoint.save(self._checkpoints, self.producer.name, state)

    def restore(self, saved: checkpoint.Checkpoint) -> bool:
        """Go on from ``saved`` if it belongs to this input, this output and these parameters."""
        if (saved.generation, saved.row_generation) != (self.reader.generation, self.producer.generation):
            return False
        ends = (0, 0) if self.snapshots is None else (self.snapshots.generation, self.snapshots.head)
        if saved.snapshot_generation != ends[0] or saved.snapshots > ends[1]:
            return False
        if not self._has_bars_of(saved):
            return False
        goes_on = self.books is not None and saved.book_generation == self.books.producer.generation
        if self.books is not None and goes_on and saved.books > self.books.producer.head:
            return False
        if saved.cursor > self.reader.head or saved.rows > self.producer.head or not self.engine.load(saved.state):
            return False
        self._go_on_from(saved)
        return True

    def carry_over(
        self, saved: checkpoint.Checkpoint, before: Reader, periods: Mapping[int, int], rings: SnapshotRings
    ) -> bool:
        """Go on with the clocks and books of ``saved`` where the output was chosen otherwise since.

        ``before`` is the row ring as it was, ``periods`` the last rows in it. A ring of snapshots begins anew unless it
        goes on exactly.
        """
        fits = (saved.generation, saved.row_generation) == (self.reader.generation, before.generation)
        is_whole = saved.cursor <= self.reader.head and saved.rows <= before.head
        same_instruments = before.meta.get("symbols") == self.producer.layout.meta.get("symbols")
        same_rows = self.engine.state.makes_same_rows(saved.state)
        if not (fits and is_whole and same_instruments) or (same_rows and not self._has_bars_of(saved)):
            return False
        if not self.engine.carry_over(saved.state, self.producer.head, periods, rows_out=before.head):
            return False
        if not same_rows:
            self.engine.state.bars.totals = self.bars.heads
        ring = self.snapshots
        goes_on = ring is not None and saved.snapshot_generation == ring.generation and saved.snapshots <= ring.head
        if not (goes_on and self.engine.state.makes_same_snapshots(saved.state)):
            if ring is not None and ring.head:
                ring.close()
                self.use_snapshots(rings.open(saved, fresh=True))
            self.engine.begin_snapshots(periods)
        self._go_on_from(saved)
        if self.producer.generation != before.generation:
            self._base = self.producer.counters.words - self._counted
            self._base[self.producer.counters.names.index("rows")] = 0
        return True

    def _has_bars_of(self, saved: checkpoint.Checkpoint) -> bool:
        """Whether the rings of bars are those of ``saved``, with everything that was in them then."""
        if saved.bar_generations != self.bars.generations:
            return False
        return all(out <= there for out, there in zip(saved.bars, self.bars.heads, strict=True))

    def _go_on_from(self, saved: checkpoint.Checkpoint) -> None:
        self.reader.cursor = saved.cursor
        if self.books is not None and saved.book_generation == self.books.producer.generation:
            self.books.total = saved.books
        for ring in (self.producer, *self.others()):  # one that is new knows no instrument yet
            for number in range(ring.instruments.count, self.engine.instrument_count):
                ring.instruments.put(self.reader.instrument(number))
        self._number = saved.number
        self._base[:] = 0
        self._counted = self._counts()

    def heartbeat(self, now_ns: int) -> None:
        """Say "alive" at both ends."""
        self.producer.heartbeat(now_ns)
        for ring in self.others():
            ring.heartbeat(now_ns)
        self.reader.heartbeat(now_ns)

    def close(self) -> None:
        """Give up the rings; what is in them stays for readers."""
        self.producer.close()
        for ring in self.others():
            ring.close()
        if self._control is not None:
            self._control.close()

    def others(self) -> list[Producer]:
        """The rings beside that of the rows."""
        rings = [self.snapshots, None if self.books is None else self.books.producer]
        return [*(ring for ring in rings if ring is not None), *self.bars.rings]

    def _counts(self) -> np.ndarray:
        counts = self.engine.counters()
        return np.array([counts[name] for name in self.producer.counters.names], np.int64)

    def _report(self) -> None:
        counts = self._counts()
        skipped = int(counts[self._skipped] - self._counted[self._skipped])
        if skipped > 0:
            _log.warning("%s: a clock jumped, %d rows were skipped (max_gap_fill)", self.producer.name, skipped)
        self._counted = counts
        self.producer.counters.words[:] = self._base + counts
        # Only once caught up: a break that was read from the past has been mended since.
        if self._control is not None and self.reader.lag < _CHUNK:
            for number in self.engine.resyncs():
                self._control.request_resync(number)


def stored_outputs(worker: RingWorker) -> list[Producer]:
    """The rings of ``worker`` that have a journal."""
    rings = [worker.producer] if worker.producer.layout.meta.get("stored", True) else []
    return [*rings, *worker.others()]


def consumer_name(grid: str = "") -> str:
    """The row in the record ring's control file: ``sync``, or ``sync.1s`` for a grid beside that of ``[sync]``."""
    return f"{CONSUMER}.{grid}" if grid else CONSUMER


def forget_others(directory: Path, exchange: str, consumers: Collection[str]) -> None:
    """Free the rows of grids that are configured no more: they would count as readers that hang for ever."""
    try:
        control = Control(control_path(ring_path(directory, f"{exchange}.rec")))
    except FileNotFoundError:  # the ring is gone, and with it every reader's row
        return
    try:
        for row in control.consumers():
            if row.name.startswith(f"{CONSUMER}.") and row.name not in consumers:
                control.forget(row.name)
    finally:
        control.close()


def open_worker(
    directory: Path,
    exchange: str,
    grid: str,
    parameters: Parameters,
    *,
    ring_capacity: int = 1 << 17,
    required: bool = False,
    resume: bool = True,
    room: Room | None = None,
    wants: Callable[[Instrument], bool] | None = None,
    selection: Mapping[str, Sequence[str]] | None = None,
    consumer: str = CONSUMER,
    stored: bool = True,
    books: str = "",
    book_interval_ns: int = 0,
    bar_grid: str = "",
) -> RingWorker:
    """A worker between ``<exchange>.rec`` and ``<exchange>.<grid>.row`` in ``directory``; with ``parameters.snapshots``
    also ``<exchange>.<grid>.sync``. ``stored``: the rows go to the lake (the snapshots always do). ``books`` is the
    name of the ring of whole books, written every ``book_interval_ns`` (0: at midnight only); empty: there is none.
    ``bar_grid`` is a part of the names of the rings of ``parameters.bars``, if these are of some instruments only.

    ``resume`` goes on from a checkpoint, or else from the oldest record with the rows known that are out already
    (live); without it neither is looked at (replay into fresh rings). ``wants`` says whose rows these are (all, if
    None) and ``selection`` says the same as plain data: equal ones must choose equally. ``consumer`` is the name in
    the input's control file. Raises NotFoundError while there is no input ring, EnvironmentRefused while another
    synchronizer holds the row ring.
    """
    source = attach(f"{exchange}.rec", directory=directory)
    name = row_ring_name(exchange, grid)
    before = existing(directory, name) if resume else None
    meta = row_meta(exchange, grid, parameters, source.name, source.generation, selection)
    if not stored:
        meta["stored"] = False
    periods, floor = rows_out(before, meta) if before else ({}, 0)
    generation = source.generation
    if before is not None:
        generation = max(generation, before.generation + 1)
    saved = checkpoint.load(directory, name) if resume else None
    if saved is not None and before is None:
        generation = max(generation, saved.row_generation + 1)  # the ring is gone, its journals may be there
    producer = Producer.open(
        directory,
        name,
        row_dtype(parameters.columns),
        row_capacity(parameters, ring_capacity),
        generation=generation,
        counters=tuple(COUNTERS),
        meta=meta,
    )
    try:
        reader = attach(source.path, register=consumer, required=required)
        if reader.generation != source.generation:
            raise NotFoundError(f"{source.path} was replaced meanwhile: attach again")
    except NotFoundError:
        producer.close()
        raise

    def instrument_of(number: int) -> Instrument:
        instrument = reader.instrument(number)
        for ring in (worker.producer, *worker.others()):
            ring.instruments.put(instrument)
        return instrument

    engine = Engine(parameters, instrument_of, wants=wants)
    rings = SnapshotRings(directory, exchange, grid, parameters, meta, ring_capacity, resume=resume)
    worker = RingWorker(reader, engine, producer, room=room, checkpoints=directory)
    try:
        worker.use_snapshots(rings.open(saved, fresh=False))
        if books:
            ring = open_book_ring(directory, books, meta, ring_capacity, resume=resume, saved=saved)
            worker.books = BookWriter(ring, reader, book_interval_ns, room)
        bars = open_bar_rings(
            directory, exchange, parameters.bars, meta, ring_capacity, grid=bar_grid, resume=resume, saved=saved
        )
        worker.use_bars(BarWriter(bars, reader, room))
    except EnvironmentRefused:
        worker.close()
        raise
    if saved is not None and worker.restore(saved):
        return worker
    if saved is not None and before is not None and worker.carry_over(saved, before, periods, rings):
        return worker
    checkpoint.remove(directory, name)
    if worker.snapshots is not None and worker.snapshots.head:
        # The row it may have been in the middle of is not known any more: what no row record closes is void, and the
        # row begins again in a ring of its own.
        worker.snapshots.close()
        worker.use_snapshots(rings.open(saved, fresh=True))
    worker.engine.resume_after(periods, floor, rows_total=producer.head, bars_total=worker.bars.heads)
    return worker
