"""Book batches into a book by the one rule of the ring, with the place where its chain broke if it did.

Skip UNSYNCED, honour CLEAR, forget what is beyond ``book_depth`` after each batch. A batch follows the one before it
exactly if it names its id; after a batch that does not, or that is torn, nothing is applied until a CLEAR.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ringcollect.records import RECORD, Flag

Levels = dict[float, float]


class Place(NamedTuple):
    """The last record of a batch: where it stands and its times, ns."""

    seq: int
    ts_event: int
    ts_recv: int


class Batches(NamedTuple):
    """Whole and torn batches of one book (RECORD, ring order); per batch its first row, and whether it is whole."""

    rows: np.ndarray
    starts: np.ndarray
    is_whole: np.ndarray

    def first(self, field: str) -> np.ndarray:
        """``field`` of each batch's first record."""
        return self.rows[field][self.starts]

    def part(self, begin: int, end: int) -> Batches:
        """Batches ``[begin, end)``."""
        stop = self.starts[end] if end < len(self.starts) else len(self.rows)
        start = self.starts[begin] if begin < len(self.starts) else len(self.rows)
        return Batches(self.rows[start:stop], self.starts[begin:end] - start, self.is_whole[begin:end])


def divide(rows: np.ndarray, *, is_end: bool) -> tuple[Batches, np.ndarray]:
    """The batches of ``rows``, and the rows behind them that go on in the next stretch (none at the end)."""
    if not len(rows):
        return Batches(rows, np.empty(0, np.int64), np.empty(0, bool)), rows
    closes = (rows["flags"] & Flag.LAST) != 0
    cut = np.zeros(len(rows), bool)
    cut[0] = True
    cut[1:] = closes[:-1] | (np.diff(rows["id"]) != 0) | (np.diff(rows["aux"]) != 0) | (np.diff(rows["seq"]) != 1)
    starts = np.flatnonzero(cut)
    is_whole = closes[np.append(starts[1:], len(rows)) - 1]
    done = Batches(rows, starts, is_whole)
    if is_end or is_whole[-1]:
        return done, rows[:0]
    return done.part(0, len(starts) - 1), rows[starts[-1] :]


class Replay:
    """A book as batches are taken. ``broken`` says why it is not to be trusted any more; empty: it is.

    ``bids`` and ``asks`` are price -> size, of the moment before the break where there was one; ``batches`` are the
    updates since the whole book of ``base_ns``; ``at`` is the last record applied.
    """

    def __init__(self, depth_at: Callable[[int], int]) -> None:
        """``depth_at(ts_recv)``: how many levels a side the venue keeps in a book that begins then; 0: all."""
        self.bids: Levels = {}
        self.asks: Levels = {}
        self.last_id: int | None = None
        self.at = Place(-1, 0, 0)
        self.batches = 0
        self.base_ns = 0
        self.is_derived = False
        self.broken = "it has no beginning"
        self._depth_at = depth_at
        self._depth = 0

    def begin(self, rows: np.ndarray, position: int) -> None:
        """Start from a DERIVED book (RECORD, one batch); what follows it stands from ``position`` on in its ring."""
        self._clear(int(rows["ts_recv"][0]))
        self._apply(Batches(rows, np.zeros(1, np.int64), np.ones(1, bool)))
        self.at = self.at._replace(seq=position - 1)
        self.is_derived, self.batches = True, 0

    def take(self, batches: Batches, lost_ends: np.ndarray) -> None:
        """Apply consecutive batches. ``lost_ends``: positions right behind records that the lake lost.

        A batch that begins there may have lost its own head.
        """
        if not len(batches.starts):
            return
        clears = np.flatnonzero((batches.first("flags") & Flag.CLEAR) != 0)
        if len(clears):
            batches = batches.part(int(clears[-1]), len(batches.starts))
            self._clear(int(batches.rows["ts_recv"][0]))
        if self.broken:
            return
        ids, flags = batches.first("id"), batches.first("flags")
        expected = np.append(np.int64(ids[0] if self.last_id is None else self.last_id), ids[:-1])
        is_cut = np.isin(batches.first("seq"), lost_ends) | ((flags & Flag.GAP) != 0)
        follows = (flags & Flag.CLEAR) != 0
        follows |= (batches.first("aux") == expected) & ~is_cut
        bad = np.flatnonzero(~(follows & batches.is_whole))
        good = batches if not len(bad) else batches.part(0, int(bad[0]))
        self._apply(good)
        if len(bad):
            at = int(bad[0])
            self.broken = _why(batches, at, int(expected[at]), is_torn=bool(follows[at] or is_cut[at]))

    def follows(self, batches: Batches) -> bool:
        """Whether the first of ``batches`` names the last one applied: then nothing is missing between them."""
        first = batches.rows[:1]
        return bool(first["aux"][0] == self.last_id and not first["flags"][0] & Flag.CLEAR)

    def _clear(self, ts_recv: int) -> None:
        self.bids, self.asks = {}, {}
        self.last_id, self.broken, self.batches = None, "", -1
        self.is_derived, self.base_ns, self._depth = False, ts_recv, self._depth_at(ts_recv)

    def _apply(self, batches: Batches) -> None:
        if not len(batches.rows):
            return
        if self._depth:
            for rows in np.split(batches.rows, batches.starts[1:]):
                self._merge(rows)
                _forget(self.bids, self._depth, best_is_highest=True)
                _forget(self.asks, self._depth, best_is_highest=False)
        else:
            self._merge(batches.rows)
        last = batches.rows[-1]
        self.last_id = int(last["id"])
        self.at = Place(int(last["seq"]), int(last["ts_event"]), int(last["ts_recv"]))
        self.batches += len(batches.starts)

    def _merge(self, rows: np.ndarray) -> None:
        """Of several changes of a level only the last one counts."""
        for sign, side in ((1, self.bids), (-1, self.asks)):
            mine = rows[rows["side"] == sign]
            prices, behind = np.unique(mine["price"][::-1], return_index=True)
            sizes = mine["size"][::-1][behind]
            there = sizes > 0
            side.update(zip(prices[there].tolist(), sizes[there].tolist(), strict=True))
            for price in prices[~there].tolist():
                side.pop(price, None)


def is_applicable(rows: np.ndarray) -> np.ndarray:
    """bool per record: not UNSYNCED, which nobody applies."""
    return (rows["flags"] & Flag.UNSYNCED) == 0


def no_rows() -> np.ndarray:
    """No record."""
    return np.empty(0, RECORD)


def _forget(side: Levels, depth: int, *, best_is_highest: bool) -> None:
    if len(side) > depth:
        for price in sorted(side, reverse=best_is_highest)[depth:]:
            del side[price]


def _why(batches: Batches, at: int, expected: int, *, is_torn: bool) -> str:
    row = batches.rows[batches.starts[at]]
    if is_torn:
        return f"the update at seq {row['seq']} is not whole"
    return f"the update at seq {row['seq']} follows id {row['aux']}, not {expected}: something before it is missing"
