"""Snapshot records of a lake, segment by segment: the files of its tables that were one segment of one ring."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import numpy as np

from ringcollect.config.symbols import symbol_key
from ringcollect.instruments import Instrument
from ringcollect.store import parquet
from ringcollect.store.market_snapshot import MarketSnapshot
from ringcollect.store.naming import DAY_NS, date_of, folder_value, journal_stem
from ringcollect.store.snapshot_assembly import Assembler
from ringcollect.store.snapshot_table import SNAPSHOT_TABLES, columns_to_snapshots

_FIRST, _LAST = "1970-01-01", "9999-12-31"


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

    path: Path
    table: str
    number: int
    instrument: Instrument
    seq_to: int
    first: int = 0
    rows: int | None = None


class SnapshotRing(NamedTuple):
    """What the lake ``data`` has of one ring of snapshots: (generation, seq_from) -> its files."""

    data: Path
    exchange: str
    grid: str
    segments: dict[tuple[int, int], list[File]]


def rings_in(data: Path, choice: Choice) -> list[SnapshotRing]:
    """The rings of snapshots with anything of ``choice``, a day more at both ends for rows across midnight."""
    rings: dict[tuple[str, str], SnapshotRing] = {}
    unwanted: set[Path] = set()  # folders of instruments that nobody asked for
    for table in SNAPSHOT_TABLES:
        for path in sorted((data / "sync" / table).glob("grid=*/exchange=*/market=*/symbol=*/date=*/*.parquet")):
            values = {key: unquote(value) for key, _, value in (part.partition("=") for part in path.parts[-6:-1])}
            of_instrument = Path(*path.parts[-5:-2])
            if not _may_have(choice, values) or of_instrument in unwanted:
                continue
            metadata = parquet.metadata_of(parquet.open_file(path))
            instrument = _instrument(metadata)
            if not choice.wants_instrument(instrument):
                unwanted.add(of_instrument)
                continue
            identity = metadata["identity"]
            key = (values["exchange"], values["grid"])
            ring = rings.setdefault(key, SnapshotRing(data, *key, {}))
            for seq_from, file in _segments(File(path, table, int(identity["instrument"]), instrument, 0), metadata):
                ring.segments.setdefault((int(identity["generation"]), seq_from), []).append(file)
    return list(rings.values())


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
    for (own, seq_from), files in sorted(ring.segments.items(), key=lambda item: item[0]):
        if own != generation:
            assembler, generation = Assembler(instruments.__getitem__, whole=seq_from == 0), own
        elif not _is_covered(ring, own, seq_to, seq_from):
            assembler.torn()
        instruments.update((file.number, file.instrument) for file in files)
        records = np.concatenate([_records(file) for file in files])
        seq_to = files[0].seq_to
        yield from filter(choice.wants, assembler.take(records[np.argsort(records["seq"], kind="stable")]))


def _is_covered(ring: SnapshotRing, generation: int, seq_from: int, seq_to: int) -> bool:
    """Whether the lake has the segments between two positions: then they hold nothing of the chosen instruments."""
    name = f"{ring.exchange}.{ring.grid}.sync"
    folder = ring.data / "certificates" / f"exchange={folder_value(ring.exchange)}"
    while seq_from < seq_to:
        found = next(folder.glob(f"date=*/{journal_stem(name, generation, seq_from)}.json"), None)
        if found is None:
            return False
        seq_from = int(json.loads(found.read_bytes())["seq_to"])
    return True


def _records(file: File) -> np.ndarray:
    columns, opened = SNAPSHOT_TABLES[file.table], parquet.open_file(file.path)
    if file.rows is None:
        groups = parquet.read(opened, columns)
    else:
        groups = parquet.read_rows(opened, columns, file.first, file.rows)
    return np.concatenate([columns_to_snapshots(file.table, group, file.number) for group in groups])


def _may_have(choice: Choice, values: dict[str, str]) -> bool:
    first = date_of(max(choice.start_ns - DAY_NS, 0)) if choice.start_ns else _FIRST
    last = date_of(choice.end_ns + DAY_NS) if choice.end_ns < 10**19 // 4 else _LAST
    return (
        choice.exchange in (None, values["exchange"])
        and choice.market in (None, values["market"])
        and first <= values["date"] <= last
    )


def _instrument(metadata: dict[str, Any]) -> Instrument:
    facts = ("market", "unified", "base", "quote", "size_unit", "multiplier", "inverse", "book_depth")
    return Instrument(
        number=int(metadata["identity"]["instrument"]),
        exchange=str(metadata["exchange"]),
        symbol=str(metadata.get("native_symbol", "")),
        **({name: metadata[name] for name in facts} if "market" in metadata else {"market": ""}),
    )
