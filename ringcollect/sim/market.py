"""A seeded limit-order-book market: one instrument's limit, cancel and market orders in virtual time.

A latent fair price diffuses with an activity that itself wanders slowly (log-normal, correlated over some twenty
seconds). Activity drives both the pace of events and the size of moves, which gives clustered volatility and
clustered arrivals; orders are placed around the fair price with a heavy tail, and quotes the fair price has
passed are taken by market orders. Everything follows from the seed: no clock is read.
"""

from __future__ import annotations

import math
from random import Random
from typing import NamedTuple

from ringcollect.sim.book import Side
from ringcollect.sim.specs import SymbolSpec

SECOND = 1_000_000_000
_ACTIVITY_MEMORY_S = 20.0
_ACTIVITY_SPREAD = 0.7  # standard deviation of the log of activity
_LIQUIDATIONS_PER_S = 0.1
_SETTLING_ORDERS = 250
_MAX_SWEEP = 12  # levels one market order may take


class Fill(NamedTuple):
    """One match: the taker's side (+1 buys), the maker's level, and how much."""

    side: int
    tick: int
    lots: int


class Event(NamedTuple):
    """What one order did. ``changed`` lists (side, tick) of touched levels; ``time_ns`` counts from the start."""

    time_ns: int
    changed: list[tuple[int, int]]
    fills: list[Fill]
    top_moved: bool
    liquidation: bool


