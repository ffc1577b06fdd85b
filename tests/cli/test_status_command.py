"""``status`` without a collector, and against a made-up one that holds the supervisor's lock."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ringcollect.observe.health import State
from ringcollect.observe.observer import Observer
from ringcollect.observe.process_table import write_atomically, write_table
from ringcollect.observe.snapshot import STATE_FILE, encode
from ringcollect.records import Channel
from ringcollect.supervise.lock import SupervisorLock
from tests.cli.running import ringcollect
from tests.observe.rings import producer, subscribe, trades
from tests.observe.test_observer import table


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"RINGCOLLECT_RUNTIME": str(tmp_path)}


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Path]:
    """A runtime folder as a supervisor keeps it, with one flowing and one stale subscription."""
    lock = SupervisorLock(tmp_path)
    ring = producer(tmp_path)
    subscribe(ring, 0, Channel.BOOK, state=3)
    subscribe(ring, 1, Channel.TRADE, state=4, reason=6)
    ring.publish(trades(8))
    write_table(tmp_path, table(tmp_path))
    write_atomically(tmp_path / STATE_FILE, encode(Observer(tmp_path).look(table(tmp_path))))
    yield tmp_path
    ring.close()
    lock.release()


@pytest.mark.parametrize("flags", [(), ("--json",), ("--subscriptions",), ("--check",)])
def test_not_running_is_exit_3(flags: tuple[str, ...], tmp_path: Path, env: dict[str, str]) -> None:
    done = ringcollect("status", *flags, cwd=tmp_path, env=env)
    assert done.returncode == 3
    assert "running on" in done.stdout + done.stderr


def test_the_files_of_a_dead_supervisor_are_not_believed(tmp_path: Path, env: dict[str, str]) -> None:
    write_table(tmp_path, table(tmp_path))
    write_atomically(tmp_path / STATE_FILE, encode(Observer(tmp_path).look(table(tmp_path))))
    assert ringcollect("status", "--check", cwd=tmp_path, env=env).returncode == 3


def test_check_is_one_line_with_the_reason_and_the_states_exit_code(collector: Path, env: dict[str, str]) -> None:
    done = ringcollect("status", "--check", cwd=collector, env=env)
    assert done.returncode == 1
    assert done.stdout.startswith("DEGRADED since ")
    assert done.stdout.endswith(": 1 of 2 subscriptions stale or failed\n")
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize("state", list(State))
def test_check_exits_with_each_state(state: State, collector: Path, env: dict[str, str]) -> None:
    now = Observer(collector).look(table(collector))
    write_atomically(collector / STATE_FILE, encode(msgspec.structs.replace(now, state=state, at_ns=time.time_ns())))
    done = ringcollect("status", "--check", "--json", cwd=collector, env=env)
    assert done.returncode == {"READY": 0, "DEGRADED": 1, "OFFLINE": 2, "ERROR": 3}[state.value]
    assert json.loads(done.stdout)["state"] == state.value


def test_the_numbers_are_those_of_shared_memory_now(collector: Path, env: dict[str, str]) -> None:
    status = json.loads(ringcollect("status", "--json", cwd=collector, env=env).stdout)
    assert status["state"] == "DEGRADED"
    assert status["rings"][0]["head"] == 8
    assert status["subscriptions"] == {"flowing": 1, "stale": 1}
    assert status["pss_sum"] > 0
    assert [process["pid"] for process in status["processes"][:2]] == [os.getpid(), os.getpid()]
    text = ringcollect("status", cwd=collector, env=env).stdout
    assert "DEGRADED" in text
    assert "binance.rec" in text


def test_the_ledger_names_what_is_stale_and_why(collector: Path, env: dict[str, str]) -> None:
    done = ringcollect("status", "--subscriptions", cwd=collector, env=env)
    (stale,) = [line for line in done.stdout.splitlines() if "stale" in line]
    assert "ETHUSDT" in stale
    assert "flowed, then stopped" in stale
    rows = json.loads(ringcollect("status", "--subscriptions", "--json", cwd=collector, env=env).stdout)
    assert [row["state"] for row in rows] == ["flowing", "stale"]
