"""Rows as an outsider reads them, and lakes to build them from."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ringcollect.config import Config, Sync, SyncFeatures, SyncOutput
from ringcollect.sources.offline.build import build
from ringcollect.sources.offline.report import Report
from ringcollect.sources.offline.settings import Settings
from ringcollect.store.selection import Selection
from tests import synthetic
from tests.skeleton import ways

QUICK = "12s"
WITH_BARS = Sync(features=SyncFeatures(bar_durations=("5s",), bar_sizes=("7ticks",)), output=SyncOutput(bars=True))
FEATURES = Path("sync/features")
NAMING = ("generation", "seq")
"""What names a row; everything else is what it says."""


def quick_config(data: Path) -> Config:
    """Segments of twelve seconds: several of them, and soon built; with bars."""
    return ways.config_for(data, data, sync=WITH_BARS, rotate=QUICK)


def quick_lake(folder: Path) -> Path:
    """About a minute of the made-up exchange, replayed; use with the fixture ``sealed_here``."""
    ways.replayed(synthetic.stream(900), folder / "lake", folder / "runtime", sync=WITH_BARS, rotate=QUICK)
    return folder / "lake"


def built(data: Path, out: Path, config: Config | None = None, **more: Any) -> Report:
    """Build the rows of ``data`` into ``out``; ``more`` are settings, and the selection's fields."""
    chosen = {name: more.pop(name) for name in list(more) if name in Selection.__struct_fields__}
    settings = Settings(data=data, out=out, config=config or quick_config(data), selection=Selection(**chosen), **more)
    return build(settings)


def hashes(data: Path) -> dict[str, str]:
    """Relative path -> SHA-256 of every file of rows and of the snapshots beside them."""
    files = sorted((data / "sync").rglob("*.parquet"))
    return {str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def tables(data: Path, table: str = "features") -> dict[str, pa.Table]:
    """By ``grid=…/market=…/symbol=…``: all rows of a table of sync/ in (generation, seq) order."""
    parts: dict[str, list[pa.Table]] = {}
    folder = data / "sync" / table
    for path in sorted(folder.rglob("*.parquet")):
        grid, _, market, symbol, *_ = path.relative_to(folder).parts
        parts.setdefault(f"{grid}/{market}/{symbol}", []).append(pq.ParquetFile(path).read())
    order = [(name, "ascending") for name in NAMING]
    return {key: pa.concat_tables(found).sort_by(order) for key, found in parts.items()}


def bits(table: pa.Table, without: tuple[str, ...] = ()) -> dict[str, bytes]:
    """The columns of a table as bytes: equal exactly where they are equal bit for bit, nulls included."""
    out = {}
    for name in table.column_names:
        if name in without:
            continue
        column = table[name].combine_chunks()
        there = np.asarray(column.is_valid())
        if pa.types.is_string(column.type):
            out[name] = there.tobytes() + "\0".join(text or "" for text in column.to_pylist()).encode()
        else:
            out[name] = there.tobytes() + np.asarray(column.fill_null(0)).tobytes()
    return out


def assert_same_rows(ours: Path, theirs: Path, without: tuple[str, ...] = (), table: str = "features") -> int:
    """Every column of every instrument, bit for bit; returns how many rows there are."""
    mine, other = tables(ours, table), tables(theirs, table)
    assert sorted(mine) == sorted(other)
    for key, rows in mine.items():
        left, right = bits(rows, without), bits(other[key], without)
        assert left.keys() == right.keys()
        assert [name for name in left if left[name] != right[name]] == [], key
    return sum(rows.num_rows for rows in mine.values())
