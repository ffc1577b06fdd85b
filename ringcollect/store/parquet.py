"""Columns to a Parquet file and back: fixed slices, fixed encodings, nothing in the file but content."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ringcollect.errors import LakeError
from ringcollect.store.encoding import DICTIONARY, PLAIN, Encoding, encoding_of
from ringcollect.store.schema import Column, is_nullable
from ringcollect.store.schema_versions import columns_at, complete, version_of
from ringcollect.store.tables import Columns

ROW_GROUP = 1 << 18
"""Rows: a busy instrument's 15 minutes are one group, with one dictionary a column."""
PIECE = 1 << 16
"""Rows read at once, however large the group."""
UNREADABLE = (pa.ArrowException, OSError, ValueError, MemoryError)
"""What pyarrow raises on damaged files; a flipped bit in a length asks for all the memory there is."""
METADATA_KEY = b"ringcollect"
DICTIONARY_BYTES = 8 << 20
_NO_STATISTICS = frozenset({"uuid", "payload", "native_symbol", "generation"})


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """The Arrow schema of ``columns``."""
    types = {"bool": pa.bool_(), "string": pa.string(), "binary": pa.binary()}
    fields = [
        pa.field(c.name, types[c.type] if c.type in types else getattr(pa, c.type)(), nullable=is_nullable(c))
        for c in columns
    ]
    return pa.schema(fields)


def write(
    target: BinaryIO,
    columns: Sequence[Column],
    metadata: dict[str, Any],
    values: Columns,
    level: int,
) -> int:
    """Write ``values`` and return the number of rows; Arrow's copy is one row group at a time."""
    rows = len(values["seq"])
    schema = arrow_schema(columns)
    with writer(target, columns, metadata, encodings_of(columns, values, level)) as file:
        for start in range(0, max(rows, 1), ROW_GROUP):
            stop = min(rows, start + ROW_GROUP)
            file.write_table(_arrow_table(schema, values, start, stop), row_group_size=ROW_GROUP)
    return rows


def writer(
    target: Any, columns: Sequence[Column], metadata: dict[str, Any], encodings: Mapping[str, Encoding]
) -> pq.ParquetWriter:
    """A writer of tables made of ``columns``; ``metadata`` goes into the file as JSON under ``ringcollect``."""
    file = pq.ParquetWriter(
        target,
        arrow_schema(columns),
        compression="zstd",
        compression_level={name: one.level for name, one in encodings.items()},
        use_dictionary=[name for name, one in encodings.items() if one.name == DICTIONARY],
        column_encoding={name: one.name for name, one in encodings.items() if one.name not in (DICTIONARY, PLAIN)},
        dictionary_pagesize_limit=DICTIONARY_BYTES,
        write_statistics=[c.name for c in columns if c.name not in _NO_STATISTICS],
        write_page_checksum=True,
        store_schema=False,  # Parquet's own types say it all; Arrow's copy would repeat the metadata in base64
    )
    file.add_key_value_metadata({METADATA_KEY.decode(): json.dumps(metadata, sort_keys=True)})
    return file


def encodings_of(columns: Sequence[Column], values: Columns, level: int) -> dict[str, Encoding]:
    """The encoding of every column of these rows; ``level`` is that of zstd."""
    found = {}
    for column in columns:
        here = values[column.name]
        floats = here[0] if isinstance(here, tuple) else here
        found[column.name] = encoding_of(
            column, floats if column.type == "float64" else None, level, of_levels="is_snapshot" in values
        )
    return found


def encodings_of_table(columns: Sequence[Column], table: pa.Table, level: int) -> dict[str, Encoding]:
    """As :func:`encodings_of`, of an Arrow table."""
    values: Columns = dict.fromkeys(table.column_names)
    for column in columns:
        if column.type == "float64":
            values[column.name] = np.asarray(table[column.name].combine_chunks().fill_null(0.0))
    return encodings_of(columns, values, level)


def _arrow_table(schema: pa.Schema, columns: Columns, start: int, stop: int) -> pa.Table:
    arrays = []
    for field in schema:
        values = columns[field.name]
        if isinstance(values, str):
            array = pa.repeat(pa.scalar(values, field.type), stop - start)
        elif isinstance(values, tuple):
            array = pa.array(values[0][start:stop], type=field.type, mask=~values[1][start:stop], from_pandas=False)
        else:
            array = pa.array(values[start:stop], type=field.type, from_pandas=False)
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=schema)


