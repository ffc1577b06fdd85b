"""What the certificates of a lake say about one ring: which positions are in it, and which were lost."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

from ringcollect.errors import LakeError, NotFoundError
from ringcollect.store.location import Lake
from ringcollect.store.naming import folder_value, parse_journal_stem


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What was known of an instrument from ``valid_from_ns`` on."""

    market: str
    symbol: str
    valid_from_ns: int = 0
    book_depth: int = 0


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """What a certificate covers. ``lost``: (from, to, cause); ``stream_ns``: first and last time."""

    ring: str
    generation: int
    seq_from: int
    seq_to: int
    lost: list[tuple[int, int, str]]
    stream_ns: tuple[int, int] | None
    instruments: list[Version] = []


class Coverage(NamedTuple):
    """One generation's segments, by position."""

    segments: list[Covered]

    def lost_ends(self) -> np.ndarray:
        """int64: positions right behind lost records."""
        return np.array([end for segment in self.segments for _, end, _ in segment.lost], np.int64)

    def missing(self, start: int, stop: int) -> list[tuple[int, int]]:
        """The parts of ``[start, stop)`` that no segment has, or that were lost."""
        holes, at = [], start
        for segment in self.segments:
            if segment.seq_to <= at or segment.seq_from >= stop:
                continue
            if segment.seq_from > at:
                holes.append((at, segment.seq_from))
            holes += [(max(a, at), min(b, stop)) for a, b, _ in segment.lost if a < stop and b > at]
            at = max(at, segment.seq_to)
        if at < stop:
            holes.append((at, stop))
        return [(a, b) for a, b in holes if a < b]

    def book_depth(self, market: str, symbol: str, ts_ns: int) -> int | None:
        """Levels a side of the instrument's book had at ``ts_ns``, 0 all; None if the segments do not know it."""
        known = {
            version.valid_from_ns: version.book_depth
            for segment in self.segments
            for version in segment.instruments
            if (version.market, version.symbol) == (market, symbol)
        }
        if not known:
            return None
        return known[max((start for start in known if start <= ts_ns), default=min(known))]

    def end_of(self, ts_ns: int) -> int | None:
        """A position behind every record up to stream time ``ts_ns``; None if the segments do not reach that far."""
        behind = [s for s in self.segments if s.stream_ns is not None and s.stream_ns[1] >= ts_ns]
        return behind[0].seq_to if behind else None


def coverage(
    lake: Lake,
    exchange: str,
    ring: str,
    generation: int,
    dates: tuple[str, str],
    seq_from: int,
    stop: int = 2**63 - 1,
) -> Coverage:
    """The segments of a ring's generation with positions ``[seq_from, stop)``, in the days ``dates`` (first, last).

    A certificate that cannot be read is as one that is not there.
    """
    folder = f"certificates/exchange={folder_value(exchange)}"
    named: list[tuple[int, str]] = []
    for day in lake.folders(folder):
        if dates[0] <= day.removeprefix("date=") <= dates[1]:
            for entry in lake.files(f"{folder}/{day}"):
                stem = entry.key.rpartition("/")[2].removesuffix(".json")
                parts = parse_journal_stem(stem) if entry.key.endswith(".json") else None
                if parts is not None and parts[:2] == (ring, generation):
                    named.append((parts[2], entry.key))
    named.sort()
    first = max((i for i, (start, _) in enumerate(named) if start <= seq_from), default=0)
    return Coverage([found for start, key in named[first:] if start < stop and (found := _read(lake, key)) is not None])


def _read(lake: Lake, key: str) -> Covered | None:
    try:
        return msgspec.json.decode(lake.read(key), type=Covered)
    except (msgspec.MsgspecError, NotFoundError, LakeError):
        return None
