"""One look at a whole, made-up collector."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ringcollect.observe import status
from ringcollect.observe.health import State
from ringcollect.observe.observer import Observer
from ringcollect.observe.process_table import ProcessRow, ProcessTable, read_table, write_atomically, write_table
from ringcollect.observe.snapshot import STATE_FILE, Snapshot, encode, read_snapshot
from ringcollect.records import Channel
from ringcollect.ring.attach import attach
from tests.observe.rings import CAPACITY, producer, subscribe, trades


def table(folder: Path, writer: str = "running") -> ProcessTable:
    return ProcessTable(
        supervisor_pid=os.getpid(), started_ns=1, data=str(folder / "data"),
        processes=(
            ProcessRow(name="feed-binance", pid=os.getpid(), state="running"),
            ProcessRow(name="journal", pid=os.getpid() if writer == "running" else 0, state=writer),
        ),
    )  # fmt: skip


def test_a_well_collector_is_ready_and_since_when_does_not_move(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    subscribe(ring, 0, Channel.TRADE, state=3)
    observer = Observer(tmp_path)
    first = observer.look(table(tmp_path))
    second = observer.look(table(tmp_path))
    assert (first.state, first.reason) == (State.READY, "")
    assert second.since_ns == first.since_ns
    assert [process.name for process in first.processes[:3]] == ["supervisor", "feed-binance", "journal"]
    assert first.pss_sum > 0
    ring.close()


def test_the_loss_of_our_own_writer_degrades_a_notebooks_does_not(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    subscribe(ring, 0, Channel.TRADE, state=3)
    notebook, journal = attach(ring.path, register="notebook"), attach(ring.path, register="journal")
    observer = Observer(tmp_path)
    observer.look(table(tmp_path))
    for _ in range(3 * CAPACITY // 8):
        ring.publish(trades(8))
        journal.read()
        journal.commit()
    notebook.read()
    now = observer.look(table(tmp_path))
    assert now.state is State.READY
    for _ in range(3 * CAPACITY // 8):
        ring.publish(trades(8))
    lost = journal.read().lost
    journal.commit()
    now = observer.look(table(tmp_path))
    assert now.state is State.DEGRADED
    assert now.windows["lost"].last_15m == lost[1] - lost[0] > 0
    ring.close()


def test_the_loss_of_a_grid_beside_the_first_degrades_too(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    subscribe(ring, 0, Channel.TRADE, state=3)
    reader = attach(ring.path, register="sync.1s")
    observer = Observer(tmp_path)
    assert observer.look(table(tmp_path)).state is State.READY
    for _ in range(3 * CAPACITY // 8):
        ring.publish(trades(8))
    lost = reader.read().lost
    reader.commit()
    now = observer.look(table(tmp_path))
    assert now.state is State.DEGRADED
    assert now.windows["lost"].last_15m == lost[1] - lost[0] > 0
    ring.close()


def test_the_writers_own_word_about_the_disk_is_an_error_until_it_takes_it_back(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    subscribe(ring, 0, Channel.TRADE, state=3)
    observer = Observer(tmp_path)
    (tmp_path / "journal.state.json").write_text(json.dumps({"error": "No space left on device"}))
    now = observer.look(table(tmp_path))
    assert now.state is State.ERROR
    assert "No space left" in now.reason
    (tmp_path / "journal.state.json").write_text(json.dumps({"error": ""}))
    assert observer.look(table(tmp_path)).state is State.READY
    ring.close()


def test_a_writer_in_backoff_is_an_error(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    subscribe(ring, 0, Channel.TRADE, state=3)
    assert Observer(tmp_path).look(table(tmp_path, writer="backoff")).state is State.ERROR
    ring.close()


def test_unsealed_journals_are_counted_from_the_folder_when_the_writer_says_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "journal"
    folder.mkdir(parents=True)
    for name, size in (("a.journal", 10), ("b.journal", 32), ("c.damaged", 7)):
        (folder / name).write_bytes(bytes(size))
    os.utime(folder / "a.journal", (1_000_000, 1_000_000))
    unsealed = Observer(tmp_path).look(table(tmp_path)).journals
    assert (unsealed.count, unsealed.bytes) == (2, 42)
    assert unsealed.oldest_s > 1e6


def test_a_snapshot_survives_its_json_and_so_does_the_table(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    now = Observer(tmp_path).look(table(tmp_path))
    write_atomically(tmp_path / STATE_FILE, encode(now))
    assert read_snapshot(tmp_path) == now
    write_table(tmp_path, table(tmp_path))
    assert read_table(tmp_path) == table(tmp_path)
    ring.close()


def test_files_of_another_version_are_as_good_as_none(tmp_path: Path) -> None:
    for name in (STATE_FILE, "processes.json"):
        (tmp_path / name).write_text('{"at_ns": "yesterday"')
    assert read_snapshot(tmp_path) is None
    assert read_table(tmp_path) is None


@pytest.mark.parametrize(("age_s", "state"), [(0, State.READY), (11, State.ERROR)])
def test_a_supervisor_that_stops_reporting_is_an_error(
    age_s: float, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "is_running", lambda _: True)
    now = Snapshot(at_ns=10**18, started_ns=0, state=State.READY, reason="", since_ns=0, data="", runtime="")
    write_atomically(tmp_path / STATE_FILE, encode(now))
    monkeypatch.setattr(status.time, "time", lambda: 1e9 + age_s)
    assert status.check(tmp_path)[0] is state
