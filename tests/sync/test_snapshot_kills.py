"""A synchronizer with snapshots and bars killed at its failpoints, between its rings too; one without a checkpoint."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ringcollect.bar_kinds import parse_bar
from ringcollect.records import RECORD
from ringcollect.ring.attach import attach
from ringcollect.ring.producer import Producer
from ringcollect.sync import catalogue, checkpoint, output
from ringcollect.sync import worker as worker_module
from ringcollect.sync.books import cuts, write_books
from ringcollect.sync.engine import Engine
from ringcollect.sync.rows import RowFlag
from ringcollect.sync.settings import Parameters
from ringcollect.sync.snapshot_record import KINDS_OF_TABLE, ROW_KIND
from ringcollect.sync.worker import RingWorker, open_worker
from tests import synthetic

PROGRAM = """
import sys
from pathlib import Path
from ringcollect.bar_kinds import parse_bar
from ringcollect.sync.settings import Parameters
from ringcollect.sync.snapshot_record import KINDS_OF_TABLE
from ringcollect.sync.worker import open_worker
bars = tuple(parse_bar(text) for text in ("1s", "5s", "7ticks"))
parameters = Parameters(snapshots=tuple(KINDS_OF_TABLE), levels=3, bars=bars)
worker = open_worker(
    Path(sys.argv[1]), "test", "100ms", parameters, ring_capacity=1 << 17, books="test.book", book_interval_ns=10**10
)
worker.save()
while worker.step():
    worker.save()
worker.close()
"""
BARS = tuple(parse_bar(text) for text in ("1s", "5s", "7ticks"))
STAMPS = ("instrument", "ts_open_ns", "ts_close_ns", "bar_trade_count", "volume", "count")
PARAMETERS = Parameters(snapshots=tuple(KINDS_OF_TABLE), levels=3, bars=BARS)
POINTS = ("sync.before_publish:3", "sync.after_publish:9", "sync.before_publish:40", "checkpoint.before_close:3")


@pytest.fixture(scope="module")
def records() -> np.ndarray:
    return synthetic.stream(2500)


@pytest.fixture
def ring(tmp_path: Path, records: np.ndarray) -> Producer:
    ring = Producer.open(tmp_path, "test.rec", RECORD, 1 << 14, generation=1)
    for instrument in synthetic.instruments("test"):
        ring.instruments.put(instrument)
    for batch in np.array_split(records, 8):
        ring.publish(np.ascontiguousarray(batch))
    return ring


def opened(directory: Path) -> RingWorker:
    return open_worker(
        directory, "test", "100ms", PARAMETERS, ring_capacity=1 << 17, books="test.book", book_interval_ns=10**10
    )


def by_engine(records: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The snapshot records and the bars."""
    parts: list[np.ndarray] = []
    bars: list[np.ndarray] = []
    made = Engine(PARAMETERS, synthetic.instruments("test").__getitem__)
    made.feed(
        records, lambda rows: None, lambda found: parts.append(found.copy()), lambda found: bars.append(found.copy())
    )
    return np.concatenate(parts), np.concatenate(bars)


def assert_bars_are_those_of(bars: np.ndarray, directory: Path) -> None:
    """Every ring of bars holds those of its kind, none missing and none doubled."""
    for kind, bar in enumerate(BARS):
        reader = attach(f"test.{bar.name}.bar", directory=directory)
        wanted = bars[bars["bar"] == kind]
        wanted["bar"] = 0
        assert reader.head == len(wanted) < reader.capacity and len(wanted) > 20
        assert reader.last(reader.capacity).tobytes() == wanted.tobytes()


