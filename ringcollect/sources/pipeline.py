"""Everything behind a feed in one process: rings, synchronizer, journals, sealer; the source waits for all of them.

The parts are those that run live, in the same order, on rings in a folder of their own. Only the waiting is new: a
source may wait, so before it publishes it makes room, and making room means letting every consumer catch up.
"""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from ringcollect.config import Config
from ringcollect.feed.counters import FEED_COUNTERS
from ringcollect.records import RECORD
from ringcollect.ring.attach import attach
from ringcollect.ring.frames import Direction, FrameProducer
from ringcollect.ring.producer import Producer
from ringcollect.sources.sealing import Sealing
from ringcollect.store.drain import CONSUMER, RingJournal
from ringcollect.store.rotation import Policy
from ringcollect.sync.process import consumer_of, open_planned
from ringcollect.sync.row_ring import row_ring_name
from ringcollect.sync.worker import RingWorker, stored_outputs

CAPACITY = 1 << 17
"""Slots of a source's record ring. One event may fill half of it: the decoder's batch has 65,536 records."""
FRAME_ENTRIES = 4096
FRAME_BYTES = 32 << 20
LEDGER_ROWS = 16_384


class Pipeline:
    """The rings of one exchange and their consumers. ``ring`` and ``frames`` are what a feed session publishes to.

    ``runtime`` must be a folder nobody else uses. Times spent are in ``sync_ns`` and ``journal_ns``.
    """

    def __init__(
        self, data: Path, runtime: Path, exchange: str, generation: int, config: Config, *, raw_only: bool = False
    ) -> None:
        self.exchange = exchange
        self.generation = generation
        self.sync_ns = 0
        self.journal_ns = 0
        self.sealing = Sealing(data, config.storage.zstd_level, sync=config.storage.fsync != "off")
        self.ring = Producer.open(
            runtime, f"{exchange}.rec", RECORD, CAPACITY,
            generation=generation, counters=FEED_COUNTERS, meta={"kind": "records", "exchange": exchange, "ends": True},
            ledger_rows=LEDGER_ROWS, start_ns=generation,
        )  # fmt: skip
        frame_ring = FrameProducer.open(
            runtime, f"{exchange}.frm", entries=FRAME_ENTRIES, data_bytes=FRAME_BYTES,
            generation=generation, start_ns=generation,
        )  # fmt: skip
        self.frames = WaitingFrames(frame_ring, self.pump)
        self.workers: dict[str, RingWorker] = {}  # by row ring
        self._consumers: dict[str, str] = {}
        self._outputs: dict[str, Producer] = {}
        policy = Policy(time_ns=config.storage.rotate_time_ns, records=config.storage.rotate_records)
        rings = [f"{exchange}.rec", f"{exchange}.frm"]
        if config.sync.enabled and not raw_only:
            for plan in config.row_plans(exchange):
                name = row_ring_name(exchange, plan.grid)
                self.workers[name] = open_planned(
                    runtime, exchange, config, plan,
                    ring_capacity=CAPACITY, required=True, resume=False, room=self._room,
                )  # fmt: skip
                self._consumers[name] = consumer_of(plan)
                self._outputs.update({one.name: one for one in stored_outputs(self.workers[name])})
            rings += self._outputs
        self.journals = {
            name: RingJournal(
                data, attach(name, directory=runtime, register=CONSUMER, required=True), policy, resume=False
            )
            for name in rings
        }
        self._roomy_until = 0

    def make_room(self) -> None:
        """Return once the next event may publish up to half the ring; nearly free most of the time."""
        if self.ring.head < self._roomy_until:
            return
        self.ring.gate(CAPACITY * 3 // 4, self.pump)
        self._roomy_until = self.ring.head + CAPACITY // 4

    def pump(self) -> None:
        """Let every consumer take what is there."""
        self._synchronize()
        begun = time.perf_counter_ns()
        for journal in self.journals.values():
            journal.drain()
            self.sealing.submit(journal.take_finished())
        self.frames.emptied()
        self.journal_ns += time.perf_counter_ns() - begun

    def finish(self) -> None:
        """The stream is over: last rows, last records, everything sealed."""
        if self.workers:
            self.pump()
            begun, inner = time.perf_counter_ns(), self.journal_ns
            for worker in self.workers.values():
                worker.finish()
            self.sync_ns += time.perf_counter_ns() - begun - (self.journal_ns - inner)
        self.pump()
        for journal in self.journals.values():
            self.sealing.submit(journal.close(final=True))
        self.sealing.wait()

    def close(self) -> None:
        """Give everything up; after :meth:`finish`, or when it can no longer come to that."""
        for journal in self.journals.values():
            if not journal.closed:
                journal.abandon()
        for worker in self.workers.values():
            worker.close()
        self.frames.close()
        self.ring.close()

    def losses(self) -> dict[str, int]:
        """Records lost, by ``ring/consumer``; all must be 0."""
        lost = {f"{name}/{CONSUMER}": journal.lost for name, journal in self.journals.items()}
        for name, worker in self.workers.items():
            lost[f"{self.ring.name}/{self._consumers[name]}"] = worker.reader.lost_total
        return lost

    def sync_counters(self) -> dict[str, int]:
        """The synchronizer's counters, summed over the grids; empty without one."""
        total: Counter[str] = Counter()
        for worker in self.workers.values():
            total.update(dict(worker.producer.counters))
        return dict(total)

    def rows_written(self) -> dict[str, int]:
        """Records in journals, by ring."""
        return {name: journal.rows for name, journal in self.journals.items()}

    def _synchronize(self) -> None:
        begun, inner = time.perf_counter_ns(), self.journal_ns
        for worker in self.workers.values():
            while worker.step():
                pass
        self.sync_ns += time.perf_counter_ns() - begun - (self.journal_ns - inner)

    def _room(self, name: str, n: int) -> None:
        if name in self._outputs:
            self._outputs[name].gate(n, partial(self._drain_output, name))

    def _drain_output(self, name: str) -> None:
        begun = time.perf_counter_ns()
        journal = self.journals[name]
        journal.drain()
        self.sealing.submit(journal.take_finished())
        self.journal_ns += time.perf_counter_ns() - begun


class WaitingFrames:
    """A frame ring whose source waits: before entries or bytes that are not yet stored could be overwritten."""

    def __init__(self, ring: FrameProducer, pump: Any) -> None:
        self._frames = ring
        self._pump = pump
        self._entries = 0
        self._bytes = 0

    def publish(
        self,
        payload: bytes,
        *,
        ts_recv: int,
        conn: int,
        direction: Direction,
        opcode: int = 1,
        status: int = 0,
        url: str = "",
        reason: str = "",
        whole_length: int | None = None,
    ) -> int:
        """As :meth:`FrameProducer.publish`."""
        self._entries += 1
        self._bytes += len(payload) + 8192  # url and reason are cut to less than that
        if self._entries > FRAME_ENTRIES // 2 or self._bytes > FRAME_BYTES // 2:
            self._pump()
            self._entries, self._bytes = 1, len(payload) + 8192
        return self._frames.publish(
            payload, ts_recv=ts_recv, conn=conn, direction=direction, opcode=opcode, status=status, url=url,
            reason=reason, whole_length=whole_length,
        )  # fmt: skip

    def emptied(self) -> None:
        """Everything published so far is stored."""
        self._entries = self._bytes = 0

    def close(self) -> None:
        """As :meth:`FrameProducer.close`."""
        self._frames.close()
