"""Books to begin with, for a build that begins in the middle: snapshots that the synchronizer kept in ``.book`` rings.

A snapshot holds the book after the update whose id it names. It is put right before the first update that follows
that one, which the chain rule proves; where none follows, the book begins with the next CLEAR of the stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ringcollect.instruments import Instrument
from ringcollect.records import WHOLE_EXCHANGE, Flag, Kind
from ringcollect.sources.offline import merge
from ringcollect.sources.offline.segments import Segment, places_of, within
from ringcollect.store.parts import BOOKS

BOOK = ".book"
_BEFORE_NS = 60_000_000_000
"""A snapshot this long before the segment may still be of its first update: one of midnight is."""
_MOST_RECORDS = 1 << 20


class Seeds:
    """Snapshots by (instrument, id), until the instrument has a book."""

    def __init__(self) -> None:
        self._kept: dict[int, dict[int, np.ndarray]] = {}
        self._records = 0

    def __bool__(self) -> bool:
        return bool(self._kept)

    def keep(self, records: np.ndarray) -> None:
        """Take the snapshots of a stretch of a ``.book`` ring (RECORD, whole batches); the oldest ones stay."""
        ends = np.flatnonzero(records["flags"] & Flag.LAST) + 1
        for batch in np.split(records, ends)[: len(ends)]:
            if self._records + len(batch) > _MOST_RECORDS or not batch[0]["flags"] & Flag.CLEAR:
                continue
            self._records += len(batch)
            snapshot = np.ascontiguousarray(batch)
            snapshot["flags"] |= np.uint16(Flag.SNAPSHOT | Flag.DERIVED)
            self._kept.setdefault(int(batch[0]["instrument"]), {}).setdefault(int(batch[0]["id"]), snapshot)

    def split(self, records: np.ndarray) -> Iterator[np.ndarray]:
        """``records`` with a snapshot before each update that goes on from it."""
        done = 0
        for at in self._places(records):
            record = records[at]
            number = int(record["instrument"])
            if number not in self._kept:
                continue
            if record["flags"] & Flag.CLEAR:
                del self._kept[number]
                continue
            snapshot = self._kept[number].get(int(record["aux"]))
            if snapshot is not None:
                yield records[done:at]
                yield snapshot
                done = at
                del self._kept[number]
        yield records[done:]

    def _places(self, records: np.ndarray) -> list[int]:
        """Where a CLEAR stands, or an update that a snapshot precedes."""
        ids = np.array([ident for kept in self._kept.values() for ident in kept], np.int64)
        is_book = np.isin(records["kind"], (Kind.BOOK_DELTA, Kind.BOOK_SNAPSHOT)) & (records["sub"] == 0)
        is_book &= (records["flags"] & Flag.UNSYNCED) == 0
        clears = (records["flags"] & Flag.CLEAR) != 0
        follows = (records["kind"] == Kind.BOOK_DELTA) & np.isin(records["aux"], ids)
        return [int(place) for place in np.flatnonzero(is_book & (clears | follows))]


def seeds_for(data: Path, first: Segment, asks: Callable[[Instrument], bool]) -> Seeds:
    """What the lake kept of the books of ``first``, for the instruments that are asked for."""
    seeds = Seeds()
    if first.stream_ns is None:
        return seeds
    begin, end = first.stream_ns[0] - _BEFORE_NS, first.stream_ns[1]
    for places in places_of(data, first.exchange, BOOK).values():
        for place in within(places, begin, end + 1):
            segment = place.load()
            if segment.meta.get("source_generation") != first.generation or segment.stream_ns is None:
                continue
            if segment.stream_ns[1] < begin or segment.stream_ns[0] > end:
                continue
            known = {instrument.number: instrument for instrument in segment.instruments}
            entries = [
                entry
                for entry in segment.files
                if entry.table == BOOKS
                and entry.instrument != WHOLE_EXCHANGE
                and entry.instrument in known
                and asks(known[entry.instrument])
            ]
            for window in merge.windows(data, segment, entries, segment.seq_from):
                near = (window["ts_recv"] >= begin) & (window["ts_recv"] <= end)
                seeds.keep(window[near])
    return seeds
