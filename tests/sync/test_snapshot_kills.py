"""A synchronizer with snapshots killed at its failpoints, also between its two rings; and one without a checkpoint."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ringcollect.records import RECORD
from ringcollect.ring.attach import attach
from ringcollect.ring.producer import Producer
from ringcollect.sync import checkpoint
from ringcollect.sync.books import cuts, write_books
from ringcollect.sync.engine import Engine
from ringcollect.sync.settings import Parameters
from ringcollect.sync.snapshot_record import KINDS_OF_TABLE, ROW_KIND
from ringcollect.sync.worker import RingWorker, open_worker
from tests import synthetic

PROGRAM = """
import sys
from pathlib import Path
from ringcollect.sync.settings import Parameters
from ringcollect.sync.snapshot_record import KINDS_OF_TABLE
from ringcollect.sync.worker import open_worker
parameters = Parameters(snapshots=tuple(KINDS_OF_TABLE), levels=3)
worker = open_worker(
    Path(sys.argv[1]), "test", "100ms", parameters, ring_capacity=1 << 17, books="test.book", book_interval_ns=10**10
)
worker.save()
while worker.step():
    worker.save()
worker.close()
"""
PARAMETERS = Parameters(snapshots=tuple(KINDS_OF_TABLE), levels=3)
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


def by_engine(records: np.ndarray) -> np.ndarray:
    parts: list[np.ndarray] = []
    made = Engine(PARAMETERS, synthetic.instruments("test").__getitem__)
    made.feed(records, lambda rows: None, lambda found: parts.append(found.copy()))
    return np.concatenate(parts)


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
    assert reader.last(reader.capacity).tobytes() == by_engine(records).tobytes()
    books = attach("test.book", directory=tmp_path)
    assert books.head < books.capacity
    assert books.last(books.capacity).tobytes() == whole_books(records).tobytes()


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
