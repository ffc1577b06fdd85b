"""Snapshot records to columns and back, exactly: one table per kind, and one with a row per grid row."""

from __future__ import annotations

from typing import Any

import numpy as np

from ringcollect.records import Kind
from ringcollect.store.schema import COMMON, NATIVE_SYMBOL, Column
from ringcollect.store.tables import Columns, restore_trade_ids, trade_ids
from ringcollect.sync.snapshot_record import KINDS_OF_TABLE, ROW_KIND, SNAPSHOT

_STAMP = Column("ts_ns", "int64", "ts_ns", "closing boundary of the row, ns since the epoch, UTC")
_TIME = Column("ts_event", "int64", "ts_event", "its own time: exchange time, else the time of the socket read")
_FLAGS = Column("flags", "uint16", "flags", "bits of its record, see records.md")
_SIZE = Column("size", "float64", "size", "base units")


def _columns(*own: Column) -> tuple[Column, ...]:
    return (*COMMON[:2], _STAMP, *own, NATIVE_SYMBOL)


SNAPSHOT_TABLES = {
    "orderbooks": _columns(
        Column("ts_event", "int64", "ts_event", "effective exchange time of the book"),
        Column("side", "int8", "side", "+1 bid, -1 ask"),
        Column("level", "uint16", "level", "0 the best"),
        Column("price", "float64", "price", "of the level"),
        _SIZE,
    ),
    "trades": _columns(
        _TIME,
        Column("id", "int64", "", "trade id, of a merged print the last; 0 where uuid is set"),
        Column("uuid", "string", "", "trade id where the venue uses UUIDs, else null"),
        Column("first_id", "int64", "", "first id of a merged print, else = id; 0 where uuid is set"),
        Column("price", "float64", "price", "as sent"),
        _SIZE,
        Column("side", "int8", "side", "aggressor: +1 buy, -1 sell, 0 unknown"),
        Column("sub", "uint16", "level", "0 ordinary, 1 liquidation, 3 RPI; +16 aggregated"),
        _FLAGS,
    ),
    "liquidations": _columns(
        _TIME,
        Column("id", "int64", "id", "id or 0"),
        Column("side", "int8", "side", "the forced order's side; the position's is the opposite"),
        Column("price", "float64", "price", "average fill if sent, else order or bankruptcy price"),
        _SIZE,
        Column("other_price", "float64", "aux_f", "the other price, NaN if none"),
        Column("sub", "uint16", "level", "which price: 1 average, 2 bankruptcy, 3 order"),
        _FLAGS,
    ),
    "fundings": _columns(
        _TIME,
        Column("funding_rate", "float64", "price", "rate per interval"),
        Column("predicted_rate", "float64", "size", "predicted next rate or NaN"),
        Column("interval_ns", "int64", "id", "interval, ns; the instrument's if not sent, 0 unknown"),
        Column("funding_time", "int64", "aux", "time the rate applies, ns since the epoch"),
    ),
    "open_interests": _columns(
        _TIME,
        Column("open_interest", "float64", "size", "one-sided, venue unit"),
        Column("open_interest_value", "float64", "price", "reported quote value or NaN"),
    ),
    "snapshots": _columns(
        Column("ts_book_ns", "int64", "ts_event", "effective exchange time of the book; 0 without one"),
        Column("row_flags", "int64", "id", "bits, as in the row ring"),
        Column("bid_total", "float64", "price", "all bids held, base units; 0 without a book"),
        Column("ask_total", "float64", "size", "all asks held, base units; 0 without a book"),
        Column("mark_price", "float64", "aux_f", "latest mark price, NaN before the first"),
    ),
}
"""Tables of a ``.sync`` ring, version 1: add-only. ``snapshots`` has one row per grid row and says what it holds."""

_KINDS = {**{table: int(kind) for table, kind in KINDS_OF_TABLE.items()}, "snapshots": ROW_KIND}
_CLOSES = np.uint16(1)


def indices_of_kinds(records: np.ndarray) -> dict[str, np.ndarray]:
    """Table -> positions of its records, in ring order; only tables that have any."""
    found = {table: np.flatnonzero(records["kind"] == kind) for table, kind in _KINDS.items()}
    return {table: at for table, at in found.items() if len(at)}


def canonical_snapshots(records: np.ndarray) -> np.ndarray:
    """A copy with one NaN."""
    out = records.copy()
    for field in ("price", "size"):
        out[field][np.isnan(out[field])] = np.nan
    floats = out["aux"].view("<f8")
    of_float = np.isin(out["kind"], (int(Kind.LIQUIDATION), ROW_KIND))
    floats[of_float & np.isnan(floats)] = np.nan
    return out


def snapshots_to_columns(table: str, records: np.ndarray, generation: int, native_symbol: str) -> Columns:
    """The columns of canonical ``records`` of one kind and instrument."""
    columns: Columns = trade_ids(records) if table == "trades" else {}
    for column in SNAPSHOT_TABLES[table]:
        if column.source == "aux_f":
            columns[column.name] = np.ascontiguousarray(records["aux"]).view("<f8")
        elif column.source:
            columns[column.name] = np.ascontiguousarray(records[column.source])
    return columns | {"generation": np.full(len(records), generation, np.int64), "native_symbol": native_symbol}


def columns_to_snapshots(table: str, columns: Columns, instrument: int) -> np.ndarray:
    """The canonical records that ``columns`` were made of."""
    records = np.zeros(len(columns["seq"]), SNAPSHOT)
    for column in SNAPSHOT_TABLES[table]:
        if column.source == "aux_f":
            records["aux"] = columns[column.name].view(np.int64)
        elif column.source:
            records[column.source] = columns[column.name]
    if table == "trades":
        restore_trade_ids(records, columns)
    records["instrument"] = instrument
    records["kind"] = _KINDS[table]
    if table == "snapshots":
        records["flags"] = _CLOSES
    return records


def snapshot_claims(records: np.ndarray, grid_ns: int) -> dict[str, Any]:
    """Per instrument: records by table, times, and grid points between two rows without one."""
    instruments = {}
    for number in np.unique(records["instrument"]).tolist():
        mine = records[records["instrument"] == number]
        rows = mine["ts_ns"][mine["kind"] == ROW_KIND]
        steps = np.diff(rows)
        instruments[str(number)] = {
            "records": {table: len(at) for table, at in indices_of_kinds(mine).items()},
            "ts_ns": [int(mine["ts_ns"].min()), int(mine["ts_ns"].max())],
            "grid_holes": int(np.maximum(steps // grid_ns - 1, 0).sum()) if grid_ns else 0,
            "not_ascending": int(np.count_nonzero(steps <= 0)),
        }
    return instruments
