"""Bars to columns and back, exactly: one table for every kind of bars, the kind is in the folder."""

from __future__ import annotations

import numpy as np

from ringcollect.store.schema import COMMON, NATIVE_SYMBOL, Column
from ringcollect.store.tables import Columns
from ringcollect.sync.bar_record import BAR, COLUMNS
from ringcollect.sync.catalogue import bars
from ringcollect.sync.catalogue.options import Options

COUNTS = frozenset({"count", "bar_trade_count"})
"""float64 in the ring, whole numbers by definition."""

_TEXT = {
    name: f"{family.formula} ({family.unit}); {family.undefined} if there is none"
    for family in bars.FAMILIES
    for name in family.columns(Options())
}

BAR_COLUMNS = (
    COMMON[0],
    Column("seq", "int64", "seq", "position in the ring of its kind, no holes over all instruments"),
    Column("ts_open_ns", "int64", "ts_open_ns", "start, ns since the epoch, UTC; without a duration the first event"),
    Column("ts_close_ns", "int64", "ts_close_ns", "end, not in the bar; without a duration the trade that filled it"),
    Column("row_flags", "uint32", "row_flags", "bits of any of its rows, see synchronizer.md"),
    *(Column(name, "uint64" if name in COUNTS else "float64", name, _TEXT[name]) for name in COLUMNS),
    NATIVE_SYMBOL,
)
_STORED = tuple(column for column in BAR_COLUMNS if column.source)


def canonical_bars(records: np.ndarray) -> np.ndarray:
    """A copy as the table holds it: one NaN, no place in a configuration."""
    out = records.copy()
    out["bar"] = 0
    for name in COLUMNS:
        out[name][np.isnan(out[name])] = np.nan
    return out


def bars_to_columns(records: np.ndarray, generation: int, native_symbol: str) -> Columns:
    """The columns of canonical bars of one instrument."""
    columns: Columns = {
        "generation": np.full(len(records), generation, np.int64),
        "native_symbol": native_symbol,
    }
    for column in _STORED:
        columns[column.name] = np.ascontiguousarray(records[column.source]).astype(column.type, copy=False)
    return columns


def columns_to_bars(columns: Columns, instrument: int) -> np.ndarray:
    """The canonical bars that ``columns`` were made of."""
    records = np.zeros(len(columns["seq"]), BAR)
    for column in _STORED:
        records[column.source] = columns[column.name]
    records["instrument"] = instrument
    return records
