"""The whole collector with a process dying between two system calls: nothing is lost, nothing is doubled.

``make chaos`` walks every failpoint; the normal run takes one of each kind.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ringcollect.store.failpoint_names import FAILPOINTS
from tests.promises.system import (
    Collector,
    assert_each_record_exactly_once,
    assert_rows_exactly_once,
    assert_trades_are_the_truth,
    system,
    until,
)

OF_THE_SYNCHRONIZER = (
    "sync.before_publish", "sync.after_publish",
    "checkpoint.after_head", "checkpoint.before_close", "checkpoint.after_write",
)  # fmt: skip
SHORT = ("journal.after_write", "journal.after_rotate", "seal.after_rename", "seal.before_delete", "sync.after_publish")
# Passed only when a tail was torn or at a stop: tests/store kills there.
ELSEWHERE = ("journal.after_cut", "journal.after_end")
# Passed once in the life of a journal, or of a sealer that has one journal to seal.
ONCE = ("seal.start", "seal.before_delete", "seal.after_delete", *(name for name in FAILPOINTS if ".sidecar." in name))
ALL = tuple(name for name in (*FAILPOINTS, *OF_THE_SYNCHRONIZER) if name not in ELSEWHERE)
CHOSEN = ALL if os.environ.get("RINGCOLLECT_CHAOS") else SHORT


def died(collector: Collector) -> bool:
    """True once a process of the collector was killed and somebody noticed."""
    log = collector.log.read_text()
    return "signal 9" in log or "ended with -9" in log


@pytest.mark.parametrize("failpoint", CHOSEN)
def test_a_collector_whose_processes_die_at_a_failpoint_stores_everything_once(tmp_path: Path, failpoint: str) -> None:
    with system(tmp_path, rotate_time='"1s"') as (exchange, collector):
        # A sealer starts its count anew each time, a journal process counts over its life.
        times = 2 if failpoint.startswith(("seal.", "checkpoint.")) else 9
        collector.start(RINGCOLLECT_FAIL=f"{failpoint}:{1 if failpoint in ONCE else times}")
        collector.flowing(1000)
        until(lambda: died(collector), f"a death at {failpoint}", more=collector.tail_of_log)
        collector.flowing(500)
        reader = collector.reader()
        heads = {reader.generation: reader.head}
        collector.stop()
        collector.start()
        collector.flowing(500)
        assert collector.stop() == 0, collector.tail_of_log()
        exchange.stop()
        assert_each_record_exactly_once(collector, heads)
        assert_rows_exactly_once(collector)
        assert_trades_are_the_truth(exchange, collector)
        code, output = collector.verify()
        assert code == 0, output
