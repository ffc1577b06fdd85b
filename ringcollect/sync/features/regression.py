"""Slopes and correlations from the sums of a window of pairs (rolling.py)."""

from __future__ import annotations

import math

import numpy as np

from ringcollect.jit import njit
from ringcollect.sync.features.rolling import Q_COUNT, Q_X, Q_XX, Q_XY, Q_Y, Q_YY

_NAN = math.nan
_NOTHING = 1e-12
"""A spread that is smaller than this part of the sum of squares is rounding (features.md 0.3)."""


@njit
def _spread(count: float, total: float, squares: float) -> float:
    """n Σx² - (Σx)², 0 where it is not told from rounding."""
    spread = count * squares - total * total
    return spread if spread > _NOTHING * count * squares else 0.0


@njit
def slope_of(values: np.ndarray, at: int, least: float) -> float:
    """Of y on x by least squares with an intercept; NaN below ``least`` pairs or if x does not vary."""
    count = values[at + Q_COUNT]
    spread = _spread(count, values[at + Q_X], values[at + Q_XX])
    if count < least or spread == 0.0:
        return _NAN
    return (count * values[at + Q_XY] - values[at + Q_X] * values[at + Q_Y]) / spread


@njit
def slope_through_origin(values: np.ndarray, at: int, least: float) -> float:
    """Of y on x by least squares without an intercept; NaN below ``least`` pairs or if every x is 0."""
    enough = values[at + Q_COUNT] >= least and values[at + Q_XX] > 0.0
    return values[at + Q_XY] / values[at + Q_XX] if enough else _NAN


@njit
def correlation_of(values: np.ndarray, at: int, least: float) -> float:
    """Of x and y; NaN below ``least`` pairs or if one of them does not vary."""
    count = values[at + Q_COUNT]
    x = _spread(count, values[at + Q_X], values[at + Q_XX])
    y = _spread(count, values[at + Q_Y], values[at + Q_YY])
    if count < least or x == 0.0 or y == 0.0:
        return _NAN
    return (count * values[at + Q_XY] - values[at + Q_X] * values[at + Q_Y]) / math.sqrt(x) / math.sqrt(y)
