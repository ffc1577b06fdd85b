"""``clean`` against processes that are just starting: what lives is never removed, whoever comes first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from ringcollect.ring.attach import attach
from ringcollect.supervise.cleaning import clean
from ringcollect.supervise.lock import SupervisorLock

ROOT = Path(__file__).parents[2]
ROUNDS = 120

# Opens the ring again and again, as a restarting feed does; each time what it publishes must be found under the name.
RESTARTING = """
import sys
from pathlib import Path
import numpy as np
from ringcollect.records import RECORD
from ringcollect.ring.attach import attach
from tests.observe.rings import producer
folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
taken_over = 0
for _ in range(rounds):
    ring = producer(folder)
    ring.publish(np.zeros(3, RECORD))
    assert attach(ring.path).head == ring.head and attach(ring.path).producer_alive()
    assert ring.control.path.exists()
    taken_over += ring.reattached
    ring.close()
print(taken_over)
"""


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_a_ring_that_is_opened_while_clean_runs_is_the_one_under_its_name(tmp_path: Path) -> None:
    process, removed, rounds = start(RESTARTING, tmp_path, ROUNDS), 0, 0
    while process.poll() is None:
        report = clean(tmp_path)
        rounds += 1
        removed += "binance.rec.ring" in report.removed
    output, _ = process.communicate()
    assert process.returncode == 0
    assert removed > 0 and rounds > removed, "clean came between closing and opening, and at other times"
    assert int(output) < ROUNDS


HOLDING = """
import sys, time
from pathlib import Path
from tests.observe.rings import producer
ring = producer(Path(sys.argv[1]), "held.rec")
print("ready", flush=True)
time.sleep(600)
"""


def test_a_stopped_producer_is_alive_and_a_killed_one_is_not(tmp_path: Path) -> None:
    process = start(HOLDING, tmp_path)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    os.kill(process.pid, signal.SIGSTOP)
    assert clean(tmp_path).kept == ("held.rec.ring",)
    reader = attach("held.rec", directory=tmp_path)
    assert reader.producer_alive() and not reader.replaced()
    process.kill()
    process.communicate()
    assert clean(tmp_path).removed == ("held.rec.ctl", "held.rec.ring")
    assert reader.replaced()


SUPERVISOR = """
import sys
from pathlib import Path
from ringcollect.errors import EnvironmentRefused
from ringcollect.supervise.lock import SupervisorLock
folder, rounds, had = Path(sys.argv[1]), int(sys.argv[2]), 0
for _ in range(rounds):
    try:
        lock = SupervisorLock(folder)
    except EnvironmentRefused:
        continue
    had += 1
    (folder / "processes.json").write_text("{}")
    (folder / "state.json").write_text("{}")
    assert (folder / "supervisor.lock").stat().st_ino
    assert (folder / "processes.json").exists() and (folder / "state.json").exists(), "a living one's table was removed"
    lock.release()
print(had)
"""


def test_the_table_of_a_supervisor_that_starts_while_clean_runs_stays(tmp_path: Path) -> None:
    process, removed = start(SUPERVISOR, tmp_path, ROUNDS), 0
    while process.poll() is None:
        removed += "processes.json" in clean(tmp_path).removed
    output, _ = process.communicate()
    assert process.returncode == 0
    assert int(output) > 0 and removed > 0


def test_two_supervisors_cannot_both_have_the_lock_with_a_clean_in_between(tmp_path: Path) -> None:
    SupervisorLock(tmp_path).release()
    before = (tmp_path / "supervisor.lock").stat().st_ino
    clean(tmp_path)
    assert (tmp_path / "supervisor.lock").stat().st_ino == before, "the file they lock is the same for ever"
