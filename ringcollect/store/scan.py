"""``ringcollect.scan``: the rows of one table of a lake, pruned by folders and statistics, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import pyarrow as pa

from ringcollect.errors import ConfigError, NotFoundError
from ringcollect.store import files, parquet, schema_versions
from ringcollect.store.files import LakeFile
from ringcollect.store.location import Lake
from ringcollect.store.naming import TOKENS
from ringcollect.store.scan_rows import GONE, Wanted, rows_of_folder
from ringcollect.store.schema import LATER_IN_FEATURES
from ringcollect.store.selection import FOREVER, Selection, Time, select

TIERS = ("raw", "rest", "sync")
_ALONE = {"frames": ("frames",), "rejects": ("rejects",)}
SYNC_ONLY = frozenset({"features", "venues", "bars", "snapshots", "books"})
_DICTIONARY = pa.dictionary(pa.int32(), pa.string())
Names = str | Sequence[str] | None


def scan(
    data: str | os.PathLike[str] | Lake,
    type: str = "trades",
    *,
    mode: str | Sequence[str] | None = None,
    exchange: Names = None,
    market: Names = None,
    symbol: Names = None,
    grid: str | None = None,
    duration: str | None = None,
    start: Time | None = None,
    end: Time | None = None,
    columns: Sequence[str] | None = None,
) -> Scan:
    """The rows of table ``type`` in the lake ``data`` (a folder or ``s3://bucket/prefix``), not read yet.

    ``mode`` is ``"raw"`` (default), ``"rest"``, ``"sync"``, or ``("raw", "rest")``, which adds a column ``tier``;
    features, bars, snapshots and books are in sync only. ``exchange``, ``market``, ``symbol`` (the venue's own or the
    unified name) are one or several. ``start <= t < end`` where t is ``ts_recv``, in sync tables ``ts_ns``, of a bar
    the last ns it owns; times are ns, ISO texts (UTC) or datetimes. ``columns``: only these, folder columns (exchange,
    market, symbol, date, and grid or duration) included. Older schema versions are read as if they were of this one.

    Rows of one instrument come in ring order within a file, files in the order of their first row. Raises NotFoundError
    where there is nothing of the kind, ConfigError for a choice that cannot be.
    """
    tiers = _tiers(type, mode)
    selection = select(
        types=(type,),
        exchanges=as_names(exchange),
        markets=as_names(market),
        symbols=as_names(symbol),
        start=start,
        end=end,
    )
    lake = data if isinstance(data, Lake) else Lake.open(os.fspath(data))
    steps = {key: value for key, value in (("grid", grid), ("duration", duration)) if value is not None}
    found = _listed(lake, selection, tiers, steps)
    if not found:
        _explain_nothing(lake, selection, tiers, type)
    for key in ("grid", "duration"):
        several = sorted({file.value(key) for file in found} - {""})
        if len(several) > 1 and steps.get(key) is None:
            raise ConfigError(f"{key}: {lake} has {type} of {', '.join(several)}; name one")
    return Scan(lake, selection, tiers, steps, found, columns)


class Scan:
    """Rows to be read, as often as wanted. DuckDB, Polars and pyarrow take it as it is (Arrow's C stream)."""

    def __init__(
        self,
        lake: Lake,
        selection: Selection,
        tiers: tuple[str, ...],
        steps: dict[str, str],
        found: list[LakeFile],
        columns: Sequence[str] | None,
    ) -> None:
        self.lake = lake
        self.files = found
        self._selection = selection
        self._tiers = tiers
        self._steps = steps
        self._wanted = _wanted(lake, selection, tiers, found, columns)

    @property
    def schema(self) -> pa.Schema:
        """Of every batch and of the table."""
        return self._wanted.schema

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, at most 65,536 at a time. Memory: a row group's pages of the wanted columns.

        A day folder that is compacted meanwhile is read again where it was left: no row is doubled or missed. Raises
        LakeError naming the file that is damaged, NotFoundError if one was removed meanwhile.
        """
        for folder, members in groupby(self.files, key=files.folder_of):
            yield from rows_of_folder(
                self.lake, list(members), self._wanted, partial(files.files_of_folder, self.lake, folder)
            )

    def to_reader(self) -> pa.RecordBatchReader:
        """The rows as a stream, to be read once."""
        return pa.RecordBatchReader.from_batches(self.schema, self.to_batches())

    def to_table(self) -> pa.Table:
        """All rows in memory."""
        return pa.Table.from_batches(self.to_batches(), schema=self.schema)

    def to_pandas(self, **more: Any) -> Any:
        """All rows as a pandas DataFrame; ``more`` goes to pyarrow's ``to_pandas``. Needs the extra ``pandas``."""
        return self.to_table().to_pandas(**more)

    def to_dataset(self) -> Any:
        """The files as a pyarrow dataset, the span as its filter: other engines push their own filters into it.

        Not for lakes that are compacted meanwhile: then a file may be gone. Columns that a later schema version brought
        are null in files of earlier ones.
        """
        from ringcollect.store.scan_dataset import dataset_of

        return dataset_of(self.lake, self.files, self._wanted)

    def count_rows(self) -> int:
        """How many rows there are; reads the time column at most."""
        few = Scan(self.lake, self._selection, self._tiers, self._steps, self.files, ("seq",))
        return sum(batch.num_rows for batch in few.to_batches())

    def head(self, rows: int = 10) -> pa.Table:
        """The first rows."""
        taken: list[pa.RecordBatch] = []
        left = rows
        for batch in self.to_batches():
            taken.append(batch.slice(0, left))
            left -= taken[-1].num_rows
            if left <= 0:
                break
        return pa.Table.from_batches(taken, schema=self.schema)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.to_reader().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"<scan of {len(self.files)} files in {self.lake}: {', '.join(self.schema.names)}>"


def _tiers(type: str, mode: str | Sequence[str] | None) -> tuple[str, ...]:
    if type not in TOKENS:
        raise ConfigError(f"type: there is no {type!r}; types are {', '.join(TOKENS)}")
    if type in _ALONE:
        return _ALONE[type]
    if mode is None:
        return ("sync",) if type in SYNC_ONLY else ("raw",)
    modes = (mode,) if isinstance(mode, str) else tuple(mode)
    if not modes or any(one not in TIERS for one in modes):
        raise ConfigError(f"mode: {mode!r}; it is raw, rest or sync, or both of raw and rest")
    if "sync" in modes and len(modes) > 1:
        raise ConfigError("mode: tables of sync have other columns than those of raw and rest; scan them apart")
    return modes


def as_names(given: Names) -> tuple[str, ...]:
    """None, one name or several, as a tuple."""
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


def _listed(lake: Lake, selection: Selection, tiers: tuple[str, ...], steps: dict[str, str]) -> list[LakeFile]:
    found = [
        file
        for file in files.files(lake, selection, tiers)
        if all(file.value(key) == value for key, value in steps.items())
    ]
    return sorted(found, key=files.place)


def _explain_nothing(lake: Lake, selection: Selection, tiers: tuple[str, ...], type: str) -> None:
    """NotFoundError, unless other days have what was asked for: then no row is the answer."""
    import msgspec

    anywhere = msgspec.structs.replace(selection, start_ns=0, end_ns=FOREVER)
    if next(files.files(lake, anywhere, tiers), None) is None:
        raise NotFoundError(f"{lake} has no {type} of what is asked for in {' or '.join(tiers)}/")


def _wanted(
    lake: Lake,
    selection: Selection,
    tiers: tuple[str, ...],
    found: list[LakeFile],
    columns: Sequence[str] | None,
) -> Wanted:
    table = selection.types[0]
    identity = f"{tiers[0]}/{table}"
    own = schema_versions.current(identity)
    schema = parquet.arrow_schema(own) if own is not None else _schema_of_rows(lake, found, table)
    values = _folder_values(found, tiers, table)
    fields = [*schema.remove_metadata(), *(pa.field(name, _DICTIONARY) for name in values)]
    by_name = {field.name: field for field in fields}
    names = list(by_name) if columns is None else list(dict.fromkeys(columns))
    if not names:
        raise ConfigError("columns: name at least one")
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise ConfigError(f"columns: {identity} has no {', '.join(unknown)}; it has {', '.join(by_name)}")
    is_bar = table == "bars"  # its end is not in it
    time_column = "ts_close_ns" if is_bar else "ts_ns"
    if own is not None and "ts_recv" in schema.names:
        time_column = "ts_recv"
    return Wanted(
        schema=pa.schema([by_name[name] for name in names]),
        columns=own,
        time_column=time_column,
        start_ns=selection.start_ns + is_bar if selection.start_ns > 0 else 0,
        end_ns=selection.end_ns + is_bar,
        values=values,
    )


def _folder_values(found: list[LakeFile], tiers: tuple[str, ...], table: str) -> dict[str, pa.Array]:
    """Folder column -> its values in this scan."""
    keys = ["exchange", "date"] if table in _ALONE else ["exchange", "market", "symbol", "date"]
    keys = [key for key in ("grid", "duration", "server") if any(file.value(key) for file in found)] + keys
    values = {key: pa.array(sorted({file.value(key) for file in found}), pa.string()) for key in keys}
    if len(tiers) > 1:
        values["tier"] = pa.array(sorted(tiers), pa.string())
    return values


def _schema_of_rows(lake: Lake, found: list[LakeFile], table: str) -> pa.Schema:
    """All columns that the files of a table of rows have; a set that was changed meanwhile leaves nulls."""
    fields: dict[str, pa.Field] = {}
    for file in found:
        try:
            opened = files.open_file(lake, file)
        except GONE:
            continue  # compacted meanwhile: its columns are in the file that took its place, and in its neighbours
        for field in opened.schema_arrow:
            fields.setdefault(field.name, field)
        opened.close()
    if table == "features":
        for field in parquet.arrow_schema(LATER_IN_FEATURES):
            fields.setdefault(field.name, field)
    last = fields.pop("native_symbol", None)
    return pa.schema([*fields.values(), *([last] if last is not None else [])])
