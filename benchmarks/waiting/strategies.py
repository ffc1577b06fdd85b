"""Each strategy with one reader: a silence, then a stream of single records at random times."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import cpus, pin
from benchmarks.waiting.futex import address_of, bell_at, publish_and_ring, publish_many
from ringcollect.records import RECORD
from ringcollect.ring import protocol
from ringcollect.ring.producer import Producer


@dataclass(frozen=True)
class Setting:
    """One line of the table. ``shortest_s`` and ``longest_s`` are for ``adaptive`` only."""

    label: str
    name: str
    shortest_s: float = 0.001
    longest_s: float = 0.001


SETTINGS = (
    Setting("spin", "spin"),
    Setting("yield", "yield"),
    Setting("adaptive, 1 ms always", "adaptive", 0.001, 0.001),
    Setting("adaptive, 1 to 5 ms", "adaptive", 0.001, 0.005),
    Setting("adaptive, 1 to 20 ms (default)", "adaptive", 0.001, 0.020),
    Setting("adaptive, 10 to 50 ms (low-power)", "adaptive", 0.010, 0.050),
    Setting("adaptive, 10 to 200 ms", "adaptive", 0.010, 0.200),
    Setting("futex (prototype, not built)", "futex"),
)


@dataclass(frozen=True)
class Plan:
    """How long each run is, and how many there are of each setting."""

    silence_s: float
    records: int
    rate: float
    rounds: int


def measure(plan: Plan) -> dict[str, dict[str, dict[str, float]]]:
    """Label to ``silent`` and ``streaming`` to number by name: medians of the alternating rounds."""
    runs: dict[str, list[dict[str, Any]]] = {setting.label: [] for setting in SETTINGS}
    for number in range(plan.rounds):
        for setting in SETTINGS:
            runs[setting.label].append(_run(setting, plan, seed=number))
    return {
        label: {
            phase: {key: statistics.median(run[phase][key] for run in done) for key in done[0][phase]}
            for phase in ("silent", "streaming")
        }
        for label, done in runs.items()
    }


def _run(setting: Setting, plan: Plan, seed: int) -> dict[str, Any]:
    mine, theirs = cpus()[0], cpus()[-1]
    pin(mine)
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        ring = Producer.open(Path(folder), "bench.rec", RECORD, 1 << 14, generation=1)
        bell = bell_at(ring.path.with_suffix(".bell"))
        command = [
            sys.executable, "-m", "benchmarks.waiting.reader", str(ring.path), setting.name,
            str(setting.shortest_s), str(setting.longest_s), str(theirs),
        ]  # fmt: skip
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(plan.silence_s)
        random_gap = random.Random(seed)
        batch = np.zeros(1, RECORD)
        words = batch.view(np.int64)
        for _ in range(plan.records):
            time.sleep(random_gap.expovariate(plan.rate))
            batch["ts_recv"] = time.monotonic_ns()
            if setting.name == "futex":
                publish_and_ring(ring.words, words, 1, bell, address_of(bell))
            else:
                protocol.publish(ring.words, words, 1)
        ring.close()
        said: dict[str, Any] = json.loads(child.stdout.read())
        child.stdout.close()
        if child.wait() != 0:
            raise RuntimeError(f"the reader with {setting.label} failed")
        return said


def price_of_a_bell(rounds: int) -> dict[str, float]:
    """ns per publication of one record inside a jitted loop: without a bell, with one nobody hears, with a waiter."""
    batch = np.zeros(1, RECORD).view(np.int64)
    times: dict[str, list[float]] = {"as it is": [], "with a bell, nobody waits": [], "with a bell, somebody waits": []}
    pin(cpus()[0])
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        ring = Producer.open(Path(folder), "bench.rec", RECORD, 1 << 14, generation=1)
        silent, heard = bell_at(Path(folder) / "silent"), bell_at(Path(folder) / "heard")
        heard[0] = 1  # as it is all the time in a collector that waits this way; the system call finds no sleeper
        for turn in range(rounds + 1):
            for name, n in (("as it is", 200_000), ("with a bell, nobody waits", 200_000)):
                began_ns = time.perf_counter_ns()
                if name == "as it is":
                    publish_many(ring.words, batch, n)
                else:
                    publish_and_ring(ring.words, batch, n, silent, address_of(silent))
                if turn:
                    times[name].append((time.perf_counter_ns() - began_ns) / n)
            began_ns = time.perf_counter_ns()
            publish_and_ring(ring.words, batch, 20_000, heard, address_of(heard))
            if turn:
                times["with a bell, somebody waits"].append((time.perf_counter_ns() - began_ns) / 20_000)
        ring.close()
    return {name: statistics.median(each) for name, each in times.items()} | {"waking a sleeper": _price_of_waking()}


def _price_of_waking() -> float:
    """ns of one publication that wakes a sleeping process on another processor, from the jitted call's outside."""
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        ring = Producer.open(Path(folder), "bench.rec", RECORD, 1 << 14, generation=1)
        bell = bell_at(ring.path.with_suffix(".bell"))
        command = [
            sys.executable, "-m", "benchmarks.waiting.reader", str(ring.path), "futex", "1", "1", str(cpus()[-1]),
        ]  # fmt: skip
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        batch = np.zeros(1, RECORD)
        words = batch.view(np.int64)
        waking, plain = [], []
        for _ in range(500):
            time.sleep(0.002)
            batch["ts_recv"] = time.monotonic_ns()
            began_ns = time.perf_counter_ns()
            publish_and_ring(ring.words, words, 1, bell, address_of(bell))
            waking.append(time.perf_counter_ns() - began_ns)
        ring.close()
        child.communicate()
        other = Producer.open(Path(folder), "other.rec", RECORD, 1 << 14, generation=1)
        for _ in range(500):
            time.sleep(0.002)
            began_ns = time.perf_counter_ns()
            protocol.publish(other.words, words, 1)
            plain.append(time.perf_counter_ns() - began_ns)
        other.close()
        return statistics.median(waking) - statistics.median(plain)


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
