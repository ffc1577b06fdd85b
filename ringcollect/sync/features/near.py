"""What the whole book holds near the mid, and how deep it goes: found once for all groups that ask.

The bands reach further than the best levels of the event: a busy book has thousands of levels within a hundredth of
its price. So both sides are walked as far as the last band, or as the farthest distance that some column names.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import out_of_line
from ringcollect.jit import njit
from ringcollect.sync.book import base_size, levels_of, walk, worst_key
from ringcollect.sync.features import places as at
from ringcollect.sync.features.distances import distance
from ringcollect.sync.features.window_sums import run_down
from ringcollect.sync.layout import I_ASK, I_BID, P_OPTIONS


@njit
def balance(plus: float, minus: float) -> float:
    """(plus - minus) / (plus + minus), 0 if there is nothing."""
    both = plus + minus
    return (plus - minus) / both if both > 0.0 else 0.0


@njit
def total(numbers: np.ndarray, sizes: int, held: int, levels: int) -> float:
    """Base units of the first ``levels`` of the ``held`` levels whose sizes stand in the event from ``sizes`` on."""
    found = 0.0
    for i in range(min(held, levels)):
        found += numbers[sizes + i]
    return found


@njit
def notional(numbers: np.ndarray, prices: int, held: int, levels: int) -> float:
    """The same in quote units; the levels' prices stand from ``prices`` on."""
    found = 0.0
    for i in range(min(held, levels)):
        found += numbers[prices + i] * numbers[prices + at.TOP + i]
    return found


@njit
def look_near(row: np.ndarray, values: np.ndarray, books: np.ndarray, params: np.ndarray, event: np.ndarray) -> None:
    """Fill the event's words from E_NEAR on; the book is valid and its mid is in the event."""
    out_of_line()
    numbers, options = event.view(np.float64), params[P_OPTIONS:].view(np.float64)
    mid, bands = numbers[at.E_MID], params[P_OPTIONS + at.O_EDGES] - 1
    last = max(options[at.O_EDGE + bands], at.NEAR_LAST)
    for i in range(at.E_NEAR, at.E_BOOKS):
        numbers[i] = 0.0
    for side, sign, levels_at, worst_at, within, band_at in (
        (I_BID, 1.0, at.E_BID_LEVELS, at.E_BID_WORST, at.E_BID_WITHIN, at.E_BID_BAND),
        (I_ASK, -1.0, at.E_ASK_LEVELS, at.E_ASK_WORST, at.E_ASK_WITHIN, at.E_ASK_BAND),
    ):
        event[levels_at] = levels_of(row, side)
        numbers[worst_at] = sign * worst_key(row, values, books, side)
        near, far, band, sums = run_down(row, values, books, params, event, side, sign, band_at)
        first, middle, third, worth, within_band = sums
        while True:
            near, far, key, size = walk(row, values, books, side, near, far)
            price = sign * key
            away = distance(price, mid)
            if not away < last:
                break
            base = base_size(size, price, row, values)
            if away < at.NEAR_FIRST:
                first += base
            if away < at.NEAR_MIDDLE:
                middle += base
                worth += price * base
            if away < at.NEAR_LAST:
                third += base
            while band < bands and away >= options[at.O_EDGE + band + 1]:
                numbers[band_at + band] = within_band
                within_band = 0.0
                band += 1
            within_band += base
        if band < bands:
            numbers[band_at + band] = within_band
        numbers[within] = first
        numbers[within + 1] = middle
        numbers[within + 2] = third
        numbers[at.E_NOTIONAL_WITHIN] += worth
