"""A segment split into the files it becomes: one per table, tier and instrument, in ring order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from ringcollect.instruments import Instrument
from ringcollect.records import RECORD
from ringcollect.ring.layout import FRAME_ENTRY
from ringcollect.store import certificate
from ringcollect.store.bar_table import BAR_COLUMNS, bars_to_columns, canonical_bars, columns_to_bars
from ringcollect.store.chunk import Chunk, RingKind, by_instrument
from ringcollect.store.cursor import exchange_of
from ringcollect.store.frame_table import REJECT, canonical_frames, columns_to_frames, frames_to_columns, select
from ringcollect.store.journal import Header, Journal
from ringcollect.store.naming import (
    Owner,
    file_name,
    frames_folder,
    owner_of_instrument,
    owner_of_number,
    table_folder,
)
from ringcollect.store.row_table import canonical_rows, columns_of, columns_to_rows, rows_to_columns
from ringcollect.store.schema import FRAME_COLUMNS, SCHEMA_VERSION, TABLES, TABLES_BY_NAME, Column
from ringcollect.store.snapshot_table import (
    SNAPSHOT_TABLES,
    canonical_snapshots,
    columns_to_snapshots,
    indices_of_kinds,
    snapshots_to_columns,
)
from ringcollect.store.tables import Columns, canonical, is_rest, table_indices, to_columns, to_records
from ringcollect.sync.snapshot_record import SNAPSHOT

BOOKS = "books"
"""Folder of whole books in ``sync/``: not to be mixed with the books of rows, ``sync/orderbooks``."""


class Part(NamedTuple):
    """One file to be: where it goes, what it says about itself, and its records (canonical)."""

    tier: str
    table: str
    instrument: int | None
    folder: PurePosixPath
    name: Callable[[str], str]  # suffix -> file name
    columns: tuple[Column, ...]
    chunk: Chunk
    to_columns: Callable[[Chunk], Columns]
    metadata: dict[str, Any]


class Segment(NamedTuple):
    """A whole segment in memory, canonical, with the claims about it."""

    header: Header
    seq_to: int
    stream: np.ndarray  # stream time per record, ns
    chunk: Chunk
    unstored: int
    instruments: dict[int, Instrument]

    @property
    def first_ns(self) -> int:
        """Stream time of its first record; of a segment without records, when it began."""
        if len(self.stream):
            return int(self.stream[0])
        return self.header.stream_ns or self.header.generation


def load(journal: Journal, kind: RingKind) -> Segment:
    """All records of a journal, canonical. Memory: one segment, which the rotation policy bounds."""
    records = np.empty(journal.rows, journal.dtype)
    blobs = []
    done = unstored = 0
    for chunk in journal.chunks():
        chunk, more = _canonical(chunk, kind)
        records[done : done + len(chunk.records)] = chunk.records
        blobs.append(chunk.blob)
        done += len(chunk.records)
        unstored += more
    journal.frames.clear()  # the compressed records are not needed any more
    whole = Chunk(records, b"".join(blobs))
    stream = whole.times().copy()
    if len(stream):
        np.maximum(np.maximum.accumulate(stream), journal.header.stream_ns, out=stream)
    return Segment(journal.header, journal.seq_to, stream, whole, unstored, journal.instruments)


def _canonical(chunk: Chunk, kind: RingKind) -> tuple[Chunk, int]:
    if kind == RingKind.RECORDS:
        records, unstored = canonical(chunk.records, table_indices(chunk.records))
        return Chunk(records), unstored
    if kind == RingKind.SNAPSHOTS:
        return Chunk(canonical_snapshots(chunk.records)), 0
    if kind == RingKind.BARS:
        return Chunk(canonical_bars(chunk.records)), 0
    if kind == RingKind.ROWS:
        rows, unstored = canonical_rows(chunk.records)
        return Chunk(rows), unstored
    return canonical_frames(chunk), 0


def claims_of(kind: RingKind, chunk: Chunk, meta: dict[str, Any]) -> dict[str, Any]:
    """The certificate's claims about canonical records of one segment."""
    if kind == RingKind.RECORDS:
        return certificate.record_claims(chunk.records)
    if kind == RingKind.ROWS:
        return certificate.row_claims(chunk.records, int(meta.get("grid_ns", 0)))
    if kind == RingKind.BARS:
        return certificate.bar_claims(chunk.records)
    if kind == RingKind.SNAPSHOTS:
        return certificate.snapshot_ring_claims(chunk.records, int(meta.get("grid_ns", 0)))
    return certificate.frame_claims(chunk)


