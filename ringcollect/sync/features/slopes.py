"""How fast the size of a book side grows with the distance from the mid."""

from __future__ import annotations

import math

import numpy as np

from ringcollect.jit import njit
from ringcollect.sync.book import base_size
from ringcollect.sync.features import places as at
from ringcollect.sync.features.distances import distance
from ringcollect.sync.layout import F_LOT

_MOST, _LEAST = 10, 3
_NAN = math.nan


@njit
def regression(event: np.ndarray, prices: int) -> float:
    """OLS slope of cumulative size on distance in bps, over as many of the best ten levels as both sides have."""
    numbers = event.view(np.float64)
    levels = min(_MOST, min(event[at.E_BIDS], event[at.E_ASKS]))
    if levels < _LEAST:
        return _NAN
    n = np.float64(levels)
    cumulative = mean_x = mean_y = 0.0
    for i in range(levels):
        cumulative += numbers[prices + at.TOP + i]
        mean_x += distance(numbers[prices + i], numbers[at.E_MID]) / n
        mean_y += cumulative / n
    cumulative = xx = xy = squares = 0.0
    for i in range(levels):
        cumulative += numbers[prices + at.TOP + i]
        away = distance(numbers[prices + i], numbers[at.E_MID])
        squares += away * away
        xx += (away - mean_x) * (away - mean_x)
        xy += (away - mean_x) * (cumulative - mean_y)
    return xy / xx if xx > 1e-12 * squares else _NAN


@njit
def steepness(event: np.ndarray, row: np.ndarray, values: np.ndarray, prices: int, held: int, levels: int) -> float:
    """Naes and Skjeltorp's slope of a side: mean of (relative step of ln volume) / (relative step of price).

    Volume is cumulative, in the instrument's lots; NaN if these are not known or if less than e.g. one lot makes the
    logarithm vanish.
    """
    numbers = event.view(np.float64)
    if not values[F_LOT] > 0.0:
        return _NAN
    lots = before = found = 0.0
    price_before = numbers[at.E_MID]
    n = min(held, levels)
    for i in range(n):
        price = numbers[prices + i]
        lots += numbers[prices + at.TOP + i] / base_size(values[F_LOT], price, row, values)
        volume = math.log(lots)
        grown = volume / before - 1.0 if i > 0 else volume
        if i > 0 and before == 0.0:
            return _NAN
        found += grown / abs(price / price_before - 1.0)
        before = volume
        price_before = price
    return found / np.float64(n)
