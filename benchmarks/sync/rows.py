"""Rows a second of the feature sets: from two instruments to a hundred, beside the rate of the stream itself."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Case, Section, Series, Skip, Target
from benchmarks.form import Form
from benchmarks.harness import cpus
from benchmarks.streams import Stream, captured, simulated
from benchmarks.subjects import Entry, Measured

CAPTURE, EXCHANGE, MARKET = "binance_spot_2024", "binance", "spot"
SETS = ("minimal", "core", "full")
CORE, AS_CAPTURED = "ringcollect, core", "the stream, as fast as it came"
MANY, AT_LEAST = 50, 10.0
SIMULATED = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT", "BNBUSDT")
RATE = 1_000.0
MODULE = "benchmarks.sync.rows_own"


def run(form: Form) -> Section:
    """Rows a second."""
    path = Path(os.environ["RINGCOLLECT_CAPTURES"]) / f"{CAPTURE}.jsonl.gz"
    rounds = form.rounds if form.scale == 1 else 3 if form.peers else 1
    lines = None if form.scale == 1 else 30_000 if form.peers else 3_000
    seconds = 300.0 if form.scale == 1 else 30.0 if form.peers else 2.0
    cases: list[Case] = []
    skipped: list[Skip] = []
    if path.is_file():
        stream = captured(path, EXCHANGE, MARKET, lines)
        cases.append(_case(CAPTURE, stream, rounds))
        part = first_seconds(stream, 60.0 if form.scale == 1 else 20.0 if form.peers else 5.0)
        cases.append(_case(f"{CAPTURE}, {MANY} instruments", part.times(MANY), rounds, AT_LEAST))
    else:
        skipped.append(Skip(CAPTURE, "not among the captures"))
    cases.append(_case("simulated", simulated(SIMULATED, seconds, RATE), rounds))
    return Section(
        "sync_rows", "Rows of features", "rows a second", tuple(cases), less_is_better=False, skipped=tuple(skipped),
        notes=(
            "records in memory through the whole synchronizer: book, chain, clocks, hold-back of 250 ms, features;"
            " rows of 100 ms in a second of one core's processor time; no ring, no file",
            f"`{AS_CAPTURED}`: the rows that stream time brings in a second of it; its ratio is how many times faster"
            " than real time",
            f"{MANY} instruments: every one of the capture's two is told {MANY // 2} times, frame by frame in turn",
            "every set holds the same book; windows over 300 and 900 seconds cost as much empty as full",
        ),
    )  # fmt: skip


def first_seconds(stream: Stream, seconds: float) -> Stream:
    """The beginning of a stream."""
    times = stream.records["ts_recv"]
    return Stream(stream.records[times < times[0] + int(seconds * 1e9)].copy(), stream.instruments)


def entry_of(name: str, stream: Stream, features: tuple[str, ...], path: Path, bars: tuple[str, ...] = ()) -> Entry:
    """A subject that takes ``path``, the records of ``stream``."""
    ticks = [one.tick_size for one in stream.instruments]
    return Entry(name, MODULE, {"records": str(path), "ticks": ticks, "features": features, "bars": bars}, ours=True)


def _case(name: str, stream: Stream, rounds: int, at_least: float | None = None) -> Case:
    with TemporaryDirectory(prefix="ringcollect-bench-") as folder:
        path = Path(folder) / "records.npy"
        stream.save(path)
        entries = [entry_of(f"ringcollect, {features}", stream, (features,), path) for features in SETS]
        measured = Measured(entries, {}, rounds, cpus()[-1])
    rows = statistics.median(one["rows"] for one in measured.evidence[CORE])
    series = per(measured.series(), lambda ns: 1e9 / ns)
    real = Series(AS_CAPTURED, (rows / stream.seconds,) * rounds)
    return Case(
        name,
        f"{len(stream.records):,} records of {len(stream.instruments)} instruments in {stream.seconds:.0f} s;"
        f" {rows:,.0f} rows.",
        (*series, real),
        (Target(CORE, AS_CAPTURED, at_least),) if at_least else (),
        tuple(measured.skipped),
        tuple(f"{name}: {said[-1]['rows']:,} rows" for name, said in measured.evidence.items()),
    )


def per(series: tuple[Series, ...], turned: Callable[[float], float]) -> tuple[Series, ...]:
    """The same subjects with every number turned into another."""
    return tuple(Series(one.subject, tuple(turned(ns) for ns in one.runs), one.ours) for one in series)
