"""A seeded market whose book wanders, with what a window has to survive: no book, and rows that were never written."""

from __future__ import annotations

import random

import numpy as np

from ..sync.streams import Stream, instrument
from .plain import Row, plain_rows

SECOND = 10**9
FIRST = 1_699_999_200  # a whole number of minutes: where windows are summed anew is known
MAX_GAP_FILL = 20
QUIET = range(700, 760)  # rows without any record: more than MAX_GAP_FILL of them
CROSSED = range(800, 1110)  # rows whose book is crossed: more than state_reset
ROWS = 1500


def wandering(seed: int = 5) -> np.ndarray:
    """Records of ROWS seconds."""
    draw = random.Random(seed)
    stream = Stream()
    held: dict[int, dict[int, float]] = {1: {}, -1: {}}
    mid = 10_000
    for k in range(ROWS):
        if k in QUIET:
            continue
        start = (FIRST + k) * SECOND
        times = sorted(draw.sample(range(SECOND), 6))
        for time in times[: draw.randint(1, 3)]:
            mid += draw.choice((-3, -1, 0, 0, 0, 0, 1, 3)) if k % 100 > 20 else 0
            wide = draw.choice((1, 1, 1, 2, 4))
            levels = {(1, mid - wide): draw.randint(1, 9) / 4, (-1, mid + wide): draw.randint(1, 9) / 4}
            for _ in range(draw.randint(0, 12)):
                side = draw.choice((1, -1))
                levels[(side, mid - side * draw.randint(wide, 140))] = draw.choice((0, 1, 2, 5)) / 8
            for side in (1, -1):
                for price in held[side]:
                    if side * (price - mid) > -wide:
                        levels[(side, price)] = 0.0
            if k in CROSSED:
                levels[(1, mid - wide)] = levels[(-1, mid - wide)] = 1.0
            for (side, price), size in levels.items():
                held[side].pop(price, None)
                if size:
                    held[side][price] = size
            stream.book(start + time, *((side, price / 100, size) for (side, price), size in levels.items()))
        for time in times[4 : 4 + draw.choice((0, 0, 1, 2))]:
            stream.trade(start + time, mid / 100 + draw.choice((-0.01, 0.01)), draw.randint(1, 40) / 8, 1)
    return stream.array()


def wandering_rows(records: np.ndarray) -> list[Row]:
    """What happened in each row that is written."""
    rows = plain_rows(records, instrument(0), SECOND, FIRST + 1, FIRST + ROWS - 1)
    never = range(FIRST + QUIET[0] + MAX_GAP_FILL, FIRST + QUIET[-1] + 2)
    return [row for row in rows if row.number not in never]
