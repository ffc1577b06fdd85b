"""What happened in each row, in lists and dicts: what references of the features are computed from.

For streams without losses and late records, whose every book is whole; the rules for the others have a reference of
their own (tests/sync/reference.py). Written from the rules of the grid, not from the kernels.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field

import numpy as np

from ringcollect.instruments import Instrument, to_base
from ringcollect.records import Flag, Kind

TOP = 50
NO_FLOW = Flag.SNAPSHOT | Flag.REPLAYED | Flag.UNSYNCED | Flag.DUPLICATE
STATES = {Kind.FUNDING, Kind.OPEN_INTEREST, Kind.MARK_PRICE, Kind.INDEX_PRICE}
NAN = math.nan
Levels = list[tuple[float, float]]


@dataclass
class Book:
    """The best 50 (price, base size) of each side, best first; how many levels there are, and the deepest prices.

    ``whole`` are both sides in the venue's sizes.
    """

    bids: Levels
    asks: Levels
    bid_count: int
    ask_count: int
    deepest_bid: float
    deepest_ask: float
    whole: tuple[dict[float, float], dict[float, float]]
    one: Instrument

    def near(self, bps: float, side: int) -> Levels:
        """(price, base size) of every level of a side that is nearer to the mid than ``bps``, best first."""
        levels = self.whole[0 if side > 0 else 1]
        found = sorted((p for p in levels if abs(p - self.mid) / self.mid * 1e4 < bps), reverse=side > 0)
        return [(p, float(to_base(levels[p], p, self.one))) for p in found]

    @property
    def valid(self) -> bool:
        return bool(self.bids and self.asks and self.bids[0][0] < self.asks[0][0])

    @property
    def mid(self) -> float:
        return (self.bids[0][0] + self.asks[0][0]) / 2 if self.valid else NAN


@dataclass
class Update:
    """One book update: effective time, time of receipt, whether it is news, whether the book began anew, the book."""

    time: int
    recv: int
    news: bool
    fresh: bool
    book: Book


@dataclass
class Trade:
    """One trade: size in base units; the mid after the last update before its time."""

    time: int
    recv: int
    price: float
    size: float
    side: int
    mid_before: float = NAN


@dataclass
class Row:
    """What row ``number`` is made of; ``book`` is the last one before its close, ``states`` the latest of each kind."""

    number: int
    close: int
    book: Book | None
    updates: list[Update] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    liquidations: list[Trade] = field(default_factory=list)
    states: dict[int, tuple[int, np.void]] = field(default_factory=dict)

    @property
    def mid(self) -> float:
        return self.book.mid if self.book is not None else NAN


def _view(sides: dict[int, dict[float, float]], one: Instrument) -> Book:
    bids = heapq.nlargest(TOP, sides[1].items())
    asks = heapq.nsmallest(TOP, sides[-1].items())
    return Book(
        [(p, float(to_base(q, p, one))) for p, q in bids],
        [(p, float(to_base(q, p, one))) for p, q in asks],
        len(sides[1]),
        len(sides[-1]),
        min(sides[1], default=NAN),
        max(sides[-1], default=NAN),
        (dict(sides[1]), dict(sides[-1])),
        one,
    )


def plain_rows(records: np.ndarray, one: Instrument, grid: int, first: int, last: int) -> list[Row]:
    """Rows ``first`` to ``last`` of instrument ``one`` from its records in ring order."""
    updates: list[Update] = []
    trades: list[Trade] = []
    liquidations: list[Trade] = []
    states: list[tuple[int, np.void]] = []
    sides: dict[int, dict[float, float]] = {1: {}, -1: {}}
    effective = 0
    known = fresh = False
    sign, last_price = 0, NAN
    for r in records[records["instrument"] == one.number]:
        kind, flags = Kind(int(r["kind"])), int(r["flags"])
        time = int(r["ts_event"]) or int(r["ts_recv"])
        if kind in (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA):
            if flags & Flag.UNSYNCED or r["sub"]:
                continue
            if flags & Flag.CLEAR:
                fresh = fresh or not known or bool(flags & Flag.SNAPSHOT)
                sides, known = {1: {}, -1: {}}, True
            effective = max(effective, time)
            if r["side"] and r["size"] > 0:
                sides[int(r["side"])][float(r["price"])] = float(r["size"])
            elif r["side"]:
                sides[int(r["side"])].pop(float(r["price"]), None)
            if flags & Flag.LAST and known:
                if one.book_depth:
                    sides[1] = dict(heapq.nlargest(one.book_depth, sides[1].items()))
                    sides[-1] = dict(heapq.nsmallest(one.book_depth, sides[-1].items()))
                updates.append(Update(effective, int(r["ts_recv"]), not flags & NO_FLOW, fresh, _view(sides, one)))
                fresh = False
        elif kind in (Kind.TRADE, Kind.LIQUIDATION) and not flags & NO_FLOW:
            price, side = float(r["price"]), int(r["side"])
            if kind == Kind.TRADE:
                if not math.isnan(last_price) and price != last_price:
                    sign = 1 if price > last_price else -1
                last_price = price
                side = side or sign
            size = float(to_base(float(r["size"]), price, one))
            into = trades if kind == Kind.TRADE else liquidations
            into.append(Trade(time, int(r["ts_recv"]), price, size, side))
        elif kind in STATES:
            states.append((time, r))
    times = [u.time for u in updates]
    for trade in trades:
        before = int(np.searchsorted(times, trade.time, side="left"))
        trade.mid_before = updates[before - 1].book.mid if before else NAN
    return _rows(updates, trades, liquidations, states, grid, first, last)


def _rows(
    updates: list[Update], trades: list[Trade], liquidations: list[Trade], states: list[tuple[int, np.void]],
    grid: int, first: int, last: int,
) -> list[Row]:  # fmt: skip
    rows = {k: Row(k, k * grid, None) for k in range(first, last + 1)}
    for name, entries in (("updates", updates), ("trades", trades), ("liquidations", liquidations)):
        for entry in entries:
            if entry.time // grid + 1 in rows:
                getattr(rows[entry.time // grid + 1], name).append(entry)
    book, latest = None, {}
    position = 0
    ordered = sorted(enumerate(states), key=lambda e: (e[1][0], e[0]))
    at = 0
    for k, row in rows.items():
        while position < len(updates) and updates[position].time < k * grid:
            book = updates[position].book
            position += 1
        while at < len(ordered) and ordered[at][1][0] < k * grid:
            latest[int(ordered[at][1][1]["kind"])] = ordered[at][1]
            at += 1
        row.book, row.states = book, dict(latest)
    return list(rows.values())
