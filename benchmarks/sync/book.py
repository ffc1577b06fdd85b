"""Levels into books: the synchronizer's, hftbacktest's and Python's, on one stream."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import Case, Section, Skip, Target
from benchmarks.form import Form
from benchmarks.harness import cpus
from benchmarks.peers import install
from benchmarks.streams import Stream, captured, simulated
from benchmarks.subjects import Entry, Measured
from benchmarks.sync.levels import levels_of, write

CAPTURE, EXCHANGE, MARKET = "binance_spot_2024", "binance", "spot"
LINES_IN_SHORT, LINES_IN_CI = 30_000, 3_000
SIMULATED = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")
RATE = 5_000.0
OURS = "ringcollect, the book alone"
HASHMAP, VECTOR = "hftbacktest, HashMapMarketDepth", "hftbacktest, ROIVectorMarketDepth"
_OWN, _HFT, _PYTHON = (f"benchmarks.sync.book_{name}" for name in ("own", "hftbacktest", "python"))
ENTRIES = (
    Entry(OURS, _OWN, {"subject": "book"}, ours=True),
    Entry("ringcollect, synchronizer with minimal", _OWN, {"subject": "synchronizer"}, ours=True),
    Entry(HASHMAP, _HFT, {"subject": "hashmap"}, peer="hftbacktest"),
    Entry(VECTOR, _HFT, {"subject": "roivec"}, peer="hftbacktest"),
    Entry("sortedcontainers.SortedDict", _PYTHON, {"subject": "sorteddict"}, peer="books"),
    Entry("dict, best price never asked for", _PYTHON, {"subject": "dict"}, peer="books"),
)  # fmt: skip
LEAST_LEVELS = 400_000
"""Levels of a round; a short stream is gone through again, with new books."""


def run(form: Form) -> Section:
    """ns a level of each."""
    ready, skipped = install(["hftbacktest", "books"]) if form.peers else ({}, [Skip("peers", "not in this form")])
    path = Path(os.environ["RINGCOLLECT_CAPTURES"]) / f"{CAPTURE}.jsonl.gz"
    rounds = form.rounds if form.scale == 1 else 3 if form.peers else 2
    lines = None if form.scale == 1 else LINES_IN_SHORT if form.peers else LINES_IN_CI
    seconds = 120.0 if form.scale == 1 else 10.0 if form.peers else 1.0
    streams = {
        CAPTURE: lambda: captured(path, EXCHANGE, MARKET, lines),
        "simulated": lambda: simulated(SIMULATED, seconds, RATE, ("book",)),
    }
    cases: list[Case] = []
    versions: dict[str, str] = {}
    for name, make in streams.items():
        if name == CAPTURE and not path.is_file():
            skipped.append(Skip(name, "not among the captures"))
            continue
        case, said = _case(name, make(), ready, rounds, form)
        cases.append(case)
        versions |= said
    return Section(
        "sync_book", "Levels into books", "ns a level", tuple(cases), skipped=tuple(skipped), facts=versions,
        notes=(
            "every subject is given the same levels in memory, in the form it wants, and starts from empty books; what"
            " is timed is applying them all, with no look at the book in between",
            "`the book alone` is the kernel of the synchronizer, as `synchronizer with minimal` calls it, which also"
            " follows the chain, keeps a clock per instrument, holds records back until their row is due and writes"
            " rows of 25 columns every 100 ms",
            "hftbacktest gets events for its local processor only and so keeps one book, not two; it moves a clock"
            " from event to event and looks for the nearest, which is part of running its depth on data of its format",
        ),
    )  # fmt: skip


def _case(name: str, stream: Stream, ready: Any, rounds: int, form: Form) -> tuple[Case, dict[str, str]]:
    levels = levels_of(stream)
    passes = max(1, round(LEAST_LEVELS * (1 if form.peers else 0.01)) // len(levels))
    ticks = [one.tick_size for one in stream.instruments]
    with TemporaryDirectory(prefix="ringcollect-bench-") as folder:
        write(levels, len(ticks), Path(folder))
        told = {"case": folder, "ticks": ticks, "passes": passes}
        measured = Measured([entry.told(**told) for entry in ENTRIES], ready, rounds, cpus()[-1])
    detail = f"{len(levels):,} levels of {len(ticks)} books in {stream.seconds:.0f} s of the stream"
    targets = (Target(OURS, HASHMAP, 1.0), Target(OURS, VECTOR, 1.0))
    case = Case(name, detail + ".", measured.series(), targets, tuple(measured.skipped), _agreement(measured))
    return case, measured.versions


def _agreement(measured: Measured) -> tuple[str, ...]:
    """Who has the same best five levels of every book as ours after the last level."""
    first = measured.evidence[OURS][-1]
    said = []
    for name in measured.numbers:
        same = measured.evidence[name][-1] == first
        said.append(f"{name}: {'best five levels of every book agree' if same else '**differs**'}")
    return tuple(said)
