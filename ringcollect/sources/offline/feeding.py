"""Records of a lake into the engine: as the ring had them, with what is missing said where it is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from ringcollect.records import RECORD, WHOLE_EXCHANGE, Flag, Kind, Status
from ringcollect.sources.offline.seeds import Seeds
from ringcollect.sources.offline.versions import Versions
from ringcollect.sync.engine import Engine, Sink

_VERSIONED = (Status.INSTRUMENT_NEW, Status.INSTRUMENT_CHANGED)


class Sinks(NamedTuple):
    """Where rows go, and snapshot records and bars if there are any."""

    rows: Sink
    snapshots: Sink | None = None
    bars: Sink | None = None


class Counts(msgspec.Struct):
    """Records read; positions certified as lost; positions that no certificate explains."""

    records: int = 0
    lost: int = 0
    missing: int = 0


class Feeder:
    """Gives consecutive windows to ``engine``. ``at`` is the position that comes next.

    ``is_whole``: every record of the ring is expected, so a hole is a loss wherever it is. Otherwise records of other
    instruments were left out, and only what the certificates call lost is.
    """

    def __init__(self, engine: Engine, versions: Versions, sinks: Sinks, at: int, *, is_whole: bool) -> None:
        self.counts = Counts()
        self.at = at
        self._engine = engine
        self._versions = versions
        self._sinks = sinks
        self._is_whole = is_whole
        self.seeds = Seeds()
        self._torn_at = -1  # where the loss ends behind which nothing came yet

    def take(self, records: np.ndarray, lost: Sequence[tuple[int, int]]) -> None:
        """Feed one window (RECORD, ring order); ``lost`` are the ranges its segment certifies as lost."""
        if not len(records):
            return
        if self._is_whole:
            self._take_whole(records, lost)
        else:
            self._take_part(records, lost)
        self.counts.records += len(records)

    def end_segment(self, position: int, lost: Sequence[tuple[int, int]]) -> None:
        """Nothing more comes before ``position``, where its segment ends."""
        if self._is_whole:
            self._lose(self.at, position, lost)
        else:
            self._lose_certified(position, lost)
        self.at = max(self.at, position)

    def hole(self, position: int) -> None:
        """No segment of the lake has the records from here to ``position``."""
        self._lose(self.at, position, ())

    def _take_whole(self, records: np.ndarray, lost: Sequence[tuple[int, int]]) -> None:
        seqs = records["seq"]
        if seqs[0] == self.at and seqs[-1] - seqs[0] == len(seqs) - 1:
            self._feed(records)
        else:
            before = np.concatenate(([self.at - 1], seqs[:-1]))
            starts = np.flatnonzero(seqs - before != 1)
            if not len(starts) or starts[0] != 0:
                starts = np.concatenate(([0], starts))
            for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(seqs)], strict=True):
                self._lose(self.at, int(seqs[start]), lost)
                self._feed(records[start:stop])
                self.at = int(seqs[stop - 1]) + 1
        self.at = int(seqs[-1]) + 1

    def _take_part(self, records: np.ndarray, lost: Sequence[tuple[int, int]]) -> None:
        seqs = records["seq"]
        done = 0
        for stop in sorted(stop for _, stop in lost if self.at < stop <= seqs[-1]):
            end = int(np.searchsorted(seqs, stop))
            self._feed_behind(records[done:end])
            self._lose_certified(stop, lost)
            done = end
        self._feed_behind(records[done:])
        self.at = int(seqs[-1]) + 1

    def _feed_behind(self, records: np.ndarray) -> None:
        """Behind a loss come records of others, whole batches, unless the first of these stands right at its end."""
        if len(records):
            if self._torn_at not in (-1, records["seq"][0]):
                self._begin_batch()
            self._torn_at = -1
            self._feed(records)

    def _lose_certified(self, until: int, lost: Sequence[tuple[int, int]]) -> None:
        for start, stop in sorted(lost):
            if self.at < stop <= until:
                self._lose(max(start, self.at), stop, lost)

    def _lose(self, start: int, stop: int, lost: Sequence[tuple[int, int]]) -> None:
        if stop <= start:
            return
        certified = sum(max(0, min(stop, b) - max(start, a)) for a, b in lost)
        self.counts.lost += certified
        self.counts.missing += stop - start - certified
        self._engine.lost(stop - start)
        self.at = self._torn_at = stop

    def _begin_batch(self) -> None:
        """A record that says nothing but that a batch is over: what comes next is not the rest of a torn one."""
        nothing = np.zeros(1, RECORD)
        nothing["kind"], nothing["instrument"], nothing["flags"] = Kind.STATUS, WHOLE_EXCHANGE, Flag.LAST
        self._engine.feed(nothing, *self._sinks)

    def _feed(self, records: np.ndarray) -> None:
        """Records without a hole; before each that begins a version of an instrument, that version is made known."""
        if not len(records):
            return
        says = (records["kind"] == Kind.STATUS) & np.isin(records["sub"], _VERSIONED)
        done = 0
        for place in np.flatnonzero(says).tolist():
            self._feed_plain(records[done:place])
            record = records[place]
            self._versions.announce(int(record["instrument"]), int(record["id"]))
            done = place
        self._feed_plain(records[done:])

    def _feed_plain(self, records: np.ndarray) -> None:
        if not len(records):
            return
        self._versions.now_ns = max(self._versions.now_ns, int(records["ts_recv"][-1]))
        for piece in self.seeds.split(records) if self.seeds else (records,):
            if len(piece):
                self._engine.feed(piece, *self._sinks)
