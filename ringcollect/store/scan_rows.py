"""The rows of one file or one day folder of a lake, chosen by time, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringcollect.errors import LakeError, NotFoundError
from ringcollect.store import files, parquet, schema_versions
from ringcollect.store.emitted import Emitted
from ringcollect.store.files import LakeFile
from ringcollect.store.location import Lake
from ringcollect.store.schema import LATER_IN_FEATURES, Column

BATCH_ROWS = 1 << 16
TRIES = 8
"""Looks at a folder whose files go away as they are opened; each compaction of that day costs one."""
_IDENTITY = ("generation", "seq")
GONE = (FileNotFoundError, NotFoundError)


class Wanted(NamedTuple):
    """What is asked of each file. ``schema``: the result, partition columns (dictionaries) included.

    ``columns`` is the table's schema, None for tables of rows, whose columns are those of their feature set; rows with
    ``start_ns <= time_column < end_ns`` are given; ``values`` are the dictionaries of the partition columns.
    """

    schema: pa.Schema
    columns: tuple[Column, ...] | None
    time_column: str
    start_ns: int
    end_ns: int
    values: dict[str, pa.Array]


def rows_of_folder(
    lake: Lake, listed: Sequence[LakeFile], wanted: Wanted, list_again: Callable[[], list[LakeFile]]
) -> Iterator[pa.RecordBatch]:
    """The rows of one day folder, each once, also when it is swapped for a compacted one meanwhile.

    NotFoundError if a file has gone and nothing came in its place; LakeError naming the file that is damaged.
    """
    emitted = Emitted()
    waiting, known = list(listed), {file.path for file in listed}
    for look in range(TRIES):
        try:
            while waiting:
                emitted.begin_file()
                yield from _rows_of_file(lake, waiting[0], wanted, emitted, is_second_look=look > 0)
                waiting.pop(0)
        except GONE as error:
            gone, waiting = waiting[0].path, list_again()
            if not {file.path for file in waiting} - known:
                raise NotFoundError(f"{gone} was removed while the lake was read: read again") from error
            known |= {file.path for file in waiting}
            continue
        return
    raise LakeError(f"{listed[0].path}: its folder changed {TRIES} times while it was read")


def _rows_of_file(
    lake: Lake, file: LakeFile, wanted: Wanted, emitted: Emitted, *, is_second_look: bool
) -> Iterator[pa.RecordBatch]:
    opened = files.open_file(lake, file)
    try:
        metadata = parquet.metadata_of(opened)
        present = opened.schema_arrow.names
        needed = [name for name in _needed(wanted) if name in present]
        for batch in _batches(opened, needed, _groups(opened, wanted)):
            chosen = _in_span(batch, wanted)
            generations, seqs = (np.asarray(chosen[name]) for name in _IDENTITY)
            if is_second_look:
                fresh = emitted.fresh(generations, seqs)
                chosen, generations, seqs = chosen.filter(pa.array(fresh)), generations[fresh], seqs[fresh]
            if chosen.num_rows:
                out = _finished(chosen, metadata, file, wanted)
                emitted.add(generations, seqs)
                yield out
    except LakeError as error:
        raise LakeError(f"{file.path}: {error}") from error
    finally:
        opened.close()


def _batches(opened: pq.ParquetFile, columns: list[str], groups: list[int]) -> Iterator[pa.RecordBatch]:
    """Row group by row group. LakeError for a damaged page, FileNotFoundError for an object deleted meanwhile."""
    if not groups:
        return
    try:
        yield from opened.iter_batches(batch_size=BATCH_ROWS, row_groups=groups, columns=columns)
    except FileNotFoundError:
        raise
    except parquet.UNREADABLE as error:
        raise LakeError(f"cannot be read: {error}") from error


def _needed(wanted: Wanted) -> list[str]:
    names = [name for name in wanted.schema.names if name not in wanted.values]
    return list(dict.fromkeys([*_IDENTITY, *names, *([wanted.time_column] if _has_span(wanted) else [])]))


def _has_span(wanted: Wanted) -> bool:
    return wanted.start_ns > 0 or wanted.end_ns < 2**62


def _groups(opened: pq.ParquetFile, wanted: Wanted) -> list[int]:
    """The row groups that may hold rows of the span, by their statistics."""
    every = list(range(opened.metadata.num_row_groups))
    if not _has_span(wanted) or wanted.time_column not in opened.schema_arrow.names:
        return every
    spans = [parquet.group_range(opened, group, wanted.time_column) for group in every]
    return [group for group, (low, high) in zip(every, spans, strict=True) if _overlaps(low, high, wanted)]


def _overlaps(low: int, high: int, wanted: Wanted) -> bool:
    return high >= wanted.start_ns and low < wanted.end_ns


def _in_span(batch: pa.RecordBatch, wanted: Wanted) -> pa.RecordBatch:
    if not _has_span(wanted):
        return batch
    times = batch[wanted.time_column]
    return batch.filter(pc.and_(pc.greater_equal(times, wanted.start_ns), pc.less(times, wanted.end_ns)))


def _finished(batch: pa.RecordBatch, metadata: dict[str, Any], file: LakeFile, wanted: Wanted) -> pa.RecordBatch:
    """The batch in the result's schema: this version's columns, and those of the folders."""
    own = [name for name in wanted.schema.names if name not in wanted.values]
    table = pa.Table.from_batches([batch])
    if wanted.columns is not None:
        table = schema_versions.upgrade(table, metadata, wanted=own, columns=wanted.columns)
    arrays = []
    for field in wanted.schema:
        if field.name in wanted.values:
            values = wanted.values[field.name]
            place = values.index(file.tier if field.name == "tier" else file.value(field.name)).as_py()
            codes = pa.array(np.full(batch.num_rows, place, np.int32))
            arrays.append(pa.DictionaryArray.from_arrays(codes, values))
        elif field.name in table.column_names:
            arrays.append(_one(table[field.name]))
        else:
            arrays.append(_absent(field, schema_versions.version_of(metadata), batch.num_rows))
    return pa.RecordBatch.from_arrays(arrays, schema=wanted.schema)


def _absent(field: pa.Field, version: int, rows: int) -> pa.Array:
    """A feature that is not in the file's set, or what a later version of rows brought."""
    later = next((column for column in LATER_IN_FEATURES if column.name == field.name), None)
    if later is None or later.since <= version:
        return pa.nulls(rows, field.type)
    return pa.repeat(pa.scalar(later.absent, field.type), rows)


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
