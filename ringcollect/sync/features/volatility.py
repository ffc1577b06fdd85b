"""Group I: volatility of the mid, from the returns of the rows of a window.

n of a formula is the number of returns in the window where some are missing. With fewer than max(2, n/2) returns all
estimators of a window are undefined, its extremes too; the deviation needs two.
"""

from __future__ import annotations

import math

import numpy as np

from ringcollect.decode.memory import out_of_line
from ringcollect.jit import njit
from ringcollect.sync.catalogue.options import MAX_HORIZONS
from ringcollect.sync.features import places as at
from ringcollect.sync.features import returns as of
from ringcollect.sync.features.event import event_at, group_entry, params_of, words_at
from ringcollect.sync.features.rolling import MOMENTS, deviation_of, enter, leave, roll_moments
from ringcollect.sync.features.series import value_of
from ringcollect.sync.features.volatility_range import RANGES, write_ranges
from ringcollect.sync.layout import P_OPTIONS

_STEP = of.POWERS + MOMENTS
I_EWMA, I_STARTED = 0, 1
I_HORIZONS = 2  # per horizon: powers, moments
I_5S = I_HORIZONS + MAX_HORIZONS * _STEP
I_30S = I_5S + of.POWERS  # powers, neighbours
I_60S = I_30S + of.POWERS + of.NEIGHBOURS  # powers, neighbours, moments of steps, moments of sums over 1 s
I_RANGES = I_60S + of.POWERS + of.NEIGHBOURS + 2 * MOMENTS
SLAB = I_RANGES + RANGES
"""Words: the decaying variance and whether it has begun, then windows."""
_NAN = math.nan
_MINUTE_NS = 60e9
_YEAR_S = 31_536_000.0


@njit
def _horizons(values: np.ndarray, event: np.ndarray, params: np.ndarray, wide: np.ndarray, to: int) -> int:
    """The columns of each horizon; where the next column goes."""
    out_of_line()
    a, k, rebuild = event[at.E_SLAB], event[at.E_NUMBER], event[at.E_REBUILD]
    count = params[P_OPTIONS + at.O_HORIZONS]
    mid = event.view(np.float64)[at.E_MID]
    for i in range(count):
        n = params[P_OPTIONS + at.O_HORIZON_ROWS + i]
        words = a + I_HORIZONS + i * _STEP
        of.roll_powers(values, params, words, k, n, rebuild)
        roll_moments(values, params, words + of.POWERS, at.S_RETURN, k, n, rebuild)
        variance = of.realized(values, words, n)
        moved = values[words + of.W_UPS] + values[words + of.W_DOWNS] > 0.0
        wide[to + i] = math.log(mid / value_of(values, params, at.S_MID, k - n))
        wide[to + count + i] = variance
        wide[to + 2 * count + i] = math.sqrt(variance)
        deviation = deviation_of(values, words + of.POWERS)
        wide[to + 3 * count + i] = deviation if moved or deviation != deviation else 0.0
    return to + 4 * count


@njit
def _jumps(values: np.ndarray, event: np.ndarray, params: np.ndarray, words: int, n: int) -> float:
    """Bipower variation over ``n`` rows, whose powers and neighbours it keeps at ``words``."""
    out_of_line()
    if n == 0:
        return _NAN
    k, rebuild = event[at.E_NUMBER], event[at.E_REBUILD]
    of.roll_powers(values, params, words, k, n, rebuild)
    of.roll_neighbours(values, params, words + of.POWERS, k, n, rebuild)
    there = values[words + of.W_COUNT]
    if of.realized(values, words, n) != of.realized(values, words, n):
        return _NAN
    return math.pi / 2.0 * (there / (there - 1.0)) * values[words + of.POWERS + of.N_ABSOLUTE]


@njit
def _variance_ratio(values: np.ndarray, event: np.ndarray, params: np.ndarray, words: int, n: int) -> float:
    """Variance of the sums over 1 s that lie inside the window by that of the steps."""
    out_of_line()
    second = params[P_OPTIONS + at.O_ROWS_1S]
    if second == 0:
        return _NAN
    k, rebuild = event[at.E_NUMBER], event[at.E_REBUILD]
    steps, sums = words, words + MOMENTS
    roll_moments(values, params, steps, at.S_RETURN, k, n, rebuild)
    first = k
    if rebuild or k % n == 0:
        for i in range(MOMENTS):
            values[sums + i] = 0.0
        first = k - n + second
    else:
        gone = value_of(values, params, at.S_MID, k - n - 1 + second)
        leave(values, sums, math.log(gone / value_of(values, params, at.S_MID, k - n - 1)))
    for number in range(first, k + 1):
        mid = value_of(values, params, at.S_MID, number)
        enter(values, sums, math.log(mid / value_of(values, params, at.S_MID, number - second)))
    deviation = deviation_of(values, sums) / deviation_of(values, steps)
    return deviation * deviation / second


