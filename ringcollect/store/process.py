"""The journal process: every ring of its exchanges into journals, complete journals to the sealer.

One loop, no pyarrow. Records are safe in the ring until they are drained, so a ring is drained once per flush
interval, or earlier when it is an eighth full: between two rounds the process sleeps until something is due or a head
has passed that mark. It sleeps whatever ``wait.strategy`` says: latency is nothing to a journal. Sealing and fsync
happen elsewhere and never hold the loop up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog

from ringcollect.config import Config
from ringcollect.errors import RingcollectError, RingError, RingReset
from ringcollect.ring.attach import Reader, attach
from ringcollect.ring.control import Control
from ringcollect.ring.paths import UNDRAINED, control_path, undrained_path, undrained_rings
from ringcollect.ring.set_aside import let_go
from ringcollect.ring.waiting import Adaptive, Watch
from ringcollect.store.cursor import left_behind
from ringcollect.store.drain import CONSUMER, RingJournal
from ringcollect.store.rotation import Policy
from ringcollect.store.sealers import Sealers
from ringcollect.store.syncing import Syncer
from ringcollect.store.writer_state import write_state

DISCOVER_S = 0.2
SEALER_S = 0.1
STOPPING_S = 0.005
STATE_S = 1.0
SEALER_PATIENCE_S = 60.0
RETRY_FIRST_S = 0.5
RETRY_MAX_S = 10.0
DRAIN_SHARE = 0.5  # of the stop budget: waiting for the last records; the rest is for sealing


@dataclass
class RingState:
    """One ring of the process and how its journal fares."""

    reader: Reader
    journal: RingJournal
    drained_s: float = 0.0
    dirty: bool = False
    error: str = ""
    retry_s: float = RETRY_FIRST_S
    not_before_s: float = 0.0

    def failed(self, error: Exception, now_s: float) -> None:
        """The disk refused: try again later, the ring goes on meanwhile."""
        self.error = f"{self.reader.name}: {error}"
        self.not_before_s = now_s + self.retry_s
        self.retry_s = min(RETRY_MAX_S, self.retry_s * 2)

    def worked(self) -> None:
        """The disk takes bytes (again)."""
        self.error = ""
        self.retry_s = RETRY_FIRST_S


class JournalProcess:
    """State of the journal process; :meth:`step` is one round of its loop."""

    def __init__(self, config: Config, exchanges: list[str]) -> None:
        storage = config.storage
        self.data = config.data_path()
        self.runtime = config.runtime_path()
        self.exchanges = exchanges
        self.policy = Policy(storage.rotate_time_ns, storage.rotate_records)
        self.flush_s = storage.flush_ns / 1e9
        self.fsync = storage.fsync
        self.rings: dict[str, RingState] = {}
        self.attach_errors: dict[str, str] = {}
        self.sealers = Sealers(self.data, level=storage.zstd_level, sync=storage.fsync != "off")
        self.syncer = Syncer()
        self.losses: dict[str, int] = {}  # of generations that are over
        self._readers: dict[str, Reader] = {}  # attached, but the disk refuses their journal
        self._log = structlog.get_logger()
        self._discover_s = self._state_s = self._flush_s = 0.0
        self._looked_behind = False
        self._logged: set[str] = set()

    def step(self, now_s: float, *, stopping: bool = False) -> int:
        """One round at monotonic time ``now_s``; returns how many records were drained."""
        if now_s >= self._discover_s:
            self._discover_s = now_s + DISCOVER_S
            self._discover(now_s)
        moved = 0
        for name in list(self.rings):
            moved += self._drain(name, now_s, stopping)
        if now_s >= self._flush_s:
            self._flush_s = now_s + self.flush_s
            self._sync()
        self.sealers.poll(now_s)
        if now_s >= self._state_s:
            self._state_s = now_s + STATE_S
            self.write_state()
            self._log_changes()
        return moved

    def next_due_s(self, now_s: float) -> float:
        """When the next round has something to do, heads aside; monotonic seconds."""
        due = [self._discover_s, self._state_s, self._flush_s]
        if not self.sealers.idle:
            due.append(now_s + SEALER_S)
        for state in self.rings.values():
            if state.reader.head > state.journal.cursor:
                due.append(max(state.drained_s + self.flush_s, state.not_before_s))
        return min(due)

    def watched(self, now_s: float) -> list[tuple[np.ndarray, int]]:
        """Every ring that can be drained now, with the head at which it has to be."""
        return [
            (state.reader.words, state.journal.cursor + urgent(state.reader) - 1)
            for state in self.rings.values()
            if now_s >= state.not_before_s
        ]

    def quiet(self) -> bool:
        """Every producer is gone or closed, and everything it published is in a journal."""
        return all(
            state.reader.head == state.journal.cursor
            and (state.reader.state != "live" or not state.reader.producer_alive())
            for state in self.rings.values()
        )

    def close(self) -> None:
        """End every journal and hand it to the sealer; what the disk refuses stays in ring and journal."""
        for state in self.rings.values():
            try:
                self.sealers.add(state.journal.close())
            except OSError as error:
                state.error = f"{state.reader.name}: {error}"
                self._log.error("journal_not_ended", ring=state.reader.name, reason=str(error))
                self.sealers.add(state.journal.take_finished())
                state.journal.abandon()
        self.sealers.hurry()

    def hand_over(self, *, patient: bool) -> bool:
        """Leave journals and rings to a next process as they are; False while that could cost a record.

        The journal is the cursor: what is in it is stored, the rest is still in the ring. No segment ends by this. A
        ``patient`` one lets a sealer end first; else that goes on alone, and the next process finds its journals gone.
        """
        if self.error() or (patient and not self.sealers.idle):
            return False
        for state in self.rings.values():
            state.journal.abandon()
        self.syncer.close()
        self.write_state()
        return True

    def write_state(self) -> None:
        """Say how things stand, for ``status``. A runtime folder that refuses is not the data's problem."""
        try:
            write_state(self.runtime, self)
        except OSError as error:
            self._log.warning("state_not_written", reason=str(error))

    def error(self) -> str:
        """What keeps records from reaching the disk, or journals from being sealed; empty if nothing does."""
        errors = [state.error for state in self.rings.values()]
        errors += [*self.attach_errors.values(), self.syncer.error, self.sealers.error]
        return next((error for error in errors if error), "")

    def _log_changes(self) -> None:
        for what, error in (("sealing_failed", self.sealers.error), ("fsync_failed", self.syncer.error)):
            if error and error not in self._logged:
                self._log.error(what, reason=error)
        self._logged = {self.sealers.error, self.syncer.error}

    def _discover(self, now_s: float) -> None:
        waited_for = self._take_up_undrained()
        for exchange in self.exchanges:
            for path in sorted(self.runtime.glob(f"{exchange}.*.ring")):
                name = path.stem
                if name not in self.rings and name not in waited_for:
                    self._attach(name, path)
        for name in list(self.rings):
            state = self.rings[name]
            if state.reader.replaced() and state.reader.head == state.journal.cursor:
                self._finish(name, now_s)
        if not self._looked_behind:
            self._looked_behind = True
            self.sealers.add(left_behind(self.data, {s.journal.path for s in self.rings.values()}))

    def _take_up_undrained(self) -> set[str]:
        """Rings that were replaced before they were drained; their successors, which are named, wait until they are.

        The first journal of the successor says where its predecessor ended.
        """
        names: set[str] = set()
        for path in undrained_rings(self.runtime):  # oldest generation first
            name, _, _ = path.stem.rpartition(".")
            if name.partition(".")[0] not in self.exchanges or name in names:
                continue
            names.add(name)
            if path.stem not in self.rings and name not in self.rings:
                self._attach(path.stem, path)
        return names

    def _attach(self, name: str, path: Path) -> None:
        try:
            reader = self._readers.get(name)
            if reader is None or reader.replaced():
                if not attach(path).meta.get("stored", True):
                    return  # rows for readers of the ring only
                reader = self._readers[name] = Reader(path, register=CONSUMER, cursor=committed_of(path))
            self.rings[name] = RingState(reader, RingJournal(self.data, reader, self.policy))
        except (OSError, RingcollectError) as error:
            if self.attach_errors.get(name) != str(error):
                self._log.error("ring_not_journaled", ring=name, reason=str(error))
            self.attach_errors[name] = str(error)
            if isinstance(error, RingError) and path.parent.name == UNDRAINED:
                let_go(path)  # damaged: nothing can be had of it, and its successor waits
            return
        self.attach_errors.pop(name, None)
        self._readers.pop(name, None)
        self._log.info("journal_opened", ring=name, generation=reader.generation, seq=self.rings[name].journal.cursor)

    def _drain(self, name: str, now_s: float, stopping: bool) -> int:
        state = self.rings[name]
        waiting = state.reader.head - state.journal.cursor
        due = waiting >= urgent(state.reader) or now_s - state.drained_s >= self.flush_s or stopping
        if not waiting or not due or now_s < state.not_before_s:
            return 0
        state.drained_s = now_s
        try:
            moved = state.journal.drain()
        except RingReset:
            self._finish(name, now_s)
            return 0
        except (OSError, RingcollectError) as error:
            if not state.error:
                self._log.error("journal_refused", ring=name, reason=str(error))
            state.failed(error, now_s)
            return 0
        finally:
            self.sealers.add(state.journal.take_finished())
        if state.error:
            self._log.info("journal_goes_on", ring=name, lost=state.journal.lost)
        state.worked()
        state.dirty = True
        return moved

    def _finish(self, name: str, now_s: float) -> None:
        """A generation is over and drained: seal it, and look for the ring that took its name."""
        state = self.rings[name]
        try:
            self.sealers.add(state.journal.close(final=True))
        except OSError as error:
            state.failed(error, now_s)
            return
        ring, path = state.reader.name, state.reader.path
        self.losses[ring] = self.losses.get(ring, 0) + state.journal.lost
        let_go(path if name != ring else undrained_path(path, state.reader.generation))
        del self.rings[name]
        self._discover_s = 0.0

    def _sync(self) -> None:
        for state in self.rings.values():
            state.reader.heartbeat(time.time_ns())
            if not state.dirty or self.fsync != "flush":
                continue
            state.dirty = False
            self.syncer.submit(state.reader.name, state.journal.descriptor())


