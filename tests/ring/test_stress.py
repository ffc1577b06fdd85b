"""Real processes that are stopped, continued and killed at random: nothing torn, nothing doubled, the account exact.

``make stress`` runs it for RINGCOLLECT_STRESS_S seconds (an hour by default there); everywhere else a few seconds.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ringcollect.ring.attach import Reader
from ringcollect.ring.paths import ring_path

ROOT = Path(__file__).parents[2]
SECONDS = float(os.environ.get("RINGCOLLECT_STRESS_S", "4"))
KILL_EVERY_S = min(SECONDS / 3, 5.0)
PAUSES_US = (0, 50, 2000, 20_000)  # one reader that keeps up, one that nearly does, two that are lapped all the time


def start(role: str, kind: str, folder: Path, *more: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.ring.stress_worker", role, kind, str(folder), *map(str, more)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process


def wait_until_started(process: subprocess.Popen[str]) -> None:
    line = process.stdout.readline()
    assert line == "started\n", process.stderr.read()


@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.parametrize("kind", ["rec", "frm"])
def test_readers_of_any_speed_see_whole_records_and_exact_losses_whoever_is_stopped_or_killed(
    kind: str, tmp_path: Path
) -> None:
    rng = random.Random(11)
    readers = [start("read", kind, tmp_path, pause) for pause in PAUSES_US]
    producer = start("produce", kind, tmp_path)
    stopped: set[int] = set()
    kills = 0
    try:
        wait_until_started(producer)
        for reader in readers:
            wait_until_started(reader)
        begin = time.monotonic()
        while (now := time.monotonic() - begin) < SECONDS:
            time.sleep(rng.uniform(0.0, 0.05))
            if now > (kills + 1) * KILL_EVERY_S:
                producer.kill()
                producer.wait()
                kills += 1
                producer = start("produce", kind, tmp_path)
                wait_until_started(producer)
                continue
            victim = rng.choice([*readers, producer])
            if victim.pid in stopped:
                os.kill(victim.pid, signal.SIGCONT)
                stopped.discard(victim.pid)
            else:
                os.kill(victim.pid, signal.SIGSTOP)
                stopped.add(victim.pid)
        producer.kill()
        producer.wait()
        for reader in readers:
            reader.send_signal(signal.SIGCONT)
        head = Reader(ring_path(tmp_path, f"x.{kind}")).head
        (tmp_path / "over").touch()
        accounts = []
        for reader in readers:
            out, err = reader.communicate(timeout=60)
            assert reader.returncode == 0, err
            accounts.append([int(number) for number in out.split()])
    finally:
        for process in (*readers, producer):
            process.kill()
            process.communicate()
    assert head > 0 and kills > 0
    for kept, lost, cursor in accounts:
        assert kept + lost == cursor == head
        assert kept > 0
    assert sum(lost for _, lost, _ in accounts) > 0, "somebody was lapped, or nothing was stressed"
