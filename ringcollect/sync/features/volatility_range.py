"""Group I's estimators from the extremes of the mid within a window."""

from __future__ import annotations

import math

import numpy as np

from ringcollect.decode.memory import out_of_line
from ringcollect.jit import njit
from ringcollect.sync.features import places as at
from ringcollect.sync.features.extremes import roll_greatest
from ringcollect.sync.features.series import value_of
from ringcollect.sync.layout import P_OPTIONS

RANGES = 4
"""Words of state: highest and lowest mid of 5 s and of 60 s."""
_NAN = math.nan


@njit
def write_ranges(
    values: np.ndarray, event: np.ndarray, params: np.ndarray, words: int, short: bool, long: bool,
    wide: np.ndarray, to: int,
) -> int:  # fmt: skip
    """Parkinson, Garman-Klass, Rogers-Satchell over 60 s and the ranges of 5 s and 60 s; where the next column goes.

    ``short`` and ``long`` say whether enough of the two windows is known.
    """
    out_of_line()
    k, rebuild = event[at.E_NUMBER], event[at.E_REBUILD]
    five, n = params[P_OPTIONS + at.O_ROWS_5S], params[P_OPTIONS + at.O_ROWS_60S]
    mid = event.view(np.float64)[at.E_MID]
    for i in range(5):
        wide[to + i] = _NAN
    if five > 0:
        high = roll_greatest(values, params, words, at.S_MID_HIGH, at.S_HIGHS_5S, 1.0, k, five, rebuild)
        low = -roll_greatest(values, params, words + 1, at.S_MID_LOW, at.S_LOWS_5S, -1.0, k, five, rebuild)
        if short:
            wide[to + 3] = 1e4 * (high - low) / mid
    if n > 0:
        high = roll_greatest(values, params, words + 2, at.S_MID_HIGH, at.S_HIGHS_60S, 1.0, k, n, rebuild)
        low = -roll_greatest(values, params, words + 3, at.S_MID_LOW, at.S_LOWS_60S, -1.0, k, n, rebuild)
        if long:
            begin = value_of(values, params, at.S_MID, k - n)
            span, move = math.log(high / low), math.log(mid / begin)
            wide[to] = span * span / (4.0 * math.log(2.0))
            wide[to + 1] = 0.5 * span * span - (2.0 * math.log(2.0) - 1.0) * move * move
            wide[to + 2] = math.log(high / mid) * math.log(high / begin) + math.log(low / mid) * math.log(low / begin)
            wide[to + 4] = 1e4 * (high - low) / mid
    return to + 5
