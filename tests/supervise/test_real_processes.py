"""Promises of the supervisor, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 20.0


class Harness:
    """A running ``tests.supervise.harness``."""

    def __init__(self, folder: Path, *children: str) -> None:
        self.folder = folder
        self.log = folder / "harness.log"
        self._out = self.log.open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.supervise.harness", str(folder), *children],
            cwd=REPOSITORY, stdout=self._out, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def pids(self, name: str) -> list[int]:
        """Every process that ever ran as ``name``."""
        return [int(path.name.split(".")[-2]) for path in self.folder.glob(f"{name}.*.pid")]

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.01)

    def one(self, name: str) -> int:
        """Pid of the first process of ``name``, once it is there."""
        self.until(lambda: bool(self.pids(name)))
        return self.pids(name)[0]

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._out.close()


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Callable[..., Harness]]:
    running: list[Harness] = []

    def start(*children: str) -> Harness:
        running.append(Harness(tmp_path, *children))
        return running[-1]

    yield start
    for each in running:
        each.end()


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_a_child_killed_with_minus_9_is_started_again_and_the_others_never_stop(harness) -> None:
    run = harness("feed-a=obedient", "feed-b=obedient")
    first, other = run.one("feed-a"), run.one("feed-b")
    os.kill(first, signal.SIGKILL)
    run.until(lambda: len(run.pids("feed-a")) == 2)
    assert run.pids("feed-b") == [other]
    assert alive(other)
    assert any(line.startswith("process_died feed-a signal 9") for line in run.lines())
    assert any(line.startswith("process_started feed-a") and line.endswith("restart 1") for line in run.lines())


def test_sigterm_stops_feeds_then_the_synchronizer_then_the_writer(harness) -> None:
    run = harness("journal=obedient", "sync=obedient", "feed-a=obedient", "feed-b=obedient")
    for name in ("feed-a", "feed-b", "sync", "journal"):
        run.one(name)
    run.process.send_signal(signal.SIGTERM)
    assert run.process.wait(PATIENCE_S) == 0
    stopped = {
        name: int((run.folder / f"{name}.stopped").read_text()) for name in ("feed-a", "feed-b", "sync", "journal")
    }
    assert max(stopped["feed-a"], stopped["feed-b"]) < stopped["sync"] < stopped["journal"]


def test_a_child_that_ignores_sigterm_is_killed_named_and_holds_nobody_up(harness) -> None:
    run = harness("feed-deaf=deaf", "feed-b=obedient", "journal=obedient")
    deaf = run.one("feed-deaf")
    run.one("feed-b")
    run.one("journal")
    run.process.send_signal(signal.SIGTERM)
    assert run.process.wait(PATIENCE_S) == 5
    assert any(line.startswith("process_killed_past_its_stop_budget feed-deaf") for line in run.lines())
    assert (run.folder / "feed-b.stopped").exists()
    assert (run.folder / "journal.stopped").exists()
    run.until(lambda: not alive(deaf))


def test_children_stop_within_five_seconds_of_the_supervisors_death(harness) -> None:
    run = harness("feed-a=obedient", "journal=obedient")
    pids = [run.one("feed-a"), run.one("journal")]
    run.process.kill()
    begin = time.monotonic()
    run.until(lambda: not any(alive(pid) for pid in pids))
    assert time.monotonic() - begin < 5
    assert (run.folder / "journal.stopped").exists(), "an orphan stops in order, as on SIGTERM"


@pytest.mark.slow
def test_even_a_child_that_ignores_everything_is_gone_within_five_seconds_of_the_supervisors_death(harness) -> None:
    run = harness("feed-a=deaf")
    pid = run.one("feed-a")
    run.process.kill()
    begin = time.monotonic()
    run.until(lambda: not alive(pid))
    assert time.monotonic() - begin < 5


def test_a_child_that_always_dies_is_started_ever_more_slowly(harness) -> None:
    run = harness("feed-a=failing", "journal=obedient")
    run.until(lambda: len(run.pids("feed-a")) >= 4)
    delays = [line.rsplit(" in ", 1)[1] for line in run.lines() if line.startswith("process_died feed-a exit 4")]
    assert delays[:3] == ["0.05 s", "0.1 s", "0.2 s"]
    run.process.send_signal(signal.SIGTERM)
    run.process.wait(PATIENCE_S)
    assert (run.folder / "journal.stopped").exists()


def test_children_survive_the_death_of_the_forkserver_only_to_be_replaced(harness) -> None:
    run = harness("feed-a=obedient")
    first = run.one("feed-a")
    parent = int(Path(f"/proc/{first}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(parent, signal.SIGKILL)
    run.until(lambda: len(run.pids("feed-a")) == 2)
    run.until(lambda: not alive(first))
    run.process.send_signal(signal.SIGTERM)
    assert run.process.wait(PATIENCE_S) == 0


def test_ctrl_c_reaches_the_children_without_stopping_them(harness) -> None:
    run = harness("feed-a=obedient")
    pid = run.one("feed-a")
    os.kill(pid, signal.SIGINT)
    run.process.send_signal(signal.SIGTERM)
    assert run.process.wait(PATIENCE_S) == 0
    assert (run.folder / "feed-a.stopped").exists()