def whole_books(records: np.ndarray) -> np.ndarray:
    """All of them by an engine that is fed up to each of the places where they are due."""
    made, parts, start = Engine(PARAMETERS, synthetic.instruments("test").__getitem__), [np.zeros(0, RECORD)], 0
    for cut in cuts(records, 0, 10**10):
        made.feed(np.ascontiguousarray(records[start : cut.position]), lambda rows: None)
        parts += write_books(made, cut.ts, sum(map(len, parts)))
        start = cut.position
    return np.concatenate(parts)


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_failpoint_no_record_is_missing_and_none_doubled(
    point: str, tmp_path: Path, ring: Producer, records: np.ndarray
) -> None:
    environment = os.environ | {"RINGCOLLECT_FAIL": point}
    died = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], env=environment, timeout=120)
    assert died.returncode == -signal.SIGKILL
    before = attach("test.100ms.sync", directory=tmp_path)
    worker = opened(tmp_path)
    while worker.step():
        pass
    worker.close()
    reader = attach("test.100ms.sync", directory=tmp_path)
    assert reader.generation == before.generation
    assert reader.head < reader.capacity
    snapshots, bars = by_engine(records)
    assert reader.last(reader.capacity).tobytes() == snapshots.tobytes()
    assert_bars_are_those_of(bars, tmp_path)
    books = attach("test.book", directory=tmp_path)
    assert books.head < books.capacity
    assert books.last(books.capacity).tobytes() == whole_books(records).tobytes()


class Killed(Exception):
    """Stands for a kill: nothing that follows in this process is done."""


