"""Group E: shape and concentration of the best levels of both sides."""

from __future__ import annotations

import math

import numpy as np

from ringcollect.jit import njit
from ringcollect.sync.features import places as at
from ringcollect.sync.features.distances import distance
from ringcollect.sync.features.event import event_at, group_entry, params_of, row_at, words_at
from ringcollect.sync.features.near import notional, total
from ringcollect.sync.features.rolling import MOMENTS, deviation_of, mean_of, roll_moments
from ringcollect.sync.features.series import push
from ringcollect.sync.features.slopes import regression, steepness
from ringcollect.sync.layout import P_OPTIONS

SLAB = 3 * MOMENTS
"""Words: moments of the center of gravity's distance, of the bids' and of the asks' slope."""
COLUMNS = 31
_FIFTH = 4
_NAN = math.nan


@njit
def _concentration(event: np.ndarray, wide: np.ndarray, to: int, levels: int) -> None:
    """From bid_50pct_depth to ask_entropy: how the size of a side is spread over its levels."""
    numbers = event.view(np.float64)
    for i, held, prices in ((0, event[at.E_BIDS], at.E_BID_PRICE), (1, event[at.E_ASKS], at.E_ASK_PRICE)):
        n = min(held, levels)
        whole = total(numbers, prices + at.TOP, held, levels)
        half, sum_so_far, squares, entropy = -1, 0.0, 0.0, 0.0
        for level in range(n):
            size = numbers[prices + at.TOP + level]
            sum_so_far += size
            if half < 0 and sum_so_far >= 0.5 * whole:
                half = level
            weight = size / whole
            squares += weight * weight
            entropy -= weight * math.log(weight)
        wide[to + i] = np.float64(half)
        wide[to + 2 + i] = distance(numbers[prices + half], numbers[at.E_MID])
        wide[to + 4 + i] = squares
        wide[to + 7 + i] = entropy / math.log(np.float64(n)) if n > 1 else _NAN
    wide[to + 6] = (wide[to + 4] + wide[to + 5]) / 2.0


@njit
def _gravity(event: np.ndarray, levels: int) -> float:
    """Mean price weighted by sizes, of as many levels of each side as both have."""
    numbers = event.view(np.float64)
    n = min(levels, min(event[at.E_BIDS], event[at.E_ASKS]))
    worth = notional(numbers, at.E_BID_PRICE, n, n) + notional(numbers, at.E_ASK_PRICE, n, n)
    return worth / (total(numbers, at.E_BID_SIZE, n, n) + total(numbers, at.E_ASK_SIZE, n, n))


@njit
def _fifth(event: np.ndarray, wide: np.ndarray, simple: int, decay: int) -> None:
    """What the fifth level is to the first."""
    numbers = event.view(np.float64)
    for i, held, prices in ((0, event[at.E_BIDS], at.E_BID_PRICE), (1, event[at.E_ASKS], at.E_ASK_PRICE)):
        if held > _FIFTH:
            sizes = prices + at.TOP
            wide[simple + i] = abs(numbers[prices + _FIFTH] - numbers[prices]) / total(numbers, sizes, held, _FIFTH + 1)
            wide[decay + i] = numbers[sizes + _FIFTH] / numbers[sizes]
    wide[decay + 2] = (wide[decay] + wide[decay + 1]) / 2.0


@njit
def _walls(event: np.ndarray, wide: np.ndarray, to: int, levels: int) -> None:
    """The largest level of each side: how much larger than the mean, and how far away."""
    numbers = event.view(np.float64)
    for i, held, prices in ((0, event[at.E_BIDS], at.E_BID_PRICE), (1, event[at.E_ASKS], at.E_ASK_PRICE)):
        sizes, wall = prices + at.TOP, 0
        for level in range(min(held, levels)):
            if numbers[sizes + level] > numbers[sizes + wall]:
                wall = level
        mean = total(numbers, sizes, held, levels) / np.float64(min(held, levels))
        wide[to + i] = numbers[sizes + wall] / mean
        wide[to + 2 + i] = distance(numbers[prices + wall], numbers[at.E_MID])


@njit
def _windows(values: np.ndarray, event: np.ndarray, wide: np.ndarray, to: int) -> None:
    """Mean and deviation of the distance of the center of gravity and of the slopes, which were written before."""
    params, a, k = params_of(event), event[at.E_SLAB], event[at.E_NUMBER]
    n = params[P_OPTIONS + at.O_ROWS_60S]
    for i, series, value, mean, deviation in (
        (0, at.S_GRAVITY, 10, 11, 12),
        (1, at.S_BID_SLOPE, 15, 18, 20),
        (2, at.S_ASK_SLOPE, 16, 19, 21),
    ):
        push(values, params, series, k, wide[to + value])
        if n > 0:
            moments = a + i * MOMENTS
            roll_moments(values, params, moments, series, k, n, event[at.E_REBUILD])
            wide[to + mean] = mean_of(values, moments)
            wide[to + deviation] = deviation_of(values, moments)


@njit
def _row(values: np.ndarray, row: np.ndarray, event: np.ndarray, wide: np.ndarray) -> None:
    numbers, params = event.view(np.float64), params_of(event)
    to, mid, levels = event[at.E_WIDE], numbers[at.E_MID], params[P_OPTIONS + at.O_LEVELS]
    for i in range(to, to + COLUMNS):
        wide[i] = _NAN
    if event[at.E_VALID]:
        _concentration(event, wide, to, levels)
        wide[to + 9] = _gravity(event, levels)
        wide[to + 10] = 1e4 * (wide[to + 9] - mid) / mid
        _fifth(event, wide, to + 13, to + 24)
        wide[to + 15] = regression(event, at.E_BID_PRICE)
        wide[to + 16] = regression(event, at.E_ASK_PRICE)
        wide[to + 17] = wide[to + 15] / wide[to + 16] if wide[to + 16] > 0.0 else _NAN
        wide[to + 22] = (
            steepness(event, row, values, at.E_BID_PRICE, event[at.E_BIDS], levels)
            + steepness(event, row, values, at.E_ASK_PRICE, event[at.E_ASKS], levels)
        ) / 2.0
        first, last = 0.0, 0.0
        for within in (at.E_BID_WITHIN, at.E_ASK_WITHIN):
            first += numbers[within]
            last += numbers[within + 2]
        wide[to + 23] = first / last if last > 0.0 else _NAN
        _walls(event, wide, to + 27, levels)
    _windows(values, event, wide, to)


def kernel(what: int, row: int, values: int, event: int, wide: int) -> int:
    """The group's kernel (event.py)."""
    if what == at.ON_ROW:
        _row(words_at(values).view(np.float64), row_at(row), event_at(event), words_at(wide).view(np.float64))
    return 0


KERNEL = group_entry(njit(kernel))
