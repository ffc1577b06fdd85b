"""Readers across the death of a producer, and `clean` against producers that come and go: real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ringcollect.errors import NotFoundError, RingReset
from ringcollect.records import RECORD
from ringcollect.ring.attach import Reader, attach
from ringcollect.ring.control import Control
from ringcollect.ring.paths import UNDRAINED, control_path, ring_path
from ringcollect.ring.producer import Producer
from tests.ring.records import is_true

ROOT = Path(__file__).parents[2]

PRODUCER = """
import sys
from pathlib import Path
from ringcollect.ring.producer import Producer
from tests.ring.records import batch
ring = Producer.open(Path(sys.argv[1]), "x.rec", capacity=int(sys.argv[2]), generation=int(sys.argv[3]))
print(ring.head, flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        ring.publish(batch(ring.head, 1))
    print(ring.head, flush=True)
"""


class Living:
    """A producer process that publishes on demand and dies by SIGKILL."""

    def __init__(self, folder: Path, capacity: int = 64, generation: int = 1) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PRODUCER, str(folder), str(capacity), str(generation)],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.began_at = int(self.process.stdout.readline())

    def publish(self, n: int) -> int:
        self.process.stdin.write(f"{n}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def positions(reader: Reader) -> list[int]:
    records = reader.read().records
    assert is_true(records)
    return records["seq"].tolist()


def test_a_reader_follows_a_killed_producers_successor_without_noticing(tmp_path: Path) -> None:
    first = Living(tmp_path)
    reader = attach(ring_path(tmp_path, "x.rec"), register="strategy")
    first.publish(10)
    assert positions(reader) == list(range(10))
    first.publish(3)
    first.kill()
    assert not reader.producer_alive() and reader.state == "live", "the lock tells, not the header"
    second = Living(tmp_path, generation=2)
    assert second.began_at == 13
    second.publish(5)
    assert positions(reader) == list(range(10, 18))
    assert (reader.lost_total, reader.generation, reader.producer_alive()) == (0, 1, True)
    [row] = Control(control_path(reader.path), writable=False).consumers()
    assert (row.name, row.read, row.lost) == ("strategy", 18, 0)
    second.kill()


def test_a_reader_of_a_replaced_ring_reads_it_to_its_end_and_is_then_told(tmp_path: Path) -> None:
    first = Living(tmp_path)
    reader = attach(ring_path(tmp_path, "x.rec"))
    first.publish(10)
    reader.read(4)
    first.kill()
    second = Living(tmp_path, capacity=128, generation=2)
    second.publish(7)
    assert reader.replaced() and not reader.producer_alive()
    assert positions(reader) == list(range(4, 10)), "the old ring stays mapped and whole"
    for _ in range(2):
        with pytest.raises(RingReset, match="attach again"):
            reader.read()
    anew = attach(reader.path)
    assert positions(anew) == list(range(7))
    assert (anew.generation, anew.capacity) == (2, 128)
    second.kill()


def test_a_reader_of_a_removed_ring_reads_it_to_its_end_and_is_then_told(tmp_path: Path) -> None:
    first = Living(tmp_path)
    reader = attach(ring_path(tmp_path, "x.rec"))
    first.publish(5)
    first.kill()
    reader.path.unlink()
    assert positions(reader) == list(range(5))
    with pytest.raises(RingReset):
        reader.read()
    with pytest.raises(NotFoundError):
        attach(reader.path)


CLEANER = """
import sys
from pathlib import Path
from ringcollect.supervise.cleaning import clean
print("started", flush=True)
rounds = removed = 0
while not (Path(sys.argv[1]) / "over").exists():
    removed += len(clean(Path(sys.argv[1])).removed)
    rounds += 1
print(rounds, removed, flush=True)
"""


def test_clean_running_all_the_time_never_takes_a_ring_from_under_a_living_producer(tmp_path: Path) -> None:
    cleaner = subprocess.Popen(
        [sys.executable, "-c", CLEANER, str(tmp_path)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert cleaner.stdout.readline() == "started\n"
        for generation in range(1, 6):
            producer = Living(tmp_path, generation=generation)
            reader = attach(ring_path(tmp_path, "x.rec"), cursor=producer.began_at)
            for n in (5, 20, 20):
                head = producer.publish(n)
                assert not reader.replaced() and reader.producer_alive()
                assert positions(reader)[-1] == head - 1
            producer.kill()
    finally:
        (tmp_path / "over").touch()
        out, _ = cleaner.communicate(timeout=30)
    rounds, removed = map(int, out.split())
    assert rounds > 20 and removed > 0, "dead rings were removed meanwhile"


def test_a_folder_that_refuses_to_keep_the_old_ring_does_not_keep_a_producer_from_starting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old = Producer.open(tmp_path, "x.rec", capacity=1024, generation=1)
    old.publish(np.zeros(3, RECORD))
    Reader(old.path, register="journal", cursor=0)
    old.close()
    (tmp_path / UNDRAINED).write_text("in the way")
    new = Producer.open(tmp_path, "x.rec", capacity=2048, generation=2)
    assert (new.generation, new.head) == (2, 0)
    assert "cannot be kept" in caplog.text
    new.close()