@njit
def _minute(values: np.ndarray, words: int, n: int, wide: np.ndarray, to: int) -> float:
    """Semivariances and quarticity over 60 s; its realized variance."""
    variance = of.realized(values, words, n) if n > 0 else _NAN
    known = variance == variance
    up, down = values[words + of.W_UP], values[words + of.W_DOWN]
    wide[to] = up if known else _NAN
    wide[to + 1] = down if known else _NAN
    wide[to + 2] = up - down if known else _NAN
    wide[to + 3] = values[words + of.W_COUNT] / 3.0 * values[words + of.W_FOURTH] if known else _NAN
    return variance


@njit
def _row(values: np.ndarray, event: np.ndarray, wide: np.ndarray) -> None:
    out_of_line()
    params = params_of(event)
    a, k, rebuild = event[at.E_SLAB], event[at.E_NUMBER], event[at.E_REBUILD]
    r = value_of(values, params, at.S_RETURN, k)
    to = event[at.E_WIDE]
    wide[to] = r
    to = _horizons(values, event, params, wide, to + 1)
    five, thirty, n = (
        params[P_OPTIONS + at.O_ROWS_5S],
        params[P_OPTIONS + at.O_ROWS_30S],
        params[P_OPTIONS + at.O_ROWS_60S],
    )
    words = a + I_60S
    wide[to] = _jumps(values, event, params, a + I_30S, thirty)
    wide[to + 1] = _jumps(values, event, params, words, n)
    variance = _minute(values, words, n, wide, to + 5)
    half = of.realized(values, a + I_30S, thirty) if thirty > 0 else _NAN
    wide[to + 2] = max(half - wide[to], 0.0) if half == half else _NAN
    wide[to + 3] = max(variance - wide[to + 1], 0.0) if variance == variance else _NAN
    wide[to + 4] = wide[to + 3] / variance if variance > 0.0 else _NAN
    short = _NAN
    if five > 0:
        of.roll_powers(values, params, a + I_5S, k, five, rebuild)
        short = of.realized(values, a + I_5S, five)
    to = write_ranges(values, event, params, a + I_RANGES, short == short, variance == variance, wide, to + 9)
    if event[at.E_RESTART]:
        values[a + I_STARTED] = 0.0
    if r == r:
        stays = 2.0 ** (-np.float64(event[at.E_GRID]) / _MINUTE_NS) if values[a + I_STARTED] > 0.0 else 0.0
        values[a + I_EWMA] = stays * values[a + I_EWMA] + (1.0 - stays) * (r * r)
        values[a + I_STARTED] = 1.0
    wide[to] = math.sqrt(values[a + I_EWMA]) if values[a + I_STARTED] > 0.0 else _NAN
    wide[to + 1] = math.sqrt(variance * _YEAR_S / 60.0)
    wide[to + 2] = math.sqrt(short / 5.0) / math.sqrt(variance / 60.0) if variance > 0.0 else _NAN
    products = values[words + of.POWERS + of.N_PRODUCTS]
    wide[to + 3] = products / variance if variance > 0.0 else _NAN
    ratio = _variance_ratio(values, event, params, words + of.POWERS + of.NEIGHBOURS, n) if n > 0 else _NAN
    wide[to + 4] = ratio if variance > 0.0 else _NAN
    wide[to + 5] = -products / (values[words + of.W_COUNT] - 1.0) if variance == variance else _NAN
    wide[to + 6] = variance + 2.0 * products


def kernel(what: int, row: int, values: int, event: int, wide: int) -> int:
    """The group's kernel (event.py)."""
    if what == at.ON_ROW:
        _row(words_at(values).view(np.float64), event_at(event), words_at(wide).view(np.float64))
    return 0


KERNEL = group_entry(njit(kernel))
