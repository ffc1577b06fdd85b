"""Snapshot records of a lake, segment by segment: the files of its tables that were one segment of one ring."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ringcollect.config.symbols import symbol_key
from ringcollect.instruments import Instrument
from ringcollect.store import files, parquet
from ringcollect.store.coverage import coverage
from ringcollect.store.location import Lake
from ringcollect.store.market_snapshot import MarketSnapshot
from ringcollect.store.naming import DAY_NS
from ringcollect.store.selection import FIRST_DATE, LAST_DATE, Selection
from ringcollect.store.snapshot_assembly import Assembler
from ringcollect.store.snapshot_table import SNAPSHOT_TABLES, columns_to_snapshots


class Choice(NamedTuple):
    """Which snapshots are wanted; None: of all. ``symbol`` may be the venue's own or the unified name."""

    exchange: str | None
    market: str | None
    symbol: str | None
    start_ns: int
    end_ns: int

    def wants_instrument(self, instrument: Instrument) -> bool:
        """Whether the choice has this instrument."""
        if self.exchange not in (None, instrument.exchange) or self.market not in (None, instrument.market):
            return False
        keys = {symbol_key(name) for name in (instrument.symbol, instrument.unified) if name}
        return self.symbol is None or symbol_key(self.symbol) in keys

    def wants(self, snapshot: MarketSnapshot) -> bool:
        """Whether the choice has this snapshot."""
        return self.start_ns <= snapshot.ts_ns < self.end_ns and self.wants_instrument(snapshot.instrument)


class File(NamedTuple):
    """One file of a segment, known from a footer: ``rows`` of the file ``path`` from row ``first`` on (None: all)."""

    path: str
    table: str
    number: int
    instrument: Instrument
    seq_to: int
    first: int = 0
    rows: int | None = None


class SnapshotRing(NamedTuple):
    """What a lake has of one ring of snapshots: (generation, seq_from) -> its files."""

    lake: Lake
    exchange: str
    grid: str
    segments: dict[tuple[int, int], list[File]]


def rings_in(lake: Lake, choice: Choice) -> list[SnapshotRing]:
    """The rings of snapshots with anything of ``choice``, a day more at both ends for rows across midnight."""
    rings: dict[tuple[str, str], SnapshotRing] = {}
    unwanted: set[tuple[str, str, str]] = set()  # instruments that nobody asked for
    for listed in files.files(lake, _days_around(choice), ("sync",)):
        owner = (listed.exchange, listed.market, listed.symbol)
        if owner in unwanted or not listed.value("grid"):
            continue
        metadata = files.metadata_of(lake, listed)
        instrument = _instrument(metadata)
        if not choice.wants_instrument(instrument):
            unwanted.add(owner)
            continue
        identity = metadata["identity"]
        key = (listed.exchange, listed.value("grid"))
        ring = rings.setdefault(key, SnapshotRing(lake, *key, {}))
        whole = File(listed.path, listed.table, int(identity["instrument"]), instrument, 0)
        for seq_from, file in _segments(whole, metadata):
            ring.segments.setdefault((int(identity["generation"]), seq_from), []).append(file)
    return list(rings.values())


def _days_around(choice: Choice) -> Selection:
    def one(name: str | None) -> tuple[str, ...]:
        return () if name is None else (name,)

    return Selection(
        start_ns=max(choice.start_ns - DAY_NS, 0), end_ns=choice.end_ns,
        types=tuple(f"sync/{table}" for table in SNAPSHOT_TABLES), exchanges=one(choice.exchange),
        markets=one(choice.market), symbols=one(choice.symbol),
    )  # fmt: skip


def _segments(whole: File, metadata: dict[str, Any]) -> Iterator[tuple[int, File]]:
    """(seq_from, file) of what is in a file: one segment, or each of those that were merged into it."""
    if "sources" not in metadata:
        yield int(metadata["identity"]["seq_from"]), whole._replace(seq_to=int(metadata["identity"]["seq_to"]))
        return
    first = 0
    for source in metadata["sources"]:
        yield int(source["seq_from"]), whole._replace(seq_to=int(source["seq_to"]), first=first, rows=source["rows"])
        first += int(source["rows"])


def snapshots_of_ring(ring: SnapshotRing, choice: Choice) -> Iterator[MarketSnapshot]:
    """Its snapshots in ring order. Memory: the chosen instruments' records of one segment."""
    instruments: dict[int, Instrument] = {}
    assembler, generation, seq_to = Assembler(instruments.__getitem__, whole=True), -1, -1
    for (own, seq_from), members in sorted(ring.segments.items(), key=lambda item: item[0]):
        if own != generation:
            assembler, generation = Assembler(instruments.__getitem__, whole=seq_from == 0), own
        elif not _is_covered(ring, own, seq_to, seq_from):
            assembler.torn()
        instruments.update((file.number, file.instrument) for file in members)
        records = np.concatenate([_records(ring.lake, file) for file in members])
        seq_to = members[0].seq_to
        yield from filter(choice.wants, assembler.take(records[np.argsort(records["seq"], kind="stable")]))


def _is_covered(ring: SnapshotRing, generation: int, seq_from: int, seq_to: int) -> bool:
    """Whether the lake has the segments between two positions: then they hold nothing of the chosen instruments."""
    if seq_from >= seq_to:
        return True
    name = f"{ring.exchange}.{ring.grid}.sync"
    dates = (FIRST_DATE, LAST_DATE)
    held = coverage(ring.lake, ring.exchange, name, generation, dates, seq_from, stop=seq_to)
    at = seq_from
    for segment in held.segments:
        if segment.seq_from <= at < segment.seq_to:
            at = segment.seq_to
    return at >= seq_to


def _records(lake: Lake, file: File) -> np.ndarray:
    columns, opened = SNAPSHOT_TABLES[file.table], files.open_file(lake, file.path)
    with opened:
        if file.rows is None:
            groups = parquet.read(opened, columns)
        else:
            groups = parquet.read_rows(opened, columns, file.first, file.rows)
        return np.concatenate([columns_to_snapshots(file.table, group, file.number) for group in groups])


def _instrument(metadata: dict[str, Any]) -> Instrument:
    facts = ("market", "unified", "base", "quote", "size_unit", "multiplier", "inverse", "book_depth")
    return Instrument(
        number=int(metadata["identity"]["instrument"]),
        exchange=str(metadata["exchange"]),
        symbol=str(metadata.get("native_symbol", "")),
        **({name: metadata[name] for name in facts} if "market" in metadata else {"market": ""}),
    )
