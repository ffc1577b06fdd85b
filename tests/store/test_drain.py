"""From ring to lake in one process: the same bytes for any pieces, exact losses, nothing twice after a restart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from ringcollect import failpoints
from ringcollect.errors import RingReset
from ringcollect.ring.frames import Direction, FrameProducer
from ringcollect.ring.producer import Producer
from ringcollect.store.cursor import journal_files, left_behind
from ringcollect.store.drain import RingJournal
from ringcollect.store.journal import read_journal
from ringcollect.store.process import committed_of
from ringcollect.store.rotation import Policy
from ringcollect.store.seal import seal_all
from ringcollect.store.verify import verify
from tests import synthetic
from tests.store import lake
from tests.store.test_tables import ROW


@pytest.fixture(scope="module")
def records() -> np.ndarray:
    return lake.over_midnight()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, records: np.ndarray) -> Path:
    """The lake made of ``records`` drained 1000 at a time."""
    return lake.make_lake(tmp_path_factory.mktemp("whole"), records)


@pytest.mark.parametrize("chunk", [1, 7, 1 << 14])
def test_any_chunk_size_gives_equal_parquet_bytes(whole: Path, records: np.ndarray, tmp_path: Path, chunk: int) -> None:
    assert lake.hashes(lake.make_lake(tmp_path, records, chunk=chunk)) == lake.hashes(whole)


def test_every_record_is_in_the_lake_exactly_once_with_every_value(whole: Path, records: np.ndarray) -> None:
    assert lake.rows_by_seq(whole) == lake.expected_by_seq(records)


def test_segments_rotate_at_the_day_the_time_and_the_count(whole: Path, records: np.ndarray) -> None:
    report = verify(whole, strict=True)
    assert report.problems == [] and report.lost == [] and report.notes == []
    assert report.coverage[0].segments == report.certificates > 4
    assert report.coverage[0].seq_to == report.records == len(records)
    dates = {path.parent.name for path in lake.parquet_files(whole, "raw", "status")}
    assert dates == {"date=2026-09-21", "date=2026-09-22"}


def test_a_reader_that_was_lapped_says_exactly_what_it_lost(tmp_path: Path) -> None:
    ring = lake.producer(tmp_path / "run", capacity=256)
    journal = RingJournal(tmp_path / "data", lake.reader(ring), lake.SMALL)
    records = lake.trades(1000)
    lake.publish(ring, records[:100])
    journal.drain()
    lake.publish(ring, records[100:])  # 900 into 256 slots
    journal.drain()
    assert journal.lost == 1000 - 100 - 224, "it resumes at claim - 7/8 of the capacity"
    seal_all(journal.close(final=True), tmp_path / "data", sync=False)
    report = verify(tmp_path / "data")
    assert [(loss.seq_from, loss.seq_to) for loss in report.lost] == [(100, 776)]
    assert report.problems == [] and report.exit_code == 1
    assert sorted(lake.rows_by_seq(tmp_path / "data")) == [*range(100), *range(776, 1000)]


def test_a_writer_killed_anywhere_goes_on_where_its_journal_ends(
    tmp_path: Path, records: np.ndarray, whole: Path
) -> None:
    """Killed after every 300 records or so, before committing anything: the same files as without."""
    ring = lake.producer(tmp_path / "run")
    data = tmp_path / "data"
    journal = RingJournal(data, lake.reader(ring), lake.SMALL)
    for i, batch in enumerate(synthetic.batches(records)):
        ring.publish(batch)
        if i % 60 == 0:
            journal.drain()
            journal.abandon()
            journal = RingJournal(data, lake.reader(ring), lake.SMALL)
    journal.drain()
    seal_all([*left_behind(data, {journal.path}), *journal.close(final=True)], data, sync=False)
    assert lake.rows_by_seq(data) == lake.expected_by_seq(records)
    tables = {name: value for name, value in lake.hashes(data).items() if name.endswith(".parquet")}
    assert tables == {name: value for name, value in lake.hashes(whole).items() if name.endswith(".parquet")}


def test_after_an_orderly_stop_the_next_run_continues(tmp_path: Path) -> None:
    ring, data = lake.producer(tmp_path / "run"), tmp_path / "data"
    records = lake.trades(100)
    for part in np.split(records, 4):
        journal = RingJournal(data, lake.reader(ring), lake.SMALL)
        lake.publish(ring, part)
        journal.drain()
        seal_all(journal.close(), data, sync=False)
        left = [read_journal(file.path) for file in journal_files(data)]
        assert [(j.empty, j.seq_to) for j in left] == [(True, ring.head)], "an empty journal is the cursor"
    report = verify(data, strict=True)
    assert report.problems == [] and report.records == 100 and report.certificates == 4
    assert sorted(lake.rows_by_seq(data)) == list(range(100))


def test_a_lost_journal_folder_does_not_double_what_is_sealed(tmp_path: Path) -> None:
    ring, data = lake.producer(tmp_path / "run"), tmp_path / "data"
    records = lake.trades(60)
    journal = RingJournal(data, lake.reader(ring), lake.SMALL)
    lake.publish(ring, records[:40])
    journal.drain()
    seal_all(journal.close(), data, sync=False)
    for file in journal_files(data):
        file.path.unlink()
    journal = RingJournal(data, lake.reader(ring), lake.SMALL)
    assert journal.cursor == 40
    lake.publish(ring, records[40:])
    journal.drain()
    seal_all(journal.close(final=True), data, sync=False)
    assert sorted(lake.rows_by_seq(data)) == list(range(60))


def test_a_second_lake_begins_where_the_first_one_stopped(tmp_path: Path) -> None:
    ring = lake.producer(tmp_path / "run", capacity=64)
    records = lake.trades(300)
    first = RingJournal(tmp_path / "a", lake.reader(ring, committed_of(ring.path)), lake.SMALL)
    for part in np.split(records[:250], 10):
        lake.publish(ring, part)
        first.drain()
    seal_all(first.close(), tmp_path / "a", sync=False)
    second = RingJournal(tmp_path / "b", lake.reader(ring, committed_of(ring.path)), lake.SMALL)
    lake.publish(ring, records[250:])
    second.drain()
    seal_all(second.close(), tmp_path / "b", sync=False)
    for data in (tmp_path / "a", tmp_path / "b"):
        report = verify(data, strict=True)
        assert report.problems == [] and report.lost == []
    assert sorted([*lake.rows_by_seq(tmp_path / "a"), *lake.rows_by_seq(tmp_path / "b")]) == list(range(300))


def test_a_replaced_ring_is_drained_to_its_end_and_the_next_generation_says_so(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "run"
    records = lake.trades(50)
    old = lake.producer(folder, capacity=64)
    journal = RingJournal(data, lake.reader(old), lake.SMALL)
    lake.publish(old, records[:30])
    journal.drain()
    lake.publish(old, records[30:])
    old.close()
    new = lake.producer(folder, capacity=128, generation=lake.GENERATION + 1)
    with pytest.raises(RingReset):
        journal.drain()
    finished = journal.close(final=True)
    following = RingJournal(data, lake.reader(new), lake.SMALL)
    lake.publish(new, lake.trades(5))
    following.drain()
    seal_all([*finished, *following.close(final=True)], data, sync=False)
    report = verify(data, strict=True)
    assert report.problems == []
    assert [(c.generation, c.seq_to) for c in report.coverage] == [(lake.GENERATION, 50), (lake.GENERATION + 1, 5)]
    first = next(path for path in (data / "certificates").rglob("*.json") if f"-{lake.GENERATION}-" in path.name)
    for entry in json.loads(first.read_bytes())["files"]:
        (data / entry["path"]).unlink()
    first.unlink()
    assert verify(data, strict=True).exit_code == 1, "a generation that vanished whole is missed by its successor"


def test_a_full_disk_delays_and_loses_nothing_while_the_ring_holds(
    tmp_path: Path, records: np.ndarray, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every step of the writer refuses once, again and again; the files are the same."""
    points = ("journal.before_write", "journal.after_write", "journal.after_create", "journal.after_create_rename")
    ring, data = lake.producer(tmp_path / "run"), tmp_path / "data"
    journal = RingJournal(data, lake.reader(ring), lake.SMALL, resume=False)
    refused = 0
    for i, batch in enumerate(synthetic.batches(records)):
        ring.publish(batch)
        if i % 20 == 0:
            monkeypatch.setitem(failpoints._armed, points[i // 20 % len(points)], (1, "error"))
            for _ in range(10):
                try:
                    journal.drain(77)
                except OSError:
                    refused += 1
    journal.drain()
    failpoints._armed.clear()
    journal.drain()
    seal_all(journal.close(final=True), data, sync=False)
    assert refused > 50
    assert lake.hashes(data) == lake.hashes(whole)


def test_rows_go_to_features_on_their_grid(tmp_path: Path) -> None:
    ring = Producer.open(
        tmp_path / "run", "binance.100ms.row", ROW, 1024, generation=7, meta={"kind": "row", "grid_ns": 100_000_000}
    )
    for instrument in synthetic.instruments():
        ring.instruments.put(instrument)
    rows = np.zeros(200, ROW)
    rows["ts_ns"] = synthetic.START_NS + np.arange(200) // 2 * 100_000_000
    rows["instrument"] = np.arange(200) % 2
    rows["ob_mid_price"] = np.arange(200) / 7
    ring.publish(rows)
    journal = RingJournal(tmp_path / "data", lake.reader(ring), Policy(time_ns=3_000_000_000))
    journal.drain()
    seal_all(journal.close(final=True), tmp_path / "data", sync=False)
    files = lake.parquet_files(tmp_path / "data")
    assert len(files) == 8 and {p.parts[-7:-2] for p in files} == {
        ("features", "grid=100ms", "exchange=binance", "market=spot", "symbol=BTCUSDT"),
        ("features", "grid=100ms", "exchange=binance", "market=spot", "symbol=ETHUSDT"),
    }
    assert files[0].name == "BTCUSDT_features_sync_20260921_235200.000.parquet"
    report = verify(tmp_path / "data", strict=True)
    assert report.problems == [] and report.records == 200


def test_frames_and_rejects_are_stored_with_their_exact_bytes(tmp_path: Path) -> None:
    frames = FrameProducer.open(tmp_path / "run", "binance.frm", entries=256, data_bytes=1 << 16, generation=9)
    bodies = [bytes(range(i % 256)) for i in range(300)]
    journal = None
    for i, body in enumerate(bodies):
        direction = Direction.REJECT if i % 10 == 0 else Direction(1 + i % 4)
        frames.publish(
            body,
            ts_recv=synthetic.START_NS + i,
            conn=i % 3,
            direction=direction,
            opcode=1,
            url=f"wss://x/{i}",
            reason="r" * (i % 3),
        )
        journal = journal or RingJournal(tmp_path / "data", lake.reader(frames.ring), Policy(bytes=20_000))
        journal.drain()
    assert journal is not None
    seal_all(journal.close(final=True), tmp_path / "data", sync=False)
    data = tmp_path / "data"
    stored = [r for p in lake.parquet_files(data) for r in pq.read_table(p, partitioning=None).to_pylist()]
    stored.sort(key=lambda row: row["seq"])
    assert [row["payload"] for row in stored] == bodies
    assert [row["url"] for row in stored] == [f"wss://x/{i}" for i in range(300)]
    assert {p.relative_to(data).parts[0] for p in lake.parquet_files(data)} == {"frames", "rejects"}
    rejects = [
        r["seq"] for p in lake.parquet_files(data, "rejects") for r in pq.read_table(p, partitioning=None).to_pylist()
    ]
    assert sorted(rejects) == list(range(0, 300, 10))
    report = verify(data, strict=True)
    assert report.problems == [] and report.records == 300 and report.certificates > 1
