"""Bytes a row in the lake, beside the defaults of other writers and the frames themselves as text."""

from __future__ import annotations

import gzip
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Case, Section, Series, Skip, Target
from benchmarks.form import Form
from benchmarks.store.disk import disk_cases
from benchmarks.store.rows import (
    BUSY,
    LINES_IN_CI,
    OTHERS,
    Piece,
    beginning,
    frames_of,
    lake_of,
    pieces,
    simulated,
)
from benchmarks.store.writers import DUCKDB, OURS, POLARS, PYARROW, writers

SMALLER = 1 / 0.7
"""30 % smaller than the smallest of the defaults."""
TIMES_NDJSON = 5.0
SEEDS_BYTES = {"trades": 100.0, "mark_prices": 20.0, "fundings": 30.0}
"""What the systems this one follows say a row takes."""
TABLES = ("orderbooks", "trades", "quotes")
LAKE, NDJSON, NDJSON_GZ = "ringcollect, Parquet and certificates", "NDJSON", "NDJSON.gz"


def run(form: Form) -> Section:
    """Every size is measured once: files are a function of their rows."""
    folder_of_captures = Path(os.environ["RINGCOLLECT_CAPTURES"])
    lines = None if form.peers else LINES_IN_CI
    with TemporaryDirectory(prefix="ringcollect-bench-") as place:
        folder = Path(place)
        busy = beginning(folder_of_captures / BUSY, folder, lines)
        lakes = {"Binance spot": lake_of(busy, folder / "busy")}
        if form.peers:
            for name in OTHERS:
                lake_of(folder_of_captures / name, folder / "others")
            lakes["Bybit, Coinbase, Binance USD-M, OKX"] = folder / "others"
        cases: list[Case] = []
        skipped: list[Skip] = []
        for name, lake in lakes.items():
            found = [piece for table in TABLES for piece in pieces(lake, table)]
            for table in (*TABLES, ""):
                case, skipped = _writers_case(name, table, [p for p in found if table in ("", p.table)], folder)
                cases.append(case)
        cases.append(_frames_case(busy, folder / "busy"))
        quiet = lake_of(simulated(folder, 900 if form.peers else 60), folder / "quiet")
        cases += [_row_case(lake, table) for lake, table in _typical(folder / "busy", quiet)]
        cases += disk_cases(folder / "busy", quiet)
    return Section(
        "store", "Bytes in the lake", "bytes a row", tuple(cases), skipped=tuple(skipped),
        notes=(
            "writers: the same rows in the same files, one for each table and instrument of a capture, all columns;"
            " files of ours also hold their claims. The level of zstd is the configuration's default. Targets are for"
            " all rows of the busiest capture and for each of its tables: 30 % smaller than the smallest default",
            "frames: a record's share of all frames of the capture, one a line, and of everything in the lake: raw/,"
            " rest/ and certificates; gzip at level 6",
            "a trade, mark price, funding row: whole files, of a 15-minute segment; mark prices and fundings of a"
            " simulated perpetual, one a second",
            "to the disk: journal and Parquet of one segment, in whole pages of 4 KiB: a sync of the journal writes its"
            " last page again, and its inode. A write amplification is this beside the size of the sealed files alone",
        ),
    )  # fmt: skip


def _writers_case(name: str, table: str, found: Sequence[Piece], folder: Path) -> tuple[Case, list[Skip]]:
    rows = sum(piece.rows for piece in found)
    subjects, skipped = writers(found)
    sizes = {}
    for subject, write in subjects.items():
        total = 0
        for number, piece in enumerate(found):
            path = folder / f"written-{number}.parquet"
            write(piece, path)
            total += path.stat().st_size
        sizes[subject] = total / rows
    peers = [size for subject, size in sizes.items() if subject != OURS]
    smallest = next((s for s in (POLARS, DUCKDB, PYARROW) if sizes.get(s) == min(peers)), PYARROW)
    wanted = (Target(OURS, smallest, SMALLER),) if name.startswith("Binance spot") else ()
    return Case(
        f"{name}: {table or 'all three'}",
        f"{rows:,} rows in {len(found)} files",
        tuple(Series(subject, (size,), subject == OURS) for subject, size in sizes.items()),
        wanted,
    ), skipped


def _frames_case(capture: Path, lake: Path) -> Case:
    plain = zipped = 0
    packer = gzip.compress
    batch: list[bytes] = []
    for frame in frames_of(capture):
        batch.append(frame)
        plain += len(frame) + 1
        if len(batch) == 50_000:
            zipped += len(packer(b"\n".join(batch) + b"\n", 6))
            batch.clear()
    if batch:
        zipped += len(packer(b"\n".join(batch) + b"\n", 6))
    records = sum(piece.rows for piece in pieces(lake))
    stored = sum(path.stat().st_size for path in lake.rglob("*") if path.suffix in (".parquet", ".json"))
    sizes = {LAKE: stored, NDJSON: plain, NDJSON_GZ: zipped}
    return Case(
        "frames",
        f"{records:,} rows",
        tuple(Series(name, (size / records,), name == LAKE) for name, size in sizes.items()),
        (Target(LAKE, NDJSON, TIMES_NDJSON),),
    )


def _typical(busy: Path, quiet: Path) -> list[tuple[Path, str]]:
    return [(busy, "trades"), (quiet, "trades"), (quiet, "mark_prices"), (quiet, "fundings")]


def _row_case(lake: Path, table: str) -> Case:
    files = list(lake.glob(f"raw/{table}/**/*.parquet"))
    rows = sum(piece.rows for piece in pieces(lake, table))
    size = sum(path.stat().st_size for path in files) / rows
    where = "Binance spot" if lake.name == "busy" else "simulated perpetual"
    return Case(
        f"one of {table}, {where}",
        f"{rows:,} rows in {len(files)} files",
        (Series(OURS, (size,), True), Series("the seed", (SEEDS_BYTES[table],))),
        (Target(OURS, "the seed", 1.0),),
    )
