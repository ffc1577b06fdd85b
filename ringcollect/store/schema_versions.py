"""Files of every schema version, read as if they were of this one.

Columns are only ever added, so an older file lacks some, and each column says what its absence means
(``Column.absent``). A newer file has some that this version does not know: they are left out, the rest reads as
always. Two ways in: :func:`complete` for columns as numpy arrays (verify, merge, snapshots), :func:`upgrade` for Arrow
tables (``scan``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ringcollect.errors import LakeError
from ringcollect.store.bar_table import BAR_COLUMNS
from ringcollect.store.schema import FRAME_COLUMNS, SCHEMA_VERSION, TABLES_BY_NAME, Column, is_nullable
from ringcollect.store.snapshot_table import SNAPSHOT_TABLES

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_VERSION = 1
_FRAMES = frozenset({"frames", "rejects"})


def version_of(metadata: Mapping[str, Any]) -> int:
    """The schema version a file says it has. LakeError if it says none."""
    version = metadata.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < FIRST_VERSION:
        raise LakeError(f"schema_version {version!r} is none of 1, 2, ...")
    return version


def current(identity: str) -> tuple[Column, ...] | None:
    """The columns of a table of the lake (``raw/trades``, ``sync/orderbooks``, ``frames/rejects``) in this version.

    None for rows of features and of venues: their columns are those of their set. LakeError for a table of nobody.
    """
    tier, _, table = identity.partition("/")
    if table in _FRAMES:
        return FRAME_COLUMNS
    if tier == "sync" and table in ("features", "venues"):
        return None
    if (tier, table) == ("sync", "bars"):
        return BAR_COLUMNS
    if tier == "sync" and table in SNAPSHOT_TABLES:
        return SNAPSHOT_TABLES[table]
    name = "orderbooks" if (tier, table) == ("sync", "books") else table
    if name not in TABLES_BY_NAME:
        raise LakeError(f"no table {identity} in any version of the schema")
    return TABLES_BY_NAME[name].columns


def columns_at(columns: Sequence[Column], version: int) -> tuple[Column, ...]:
    """Those of ``columns`` that schema ``version`` has, in order."""
    return tuple(column for column in columns if column.since <= version)


def is_known(version: object) -> bool:
    """True for a version whose columns this software knows exactly."""
    return isinstance(version, int) and FIRST_VERSION <= version <= SCHEMA_VERSION


def complete(values: dict[str, Any], columns: Sequence[Column], version: int, rows: int) -> dict[str, Any]:
    """``values`` of a file of ``version`` with the columns that came later, as what their absence means."""
    for column in columns:
        if column.since > version:
            values[column.name] = _absent(column, rows)
    return values


def _absent(column: Column, rows: int) -> Any:
    if column.type in ("string", "binary"):
        return [column.absent] * rows
    if is_nullable(column):
        return np.full(rows, column.absent or 0, column.type), np.full(rows, column.absent is not None)
    return np.full(rows, column.absent, column.type)


def upgrade(
    rows: pa.Table,
    metadata: Mapping[str, Any],
    *,
    wanted: Sequence[str] | None = None,
    columns: Sequence[Column] | None = None,
) -> pa.Table:
    """``rows`` of one file with the columns, types and order of this version's schema.

    ``metadata`` is the file's (``parquet.metadata_of``); ``wanted`` names columns, default all; ``columns`` is the
    schema to upgrade to, default that of the file's table. Columns that are not the schema's (partition keys, what a
    newer version added and ``wanted`` does not name) are left out; rows of features come back as they are. Raises
    LakeError if a column is missing that the file's version has, or has another type.
    """
    import pyarrow as pa

    from ringcollect.store.parquet import arrow_schema

    version = version_of(metadata)
    schema = current(str((metadata.get("identity") or {}).get("table"))) if columns is None else tuple(columns)
    if schema is None:
        return rows if wanted is None else rows.select(list(wanted))
    by_name = {column.name: column for column in schema}
    fields, arrays = [], []
    for name in by_name if wanted is None else wanted:
        if name not in by_name:
            raise LakeError(f"no column {name} in any version of the schema")
        column = by_name[name]
        field = arrow_schema([column]).field(0)
        if column.since > version:
            array = pa.repeat(pa.scalar(column.absent, field.type), rows.num_rows)
        elif name not in rows.column_names or rows.schema.field(name).type != field.type:
            raise LakeError(f"no column {name} of type {column.type}, which schema version {version} has")
        else:
            array = rows[name]
        fields.append(field)
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=rows.schema.metadata))
