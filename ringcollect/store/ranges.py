"""Half-open ranges of ring positions: what is there twice, and what is nowhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

SHOWN = 5


class Span(NamedTuple):
    """Positions [start, stop) that ``place`` answers for."""

    start: int
    stop: int
    place: str


def missing(seqs: np.ndarray, start: int, stop: int, lost: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges within [start, stop) that are neither in ``seqs`` (ascending, int64) nor in ``lost``."""
    edges = [(int(a), int(b)) for a, b in runs(seqs)] + [(a, b) for a, b in lost]
    holes = []
    at = start
    for first, last in sorted(edges):
        if first > at:
            holes.append((at, min(first, stop)))
        at = max(at, last)
    if at < stop:
        holes.append((at, stop))
    return holes


def runs(seqs: np.ndarray) -> list[tuple[int, int]]:
    """Ascending positions as ranges without holes."""
    if not len(seqs):
        return []
    breaks = np.flatnonzero(np.diff(seqs) != 1)
    starts = seqs[np.concatenate(([0], breaks + 1))]
    stops = seqs[np.concatenate((breaks, [len(seqs) - 1]))] + 1
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def overlaps_and_holes(
    spans: Iterable[Span], start: int
) -> tuple[list[tuple[Span, Span]], list[tuple[int, int, Span]]]:
    """Pairs that overlap, and holes (from, to, the span behind it), of spans that should follow each other."""
    doubled, holes = [], []
    before: Span | None = None
    at = start
    for span in sorted(spans):
        if span.start > at:
            holes.append((at, span.start, span))
        if before is not None and span.start < before.stop:
            doubled.append((before, span))
        if before is None or span.stop > before.stop:
            before = span
        at = max(at, span.stop)
    return doubled, holes


def text(ranges: list[tuple[int, int]]) -> str:
    """``5, 8 to 11 and 3 more ranges``: for messages."""
    shown = [str(a) if b == a + 1 else f"{a} to {b - 1}" for a, b in ranges[:SHOWN]]
    more = f" and {len(ranges) - SHOWN} more ranges" if len(ranges) > SHOWN else ""
    return ", ".join(shown) + more
