"""Start-up: from the start of the process to the first record or callback, with and without compiled kernels."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import Case, Section, Series, Skip
from benchmarks.form import Form
from benchmarks.harness import Run, alternate, quiet
from benchmarks.peers import PEERS, Installed, install
from benchmarks.startup.collector import SYMBOLS, Collector, first_line, simulator
from ringcollect.kernel_cache import cache_dir

_MEMORY = Path("/dev/shm")
OURS = "ringcollect start"
_CRYPTOFEED = "cryptofeed, to its first callback"
_IMPORTS = {"ccxt": "ccxt.pro", "cryptofeed": "cryptofeed"}


def run(form: Form) -> Section:
    """Seconds."""
    ready, skipped = install(["cryptofeed", "ccxt"]) if form.peers else ({}, [])
    if not form.peers:
        skipped = [Skip(name, "not in this form") for name in ("cryptofeed", "ccxt")]
    memory = str(_MEMORY) if _MEMORY.is_dir() else None
    prefix = "ringcollect-bench-"
    with TemporaryDirectory(prefix=prefix) as place, TemporaryDirectory(prefix=prefix, dir=memory) as rings:
        folder = Path(place)
        with simulator() as exchange:
            collector = Collector(folder, Path(rings), exchange)
            cases: list[Case] = []
            cache = cache_dir().parent
            if form.peers:
                cases, cache = _cold(form, collector, folder)
            cases.insert(0, _warm(form, collector, cache, exchange, ready))
    return Section(
        name="startup",
        title="Start-up",
        unit="seconds",
        cases=tuple(cases),
        skipped=tuple(skipped),
        notes=(
            "`ringcollect start` on two simulated Binance spot symbols on loopback (1,000 frames a second), every"
            " channel and the synchronizer on; the clock stops when another process can read the first trade, quote or"
            " book record from the ring. So interpreter, imports, kernels, metadata, subscriptions and acks are in it.",
            "cryptofeed gets the same simulator in place of its addresses, and the clock stops at its first callback."
            " The imports beside it are what a script pays before it does anything.",
            "Cold means an empty folder for compiled kernels, as on the first start after an installation without"
            " `ringcollect warm`; `start` then compiles before it opens a socket. No peer compiles anything, so there"
            " is nothing to compare it with."
        ),
    )  # fmt: skip


def _warm(
    form: Form, collector: Collector, cache: Path, exchange: Mapping[str, Any], ready: dict[str, Installed]
) -> Case:
    collector.start(cache)  # whatever is not there yet is compiled
    subjects: dict[str, Run] = {OURS: lambda: collector.start(cache)}
    if "cryptofeed" in ready:
        script = str(Path(__file__).with_name("cryptofeed_first.py"))
        names = [f"{symbol[:-4]}-{symbol[-4:]}" for symbol in SYMBOLS]
        words = [script, exchange["ws"]["spot"], exchange["rest"]["spot"], *names]
        subjects[_CRYPTOFEED] = lambda: first_line([*PEERS["cryptofeed"].command, *words])
    for name, module in _IMPORTS.items():
        if name in ready:
            subjects[f"import {module}"] = _importing(PEERS[name].command, module)
    rounds = form.rounds if form.peers else 2
    with quiet():
        numbers, failed = alternate(subjects, rounds)
    return Case(
        "warm, to the first record",
        series=tuple(Series(name, runs, name.startswith("ringcollect")) for name, runs in numbers.items()),
        skipped=tuple(Skip(name, reason) for name, reason in failed.items()),
    )


def _importing(python: list[str], module: str) -> Run:
    return lambda: first_line([*python, "-c", f"import {module}; print('imported', flush=True)"])


def _cold(form: Form, collector: Collector, folder: Path) -> tuple[list[Case], Path]:
    """A minute each, so the short form runs it once and says so. Answers the last, now filled folder too."""
    rounds = 1 if form.scale < 1 else form.rounds
    caches = [folder / f"cold-{number}" for number in range(rounds)]
    starts, compilings = [], []
    for cache in caches:
        starts.append(collector.start(cache))
        compilings.append(collector.compiled_s())
    for cache in caches[:-1]:
        shutil.rmtree(cache)
    detail = f"{rounds} run{'s' if rounds > 1 else ''}, each with an empty folder for compiled kernels."
    cases = [
        Case("cold, to the first record", detail, (Series(OURS, tuple(starts), ours=True),)),
        Case(
            "ringcollect warm",
            "Of the same runs: `start` runs it where nothing is compiled, as an installation may do before.",
            (Series("ringcollect warm", tuple(compilings), ours=True),),
        ),
    ]
    return cases, caches[-1]