class SymbolMarket:
    """The book of one instrument and the stream of orders that move it.

    ``frames_per_s`` is the mean rate of prints and changes of the best prices; ``pace`` multiplies it and may be
    changed between steps.
    """

    def __init__(self, spec: SymbolSpec, rng: Random, frames_per_s: float, levels: int = 400) -> None:
        self.spec = spec
        self.rng = rng
        self.bids = Side(1)
        self.asks = Side(-1)
        self.pace = 1.0
        self.fair = spec.start_tick + 0.5
        self.log_activity = _ACTIVITY_SPREAD**2 / 2  # its mean pace
        self.next_ns = 0
        self._rate = frames_per_s
        self._burst = 0
        self._trend = 1
        self._dt_s = 0.0
        self._levels = levels
        self._reach = max(4.0, spec.start_tick * 2e-4)
        self._tolerance = max(3.0, spec.volatility_ticks * 0.1)
        self._fill_book()
        self._schedule()
        self._settle(frames_per_s)

    def step(self) -> Event:
        """Let the next order arrive; afterwards ``next_ns`` is the time of the one after it."""
        time_ns = self.next_ns
        self._diffuse()
        rng = self.rng.random
        bid, ask = self.bids.best, self.asks.best
        before = (bid, self.bids.levels[bid], ask, self.asks.levels[ask])
        changed: list[tuple[int, int]] = []
        fills: list[Fill] = []
        liquidation = rng() < _LIQUIDATIONS_PER_S * self._dt_s
        if self.fair >= ask + 0.5 and rng() < 0.7:
            self._take(1, int(self.fair), 1 << 60, changed, fills)
        elif self.fair <= bid - 0.5 and rng() < 0.7:
            self._take(-1, int(self.fair) + 1, 1 << 60, changed, fills)
        elif liquidation:
            side = 1 if rng() < 0.5 else -1
            self._take(side, self._far_limit(side), self._size() * 20, changed, fills)
        else:
            kind = rng()
            if kind < 0.08:
                if rng() < 0.4:
                    self._trend = -self._trend
                self._take(self._trend, self._far_limit(self._trend), self._size(), changed, fills)
            elif kind < 0.54:
                self._limit(changed)
            else:
                self._cancel(changed)
        self._schedule()
        bid, ask = self.bids.best, self.asks.best
        moved = before != (bid, self.bids.levels[bid], ask, self.asks.levels[ask])
        return Event(time_ns, changed, fills, moved, liquidation and bool(fills))

    def _fill_book(self) -> None:
        for side, book in ((1, self.bids), (-1, self.asks)):
            while len(book) < self._levels:
                tick = self.spec.start_tick + (0 if side > 0 else 1) - side * self._distance()
                if tick > 0:
                    book.put(tick, self._size())

    def _settle(self, frames_per_s: float) -> None:
        """Run in from the artificial first book, and learn how many orders the wanted frames take."""
        self._run(_SETTLING_ORDERS)
        for _ in range(2):
            frames, seconds = self._run(_SETTLING_ORDERS)
            self._rate *= max(0.2, min(5.0, frames_per_s * seconds / max(1, frames)))
        self.log_activity = _ACTIVITY_SPREAD**2 / 2
        self.next_ns = 0
        self._schedule()

    def _run(self, orders: int) -> tuple[int, float]:
        """Let ``orders`` orders pass; returns their frames and the time they would take at mean activity (s)."""
        frames, seconds = 0, 0.0
        for _ in range(orders):
            seconds += self._dt_s * math.exp(self.log_activity - _ACTIVITY_SPREAD**2 / 2)
            event = self.step()
            frames += len(event.fills) + event.top_moved
        return frames, seconds

    def _schedule(self) -> None:
        """Draw the gap to the next event: a mixture of short and long exponentials, both scaled by activity."""
        short = self._burst > 0 or self.rng.random() < 0.35
        self._burst = max(0, self._burst - 1)
        activity = math.exp(self.log_activity - _ACTIVITY_SPREAD**2 / 2)
        mean_s = (0.2 if short else 1.9) / (self._rate * self.pace * activity)
        self._dt_s = min(-mean_s * math.log(1.0 - self.rng.random()), 60.0)
        self.next_ns += max(1_000, int(self._dt_s * SECOND))

    def _diffuse(self) -> None:
        dt = min(self._dt_s, _ACTIVITY_MEMORY_S)
        noise = _ACTIVITY_SPREAD * math.sqrt(2 * dt / _ACTIVITY_MEMORY_S)
        self.log_activity += -self.log_activity * dt / _ACTIVITY_MEMORY_S + noise * self.rng.gauss(0, 1)
        sigma = self.spec.volatility_ticks * math.exp(self.log_activity - _ACTIVITY_SPREAD**2)
        self.fair += sigma * math.sqrt(self._dt_s) * self.rng.gauss(0, 1)
        self.fair = max(self.fair, self._reach)

    def _size(self) -> int:
        return max(1, int(self.spec.median_lots * math.exp(1.3 * self.rng.gauss(0, 1))))

    def _distance(self) -> int:
        """Ticks from the fair price: a power law, cut where no order would be placed."""
        tail = (1.0 - self.rng.random()) ** -0.9 - 1.0
        return min(int(self._reach * 0.2 * tail), self.spec.start_tick // 10)

    def _far_limit(self, side: int) -> int:
        return 1 << 60 if side > 0 else 0

    def _take(self, side: int, limit: int, lots: int, changed: list[tuple[int, int]], fills: list[Fill]) -> None:
        """A market order: eat the opposite side up to ``limit``, never its last levels."""
        book = self.asks if side > 0 else self.bids
        for _ in range(_MAX_SWEEP):
            tick = book.best
            if lots <= 0 or (tick - limit) * side > 0 or len(book) < 20:
                break
            there = book.levels[tick]
            eaten = min(there, lots)
            if lots > 1 << 50 and self.rng.random() < 0.3:
                eaten = max(1, there // 2)
                lots = eaten  # the last level a sweep reaches is often left standing in part
            book.put(tick, there - eaten)
            changed.append((-side, tick))
            self._split(side, tick, eaten, fills)
            lots -= eaten
        self._burst = 2 + int(self.rng.random() * 6)

    def _split(self, side: int, tick: int, lots: int, fills: list[Fill]) -> None:
        """Several makers may stand at one level: one print per maker."""
        while lots > 1 and self.rng.random() < 0.25:
            part = 1 + int(self.rng.random() * (lots - 1))
            fills.append(Fill(side, tick, part))
            lots -= part
        fills.append(Fill(side, tick, lots))

    def _limit(self, changed: list[tuple[int, int]]) -> None:
        rng = self.rng.random
        side = 1 if rng() < 0.5 else -1
        own, other = (self.bids, self.asks) if side > 0 else (self.asks, self.bids)
        edge = other.best - side  # the most aggressive price that does not cross
        place = rng()
        if place < 0.35:
            tick = own.best
        elif place < 0.5:
            tick = own.best + side * (1 + int(rng() * min(8, abs(edge - own.best))))
        elif place < 0.65 and (edge - self.fair) * side < self._tolerance:
            tick = edge
        else:
            tick = int(self.fair) - side * self._distance()
        if (tick - edge) * side > 0:
            tick = edge
        if tick <= 0:
            return
        own.put(tick, own.levels.get(tick, 0) + self._size())
        changed.append((side, tick))
        if len(own) > self._levels * 5 // 4:
            self._drop_far(side, changed)

    def _drop_far(self, side: int, changed: list[tuple[int, int]]) -> None:
        book = self.bids if side > 0 else self.asks
        tick = book.tick_at(len(book) - 1)
        book.put(tick, 0)
        changed.append((side, tick))

    def _cancel(self, changed: list[tuple[int, int]]) -> None:
        rng = self.rng.random
        side = 1 if rng() < 0.5 else -1
        book = self.bids if side > 0 else self.asks
        if len(book) < self._levels * 3 // 4:
            self._limit(changed)
            return
        near = rng() < 0.5
        depth = int(8 * rng() ** 2) if near else int(len(book) * rng())
        tick = book.tick_at(depth)
        left = 0 if rng() < 0.6 else book.levels[tick] // 2
        book.put(tick, left)
        changed.append((side, tick))
