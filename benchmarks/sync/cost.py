"""What a row costs: by group of features, by set, and by how many instruments there are."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Case, Section, Series, Skip
from benchmarks.form import Form
from benchmarks.harness import RunFailed, cpus, last_line
from benchmarks.streams import Stream, captured, simulated
from benchmarks.subjects import Entry, Measured
from benchmarks.sync.rows import CAPTURE, EXCHANGE, MARKET, SETS, entry_of, first_seconds
from benchmarks.workers import ROOT, own_python
from ringcollect.sync.catalogue import GROUPS, Options

COUNTS, COUNTS_IN_CI = (1, 10, 100), (1, 3)
OURS = "ringcollect"
_BASE = "minimal"
_BARS, _BAR_KINDS = "P", ("1s", "5s", "30s", "1m")
_DERIVED = {"L"}
"""Groups whose inputs a spot market has not: what they cost here is what they cost with nothing to do."""


def run(form: Form) -> Section:
    """A table of ns a row."""
    path = Path(os.environ["RINGCOLLECT_CAPTURES"]) / f"{CAPTURE}.jsonl.gz"
    rounds = form.rounds if form.scale == 1 else 3 if form.peers else 1
    lines = None if form.scale == 1 else 30_000 if form.peers else 3_000
    counts = COUNTS if form.peers else COUNTS_IN_CI
    if path.is_file():
        stream, source = captured(path, EXCHANGE, MARKET, lines), CAPTURE
    else:
        stream, source = simulated(("BTCUSDT", "ETHUSDT"), 20.0 * form.share, 500.0), "simulated"
    part = first_seconds(stream, 60.0 if form.scale == 1 else 15.0 if form.peers else 5.0)
    with TemporaryDirectory(prefix="ringcollect-bench-") as place:
        folder = Path(place)
        cases = [
            *_groups(stream, source, rounds, folder),
            *_counts(part, source, counts, rounds, folder, weighed=form.peers),
        ]
    return Section(
        "sync_cost", "What a row costs", "ns a row", tuple(cases), one_table=True,
        notes=(
            "a set: everything from the record on, processor time, rows of 100 ms; a group: what its columns, with the"
            f" groups it needs, cost more than {_BASE} alone, in alternating runs",
            "groups C to F look at the whole book near the mid, K needs D: whoever runs several of them pays for that"
            " look once",
            "state: bytes an instrument takes for its words and windows; with levels: bytes in no file that an engine"
            " took, by instrument, its pool of waiting records included",
        ),
    )  # fmt: skip


def _groups(stream: Stream, source: str, rounds: int, folder: Path) -> list[Case]:
    path = folder / "all.npy"
    stream.save(path)
    columns = {
        group.letter: tuple(one.name for one in group.features(Options()) if one.name != "row_flags")
        for group in GROUPS
        if group.letter != "A"
    }
    entries = [entry_of(name, stream, (name,), path) for name in SETS]
    entries += [entry_of(letter, stream, names, path) for letter, names in columns.items()]
    entries.append(entry_of(_BARS, stream, (_BASE,), path, _BAR_KINDS))
    measured = Measured(entries, {}, rounds, cpus()[-1])
    base = measured.numbers.get(_BASE, ())
    cases = [_row(measured, entry, source, len(stream.instruments), entry.name, measured.numbers.get(entry.name, ()))
             for entry in entries[: len(SETS)]]  # fmt: skip
    modules = {group.letter: group.module for group in GROUPS} | {_BARS: f"bars of {', '.join(_BAR_KINDS)}"}
    for entry in entries[len(SETS) :]:
        more = tuple(own - least for own, least in zip(measured.numbers.get(entry.name, ()), base, strict=False))
        of = f"{entry.name} {modules[entry.name]}" + (", no input here" if entry.name in _DERIVED else "")
        cases.append(_row(measured, entry, source, len(stream.instruments), of, more))
    return cases


def _counts(
    stream: Stream, source: str, counts: tuple[int, ...], rounds: int, folder: Path, *, weighed: bool
) -> list[Case]:
    entries: list[Entry] = []
    held: dict[str, str | float] = {}
    for count in counts:
        many = stream.times(count)
        path = folder / f"{count}.npy"
        many.save(path)
        for features in ("minimal", "core"):
            name = f"{features}, {count} instruments"
            entries.append(entry_of(name, many, (features,), path))
            ticks = json.dumps([one.tick_size for one in many.instruments])
            held[name] = _bytes(path, ticks, features, count) if weighed else ""
    measured = Measured(entries, {}, rounds, cpus()[-1])
    cases = []
    for entry in entries:
        numbers = measured.numbers.get(entry.name, ())
        case = _row(measured, entry, source, len(entry.spec["ticks"]), entry.name.partition(",")[0], numbers)
        case.columns["with levels, kB"] = held[entry.name]
        cases.append(case)
    return cases


def _bytes(path: Path, ticks: str, features: str, count: int) -> str | float:
    """Thousands of bytes by instrument."""
    command = [*own_python(), "-m", "benchmarks.sync.holding", str(path), ticks, features]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunFailed(last_line(done.stderr))
    found = int(done.stdout)
    return found / count / 1000 if found > 0 else "not told"


def _row(
    measured: Measured, entry: Entry, source: str, instruments: int, what: str, numbers: tuple[float, ...]
) -> Case:
    said = measured.evidence.get(entry.name) or [{"columns": 0, "rows": 0, "bytes": 0}]
    columns: dict[str, str | float] = {
        "what": what,
        "source": source,
        "instruments": float(instruments),
        "columns": float(said[-1]["columns"]),
        "rows": float(said[-1]["rows"]),
        "state, kB": said[-1]["bytes"] / 1000,
        "with levels, kB": "",
    }
    skips = tuple(Skip(skip.subject, skip.reason) for skip in measured.skipped if skip.subject == entry.name)
    series = (Series(OURS, numbers, True),) if numbers else ()
    return Case(f"{what}, {instruments} instruments", "", series, skipped=skips, columns=columns)
