"""Rows of the synchronizer to columns and back, exactly."""

from __future__ import annotations

import numpy as np

from ringcollect.store.schema import COUNT_FEATURES, ROW_FIELDS_NOT_STORED, SIGNED_FEATURES, Column, row_columns
from ringcollect.store.tables import Columns

_EXACT = float(1 << 53)


def columns_of(dtype: np.dtype) -> tuple[Column, ...]:
    """Columns of a row ring with this dtype."""
    return row_columns([(name, dtype[name].str) for name in dtype.names or ()])


def canonical_rows(rows: np.ndarray) -> tuple[np.ndarray, int]:
    """A copy as the table holds it, and how many rows had a count that is no whole number (stored as absent)."""
    out = rows.copy()
    odd = np.zeros(len(rows), bool)
    for name in rows.dtype.names or ():
        if name in ROW_FIELDS_NOT_STORED - {"instrument"}:
            out[name] = 0
        elif rows.dtype[name] == np.dtype("<f8"):
            values = out[name]
            values[np.isnan(values)] = np.nan
            if name in COUNT_FEATURES or name in SIGNED_FEATURES:
                low = 0.0 if name in COUNT_FEATURES else -_EXACT
                bad = ~np.isnan(values) & ~((values == np.floor(values)) & (values >= low) & (values <= _EXACT))
                odd |= bad
                values[bad] = np.nan
                values += 0.0  # -0.0 becomes 0.0, as in a whole number
    return out, int(np.count_nonzero(odd))


def rows_to_columns(rows: np.ndarray, generation: int, native_symbol: str) -> Columns:
    """The columns of canonical ``rows`` of one instrument."""
    columns: Columns = {
        "generation": np.full(len(rows), generation, np.int64),
        "native_symbol": native_symbol,
    }
    for column in columns_of(rows.dtype):
        if not column.source or column.name == "generation":
            continue
        values = np.ascontiguousarray(rows[column.name])
        if column.name in COUNT_FEATURES or column.name in SIGNED_FEATURES:
            there = ~np.isnan(values)
            whole = np.where(there, values, 0.0).astype(np.uint64 if column.type == "uint64" else np.int64)
            columns[column.name] = (whole, there)
        else:
            columns[column.name] = values
    return columns


def columns_to_rows(columns: Columns, dtype: np.dtype, instrument: int) -> np.ndarray:
    """The canonical rows that ``columns`` were made of."""
    rows = np.zeros(len(columns["seq"]), dtype)
    for name in dtype.names or ():
        if name in ROW_FIELDS_NOT_STORED:
            continue
        values = columns[name]
        if isinstance(values, tuple):
            rows[name] = np.where(values[1], values[0].astype(np.float64), np.nan)
        else:
            rows[name] = values
    rows["instrument"] = instrument
    return rows
