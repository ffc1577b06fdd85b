"""Workers on real rings: what is published once, whatever stops them; losses, generations, changed settings."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from ringcollect.config import Collector, Config, Sync
from ringcollect.errors import EnvironmentRefused, RingReset
from ringcollect.instruments import Instrument
from ringcollect.records import RECORD, Flag
from ringcollect.ring.attach import attach
from ringcollect.ring.control import Control
from ringcollect.ring.paths import control_path, ring_path
from ringcollect.ring.producer import Producer
from ringcollect.sync import checkpoint
from ringcollect.sync.engine import Engine
from ringcollect.sync.parameters import parameters_of
from ringcollect.sync.process import run
from ringcollect.sync.rows import RowFlag
from ringcollect.sync.settings import Parameters
from ringcollect.sync.worker import RingWorker, open_worker
from tests import synthetic

GRID = "100ms"
NAME = "test.100ms.row"
SETTINGS = Parameters(book_levels=1024)


@pytest.fixture(scope="module")
def records() -> np.ndarray:
    return synthetic.stream(1200)


def table() -> list[Instrument]:
    return synthetic.instruments("test")


def feed_ring(directory: Path, capacity: int = 1 << 14, generation: int = 1) -> Producer:
    producer = Producer.open(directory, "test.rec", RECORD, capacity, generation=generation)
    for instrument in table():
        producer.instruments.put(instrument)
    return producer


def expected(records: np.ndarray, settings: Parameters = SETTINGS, finalize: bool = False) -> np.ndarray:
    engine = Engine(settings, table().__getitem__)
    rows = engine.collect(records)
    return np.concatenate([rows, engine.collect_rest()]) if finalize else rows


def published(directory: Path, name: str = NAME) -> np.ndarray:
    reader = attach(name, directory=directory)
    return reader.last(reader.capacity)


def worker_on(directory: Path, settings: Parameters = SETTINGS, **more: object) -> RingWorker:
    return open_worker(directory, "test", GRID, settings, ring_capacity=1 << 14, **more)


def drain(worker: RingWorker) -> None:
    while worker.step():
        pass


def test_rows_of_a_ring_are_those_of_its_records(tmp_path: Path, records: np.ndarray) -> None:
    ring = feed_ring(tmp_path)
    worker = worker_on(tmp_path)
    rng = random.Random(1)
    position = 0
    while position < len(records):
        n = rng.randrange(1, 400)
        ring.publish(np.ascontiguousarray(records[position : position + n]))
        position += n
        worker.step()
    worker.finish()
    rows = published(tmp_path)
    assert rows.tobytes() == expected(records, finalize=True).tobytes()
    reader = attach(NAME, directory=tmp_path)
    assert [i.symbol for i in reader.instruments()] == [i.symbol for i in table()]
    assert reader.counters["rows"] == len(rows)
    assert reader.generation == ring.generation
    assert reader.meta["columns"] == list(SETTINGS.columns)
    assert Control(control_path(ring_path(tmp_path, "test.rec"))).consumers()[0].committed == len(records)


@pytest.mark.parametrize("seed", range(8))
def test_a_worker_killed_anywhere_resumes_without_a_missing_or_doubled_row(
    tmp_path: Path, records: np.ndarray, seed: int
) -> None:
    """Killed: nothing is saved on the way out; checkpoints are older than the rows that are out already."""
    rng = random.Random(seed)
    ring = feed_ring(tmp_path)
    worker = worker_on(tmp_path)
    position = 0
    while position < len(records):
        n = rng.randrange(1, 600)
        ring.publish(np.ascontiguousarray(records[position : position + n]))
        position += n
        draw = rng.random()
        if draw < 0.3:
            worker.save()
        elif draw < 0.6:
            worker.step()
        elif draw < 0.75:
            worker.close()  # without a checkpoint
            worker = worker_on(tmp_path)
            assert worker.producer.reattached
    drain(worker)
    rows = published(tmp_path)
    assert rows.tobytes() == expected(records).tobytes()
    assert worker.producer.counters["rows"] == len(rows)


def test_a_checkpoint_cut_in_the_middle_leaves_the_one_before(tmp_path: Path, records: np.ndarray) -> None:
    ring = feed_ring(tmp_path)
    worker = worker_on(tmp_path)
    for part in np.array_split(records, 6):
        ring.publish(np.ascontiguousarray(part))
        drain(worker)
        worker.save()
    worker.close()
    newest = checkpoint.load(tmp_path, NAME)
    path = checkpoint.paths(tmp_path, NAME)[newest.number % 2]
    whole = path.read_bytes()
    for damage in (whole[: len(whole) // 2], whole[:-1] + bytes([whole[-1] ^ 1]), b"", b"RCCKPT01"):
        path.write_bytes(damage)
        older = checkpoint.load(tmp_path, NAME)
        assert older is not None and older.number == newest.number - 1
    worker = worker_on(tmp_path)
    assert worker.reader.cursor == older.cursor
    drain(worker)
    assert published(tmp_path).tobytes() == expected(records).tobytes()


def test_without_a_usable_checkpoint_no_row_is_doubled_and_the_stream_goes_on(
    tmp_path: Path, records: np.ndarray
) -> None:
    ring = feed_ring(tmp_path)
    worker = worker_on(tmp_path)
    half = len(records) // 2
    ring.publish(np.ascontiguousarray(records[:half]))
    drain(worker)
    worker.close()
    before = published(tmp_path)
    checkpoint.remove(tmp_path, NAME)
    worker = worker_on(tmp_path)
    ring.publish(np.ascontiguousarray(records[half:]))
    drain(worker)
    rows = published(tmp_path)
    assert rows[: len(before)].tobytes() == before.tobytes()
    assert np.array_equal(rows["seq"], np.arange(len(rows)))
    whole = expected(records)
    for number in range(3):
        stamps = rows["ts_ns"][rows["instrument"] == number]
        assert np.array_equal(stamps, whole["ts_ns"][whole["instrument"] == number])
    # Nothing of the ring was overwritten, so even the books are found again from its beginning.
    names = list(SETTINGS.columns)
    after = rows[len(before) + 30 :]
    assert np.array_equal(after[names], whole[len(before) + 30 :][names])


def test_a_lapped_worker_states_its_loss_marks_rows_and_asks_only_for_broken_books(tmp_path: Path) -> None:
    records = synthetic.stream(3000)
    ring = feed_ring(tmp_path, capacity=1024)
    worker = worker_on(tmp_path)
    first = 1500
    for batch in np.array_split(records[:first], 10):
        ring.publish(np.ascontiguousarray(batch))
        drain(worker)
    assert worker.reader.lost_total == 0
    clean = len(published(tmp_path))
    for batch in synthetic.batches(records[first : first + 4000]):
        ring.publish(np.ascontiguousarray(batch))  # nobody reads meanwhile
    drain(worker)
    produced, lost = ring.head, worker.reader.lost_total
    assert 0 < lost < 4000 - first + 1024
    assert worker.producer.counters["sync_lost"] == lost
    assert worker.engine.counters()["sync_records"] == produced - lost
    rows = published(tmp_path)[clean:]
    assert (rows["row_flags"] & RowFlag.LOST).any()
    assert not (published(tmp_path)[:clean]["row_flags"] & RowFlag.LOST).any()
    control = Control(control_path(ring_path(tmp_path, "test.rec")))
    broken = [n for n in range(3) if not worker.engine.is_trusted(n)]
    assert control.pending_resyncs() == broken
    assert broken
    for number in broken:
        control.resync_done(number)


def test_a_new_generation_of_the_input_is_a_new_generation_of_rows(tmp_path: Path, records: np.ndarray) -> None:
    ring = feed_ring(tmp_path)
    worker = worker_on(tmp_path)
    ring.publish(records[:2000].copy())
    ring.close()
    other = feed_ring(tmp_path, capacity=1 << 13, generation=777)  # another layout: the ring is replaced
    with pytest.raises(RingReset):
        drain(worker)
    worker.save()
    worker.close()
    assert worker.engine.counters()["sync_records"] == 2000  # the old one was drained first
    worker = worker_on(tmp_path)
    assert (worker.producer.generation, worker.producer.head) == (777, 0)
    other.publish(records[:3000].copy())
    drain(worker)
    assert published(tmp_path).tobytes() == expected(records[:3000]).tobytes()


def test_changed_settings_are_a_new_generation_that_does_not_repeat_rows(tmp_path: Path, records: np.ndarray) -> None:
    ring = feed_ring(tmp_path)
    worker = worker_on(tmp_path)
    ring.publish(records[:3000].copy())
    drain(worker)
    worker.save()
    worker.close()
    before = published(tmp_path)
    narrow = Parameters(book_levels=1024, columns=("ob_mid_price", "trade_count"))
    worker = worker_on(tmp_path, narrow)
    assert worker.producer.generation == ring.generation + 1
    ring.publish(np.ascontiguousarray(records[3000:]))
    drain(worker)
    rows = published(tmp_path)
    assert rows.dtype.names[7:] == narrow.columns
    for number in range(3):
        ended = before["ts_ns"][before["instrument"] == number].max()
        assert rows["ts_ns"][rows["instrument"] == number].min() == ended + 100_000_000


def test_the_row_ring_waits_for_its_journal_but_not_for_a_dead_one(tmp_path: Path) -> None:
    """A silence of an hour gives more rows at once than the ring holds."""
    ring = feed_ring(tmp_path)
    worker = open_worker(tmp_path, "test", GRID, SETTINGS, ring_capacity=1024)
    worker.step()
    journal = attach(NAME, directory=tmp_path, register="journal")
    records = synthetic.stream(200)
    late = records[-1:].copy()
    late["ts_event"] = late["ts_recv"] = records["ts_recv"].max() + 300 * 10**9
    late["kind"], late["instrument"], late["sub"] = 2, 0, 0
    late["aux"] = records[(records["kind"] == 2) & (records["instrument"] == 0)]["id"].max()
    late["id"] = late["aux"] + 1
    late["flags"] = Flag.LAST
    got: list[np.ndarray] = []
    room = worker.rows._journal

    def reading_journal() -> int:  # a journal that reads whenever the worker looks at it
        read = journal.read()
        assert read.lost[0] == read.lost[1]
        got.append(read.records)
        journal.commit()
        return room()

    worker.rows._journal = reading_journal  # type: ignore[method-assign]
    stream = np.concatenate([records[:-1], late])
    stream["seq"] = np.arange(len(stream))
    ring.publish(stream)
    drain(worker)
    reading_journal()
    assert np.concatenate(got).tobytes() == expected(stream).tobytes()
    worker.rows._journal = lambda: 0  # type: ignore[method-assign]
    more = late.copy()
    more["ts_event"] += 300 * 10**9
    more["ts_recv"] += 300 * 10**9
    more["aux"], more["id"] = late["id"], late["id"] + 1
    ring.publish(more)
    drain(worker)  # comes back although nobody reads
    assert worker.producer.head - worker.producer.capacity > len(expected(stream)) - 1024


def test_the_process_waits_for_its_ring_drains_on_stop_and_leaves_a_checkpoint(
    tmp_path: Path, records: np.ndarray
) -> None:
    config = Config(
        collector=Collector(runtime_dir=str(tmp_path)), sync=Sync(checkpoint_interval="100ms", mode="external")
    )
    calls = 0
    ring: Producer | None = None

    def stop() -> bool:
        nonlocal calls, ring
        calls += 1
        if calls == 3:
            ring = feed_ring(tmp_path)
            ring.publish(records[:2000].copy())
        if calls == 40:
            assert ring is not None
            ring.publish(np.ascontiguousarray(records[2000:]))  # while stopping
            ring.close()
        return calls >= 40

    run(config, ["test"], stop)
    settings = parameters_of(config)
    rows = published(tmp_path)
    assert rows.tobytes() == expected(records, settings).tobytes()
    saved = checkpoint.load(tmp_path, NAME)
    assert saved is not None
    assert (saved.cursor, saved.rows) == (len(records), len(rows))
    assert attach(NAME, directory=tmp_path).state == "closed"


def test_skipped_rows_are_counted_and_said_once(
    tmp_path: Path, records: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    ring = feed_ring(tmp_path)
    worker = worker_on(tmp_path, Parameters(max_gap_fill=3, book_levels=1024))
    ring.publish(records[:4000].copy())
    drain(worker)
    skipped = worker.producer.counters["skipped_rows"]
    assert skipped > 0
    said = [record.getMessage() for record in caplog.records if "skipped" in record.getMessage()]
    assert said
    assert sum(int(message.split(" jumped, ")[1].split()[0]) for message in said) == skipped


def test_a_second_synchronizer_is_refused_and_disturbs_nothing(tmp_path: Path, records: np.ndarray) -> None:
    ring = feed_ring(tmp_path)
    worker = worker_on(tmp_path)
    control = Control(control_path(ring_path(tmp_path, "test.rec")))
    before = control.consumers()
    with pytest.raises(EnvironmentRefused, match="living producer"):
        worker_on(tmp_path)
    assert control.consumers() == before
    ring.publish(records[:3000].copy())
    drain(worker)
    assert published(tmp_path).tobytes() == expected(records[:3000]).tobytes()
