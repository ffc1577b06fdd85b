"""The writing end of a ring: one per ring, proven by a lock held for life."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ringcollect.errors import EnvironmentRefused, RingError
from ringcollect.failpoints import fail
from ringcollect.instruments import Instrument
from ringcollect.records import RECORD
from ringcollect.ring import protocol
from ringcollect.ring.control import Control, create_control
from ringcollect.ring.counters import Counters
from ringcollect.ring.layout import (
    H_CAPACITY,
    H_CLAIM,
    H_GENERATION,
    H_HEAD,
    H_HEARTBEAT_NS,
    H_PID,
    H_START_NS,
    H_STATE,
    STATE_CLOSED,
    STATE_LIVE,
    STATE_REPLACED,
    Layout,
    check_positions,
    read_header,
    write_header,
)
from ringcollect.ring.mapping import map_file, new_file, open_file, release, try_lock
from ringcollect.ring.paths import (
    OPEN_LOCK,
    control_path,
    ensure_runtime_dir,
    half_built,
    ring_path,
    under_construction,
    undrained_path,
)
from ringcollect.ring.set_aside import keep_for_journal, let_go
from ringcollect.ring.table import InstrumentTable, Ledger


class Producer:
    """A ring open for publishing. Build it with :meth:`open`; give it up with :meth:`close`."""

    def __init__(self, path: Path, fd: int, layout: Layout, words: np.ndarray, *, reattached: bool) -> None:
        self.path = path
        self.layout = layout
        self.words = words
        self.reattached = reattached
        self.counters = Counters(words, layout.counters)
        self.instruments = InstrumentTable(words)
        self.ledger = Ledger(words)
        self.control = Control(control_path(path))
        self._fd = fd
        self._piece = max(1, layout.capacity // 8)
        self._record_words = layout.dtype.itemsize // 8

    @classmethod
    def open(
        cls,
        directory: Path,
        name: str,
        dtype: np.dtype = RECORD,
        capacity: int = 1 << 17,
        *,
        generation: int,
        counters: tuple[str, ...] = (),
        meta: dict[str, Any] | None = None,
        ledger_rows: int = 0,
        data_bytes: int = 0,
        start_ns: int = 0,
        accept: Callable[[list[Instrument | None]], bool] | None = None,
    ) -> Producer:
        """Take over the ring ``name`` if its producer is gone and its layout is the same, else build a new one.

        ``generation`` (ns) is used for a new ring only; a taken-over ring keeps its own, its ``claim`` and ``head``.
        ``accept``, if given, sees the instrument table of a ring about to be taken over; False means a new ring.
        Raises EnvironmentRefused while another producer holds the lock, or if the tmpfs is too small.
        """
        layout = Layout(name, dtype, capacity, counters, meta or {}, ledger_rows, data_bytes)
        layout.check()
        path = ring_path(ensure_runtime_dir(directory), name)
        gate = os.open(directory / OPEN_LOCK, os.O_RDWR | os.O_CREAT, 0o640)
        try:
            fcntl.flock(gate, fcntl.LOCK_EX)  # two producers starting at once: one builds, the other finds it locked
            producer = cls._take_over(path, layout, accept) or cls._build(path, layout, generation)
        finally:
            os.close(gate)
        words = producer.words
        words[H_PID] = os.getpid()
        words[H_START_NS] = start_ns
        words[H_STATE] = STATE_LIVE
        return producer

    @classmethod
    def _take_over(
        cls, path: Path, layout: Layout, accept: Callable[[list[Instrument | None]], bool] | None
    ) -> Producer | None:
        if not path.exists():
            return None
        fd = open_file(path, writable=True)
        if not try_lock(fd):
            os.close(fd)
            raise EnvironmentRefused(f"{path} has a living producer: is another collector running?")
        try:
            words = map_file(fd, path, writable=True)
            same = read_header(words, str(path)) == layout and control_path(path).exists()
            if same:
                check_positions(words, layout, str(path))
            generation = int(words[H_GENERATION])
            if same and (accept is None or accept(InstrumentTable(words).left_behind())):
                let_go(undrained_path(path, generation))
                return cls(path, fd, layout, words, reattached=True)
            if control_path(path).exists():
                keep_for_journal(path, generation, int(words[H_HEAD]))
            words[H_STATE] = STATE_REPLACED
        except RingError:
            pass  # of another version, or damaged: nothing in it can be trusted, so a new one takes its name
        except BaseException:
            release(fd)
            raise
        release(fd)
        return None

    @classmethod
    def _build(cls, path: Path, layout: Layout, generation: int) -> Producer:
        control = control_path(path)
        for stale in half_built(path):
            stale.unlink(missing_ok=True)
        fd = new_file(under_construction(path), layout.places().file_bytes)
        try:
            try_lock(fd)
            words = map_file(fd, under_construction(path), writable=True)
            write_header(words, layout, generation)
            create_control(under_construction(control))
            fail("ring.before_rename")
            under_construction(control).rename(control)
            fail("ring.between_renames")
            under_construction(path).rename(path)
            return cls(path, fd, layout, words, reattached=False)
        except BaseException:
            release(fd)
            for unfinished in half_built(path):
                unfinished.unlink(missing_ok=True)
            raise

    @property
    def name(self) -> str:
        """Ring name, like ``binance.rec``."""
        return self.layout.name

    @property
    def generation(self) -> int:
        """Creation id of this ring, ns."""
        return int(self.words[H_GENERATION])

    @property
    def capacity(self) -> int:
        """Records the ring holds."""
        return int(self.words[H_CAPACITY])

    @property
    def head(self) -> int:
        """Records published since the ring was built."""
        return int(self.words[H_HEAD])

    @property
    def claim(self) -> int:
        """Position up to which slots may be overwritten; never below ``head``."""
        return int(self.words[H_CLAIM])

    def publish(self, batch: np.ndarray, n: int | None = None) -> int:
        """Append ``batch[:n]`` (contiguous, this ring's dtype) and return the new head. Never blocks.

        Batches over capacity/8 go in pieces; only the last record of a batch carries LAST, so a reader sees the end
        of the batch with the last piece.
        """
        self.check_open()
        total = len(batch) if n is None else n
        words = batch.view(np.int64).reshape(-1)
        if total * self._record_words > len(words):
            raise RingError(f"{self.name}: {total} records are more than the batch has")
        if total <= self._piece:
            return protocol.publish(self.words, words, max(0, total))
        head = self.head
        for start in range(0, total, self._piece):
            piece = words[start * self._record_words :]
            head = protocol.publish(self.words, piece, min(self._piece, total - start))
        return head

    def check_open(self) -> None:
        """Raise RingError after ``close``: without the lock there is no publishing."""
        if self._fd < 0:
            raise RingError(f"{self.name} is closed, and another producer may have it: nothing can be published")

    def gate(self, n: int, wait: Callable[[], None]) -> None:
        """Call ``wait`` until every required consumer has committed within capacity - n (replay and import only)."""
        if n > self.capacity:
            raise RingError(f"{self.name}: a batch of {n} records does not fit {self.capacity} slots")
        while True:
            slowest = self.control.slowest_required()
            if slowest is None or self.head + n - slowest <= self.capacity:
                return
            wait()

    def heartbeat(self, now_ns: int) -> None:
        """Say "alive" at wall time ``now_ns``."""
        self.words[H_HEARTBEAT_NS] = now_ns

    def close(self) -> None:
        """Mark the ring CLOSED and give up the lock; its records stay for readers and for the next producer."""
        if self._fd < 0:
            return
        self.words[H_STATE] = STATE_CLOSED
        self.control.close()
        release(self._fd)
        self._fd = -1
