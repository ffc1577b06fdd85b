"""Diff depth: what changed since the last event of one stream, by the venue's U/u/pu rules."""

from __future__ import annotations

from typing import NamedTuple

from ringcollect.sim.book import Side


class DepthEvent(NamedTuple):
    """One event: first, last and previous update id, absolute sizes (0 removes), best levels first."""

    first: int
    last: int
    previous: int
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]


class DepthWindow:
    """Collects the changes of one interval. ``contiguous``: spot's U is the previous u + 1, USD-M's is not."""

    def __init__(self, last_id: int, contiguous: bool) -> None:
        self._contiguous = contiguous
        self._previous = last_id
        self._first = 0
        self._last = last_id
        self._bids: set[int] = set()
        self._asks: set[int] = set()

    def add(self, update_id: int, changed: list[tuple[int, int]]) -> None:
        """Note the (side, tick) levels that update ``update_id`` touched."""
        self._first = self._first or update_id
        self._last = update_id
        for side, tick in changed:
            (self._bids if side > 0 else self._asks).add(tick)

    def take(self, bids: Side, asks: Side) -> DepthEvent | None:
        """The event of the interval that ends now, or None when nothing happened in it."""
        if not self._first:
            return None
        event = DepthEvent(
            self._previous + 1 if self._contiguous else self._first,
            self._last,
            self._previous,
            [(tick, bids.levels.get(tick, 0)) for tick in sorted(self._bids, reverse=True)],
            [(tick, asks.levels.get(tick, 0)) for tick in sorted(self._asks)],
        )
        self._previous, self._first = self._last, 0
        self._bids.clear()
        self._asks.clear()
        return event
