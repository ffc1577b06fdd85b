"""A ticker's records, one per field, as one row with a column each, and back, exactly."""

from __future__ import annotations

from typing import Any

import numpy as np

from ringcollect.errors import LakeError
from ringcollect.records import RECORD, Flag
from ringcollect.store.schema import TICKER_COLUMNS

_FIELDS = np.array([int(field) for field in TICKER_COLUMNS], np.uint8)
_NOT_LAST = np.uint16(0xFFFF ^ Flag.LAST)


def is_ticker_field(records: np.ndarray) -> np.ndarray:
    """bool per record: its field has a column, and it says so twice, as ticker records do (``sub``, ``aux``)."""
    return np.isin(records["sub"], _FIELDS) & (records["aux"] == records["sub"])


def ticker_columns(records: np.ndarray) -> tuple[dict[str, Any], np.ndarray]:
    """(columns, the row each frame's records make): fields of one batch in rising order; what is not is another row."""
    before, after = records[:-1], records[1:]
    joined = (after["seq"] == before["seq"] + 1) & (after["sub"] > before["sub"])
    for name in ("ts_event", "ts_recv", "conn"):
        joined &= before[name] == after[name]
    joined &= ((before["flags"] & Flag.LAST) == 0) & ((after["flags"] & _NOT_LAST) == before["flags"])
    heads = np.flatnonzero(np.insert(~joined, 0, True)[: len(records)])
    group = np.repeat(np.arange(len(heads)), np.diff(np.append(heads, len(records))))
    rows = records[heads].copy()
    rows["flags"] = records["flags"][np.append(heads[1:], len(records)) - 1] if len(heads) else 0
    columns: dict[str, Any] = {}
    for field, (name, _) in TICKER_COLUMNS.items():
        mine = records["sub"] == int(field)
        values, there = np.zeros(len(heads)), np.zeros(len(heads), bool)
        values[group[mine]], there[group[mine]] = records["price"][mine], True
        columns[name] = (values, there)
    return columns, rows


def restore_tickers(rows: np.ndarray, columns: dict[str, Any]) -> np.ndarray:
    """The records that :func:`ticker_columns` joined. LakeError for a row without a field."""
    there = np.column_stack([columns[name][1] for name, _ in TICKER_COLUMNS.values()])
    if not there.any(axis=1).all():
        raise LakeError(f"row {int(np.flatnonzero(~there.any(axis=1))[0])}: a ticker without a field")
    of_row, of_field = np.nonzero(there)
    out = np.zeros(len(of_row), RECORD)
    out[:] = rows[of_row]
    rank = (np.cumsum(there, axis=1) - 1)[of_row, of_field]
    out["seq"] += rank
    out["sub"] = _FIELDS[of_field]
    out["aux"] = out["sub"]
    out["flags"][rank < there.sum(axis=1)[of_row] - 1] &= _NOT_LAST
    values = np.column_stack([columns[name][0] for name, _ in TICKER_COLUMNS.values()])
    out["price"] = values[of_row, of_field]
    return out