def parts(segment: Segment, kind: RingKind) -> Iterator[Part]:
    """Every file of the segment, in a fixed order."""
    if kind == RingKind.RECORDS:
        yield from _record_parts(segment)
    elif kind in (RingKind.ROWS, RingKind.BARS):
        yield from _row_parts(segment)
    elif kind == RingKind.SNAPSHOTS:
        yield from _snapshot_parts(segment)
    else:
        yield from _frame_parts(segment)


def _record_parts(segment: Segment) -> Iterator[Part]:
    records = segment.chunk.records
    indices = table_indices(records)
    rest = is_rest(records)
    derived = segment.header.ring.endswith(".book")
    live_tier = "sync" if derived else "raw"
    for number, mine in by_instrument(records):
        owner, whose = _owner(segment, number)
        own_rest, own_indices = rest[mine], indices[mine]
        for index in np.unique(own_indices).tolist():
            table = TABLES[index]
            for tier, where in ((live_tier, ~own_rest), ("rest", own_rest)):
                at = mine[where & (own_indices == index)]
                if not len(at):
                    continue

                def columns(chunk: Chunk, table: Any = table, owner: Owner = owner) -> Columns:
                    return to_columns(table, chunk.records, segment.header.generation, owner.native_symbol)

                folder_ns = int(segment.stream[at[0]])
                name = BOOKS if derived and table.name == "orderbooks" else table.name
                yield Part(
                    tier=tier,
                    table=name,
                    instrument=number,
                    folder=table_folder(
                        tier, name, exchange=exchange_of(segment.header.ring), owner=owner, ns=folder_ns
                    ),
                    name=_namer(owner.stem, name, tier, folder_ns),
                    columns=table.columns,
                    chunk=Chunk(records if len(at) == len(records) else records[at]),
                    to_columns=columns,
                    metadata=_metadata(segment, tier, name, number, folder_ns) | whose,
                )


def _row_parts(segment: Segment) -> Iterator[Part]:
    rows = segment.chunk.records
    table, step = row_table_of(segment.header.ring)
    for number in np.unique(rows["instrument"]).tolist():
        owner, whose = _owner(segment, number)
        at = np.flatnonzero(rows["instrument"] == number)

        def columns(chunk: Chunk, owner: Owner = owner) -> Columns:
            to_columns = bars_to_columns if table == "bars" else rows_to_columns
            return to_columns(chunk.records, segment.header.generation, owner.native_symbol)

        folder_ns = int(segment.stream[at[0]])
        exchange = exchange_of(segment.header.ring)
        yield Part(
            tier="sync",
            table=table,
            instrument=number,
            folder=table_folder("sync", table, exchange=exchange, owner=owner, ns=folder_ns, step=step),
            name=_namer(owner.stem, table, "sync", folder_ns),
            columns=columns_for(table, rows.dtype),
            chunk=Chunk(rows[at]),
            to_columns=columns,
            metadata=_metadata(segment, "sync", table, number, folder_ns) | whose | {"meta": segment.header.meta},
        )


def _snapshot_parts(segment: Segment) -> Iterator[Part]:
    header = segment.header
    _, step = row_table_of(header.ring)
    for number in np.unique(segment.chunk.records["instrument"]).tolist():
        owner, whose = _owner(segment, number)
        own = np.flatnonzero(segment.chunk.records["instrument"] == number)
        for table, at in indices_of_kinds(segment.chunk.records[own]).items():
            at = own[at]

            def columns(chunk: Chunk, table: str = table, owner: Owner = owner) -> Columns:
                return snapshots_to_columns(table, chunk.records, header.generation, owner.native_symbol)

            folder_ns = int(segment.stream[at[0]])
            exchange = exchange_of(header.ring)
            yield Part(
                tier="sync",
                table=table,
                instrument=number,
                folder=table_folder("sync", table, exchange=exchange, owner=owner, ns=folder_ns, step=step),
                name=_namer(owner.stem, table, "sync", folder_ns),
                columns=SNAPSHOT_TABLES[table],
                chunk=Chunk(segment.chunk.records[at]),
                to_columns=columns,
                metadata=_metadata(segment, "sync", table, number, folder_ns) | whose | {"meta": header.meta},
            )


