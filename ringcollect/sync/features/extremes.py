"""The largest or smallest value of a window of rows, in constant time per row on average.

Rows are cut into blocks of the window's length. A window is the end of one block and the beginning of the next: the
extreme of each end is written down once when its block is full (a series of its own), that of the beginning is kept.
"""

from __future__ import annotations

import math

import numpy as np

from ringcollect.decode.memory import out_of_line
from ringcollect.jit import njit
from ringcollect.sync.features.series import push, value_of

_NAN = math.nan


@njit
def _greater(a: float, b: float) -> float:
    """The greater of two of which either may be NaN, which is none."""
    if b != b:
        return a
    return b if a != a or b > a else a


@njit
def roll_greatest(
    values: np.ndarray, params: np.ndarray, at: int, series: int, ends: int, sign: float, k: int, n: int, rebuild: int
) -> float:
    """The greatest of ``sign`` times the series in the ``n`` rows up to ``k``, NaN if none of them has a value.

    ``ends`` is the series for the extremes of the ends, ``at`` one word of state.
    """
    out_of_line()
    begin = k - k % n
    if rebuild or k == begin:
        best = _NAN
        for number in range(begin - 1, k - n, -1):
            best = _greater(best, sign * value_of(values, params, series, number))
            push(values, params, ends, number, best)
        values[at] = _NAN
        for number in range(begin, k):
            values[at] = _greater(values[at], sign * value_of(values, params, series, number))
    values[at] = _greater(values[at], sign * value_of(values, params, series, k))
    return _greater(values[at], value_of(values, params, ends, k - n + 1)) if k - n + 1 < begin else values[at]
