"""A seeded market: books, trades, a resync, a crossed book, long enough for windows of 300 s to move on."""

from __future__ import annotations

import numpy as np

from ringcollect.records import Flag, Kind

from ..sync.streams import Stream

SECOND = 10**9
START = 1_700_000_000 * SECOND  # a whole number of 100 s
TICK = 0.1
LEVELS = 12
Sides = dict[int, dict[int, float]]


def _book(rng: np.random.Generator, best_bid: int, spread: int, old: Sides) -> Sides:
    """The old book moved to new best prices: where a level stays, so does its size, most of the time."""
    new: Sides = {1: {}, -1: {}}
    for i in range(LEVELS):
        for side, tick in ((1, best_bid - i), (-1, best_bid + spread + i)):
            kept = old[side].get(tick) if rng.random() < 0.8 else None
            new[side][tick] = kept if kept is not None else round(float(rng.gamma(2.0, 1.5)) + 0.001, 3)
    return new


def _changes(old: Sides, new: Sides) -> list[tuple[int, float, float]]:
    """Levels that differ, the ones that go with size 0."""
    return [
        (side, round(tick * TICK, 1), new[side].get(tick, 0.0))
        for side in (1, -1)
        for tick in sorted(old[side] | new[side])
        if old[side].get(tick) != new[side].get(tick)
    ]


def invented(seconds: int, seed: int = 5, updates_each: int = 4, trades_each: int = 3) -> np.ndarray:
    """Records of one instrument: one trade in twenty names no side, one in 83 is large; the 20th second has none."""
    rng = np.random.default_rng(seed)
    stream = Stream()
    best, spread = 10_000, 1
    book = _book(rng, best, spread, {1: {}, -1: {}})
    stream.book(START + 1, *_changes({1: {}, -1: {}}, book))
    for second in range(seconds):
        quiet = second % 97 == 20
        moments = np.sort(rng.choice(np.arange(10, 999), 0 if quiet else updates_each + trades_each, replace=False))
        kinds = rng.permutation([0] * updates_each + [1] * trades_each)
        for moment, kind in zip(moments, kinds, strict=False):
            ts = START + second * SECOND + int(moment) * 10**6
            if kind:
                side = int(rng.choice([1, -1, 0], p=[0.5, 0.45, 0.05]))
                tick = best + spread if side > 0 else best
                size = float(rng.gamma(1.2, 0.4)) * (40.0 if moment % 83 == 0 else 1.0)
                stream.trade(ts, round(tick * TICK, 1), round(size + 0.001, 3), side)
                continue
            best += int(rng.choice([-1, 0, 1], p=[0.15, 0.7, 0.15]))
            spread = int(rng.choice([1, 2], p=[0.9, 0.1]))
            new = _book(rng, best, spread, book)
            stream.book(ts, *_changes(book, new))
            book = new
        if second % 151 == 60:  # for 100 us an ask stands at the best bid
            ts = START + second * SECOND + 999 * 10**6
            price = round(best * TICK, 1)
            stream.book(ts, (-1, price, 1.0)).book(ts + 10**5, (-1, price, 0.0))
        if second % 211 == 100:  # the venue sends everything again
            new = _book(rng, best, spread, book)
            levels = [(side, round(tick * TICK, 1), size) for side in (1, -1) for tick, size in new[side].items()]
            ts = START + second * SECOND + 999 * 10**6 + 500_000
            stream.book(ts, *levels, kind=Kind.BOOK_SNAPSHOT, flags=Flag.CLEAR | Flag.SNAPSHOT, aux=-1)
            book = new
    return stream.array()
