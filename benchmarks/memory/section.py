"""Memory: private bytes of a feed process by the number of its symbols, and what one symbol more takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.figures import Case, Section, Series, Skip, Target
from benchmarks.form import Form
from benchmarks.harness import Run, RunFailed, alternate, last_line
from benchmarks.memory.script import CHANNELS, EXCHANGE, write
from benchmarks.workers import ROOT
from ringcollect.supervise.forking import FORKSERVER_ENVIRONMENT

COUNTS, COUNTS_IN_CI = (1, 50, 500), (1, 10, 40)
SECONDS = 9.0
"""Until everything is subscribed, at the pace the venue allows."""
KB = 1000.0
OURS, BOUND = "ringcollect, a symbol more", "the bound of 16 kB"
BOUND_KB = 16.0
MOST_ROUNDS = 3


def run(form: Form) -> Section:
    """A script for each number of symbols, then a process for each run of one."""
    counts = COUNTS if form.peers else COUNTS_IN_CI
    grown: dict[str, list[float]] = {_name(count): [] for count in counts}
    with tempfile.TemporaryDirectory(prefix="ringcollect-bench-") as place:
        folder = Path(place)
        said = {count: write(folder / f"{count}.jsonl", count, SECONDS) for count in counts}
        subjects: dict[str, Run] = {_name(count): _running(folder, count, grown[_name(count)]) for count in counts}
        alternate({"first": _running(folder, counts[0], [])}, 0)  # whatever is still to be compiled is compiled by it
        rounds = MOST_ROUNDS if form.scale == 1 else 1
        numbers, failed = alternate(subjects, rounds, warmup=0)
    flows = "; ".join(
        f"{_name(count)}: {of['flowing']} of {of['streams']} streams flow, {of['records']:,} records"
        for count, of in said.items()
    )
    whole = Case(
        "a feed process", flows, tuple(Series(name, runs, ours=True) for name, runs in numbers.items()),
        skipped=tuple(Skip(name, reason) for name, reason in failed.items()),
    )  # fmt: skip
    cases = (whole, slope({name: tuple(runs) for name, runs in grown.items()}, counts[1], counts[2], form.peers))
    return Section(
        "memory", "Memory of a feed process", "kB (1000 bytes)", cases if not failed else (whole,),
        notes=(
            f"a session with its ring in a process of its own, told what simulated {EXCHANGE} sends to its symbols in"
            f" {SECONDS:.0f} s of virtual time, channels {', '.join(CHANNELS)}, and then so many prints of each symbol"
            " that its window of recent ids is full; interpreter, imports and kernels are in it, sockets and their"
            " buffers are not",
            "a feed process: PSS without the pages of the ring; a symbol more: what of it is in no file",
        ),
    )  # fmt: skip


def _name(count: int) -> str:
    return f"{count} symbol{'s' if count > 1 else ''}"


def slope(numbers: dict[str, tuple[float, ...]], fewer: int, more: int, is_target: bool = True) -> Case:
    """What one symbol takes between the two numbers of symbols, run by run, beside the bound."""
    pairs = zip(numbers[_name(fewer)], numbers[_name(more)], strict=True)
    runs = tuple((high - low) / (more - fewer) for low, high in pairs)
    return Case(
        f"a symbol more, between {fewer} and {more}",
        series=(Series(OURS, runs, ours=True), Series(BOUND, (BOUND_KB,) * len(runs))),
        targets=(Target(OURS, BOUND, 1.0),) if is_target else (),
    )


def _running(folder: Path, count: int, anonymous: list[float]) -> Run:
    def once() -> float:
        with tempfile.TemporaryDirectory(prefix="ringcollect-bench-", dir=folder) as rings:
            command = [sys.executable, "-m", "benchmarks.memory.feed", str(folder / f"{count}.jsonl"), rings]
            environment = os.environ | FORKSERVER_ENVIRONMENT
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
            )
        if done.returncode:
            raise RunFailed(last_line(done.stderr))
        said = json.loads(done.stdout)
        if min(said.values()) < 0:
            raise RunFailed("the host does not tell what a process takes (smaps_rollup)")
        anonymous.append(float(said["anon"]) / KB)
        return float(said["pss"]) / KB

    return once
