"""Rows a second: tables to files beside other writers, and from a ring to closed files beside one bare call."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.figures import Case, Section, Series, Skip, Target
from benchmarks.form import Form
from benchmarks.harness import Run, alternate, cpus, pin, quiet
from benchmarks.store.disk import ONE
from benchmarks.store.rows import BUSY, LINES_IN_CI, Piece, beginning, lake_of, pieces, records_of
from benchmarks.store.section import TABLES
from benchmarks.store.writers import BARE, LEVEL, OURS, POLARS, Write, bare, writers
from ringcollect.ring.attach import Reader
from ringcollect.ring.producer import Producer
from ringcollect.store.drain import CONSUMER, RingJournal
from ringcollect.store.seal import seal_all

RING = "ringcollect, from ring to closed files"
LIKE_BARE = 0.8
MOST_ROUNDS = 5


def run(form: Form) -> Section:
    """Million rows a processor second; everything in memory, on one processor."""
    pin(cpus()[-1])
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with TemporaryDirectory(prefix="ringcollect-bench-", dir=memory) as place:
        folder = Path(place)
        capture = beginning(
            Path(os.environ["RINGCOLLECT_CAPTURES"]) / BUSY, folder, None if form.peers else LINES_IN_CI
        )
        lake = lake_of(capture, folder / "lake")
        found = list(pieces(lake))
        rounds = min(form.rounds, MOST_ROUNDS)
        cases, skipped = _writing(found, folder, rounds)
        cases.append(_from_ring(found, records_of(lake), folder, rounds))
    return Section(
        "store_rate", "Rows a second into the lake", "million rows a processor second", tuple(cases),
        less_is_better=False,
        skipped=tuple(skipped),
        notes=(
            "processor seconds of the process, for nothing here waits for anything; no file is synced, all of them lie"
            " in memory; every subject has one thread; rows of peers are in their own kind of table already, ours in"
            " numpy columns",
            "from ring to closed files: the journal drains the ring, ends, and is sealed: split by table and"
            " instrument, claims and hashes of every row, written, read back and compared row by row, certified, and"
            " the journal deleted. The bare call has Arrow tables, writes them, and looks at nothing",
        ),
    )  # fmt: skip


def _writing(found: Sequence[Piece], folder: Path, rounds: int) -> tuple[list[Case], list[Skip]]:
    subjects, skipped = writers(found)
    cases = []
    for table in (*TABLES, ""):
        own = [piece for piece in found if piece.table in (table or TABLES)]
        runs = {name: _timed(own, write, folder) for name, write in subjects.items()}
        if not table:
            runs[BARE] = _timed(own, bare, folder)
        with quiet():
            numbers, _ = alternate(runs, rounds)
        cases.append(
            Case(
                f"tables to files: {table or 'all three'}",
                f"{sum(piece.rows for piece in own):,} rows in {len(own)} files",
                tuple(Series(name, runs, name == OURS) for name, runs in numbers.items()),
                (Target(OURS, POLARS, 1.0), *([] if table else [Target(OURS, BARE, LIKE_BARE)])),
            )
        )
    return cases, skipped


def _timed(own: Sequence[Piece], write: Write, folder: Path) -> Run:
    rows = sum(piece.rows for piece in own)

    def once() -> float:
        began = time.process_time()
        for number, piece in enumerate(own):
            write(piece, folder / f"written-{number}.parquet")
        return rows / (time.process_time() - began) / 1e6

    return once


def _from_ring(found: Sequence[Piece], records: np.ndarray, folder: Path, rounds: int) -> Case:
    def ours() -> float:
        with TemporaryDirectory(prefix="ringcollect-bench-", dir=folder) as place:
            ring = Producer.open(
                Path(place) / "run", "binance.rec", capacity=1 << (len(records) - 1).bit_length(), generation=1
            )
            for batch in np.array_split(records, len(records) // 50_000 + 1):
                ring.publish(batch)
            data = Path(place) / "data"
            reader = Reader(ring.path, register=CONSUMER)
            began = time.process_time()
            journal = RingJournal(data, reader, ONE, resume=False)
            journal.drain()
            seal_all(journal.close(final=True), data, LEVEL, sync=False)
            took = time.process_time() - began
            ring.close()
        return len(records) / took / 1e6

    with quiet():
        numbers, failed = alternate({RING: ours, BARE: _timed(found, bare, folder)}, rounds)
    return Case(
        "from ring to closed files",
        f"{len(records):,} records",
        tuple(Series(name, runs, name == RING) for name, runs in numbers.items()),
        (Target(RING, BARE, LIKE_BARE),),
        tuple(Skip(name, reason) for name, reason in failed.items()),
    )
