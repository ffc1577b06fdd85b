"""The journal process and its sealers, really running: stopped, killed, refused, and recovered."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from ringcollect.ring.attach import Reader
from ringcollect.ring.frames import Direction, FrameProducer
from ringcollect.ring.paths import UNDRAINED, undrained_rings
from ringcollect.ring.producer import Producer
from ringcollect.store.cursor import journal_files
from ringcollect.store.drain import CONSUMER
from ringcollect.store.verify import verify
from ringcollect.store.writer_state import STATE_FILE
from tests import synthetic
from tests.store import lake
from tests.store.test_tables import ROW

ROOT = Path(__file__).parents[2]


class Writer:
    """The process under test."""

    def __init__(self, folder: Path) -> None:
        self.runtime, self.data = folder / "run", folder / "data"
        self.child: subprocess.Popen[bytes] | None = None

    def start(self, budget_s: float = 60, limit: int | None = None, recycle: str = "") -> None:
        """Start it; ``limit`` is the largest file it may write, ``recycle`` the age at which it starts anew."""

        def limited() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit or 0, resource.RLIM_INFINITY))

        command = [sys.executable, "-m", "tests.store.journal_main"]
        command += [str(self.runtime), str(self.data), str(budget_s), recycle]
        (self.runtime / STATE_FILE).unlink(missing_ok=True)
        self.child = subprocess.Popen(command, cwd=ROOT, preexec_fn=limited if limit else None)

    def kill(self) -> None:
        """kill -9."""
        assert self.child is not None
        self.child.kill()
        self.child.wait(30)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        assert self.child is not None
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(60)

    def state(self) -> dict[str, Any]:
        """What it last said; empty before that."""
        try:
            return json.loads((self.runtime / STATE_FILE).read_bytes())
        except FileNotFoundError:
            return {}

    def wait(self, ready: Callable[[dict[str, Any]], bool], timeout_s: float = 60) -> dict[str, Any]:
        """Until its state satisfies ``ready``."""
        give_up = time.monotonic() + timeout_s
        while time.monotonic() < give_up:
            state = self.state()
            if state and ready(state):
                return state
            time.sleep(0.01)
        raise AssertionError(f"never came: {self.state()}")

    def stored(self, head: int, ring: str = "binance.rec") -> None:
        """Until everything before ``head`` is in journals."""
        self.wait(lambda state: state["rings"].get(ring, {}).get("cursor", -1) >= head)

    def stored_some(self) -> None:
        """Until it has looked at its ring."""
        self.wait(lambda state: "binance.rec" in state["rings"])

    def stored_or_refused(self, head: int) -> dict[str, Any]:
        """Until everything before ``head`` is in journals, or it has an error."""
        return self.wait(lambda state: state["error"] or state["rings"]["binance.rec"]["cursor"] >= head)


@pytest.fixture
def writer(ram: Path) -> Iterator[Writer]:
    process = Writer(ram)
    yield process
    if process.child is not None and process.child.poll() is None:
        process.kill()


def test_stopped_in_order_everything_is_sealed_and_sound(writer: Writer) -> None:
    records = synthetic.stream(400)
    ring = lake.producer(writer.runtime)
    writer.start()
    lake.publish(ring, records)
    state = writer.wait(lambda s: s["sealed"]["journals"] >= 1)
    assert state["error"] == "" and state["rings"]["binance.rec"]["lost"] == 0
    ring.close()
    assert writer.stop() == 0
    report = verify(writer.data, strict=True)
    assert (report.problems, report.lost, report.notes, report.unsealed_journals) == ([], [], [], 0)
    assert lake.rows_by_seq(writer.data) == lake.expected_by_seq(records)
    final = writer.state()
    assert final["rings"]["binance.rec"]["rows"] == final["sealed"]["rows"] == len(records)
    assert final["unsealed"]["count"] == 0


def _killed_at_random(writer: Writer, records: np.ndarray, kills: int, seed: int) -> None:
    """kill -9 at random moments while records come; some kills hit a sealer at work."""
    rng = random.Random(seed)
    ring = lake.producer(writer.runtime)
    parts = np.array_split(np.array(list(synthetic.batches(records)), object), kills + 1)
    published = 0
    for part in parts[:-1]:
        writer.start()
        for batch in part:
            ring.publish(batch)
            published += len(batch)
        if rng.random() < 0.7:
            writer.stored(published - rng.randrange(1, 300))
        time.sleep(rng.random() * 0.3)  # not to wait for anything: the moment of the kill is what is random
        writer.kill()
    for batch in parts[-1]:
        ring.publish(batch)
    ring.close()
    writer.start()
    writer.wait(bool)
    assert writer.stop() == 0
    report = verify(writer.data, strict=True)
    assert (report.problems, report.lost, report.unsealed_journals) == ([], [], 0)
    assert lake.rows_by_seq(writer.data) == lake.expected_by_seq(records)


def test_killed_at_random_moments_nothing_is_lost_or_doubled(writer: Writer) -> None:
    _killed_at_random(writer, synthetic.stream(800), 4, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_killed_many_times_nothing_is_lost_or_doubled(writer: Writer, seed: int) -> None:
    _killed_at_random(writer, synthetic.stream(4000), 15, seed)


def test_recycled_on_schedule_and_killed_in_between_it_loses_nothing_and_cuts_no_file(writer: Writer) -> None:
    records = lake.trades(6000)
    ring = lake.producer(writer.runtime)
    ends = []
    for turn, part in enumerate(np.array_split(records, 3)):
        writer.start(recycle="1s")
        assert writer.child is not None
        lake.publish(ring, part)
        if turn == 1:
            writer.stored_some()
            writer.kill()
        else:
            ends.append(writer.child.wait(60))
    assert ends == [0, 0], "it ends by itself"
    ring.close()
    writer.start()
    writer.stored(6000)
    assert writer.stop() == 0
    report = verify(writer.data, strict=True)
    assert (report.problems, report.lost, report.unsealed_journals) == ([], [], 0)
    assert lake.rows_by_seq(writer.data) == lake.expected_by_seq(records)
    assert sorted(certificate.name[-24:-5] for certificate in (writer.data / "certificates").rglob("*.json")) == [
        f"{seq:019d}" for seq in range(0, 6000, 1000)
    ]


def test_a_disk_that_refuses_is_an_error_with_exact_losses_and_writing_resumes_by_itself(writer: Writer) -> None:
    ring = lake.producer(writer.runtime, capacity=1024)
    noise = np.random.default_rng(3)
    limit = 20_000
    writer.start(limit=limit)
    published = 0
    state: dict[str, Any] = {}
    give_up = time.monotonic() + 60
    while not state.get("error") and time.monotonic() < give_up:  # incompressible, so that the limit is met
        records = lake.trades(100, seq=published)
        records["price"] = noise.random(100)
        records["size"] = noise.random(100)
        ring.publish(records)
        published += 100
        state = writer.stored_or_refused(published)
    assert "File too large" in state["error"]
    cursor = state["rings"]["binance.rec"]["cursor"]
    ring.publish(lake.trades(3000, seq=published))  # the feed does not notice, and laps the writer
    published += 3000
    assert writer.child is not None
    resource.prlimit(writer.child.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    writer.stored(published)
    state = writer.wait(lambda s: not s["error"])
    ring.close()
    assert writer.stop() == 0
    report = verify(writer.data, strict=True)
    assert report.problems == []
    assert report.records_lost == state["rings"]["binance.rec"]["lost"] > 0
    assert report.records + report.records_lost == published
    stored = lake.rows_by_seq(writer.data)
    missing = set(range(published)) - set(stored)
    assert missing == {seq for loss in report.lost for seq in range(loss.seq_from, loss.seq_to)}
    assert min(missing) >= cursor


def test_a_vanished_data_folder_costs_no_unsealed_record(writer: Writer) -> None:
    records = lake.trades(600)
    ring = lake.producer(writer.runtime)
    writer.start()
    lake.publish(ring, records[:400])
    writer.stored(400)
    shutil.rmtree(writer.data)
    lake.publish(ring, records[400:])
    writer.stored(600)
    ring.close()
    assert writer.stop() == 0
    assert sorted(lake.rows_by_seq(writer.data)) == list(range(600))


def test_a_sealer_that_cannot_write_never_stops_the_journals_and_tries_again(writer: Writer) -> None:
    writer.data.mkdir(parents=True)
    (writer.data / "raw").write_bytes(b"in the way")
    records = lake.trades(5000)
    ring = lake.producer(writer.runtime)
    writer.start()
    lake.publish(ring, records[:2500])
    state = writer.wait(lambda s: s["sealed"]["failures"] >= 1)
    assert "raw" in state["error"] and state["sealed"]["journals"] == 0
    lake.publish(ring, records[2500:])
    writer.stored(5000)
    assert writer.state()["unsealed"]["count"] >= 4
    (writer.data / "raw").unlink()
    writer.wait(lambda s: s["sealed"]["journals"] >= 4 and not s["error"])
    ring.close()
    assert writer.stop() == 0
    assert sorted(lake.rows_by_seq(writer.data)) == list(range(5000))


def test_rings_that_come_later_and_new_generations_are_taken_up(writer: Writer) -> None:
    ring = lake.producer(writer.runtime)
    writer.start()
    lake.publish(ring, lake.trades(10))
    writer.stored(10)
    rows = Producer.open(writer.runtime, "binance.100ms.row", ROW, 256, generation=5, meta={"grid_ns": 100})
    values = np.zeros(20, ROW)
    values["ts_ns"], values["instrument"] = synthetic.START_NS + np.arange(20) * 100, 9
    rows.publish(values)
    writer.stored(20, "binance.100ms.row")
    lake.publish(ring, lake.trades(10, seq=10))
    ring.close()
    ring = lake.producer(writer.runtime, capacity=1 << 12, generation=lake.GENERATION + 1)
    lake.publish(ring, lake.trades(7))
    writer.wait(lambda s: s["rings"].get("binance.rec", {}).get("generation") == lake.GENERATION + 1)
    writer.stored(7)
    ring.close()
    rows.close()
    assert writer.stop() == 0
    report = verify(writer.data, strict=True)
    assert (report.problems, report.lost) == ([], [])
    assert {(c.ring, c.generation, c.seq_to) for c in report.coverage} == {
        ("binance.rec", lake.GENERATION, 20), ("binance.rec", lake.GENERATION + 1, 7), ("binance.100ms.row", 5, 20),
    }  # fmt: skip
    assert all(file.generation != lake.GENERATION for file in journal_files(writer.data)), "no cursor of a dead ring"


def test_rings_replaced_while_the_writer_is_dead_are_drained_first_and_then_their_successors(writer: Writer) -> None:
    """Everything is killed, and started again with other ring sizes, twice before the writer comes."""
    ring = lake.producer(writer.runtime)
    writer.start()
    lake.publish(ring, lake.trades(10))
    writer.stored(10)
    writer.kill()
    lake.publish(ring, lake.trades(10, seq=10))
    ring.close()
    for age, capacity in ((1, 1 << 12), (2, 1 << 13)):
        ring = lake.producer(writer.runtime, capacity=capacity, generation=lake.GENERATION + age)
        lake.publish(ring, lake.trades(5))
        if age == 1:
            Reader(ring.path, register=CONSUMER, cursor=0)  # as a writer that was killed at once
        ring.close()
    ring = lake.producer(writer.runtime, capacity=1 << 13)  # the same layout: taken over
    lake.publish(ring, lake.trades(2, seq=5))
    assert len(undrained_rings(writer.runtime)) == 2
    writer.start()
    writer.wait(lambda s: s["rings"].get("binance.rec", {}).get("generation") == lake.GENERATION + 2)
    writer.stored(7)
    ring.close()
    assert writer.stop() == 0
    report = verify(writer.data, strict=True)
    assert (report.problems, report.lost) == ([], [])
    assert {(c.generation - lake.GENERATION, c.seq_to) for c in report.coverage} == {(0, 20), (1, 5), (2, 7)}
    assert not [*(writer.runtime / UNDRAINED).iterdir()], "memory is given back"


def test_a_ring_replaced_under_a_living_writer_is_kept_no_longer_than_it_takes_to_drain(writer: Writer) -> None:
    ring = lake.producer(writer.runtime)
    writer.start()
    lake.publish(ring, lake.trades(10))
    writer.stored(10)
    lake.publish(ring, lake.trades(10, seq=10))
    ring.close()
    ring = lake.producer(writer.runtime, capacity=1 << 12, generation=lake.GENERATION + 1)
    lake.publish(ring, lake.trades(7))
    writer.wait(lambda s: s["rings"].get("binance.rec", {}).get("generation") == lake.GENERATION + 1)
    writer.stored(7)
    assert undrained_rings(writer.runtime) == []
    ring.close()
    assert writer.stop() == 0
    report = verify(writer.data, strict=True)
    assert (report.problems, report.lost, sum(c.seq_to for c in report.coverage)) == ([], [], 27)


def test_a_frame_ring_replaced_while_the_writer_is_dead_is_drained_with_its_bytes(writer: Writer) -> None:
    bodies = [bytes(range(i % 256)) for i in range(60)]

    def publish(frames: FrameProducer, some: list[bytes]) -> None:
        for i, body in enumerate(some):
            frames.publish(
                body, ts_recv=synthetic.START_NS + i, conn=0, direction=Direction.IN, opcode=1, url="wss://x"
            )
        frames.ring.close()

    for age, some in enumerate((bodies[:40], bodies[40:])):
        frames = FrameProducer.open(
            writer.runtime, "binance.frm", entries=256, data_bytes=1 << (16 + age), generation=lake.GENERATION + age
        )
        Reader(frames.ring.path, register=CONSUMER, cursor=0)
        publish(frames, some)
    assert len(undrained_rings(writer.runtime)) == 1
    writer.start()
    writer.stored(20, "binance.frm")
    assert writer.stop() == 0
    assert (verify(writer.data, strict=True).problems, undrained_rings(writer.runtime)) == ([], [])
    rows = [row for path in lake.parquet_files(writer.data, "frames") for row in pq.read_table(path).to_pylist()]
    assert sorted(row["payload"] for row in rows) == sorted(bodies)


def test_a_damaged_ring_that_was_kept_holds_nobody_up(writer: Writer) -> None:
    ring = lake.producer(writer.runtime)
    lake.publish(ring, lake.trades(10))
    Reader(ring.path, register=CONSUMER, cursor=0)
    ring.close()
    ring = lake.producer(writer.runtime, capacity=1 << 12, generation=lake.GENERATION + 1)
    [kept] = undrained_rings(writer.runtime)
    kept.write_bytes(b"RINGCOLL" + bytes(100))
    lake.publish(ring, lake.trades(7))
    writer.start()
    writer.stored(7)
    ring.close()
    assert writer.stop() == 0


def test_a_living_producer_does_not_hold_up_the_stop_beyond_its_budget(writer: Writer) -> None:
    ring = lake.producer(writer.runtime)
    writer.start(budget_s=4)
    lake.publish(ring, lake.trades(10))
    writer.stored(10)
    began = time.monotonic()
    assert writer.stop() == 0
    assert time.monotonic() - began < 5
    assert verify(writer.data).problems == []
    ring.close()


def test_the_journal_process_loads_neither_numba_nor_pyarrow() -> None:
    code = "import sys, ringcollect.store.process; print({'numba', 'pyarrow'} & set(sys.modules))"
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, env=os.environ
    )
    assert out.stdout.strip() == "set()"
