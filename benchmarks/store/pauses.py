"""The longest pause of draining while a whole segment is sealed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Case, Section, Series, Target
from benchmarks.form import Form
from benchmarks.harness import RunFailed, last_line
from benchmarks.workers import ROOT

OURS, BOUND = "ringcollect, journal process", "the bound of 100 ms"
BOUND_MS = 100.0
MOST_ROUNDS = 5


def run(form: Form) -> Section:
    """Milliseconds, the longest of each run."""
    count = 1_000_000 if form.peers else 50_000
    rounds = min(form.rounds, MOST_ROUNDS) if form.scale == 1 else 3 if form.peers else 1
    said = [_once(count) for _ in range(rounds)]
    runs = tuple(float(one["ms"]) for one in said)
    return Section(
        "store_pause", "Draining while a segment is sealed", "ms",
        (
            Case(
                f"the longest pause while {count:,} rows are sealed",
                series=(Series(OURS, runs, True), Series(BOUND, (BOUND_MS,) * len(runs))),
                targets=(Target(OURS, BOUND, 1.0),),
                checks=tuple(f"{one['drained']:,} records drained, {one['sealed']:,} sealed" for one in said),
            ),
        ),
        notes=(
            "the loop of the journal process over one ring in a process of its own, flushing and syncing every 10 ms to"
            " a disk, with 10,000 records a second coming; from the moment the sealer's process is started, itself"
            " included, to its end, the longest time from the end of one round to the end of the next",
            "the sealer has nice 10 and shares the host's processors with everything else",
        ),
    )  # fmt: skip


def _once(count: int) -> dict[str, float]:
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    prefix = "ringcollect-bench-"
    with TemporaryDirectory(prefix=prefix) as data, TemporaryDirectory(prefix=prefix, dir=memory) as runtime:
        command = [sys.executable, "-m", "benchmarks.store.pausing", data, runtime, str(count)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=dict(os.environ))
    if done.returncode:
        raise RunFailed(last_line(done.stderr))
    said: dict[str, float] = json.loads(last_line(done.stdout))
    return said
