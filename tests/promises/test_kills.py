"""kill -9 at any moment, of any process: the lake holds each record exactly once up to what had reached the rings."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from ringcollect.observe.process_table import read_table
from ringcollect.store.location import Lake as LakeOf
from ringcollect.store.quality.day import days_of
from ringcollect.store.selection import Selection
from tests.promises.system import (
    Collector,
    assert_each_record_exactly_once,
    assert_rows_exactly_once,
    assert_trades_are_the_truth,
    system,
    until,
)

ROUNDS = int(os.environ.get("RINGCOLLECT_CHAOS_ROUNDS", "2"))


def assert_verified(collector: Collector) -> None:
    code, output = collector.verify()
    assert code == 0, output


def assert_reported(collector: Collector, kills: list[tuple[int, int]]) -> None:
    """The quality report names a crash for every kill of the feed, within the seconds it happened in, and no other."""
    days = days_of(LakeOf.open(collector.data), Selection(), time.time_ns())
    crashes = [window for day in days for window in day.offline if window.cause == "crash"]
    assert len(crashes) == len(kills)
    for window, (before_ns, after_ns) in zip(crashes, kills, strict=True):
        assert before_ns - 1_000_000_000 < window.from_ns < (window.to_ns or 0) < after_ns


@pytest.mark.parametrize("victim", ["journal", "sync", "feed-binance"])
def test_a_process_killed_at_random_moments_costs_no_record(tmp_path: Path, victim: str) -> None:
    moments = random.Random(f"{victim} {ROUNDS}")
    with system(tmp_path) as (exchange, collector):
        collector.start()
        collector.flowing(1000)
        kills = []
        for round_ in range(ROUNDS):
            collector.flowing(moments.randrange(1, 1500))
            killed_ns, killed = time.time_ns(), collector.kill(victim)
            until(lambda killed=killed: collector.pid(victim) not in (0, killed), f"restart {round_ + 1} of {victim}")
            assert collector.restarts(victim) == round_ + 1
            collector.flowing(1)
            kills.append((killed_ns, time.time_ns()))
        collector.flowing(1000)
        reader = collector.reader()
        heads = {reader.generation: reader.head}
        missed = victim == "feed-binance"  # while a feed is down nobody listens: exit 1 says so
        assert collector.stop() == (1 if missed else 0), collector.tail_of_log()
        exchange.stop()
        assert_each_record_exactly_once(collector, heads)
        assert_rows_exactly_once(collector)
        assert_trades_are_the_truth(exchange, collector)
        assert_verified(collector)
        assert_reported(collector, kills if missed else [])


def test_children_of_a_killed_supervisor_stop_within_5_s_and_the_next_start_stores_the_rest(tmp_path: Path) -> None:
    with system(tmp_path) as (exchange, collector):
        collector.start()
        collector.flowing(2000)
        table = read_table(collector.runtime)
        assert table is not None
        children = [row.pid for row in table.processes if row.pid]
        collector.kill("supervisor")
        assert collector.process is not None
        collector.process.wait()
        until(lambda: not any(runs(pid) for pid in children), "the children stop", patience_s=6.0)
        reader = collector.reader()
        heads = {reader.generation: reader.head}
        collector.start()
        collector.flowing(1000)
        assert collector.stop() == 0, collector.tail_of_log()
        exchange.stop()
        assert_each_record_exactly_once(collector, heads)
        assert_rows_exactly_once(collector)
        assert_trades_are_the_truth(exchange, collector)
        assert_verified(collector)


def runs(pid: int) -> bool:
    """True while the process exists and is not a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def test_after_everything_is_killed_what_had_reached_a_ring_is_on_disk_after_the_next_start(tmp_path: Path) -> None:
    with system(tmp_path) as (exchange, collector):
        for _ in range(ROUNDS):
            collector.start()
            collector.flowing(2000)
            for pid in collector.all_pids():
                os.kill(pid, signal.SIGKILL)
            assert collector.process is not None
            collector.process.wait()
        reader = collector.reader()
        heads = {reader.generation: reader.head}
        collector.start()
        collector.flowing(1000)
        assert collector.stop() == 0, collector.tail_of_log()
        exchange.stop()
        assert_each_record_exactly_once(collector, heads)
        assert_rows_exactly_once(collector)
        assert_trades_are_the_truth(exchange, collector)
        assert_verified(collector)
