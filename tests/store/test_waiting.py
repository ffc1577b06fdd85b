"""When the journal process wakes up: for what is due, for a ring that fills, and hardly ever in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringcollect.config import Collector, Config, Storage, Wait
from ringcollect.ring.waiting import Watch
from ringcollect.store.process import JournalProcess, run
from tests import synthetic
from tests.store import lake
from tests.wakeups import Silence, counted

FLUSH_S = 1.0
CAPACITY = 1 << 15


def config(folder: Path, **wait: str) -> Config:
    return Config(
        collector=Collector(data=str(folder / "data"), runtime_dir=str(folder / "run")),
        storage=Storage(flush="1s", fsync="off"),
        wait=Wait(**wait),
    )


def settled(process: JournalProcess, now_s: float) -> float:
    """Rounds as the loop makes them, until nothing is due at ``now_s``; returns when something will be."""
    for _ in range(10):
        process.step(now_s)
        due_s = process.next_due_s(now_s)
        if due_s > now_s:
            return due_s
    raise AssertionError("it never settles")


def test_records_wait_for_the_flush_interval_and_a_ring_an_eighth_full_does_not(ram: Path) -> None:
    records = synthetic.stream(3000)
    ring = lake.producer(ram / "run", capacity=CAPACITY)
    process, watch = JournalProcess(config(ram), ["binance"]), Watch()
    lake.publish(ring, records[:1])
    settled(process, 100.0)
    assert process.rings["binance.rec"].journal.cursor == ring.head, "the first records are drained at once"

    now_s, head = 100.05, ring.head
    ring.publish(records[1:2])
    drained_at = None
    while drained_at is None:
        now_s = settled(process, now_s)
        watch.set(process.watched(now_s))
        assert not watch.ahead(), "one record is no reason to wake up"
        if process.rings["binance.rec"].journal.cursor > head:
            drained_at = now_s
        assert now_s < 102
    assert 100.0 + FLUSH_S <= drained_at <= 100.0 + 2 * FLUSH_S

    now_s = drained_at + 0.01
    while ring.head - process.rings["binance.rec"].journal.cursor < CAPACITY // 8 - 1:
        ring.publish(records[:1])
    watch.set(process.watched(now_s))
    assert not watch.ahead()
    ring.publish(records[:1])
    assert watch.ahead()
    process.step(now_s)
    assert process.rings["binance.rec"].journal.cursor == ring.head
    process.close()
    ring.close()


def test_a_ring_the_disk_refuses_keeps_nobody_awake(ram: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = lake.producer(ram / "run", capacity=CAPACITY)
    process, watch = JournalProcess(config(ram), ["binance"]), Watch()
    settled(process, 100.0)
    journal = process.rings["binance.rec"].journal
    drain, refusals = journal.drain, []

    def refuse(max_records: int | None = None) -> int:
        refusals.append(max_records)
        raise OSError("No space left on device")

    monkeypatch.setattr(journal, "drain", refuse)
    lake.publish(ring, synthetic.stream(3000)[: CAPACITY // 4])
    now_s, rounds = 100.1, 0
    while now_s < 110.0:
        rounds += 1
        process.step(now_s)
        watch.set(process.watched(now_s))
        assert not watch.ahead()
        due_s = process.next_due_s(now_s)
        assert due_s > now_s
        now_s = due_s
    assert len(refusals) <= 5, "0.5, 1, 2, 4, 8 s apart"
    assert rounds <= 10 * 7 + 5, "five looks for rings, a state and a flush per second"
    monkeypatch.setattr(journal, "drain", drain)
    settled(process, 130.0)
    assert journal.cursor == ring.head
    process.close()
    ring.close()


@counted
def test_a_silent_journal_process_wakes_up_as_often_as_its_interval_says(ram: Path) -> None:
    ring = lake.producer(ram / "run", capacity=CAPACITY)
    silence = Silence(settle_s=0.3, count_s=1.0)
    ring.close()
    run(config(ram, min="10ms", max="50ms"), ["binance"], silence)
    assert 0 <= silence.wakeups <= 20 + 7 + 5  # looks at heads; looks for rings, state, flush; sleeps cut by those
