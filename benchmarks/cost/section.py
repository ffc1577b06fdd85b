"""Cost: ns a frame and a record of every exchange and channel, captured and simulated, in one table."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.cost.captured import captured, captures
from benchmarks.cost.script import Label, Script
from benchmarks.cost.simulation import SIMULATED, simulated
from benchmarks.cost.unified import through_ccxt
from benchmarks.figures import Case, Section, Series, Skip
from benchmarks.form import Form
from benchmarks.harness import Run, alternate, cpus
from benchmarks.report import RECORDS
from benchmarks.workers import Opened, Worker
from ringcollect.exchanges import NAMES, load
from ringcollect.records import Channel

OURS = "ringcollect, the feed's own way"
ORJSON = "orjson.loads"
SUBJECTS = {OURS: "feed", ORJSON: "orjson"}
EVENTS, EVENTS_IN_SHORT, EVENTS_IN_CI = 60_000, 9_000, 1_000
SECONDS, SECONDS_IN_SHORT, SECONDS_IN_CI = 120.0, 25.0, 4.0
ORDERS_A_SECOND = 100
MOST = 5_000
"""Timed frames of a row."""
MOST_ROUNDS = 5
ALSO = "also in its frames"
_PLACES = {channel.name.lower(): place for place, channel in enumerate(Channel)}


def run(form: Form) -> Section:
    """Measure every row."""
    cpu = cpus()[-1]
    done: list[Case] = []
    streams, missing = captures()
    events = EVENTS if form.scale == 1 else EVENTS_IN_SHORT if form.peers else EVENTS_IN_CI
    seconds = SECONDS if form.scale == 1 else SECONDS_IN_SHORT if form.peers else SECONDS_IN_CI
    rounds = min(form.rounds, MOST_ROUNDS if form.scale == 1 else 3 if form.peers else 1)
    with tempfile.TemporaryDirectory(prefix="ringcollect-bench-") as scratch:
        folder = Path(scratch)
        with Worker([sys.executable, "-m", "benchmarks.cost.own"], cpu=cpu, log=folder / "own.log") as worker:
            for capture, path in streams:
                done += _cases(captured(capture, path, events, MOST), worker, rounds, folder)
            for exchange in NAMES:
                done += _cases(simulated(exchange, seconds, MOST), worker, rounds, folder)
            done += _cases(through_ccxt(int(seconds * ORDERS_A_SECOND), MOST), worker, rounds, folder)
            versions = worker.versions
    done.sort(key=_place)
    return Section(
        "cost", "Cost of a frame and of a record", "ns a frame", tuple(done), facts=versions, one_table=True,
        notes=(
            *([f"not among the captures: {', '.join(missing)}"] if missing else []),
            *_without_rows(done),
            "what is timed is the session's call with one frame: bytes to records in the ring, continuity and counters"
            " included; of three passes each frame's least counts, and the clock's own time is taken off",
            "`by a kernel`: frames that no Python but the call itself saw, in percent",
            "a frame of several channels is called by its first, or by a liquidation in it; ns a record: ns a frame by"
            " its records",
            f"the worker on processor {cpu}",
        ),
    )  # fmt: skip


def _cases(script: Script, worker: Worker, rounds: int, folder: Path) -> list[Case]:
    """The rows of one script: all of them come from the same passes."""
    path = str(script.write(folder))
    opened = {name: worker.open({"script": path, "subject": subject}) for name, subject in SUBJECTS.items()}
    said: dict[str, list[dict[str, float]]] = {name: [] for name in opened}
    _, failed = alternate({name: _keeping(one, said[name]) for name, one in opened.items()}, rounds)
    for one in opened.values():
        one.close()
    Path(path).unlink()
    skips = tuple(Skip(name, reason) for name, reason in failed.items())
    return [_case(script, place, said, rounds, skips) for place in range(len(script.labels))]


def _keeping(one: Opened, said: list[dict[str, float]]) -> Run:
    def once() -> float:
        whole = one.round()
        said.append(one.evidence())
        return whole

    return once


def _case(
    script: Script, place: int, said: dict[str, list[dict[str, float]]], rounds: int, skips: tuple[Skip, ...]
) -> Case:
    label, tally = script.labels[place], script.tallies[place]
    columns: dict[str, str | float] = {
        "exchange": script.plan.exchange,
        "market": label.market,
        "channel": _called(label),
        ALSO: ", ".join(sorted(tally.channels - {label.channel.split()[0]}, key=_PLACES.__getitem__)),
        "source": script.source,
        "frames": float(tally.frames),
        RECORDS: tally.records / tally.frames,
        "by a kernel, %": 100 * tally.by_kernel / tally.frames,
    }
    series = tuple(
        Series(name, tuple(numbers[str(place)] for numbers in rows[-rounds:]), name == OURS)
        for name, rows in said.items()
        if rows
    )
    of = script.plan.exchange if script.source == SIMULATED else ""
    name = " ".join(part for part in (of, script.source, label.market, _called(label)) if part)
    return Case(name, f"{tally.frames} frames", series, skipped=skips, columns=columns)


def _called(label: Label) -> str:
    return label.channel if label.way == "frame" else f"{label.channel} ({label.way})"


def _place(case: Case) -> tuple[str, int, bool, str, str]:
    channel = str(case.columns["channel"])
    source = str(case.columns["source"])
    known = _PLACES[channel.split()[0]]
    return str(case.columns["exchange"]), known, source == SIMULATED, str(case.columns["market"]), channel


def _without_rows(done: list[Case]) -> list[str]:
    """Channels that a feed can ask for and of which nothing came."""
    there: dict[tuple[str, str], set[str]] = {}
    for case in done:
        columns = {name: str(value) for name, value in case.columns.items()}
        came = there.setdefault((columns["exchange"], columns["market"]), set())
        came |= {columns["channel"].split()[0], *columns[ALSO].split(", ")}
    gone = [
        f"{exchange} {market} {channel.name.lower()}"
        for (exchange, market), came in sorted(there.items())
        for channel in load(exchange).channels(market)
        if channel.name.lower() not in came
    ]
    return [f"of these nothing came: {', '.join(gone)}"] if gone else []
