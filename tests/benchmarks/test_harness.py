"""Runs alternate, warm-up is not counted, and a failing subject is named without taking the others along."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from benchmarks.harness import RunFailed, alternate, last_line, quiet
from benchmarks.workers import Worker

WORKER = """
import sys
from benchmarks.serving import serve

class Counting:
    def __init__(self, spec):
        self.units, self.rounds = spec["units"], 0
    def prepare(self):
        self.rounds += 1
    def run(self):
        print("noise of a peer")
        if self.units < 0:
            raise ValueError("this frame is not mine")
        if self.units == 3:
            self.passes = 2
        if self.units == 99:
            sys.exit("the peer died")
        return self.units
    def evidence(self):
        return self.rounds

serve(Counting, {"counting": "1.0"})
"""


def test_subjects_take_turns_and_the_warm_up_is_not_recorded() -> None:
    order: list[str] = []

    def subject(name: str):  # type: ignore[no-untyped-def]
        def run() -> float:
            order.append(name)
            return float(len(order))

        return run

    numbers, failed = alternate({"a": subject("a"), "b": subject("b")}, 3, warmup=1)
    assert order == ["a", "b"] * 4
    assert numbers == {"a": (3.0, 5.0, 7.0), "b": (4.0, 6.0, 8.0)}
    assert failed == {}


def test_a_subject_that_fails_is_named_with_its_reason_and_the_others_go_on() -> None:
    def fails() -> float:
        raise RunFailed("Traceback\n  somewhere\nKeyError: 'lastUpdateId'\n")

    numbers, failed = alternate({"peer": fails, "ours": lambda: 1.0}, 5)
    assert numbers == {"ours": (1.0,) * 5}
    assert failed == {"peer": "KeyError: 'lastUpdateId'"}


def test_the_reason_is_the_last_line_that_says_something() -> None:
    assert last_line("a\nb\n\n  \n") == "b"
    assert last_line("") == "no reason given"


def test_nothing_is_collected_while_the_clock_runs() -> None:
    with quiet():
        assert not gc.isenabled()
    assert gc.isenabled()


@pytest.fixture
def worker(tmp_path: Path):  # type: ignore[no-untyped-def]
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    with Worker([sys.executable, str(script)], cpu=0, log=tmp_path / "log") as started:
        yield started


def test_a_worker_prepares_each_round_and_its_prints_do_not_stand_in_the_way(worker: Worker) -> None:
    assert worker.versions == {"counting": "1.0"}
    subject = worker.open({"units": 7})
    assert subject.round() > 0
    assert subject.round() > 0
    assert subject.evidence() == 2


def test_a_short_case_is_passed_over_several_times_a_round(worker: Worker) -> None:
    subject = worker.open({"units": 3})
    subject.round()
    assert subject.evidence() == 1
    subject.round()
    assert subject.evidence() == 3


def test_a_peers_exception_is_its_reason_and_the_worker_lives(worker: Worker) -> None:
    with pytest.raises(RunFailed, match="this frame is not mine"):
        worker.open({"units": -1}).round()
    assert worker.open({"units": 1}).round() > 0


def test_work_on_nothing_is_no_measurement(worker: Worker) -> None:
    with pytest.raises(RunFailed, match="no unit of work"):
        worker.open({"units": 0}).round()


def test_a_worker_that_dies_says_why(worker: Worker) -> None:
    with pytest.raises(RunFailed, match="the peer died"):
        worker.open({"units": 99}).round()
