"""A segment's files back into the records of the ring, in ring order, a window of positions in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ringcollect.errors import LakeError, NotFoundError
from ringcollect.records import RECORD, RECORD_WORDS
from ringcollect.sources.offline.segments import Entry, Segment
from ringcollect.store import parquet
from ringcollect.store.compaction.record import Slice
from ringcollect.store.compaction.slices import Slices
from ringcollect.store.location import Lake
from ringcollect.store.parts import record_table
from ringcollect.store.schema import COMMON, NATIVE_SYMBOL, TABLES_BY_NAME, Column
from ringcollect.store.tables import Columns, to_records

WINDOW = 1 << 20
"""Positions in memory at a time (64 MiB); a segment has as many at most by default."""
_NOT_NEEDED = (COMMON[0].name, NATIVE_SYMBOL.name)
_LONGEST_ROW = 16
"""Records one row of a table can stand for, at most (a quote: 2, a ticker: one per field)."""


def windows(data: Path, segment: Segment, entries: Sequence[Entry], seq_from: int) -> Iterator[np.ndarray]:
    """The records of ``entries`` from ``seq_from`` on, as consecutive RECORD arrays.

    Memory: one window and a row group. LakeError naming the file that is missing, damaged, or says something twice.
    """
    low, slices = max(segment.seq_from, seq_from), Slices(Lake.open(data))
    while low < segment.seq_to:
        high = min(low + WINDOW, segment.seq_to)
        words = np.zeros((high - low, RECORD_WORDS), np.int64)
        there = np.zeros(high - low, bool)
        for entry in entries:
            for records in _read(slices, entry, low, high):
                _place(records, words, there, low, entry)
        found = words if there.all() else words[there]
        if len(found):
            yield found.reshape(-1).view(RECORD)
        low = high


def _place(records: np.ndarray, words: np.ndarray, there: np.ndarray, low: int, entry: Entry) -> None:
    at = records["seq"] - low
    inside = (at >= 0) & (at < len(there))
    if not inside.all():
        records, at = records[inside], at[inside]
    if there[at].any():
        raise LakeError(f"{entry.path}: record {int(at[there[at]][0]) + low} is in another file of its segment, too")
    there[at] = True
    words[at] = records.view(np.int64).reshape(-1, RECORD_WORDS)


def _read(slices: Slices, entry: Entry, low: int, high: int) -> Iterator[np.ndarray]:
    """The records of one file with positions in or near ``[low, high)``, a row group at a time."""
    span = entry.claims.get("seq")
    if span is not None and (span[0] >= high or span[1] < low):
        return
    columns = [column for column in TABLES_BY_NAME[record_table(entry.table)].columns if column.name not in _NOT_NEEDED]
    place = slices.of(entry.path)
    try:
        with slices.lake.open_file(place.path) as opened:
            file = parquet.open_file(opened)
            rows = file.metadata.num_rows if place.rows is None else place.rows
            if rows != entry.rows:
                raise LakeError(f"has {rows} rows, certified are {entry.rows}")
            groups = _groups(file, columns, low, high)
            for values in parquet.read(file, columns, groups) if place.rows is None else _of(file, columns, place):
                records = to_records(record_table(entry.table), values, entry.instrument)
                if len(records) > 1 and (np.diff(records["seq"]) <= 0).any():
                    raise LakeError("its rows are not in ring order")
                yield records
    except (LakeError, NotFoundError, KeyError, ValueError) as error:
        raise LakeError(f"{slices.lake}/{entry.path}: {error}") from error


def _of(file: Any, columns: Sequence[Column], place: Slice) -> Iterator[Columns]:
    """The rows of one segment in a file that many were merged into."""
    return parquet.read_rows(file, columns, place.first, place.rows or 0)


def _groups(file: Any, columns: Sequence[Column], low: int, high: int) -> list[int]:
    """The row groups that may hold positions of ``[low, high)``, by their statistics."""
    place = file.schema_arrow.names.index("seq") if "seq" in file.schema_arrow.names else -1
    chosen = []
    for group in range(file.metadata.num_row_groups):
        known = file.metadata.row_group(group).column(place).statistics if place >= 0 else None
        is_apart = (
            known is not None and known.has_min_max and (known.min >= high or known.max + _LONGEST_ROW < low)
        )  # fmt: skip
        if not is_apart:
            chosen.append(group)
    return chosen