def test_killed_before_or_after_anything_is_published_to_any_of_the_rings_of_bars(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every place in turn; only the bars, so that each of them is near the end of some checkpoint."""
    records = synthetic.stream(800)
    settings = Parameters(bars=BARS)
    left = [10**9]

    def fail(point: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed(point)

    monkeypatch.setattr(output, "fail", fail)
    monkeypatch.setattr(worker_module, "_CHUNK", 1024)

    def run(directory: Path, die_at: int) -> int:
        """Publishes until the place ``die_at``, 0 for the end; how many places were passed."""
        left[0] = die_at or 10**9
        began, worker = left[0], open_worker(directory, "test", "100ms", settings)
        try:
            worker.save()
            while worker.step():
                worker.save()
        except Killed:
            pass
        finally:
            worker.close()
        return began - left[0]

    def begun(directory: Path) -> Path:
        directory.mkdir()
        ring = Producer.open(directory, "test.rec", RECORD, 1 << 13, generation=1)
        for instrument in synthetic.instruments("test"):
            ring.instruments.put(instrument)
        ring.publish(np.ascontiguousarray(records[: 1 << 12]))
        ring.publish(np.ascontiguousarray(records[1 << 12 : 1 << 13]))
        return directory

    whole = begun(tmp_path / "whole")
    passed = run(whole, 0)
    names = ["test.100ms.row", *(f"test.{bar.name}.bar" for bar in BARS)]

    def contents(directory: Path) -> list[bytes]:
        readers = [attach(name, directory=directory) for name in names]
        return [reader.last(reader.capacity).tobytes() for reader in readers]

    expected = contents(whole)
    assert passed > 20 and all(expected)
    for place in range(1, passed + 1):
        directory = begun(tmp_path / str(place))
        run(directory, place)
        run(directory, 0)
        assert contents(directory) == expected, place


def test_without_a_checkpoint_no_bar_comes_twice_and_the_one_that_was_cut_says_so(
    tmp_path: Path, ring: Producer, records: np.ndarray
) -> None:
    worker = opened(tmp_path)
    worker.step()
    worker.close()
    generations = [attach(f"test.{bar.name}.bar", directory=tmp_path).generation for bar in BARS]
    before = attach("test.1s.bar", directory=tmp_path).head
    out = attach("test.100ms.row", directory=tmp_path)
    stored = out.last(out.capacity)
    checkpoint.remove(tmp_path, "test.100ms.row")
    worker = opened(tmp_path)
    while worker.step():
        pass
    worker.close()
    assert [attach(f"test.{bar.name}.bar", directory=tmp_path).generation for bar in BARS] == generations
    reader = attach("test.1s.bar", directory=tmp_path)
    bars, whole = reader.last(reader.capacity), by_engine(records)[1]
    assert list(bars["seq"]) == list(range(len(bars))) and 0 < before < len(bars)
    keys = list(zip(bars["instrument"].tolist(), bars["ts_open_ns"].tolist(), strict=True))
    assert len(keys) == len(set(keys))
    seconds = whole[whole["bar"] == 0]
    assert set(keys) <= set(zip(seconds["instrument"].tolist(), seconds["ts_open_ns"].tolist(), strict=True))
    for number in range(3):
        first = bars[before:][bars["instrument"][before:] == number][0]
        is_cut = first["ts_open_ns"] < stored["ts_ns"][stored["instrument"] == number].max()
        assert bool(first["row_flags"] & RowFlag.PARTIAL) == is_cut == (number != 2)  # of 2 nothing more came in it


def test_other_columns_and_other_kinds_leave_the_bars_of_a_kind_as_if_nothing_had_changed(
    tmp_path: Path, records: np.ndarray
) -> None:
    """Stopped in order between the two; the ring of the kind that stays goes on."""
    ring = Producer.open(tmp_path, "test.rec", RECORD, 1 << 14, generation=1)
    for instrument in synthetic.instruments("test"):
        ring.instruments.put(instrument)
    more = tuple(catalogue.select(["minimal", "trade_*"]))
    generations = []
    for part, settings in zip(
        np.array_split(records, 2), (Parameters(bars=BARS), Parameters(bars=BARS, columns=more)), strict=True
    ):
        worker = open_worker(tmp_path, "test", "100ms", settings)
        ring.publish(np.ascontiguousarray(part))
        while worker.step():
            pass
        worker.save()
        worker.close()
        generations.append((worker.producer.generation, worker.bars.generations))
    assert generations[0][0] < generations[1][0] and generations[0][1] == generations[1][1]
    bars = by_engine(records)[1]
    for kind, bar in enumerate(BARS):
        reader = attach(f"test.{bar.name}.bar", directory=tmp_path)
        found, wanted = reader.last(reader.capacity), bars[bars["bar"] == kind]
        assert found[["seq", *STAMPS]].tolist() == wanted[["seq", *STAMPS]].tolist()
        wanted["bar"] = 0
        is_marked = (found["row_flags"] & RowFlag.LOST) != (wanted["row_flags"] & RowFlag.LOST)
        assert is_marked.sum() <= 3  # the open one of an instrument
        assert found[~is_marked].tobytes() == wanted[~is_marked].tobytes()
    worker = open_worker(tmp_path, "test", "100ms", Parameters(bars=BARS[:1], columns=more))
    assert (worker.bars.generations, worker.engine.bars_total) == (generations[0][1][:1], worker.bars.heads)
    worker.close()


def test_without_a_checkpoint_the_ring_begins_anew_and_no_row_closes_twice(
    tmp_path: Path, ring: Producer, records: np.ndarray
) -> None:
    worker = opened(tmp_path)
    worker.step()
    worker.close()
    first = attach("test.100ms.sync", directory=tmp_path)
    checkpoint.remove(tmp_path, "test.100ms.row")
    worker = opened(tmp_path)
    while worker.step():
        pass
    worker.close()
    second = attach("test.100ms.sync", directory=tmp_path)
    assert second.generation > first.generation and first.state == "replaced"
    both = np.concatenate([one.last(one.capacity) for one in (first, second)])
    closed = both[both["kind"] == ROW_KIND]
    keys = list(zip(closed["instrument"].tolist(), closed["ts_ns"].tolist(), strict=True))
    rows = attach("test.100ms.row", directory=tmp_path)
    stored = rows.last(rows.capacity)
    assert len(keys) == len(set(keys))
    assert set(keys) == set(zip(stored["instrument"].tolist(), stored["ts_ns"].tolist(), strict=True))


def test_other_tables_or_levels_are_a_ring_of_their_own_and_leave_the_rows_as_they_are(
    tmp_path: Path, ring: Producer
) -> None:
    generations = []
    for settings in (PARAMETERS, Parameters(snapshots=("trades",)), Parameters()):
        worker = open_worker(tmp_path, "test", "100ms", settings, ring_capacity=1 << 17)
        worker.step()
        worker.save()
        generations.append((worker.producer.generation, worker.snapshots.generation if worker.snapshots else 0))
        worker.close()
    assert generations[0][0] == generations[1][0] == generations[2][0]
    assert generations[1][1] > generations[0][1] and generations[2][1] == 0
