"""The ``.book`` ring of an exchange: whole books of the instruments whose rows one worker makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from ringcollect.records import RECORD
from ringcollect.ring.attach import Reader
from ringcollect.ring.producer import Producer
from ringcollect.sync.books import cuts, write_books
from ringcollect.sync.checkpoint import Checkpoint
from ringcollect.sync.engine import Engine
from ringcollect.sync.output import Output, Room, generation_of


def book_ring_name(exchange: str, grid: str = "") -> str:
    """``binance.book``; of instruments with a grid of their own ``binance.1s.book``."""
    return f"{exchange}.{grid}.book" if grid else f"{exchange}.book"


def open_book_ring(
    directory: Path, name: str, row_meta: Mapping[str, object], capacity: int, *, resume: bool, saved: Checkpoint | None
) -> Producer:
    """The ring ``name``, taken over or new. Raises EnvironmentRefused."""
    keys = ("exchange", "source", "source_generation", "symbols", "book_levels")
    meta = {key: row_meta[key] for key in keys if key in row_meta}
    generation = int(str(row_meta["source_generation"]))
    if resume:
        generation = max(
            generation, generation_of(directory, name) + 1, 0 if saved is None else saved.book_generation + 1
        )
    return Producer.open(directory, name, RECORD, capacity, generation=generation, meta=meta | {"kind": "book"})


class BookWriter:
    """Writes books to ``producer`` while ``engine`` is fed; ``total`` counts the records of the stream so far."""

    def __init__(self, producer: Producer, reader: Reader, interval_ns: int, room: Room | None) -> None:
        self.producer = producer
        self.total = producer.head
        self._interval_ns = interval_ns
        self._publish = Output(producer, reader, room).publish

    def pieces(self, engine: Engine, records: np.ndarray) -> Iterator[np.ndarray]:
        """``records`` in pieces; where one ends before the last, books were due: they are written when it is fed."""
        start = 0
        for cut in cuts(records, engine.stream_ns, self._interval_ns):
            if cut.position > start:
                yield records[start : cut.position]
                start = cut.position
            for batch in write_books(engine, cut.ts, self.total):
                self.total += len(batch)
                self._publish(batch)
        yield records[start:]