def urgent(reader: Reader) -> int:
    """So many records are drained without waiting for the flush interval."""
    return reader.capacity // 8


def committed_of(path: Path) -> int:
    """Where an earlier journal process of this ring stood; 0 if there was none: then all of it is ours to store."""
    control = Control(control_path(path), writable=False)
    try:
        return next((row.committed for row in control.consumers() if row.name == CONSUMER), 0)
    finally:
        control.close()


def run(config: Config, exchanges: list[str], stop: Callable[[], bool]) -> None:
    """Main of the journal process. Returns when ``stop()`` is true and rings are drained, ended and sealed, or, once it
    is ``storage.recycle`` old, when another journal process can go on where it was.

    Past its budget (``collector.stop_writer_s``) it leaves what is not sealed to the next start.
    """
    process = JournalProcess(config, exchanges)
    waiting, watch = Adaptive(config.wait.min_ns / 1e9, config.wait.max_ns / 1e9), Watch()
    recycle_s = time.monotonic() + config.storage.recycle_ns / 1e9 if config.storage.recycle_ns else float("inf")
    while not stop():
        process.step(time.monotonic())
        now_s = time.monotonic()
        if now_s >= recycle_s and process.hand_over(patient=now_s < recycle_s + SEALER_PATIENCE_S):
            return
        watch.set(process.watched(now_s))
        waiting.wait(watch, process.next_due_s(now_s) - now_s, stop)
    began = time.monotonic()
    budget = config.collector.stop_writer_s
    while time.monotonic() < began + budget * DRAIN_SHARE:
        process.step(time.monotonic(), stopping=True)
        if process.quiet():
            break
        time.sleep(STOPPING_S)
    process.close()
    while not process.sealers.idle and time.monotonic() < began + budget * 0.9:
        process.sealers.poll(time.monotonic())
        time.sleep(STOPPING_S)
    process.syncer.wait(max(0.0, began + budget * 0.95 - time.monotonic()))
    process.syncer.close()
    process.write_state()