def open_file(source: Any) -> pq.ParquetFile:
    """A Parquet file whose page checksums are verified; LakeError if it is none."""
    try:
        return pq.ParquetFile(source, page_checksum_verification=True)
    except UNREADABLE as error:
        raise LakeError(f"cannot be read as Parquet: {error}") from error


def metadata_of(file: pq.ParquetFile) -> dict[str, Any]:
    """Our metadata of a file; LakeError if it has none."""
    raw = (file.schema_arrow.metadata or {}).get(METADATA_KEY)
    if raw is None:
        raise LakeError("no ringcollect metadata in the file")
    try:
        return dict(json.loads(raw))
    except (ValueError, TypeError) as error:
        raise LakeError(f"unreadable ringcollect metadata: {error}") from error


def read(file: pq.ParquetFile, columns: Sequence[Column], groups: Sequence[int] | None = None) -> Iterator[Columns]:
    """The rows, piece by piece (of all row groups, or of ``groups``); files of older versions as of this one.

    LakeError if a column is missing that the file's version has, of another type, or a page is damaged.
    """
    there = columns_in(file, columns)
    for group in range(file.metadata.num_row_groups) if groups is None else groups:
        table = read_group(file, group, there)
        for start in range(0, max(len(table), 1), PIECE):
            yield values_of(file, table.slice(start, PIECE), columns)


def read_rows(file: pq.ParquetFile, columns: Sequence[Column], first: int, rows: int) -> Iterator[Columns]:
    """Rows ``[first, first + rows)``, a row group at a time; no other group is read. As :func:`read` otherwise."""
    there = columns_in(file, columns)
    begin = 0
    for group in range(file.metadata.num_row_groups):
        end = begin + file.metadata.row_group(group).num_rows
        low, high = max(begin, first), min(end, first + rows)
        if low < high:
            yield values_of(file, read_group(file, group, there).slice(low - begin, high - low), columns)
        begin = end


def columns_in(file: pq.ParquetFile, columns: Sequence[Column]) -> Sequence[Column]:
    """Those of ``columns`` that the file's version has. LakeError if one is missing or of another type."""
    schema = file.schema_arrow
    there = columns_at(columns, version_of(metadata_of(file)))
    for column, field in zip(there, arrow_schema(there), strict=True):
        if column.name not in schema.names or schema.field(column.name).type != field.type:
            raise LakeError(f"no column {column.name} of type {column.type}")
    return there


def read_group(file: pq.ParquetFile, group: int, there: Sequence[Column]) -> pa.Table:
    """The columns ``there`` of one row group, as Arrow has them; LakeError if a page is damaged."""
    try:
        return file.read_row_group(group, columns=[c.name for c in there])
    except UNREADABLE as error:
        raise LakeError(f"row group {group}: {error}") from error


def values_of(file: pq.ParquetFile, table: pa.Table, columns: Sequence[Column]) -> Columns:
    """Rows read from ``file`` as values of ``columns``, as of this version."""
    version = version_of(metadata_of(file))
    values = {c.name: _values(table[c.name].combine_chunks(), c) for c in columns_at(columns, version)}
    return complete(values, columns, version, table.num_rows)


def _values(array: Any, column: Column) -> Any:
    if column.type in ("string", "binary"):
        return [None] * len(array) if array.null_count == len(array) else array.to_pylist()
    if is_nullable(column):
        there = np.asarray(array.is_valid())
        return np.asarray(array.fill_null(0)), there
    if array.null_count:
        raise LakeError(f"column {column.name} has nulls")
    return array.to_numpy(zero_copy_only=False)


def group_range(file: pq.ParquetFile, group: int, name: str) -> tuple[int, int]:
    """Smallest and largest value of a whole-number column in a row group by its statistics; without, the extremes."""
    known = file.metadata.row_group(group).column(file.schema_arrow.names.index(name)).statistics
    return (int(known.min), int(known.max)) if known is not None and known.has_min_max else (-(2**63), 2**63 - 1)