def _frame_parts(segment: Segment) -> Iterator[Part]:
    rejected = segment.chunk.records["direction"] == REJECT
    exchange = exchange_of(segment.header.ring)
    for table, mask in (("frames", ~rejected), ("rejects", rejected)):
        at = np.flatnonzero(mask)
        if not len(at):
            continue
        folder_ns = int(segment.stream[at[0]])
        yield Part(
            tier=table,
            table=table,
            instrument=None,
            folder=frames_folder(table, exchange=exchange, ns=folder_ns),
            name=_namer(exchange, table, "raw", folder_ns),
            columns=FRAME_COLUMNS,
            chunk=select(segment.chunk, mask),
            to_columns=lambda chunk: frames_to_columns(chunk, segment.header.generation),
            metadata=_metadata(segment, table, table, None, folder_ns),
        )


def row_table_of(ring: str) -> tuple[str, tuple[str, str]]:
    """(table, step) of a row ring: ``binance.100ms.row`` is features on a 100ms grid, ``.bar`` bars of a duration.

    A ``.sync`` ring has several tables, on its grid. ``binance.1s_50ms.bar`` are bars of 1 s, too, of the instruments
    that have the grid of 50 ms for themselves. ``.xv`` is what rows of several exchanges say of each other.
    """
    step, _, what = ring.partition(".")[2].rpartition(".")
    if what == "bar":
        return "bars", ("duration", step.partition("_")[0])
    return "venues" if what == "xv" else "features", ("grid", step)


def record_table(table: str) -> str:
    """The table of records that ``table`` is one of: whole books of a ``.book`` ring are order books."""
    return "orderbooks" if table == BOOKS else table


def columns_for(table: str, dtype: np.dtype) -> tuple[Column, ...]:
    """The columns of a table in the lake, of a ring with ``dtype``."""
    if dtype == SNAPSHOT:
        return SNAPSHOT_TABLES[table]
    if table == "bars":
        return BAR_COLUMNS
    if record_table(table) in TABLES_BY_NAME:
        return TABLES_BY_NAME[record_table(table)].columns
    return FRAME_COLUMNS if dtype == FRAME_ENTRY else columns_of(dtype)


def rebuild(table: str, columns: Columns, dtype: np.dtype, instrument: int | None) -> Chunk:
    """The canonical records behind the columns of a file."""
    if dtype == FRAME_ENTRY:
        return columns_to_frames(columns)
    if dtype == SNAPSHOT:
        return Chunk(columns_to_snapshots(table, columns, int(instrument or 0)))
    if table == "bars":
        return Chunk(columns_to_bars(columns, int(instrument or 0)))
    if dtype == RECORD:
        return Chunk(to_records(record_table(table), columns, int(instrument or 0)))
    return Chunk(columns_to_rows(columns, dtype, int(instrument or 0)))


def _namer(stem: str, table: str, mode: str, ns: int) -> Callable[[str], str]:
    return lambda suffix: file_name(stem, table, mode, ns, suffix)


def _owner(segment: Segment, number: int) -> tuple[Owner, dict[str, Any]]:
    """Whose records these are, and the facts about the instrument that reading its data needs.

    Only facts that do not change while the instrument lives: when a later version was seen depends on the moment a
    ring was drained, and must not show in the file. All versions are in the certificate.
    """
    instrument = segment.instruments.get(number)
    if instrument is None:
        return owner_of_number(number), {}
    facts = ("market", "unified", "base", "quote", "size_unit", "multiplier", "inverse", "book_depth")
    owner = owner_of_instrument(instrument.market, instrument.symbol)
    return owner, {"native_symbol": instrument.symbol} | {name: getattr(instrument, name) for name in facts}


def _metadata(segment: Segment, tier: str, table: str, instrument: int | None, ns: int) -> dict[str, Any]:
    header = segment.header
    return {
        "identity": {
            "ring": header.ring,
            "generation": header.generation,
            "seq_from": header.seq_from,
            "seq_to": segment.seq_to,
            "table": f"{tier}/{table}",
            "instrument": instrument,
        },
        "schema": table,
        "schema_version": SCHEMA_VERSION,
        "exchange": exchange_of(header.ring),
        "stamp_ns": ns,
    }
