"""The same 25 columns from the same Parquet files: our rebuild, Polars, DuckDB and pandas."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from benchmarks.figures import Case, Section, Skip, Target
from benchmarks.form import Form
from benchmarks.harness import cpus
from benchmarks.peers import install
from benchmarks.subjects import Entry, Measured
from benchmarks.sync.lake import filled

CAPTURE = "binance_spot_2024"
COLUMNS = (
    "ob_mid_price", "ob_spread", "ob_imbalance", "trade_volume", "trade_vwap", "trade_count", "trade_buy_volume",
    "trade_sell_volume", "trade_imbalance", "trade_px_last",
    "spread_bps", "microprice",
    "bid_size_L0", "ask_size_L0", "imbalance_L5", "total_bid_volume", "total_ask_volume", "bid_levels",
    "bid_depth_10bps", "ask_depth_10bps", "imb_50bps",
    "trade_count_5s", "vwap_60s",
    "log_return_step", "rv_60s",
)  # fmt: skip
GRID_NS = 100_000_000
OURS, POLARS = "ringcollect features build", "Polars, expressions"
AT_LEAST = 10.0
CLOSE = 1e-9
"""Largest relative difference of two values that are called the same: sums in another order differ in the last bits."""
PEER = "frames"
ENTRIES = (
    Entry(OURS, "benchmarks.sync.columns_own", ours=True),
    Entry(POLARS, "benchmarks.sync.columns_polars", {"book": "expressions"}, peer=PEER),
    Entry("Polars, book by a Python loop", "benchmarks.sync.columns_polars", {"book": "loop"}, peer=PEER),
    Entry("DuckDB", "benchmarks.sync.columns_duckdb", peer=PEER),
    Entry("pandas", "benchmarks.sync.columns_pandas", peer=PEER),
)


def run(form: Form) -> Section:
    """ns a row from raw files to files of rows."""
    ready, skipped = install([PEER]) if form.peers else ({}, [Skip("Polars, DuckDB, pandas", "not in this form")])
    path = Path(os.environ["RINGCOLLECT_CAPTURES"]) / f"{CAPTURE}.jsonl.gz"
    title, unit = "The same columns built offline", "ns a row"
    if not path.is_file():
        return Section("sync_columns", title, unit, (), skipped=(Skip(CAPTURE, "not among the captures"),))
    events = None if form.scale == 1 else 60_000 if form.peers else 3_000
    with TemporaryDirectory(
        prefix="ringcollect-bench-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None
    ) as place:
        lake = filled(Path(place) / "lake", path, events)
        case, versions = _case(CAPTURE, ENTRIES, lake.folder, Path(place), ready, form, None)
        cases = [case]
        if form.peers:
            alone = [entry for entry in ENTRIES if entry.name in (OURS, POLARS)]
            name = f"{CAPTURE}, one processor for each"
            cases.append(_case(name, alone, lake.folder, Path(place), ready, form, cpus()[-1])[0])
    return Section(
        "sync_columns", title, unit, tuple(cases), skipped=tuple(skipped), facts=versions,
        notes=(
            f"columns: {', '.join(COLUMNS)}",
            f"from {lake.bytes / 1e6:.1f} MB of Parquet with {lake.records:,} records (depth updates of 100 ms, trades,"
            " best prices) to rows of 100 ms in Parquet, files in memory; every subject may use every processor, ours"
            " computes on one; in the second case each has one",
            "ours also checks the input against its certificates, and writes journal, checkpoint, certificates and row"
            " hashes; which rows there are (the clock's decision) is told to the peers, who read no best prices",
            "left out, as nobody writes them as expressions: order flow over levels, time-weighted means, whatever"
            " depends on single updates; rules for late and re-sent records, checksums, gaps and resyncs, of which"
            " this capture has none",
        ),
    )  # fmt: skip


def _case(
    name: str, chosen: Sequence[Entry], lake: Path, place: Path, ready: Any, form: Form, cpu: int | None
) -> tuple[Case, dict[str, str]]:
    told = {"lake": str(lake), "columns": list(COLUMNS)}
    results = {entry.name: place / f"result_{number}.parquet" for number, entry in enumerate(chosen)}
    first = chosen[0].told(result=str(results[OURS]), **told)
    rows = rows_of(Measured([first], {}, 0, cpu), results[OURS])
    entries = [entry.told(result=str(results[entry.name]), rows=rows, **told) for entry in chosen]
    rounds = 5 if form.scale == 1 else 2 if form.peers else 1
    measured = Measured(entries, ready, rounds, cpu)
    checks, wrong = [], []
    ours = pq.read_table(results[OURS])
    for peer in measured.numbers:
        if peer == OURS:
            continue
        different = list(differences(ours, pq.read_table(results[peer])))
        if different:
            wrong.append(Skip(peer, f"computed something else: {'; '.join(different[:3])}"))
        else:
            checks.append(f"{peer}: {len(ours):,} rows of {len(COLUMNS)} columns agree to {CLOSE:g}")
    series = tuple(one for one in measured.series() if one.subject not in {skip.subject for skip in wrong})
    detail = f"{len(ours):,} rows of {len(rows)} instruments."
    case = Case(name, detail, series, (Target(OURS, POLARS, AT_LEAST),), (*measured.skipped, *wrong), tuple(checks))
    return case, measured.versions


def rows_of(measured: Measured, result: Path) -> dict[str, tuple[int, int]]:
    """The first and the last row of each symbol, as our rebuild has them."""
    if not result.is_file():
        raise RuntimeError("; ".join(skip.reason for skip in measured.skipped))
    table = pq.read_table(result, columns=["symbol", "ts_ns"])
    symbols = np.array(table["symbol"].to_pylist())
    numbers = table["ts_ns"].to_numpy() // GRID_NS
    return {
        str(symbol): (int(numbers[symbols == symbol].min()), int(numbers[symbols == symbol].max()))
        for symbol in np.unique(symbols)
    }


def differences(ours: Any, theirs: Any) -> Iterator[str]:
    """What is not the same, in words; both sorted by symbol and ts_ns."""
    if len(ours) != len(theirs):
        yield f"{len(theirs)} rows instead of {len(ours)}"
        return
    for name in ("symbol", "ts_ns"):
        if ours[name].to_pylist() != theirs[name].to_pylist():
            yield f"other rows ({name})"
            return
    for name in COLUMNS:
        mine = ours[name].to_numpy().astype(np.float64)
        other = theirs[name].to_numpy().astype(np.float64)
        same = np.isclose(mine, other, rtol=CLOSE, atol=_least(name), equal_nan=True)
        if not same.all():
            at = int(np.flatnonzero(~same)[0])
            what = f"{float(other[at])} instead of {float(mine[at])}"
            yield f"{name}: {int((~same).sum())} values, the first in row {at}: {what}"


def _least(name: str) -> float:
    """Differences of nearly equal numbers: what rounding of the larger ones may leave."""
    if name in ("ob_imbalance", "trade_imbalance", "spread_bps", "imbalance_L5", "imb_50bps"):
        return 1e-9
    return 1e-12
