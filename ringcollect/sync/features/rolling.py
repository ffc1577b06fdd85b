"""Statistics of a window of rows, kept up to date by the row that enters and the row that leaves.

A window of ``n`` rows at row ``k`` is rows k-n+1 .. k of a series; NaN values are left out of it. Where k is a
multiple of ``n``, and where the event says so, it is summed anew in row order: what rounding left behind goes, and the
value no longer depends on how the window was reached (features.md 0.4; design.md 8). All take the group's state
``values`` from ``at`` on, and the series' value of row ``k`` must have been pushed.
"""

from __future__ import annotations

import math

import numpy as np

from ringcollect.decode.memory import out_of_line
from ringcollect.jit import njit
from ringcollect.sync.features.series import value_of

_NAN = math.nan

SUM = 3  # words: values that are not NaN, values that are not 0, their sum
R_COUNT, R_NONZERO, R_SUM = range(SUM)
MOMENTS = 3  # words: values that are not NaN, their mean, sum of squared deviations
M_COUNT, M_MEAN, M_SQUARES = range(MOMENTS)
PAIRS = 8  # words: pairs, sums of x, y, xy, xx, yy, pairs whose x is not 0, whose y is not 0
Q_COUNT, Q_X, Q_Y, Q_XY, Q_XX, Q_YY, Q_XS, Q_YS = range(PAIRS)


@njit
def _add(values: np.ndarray, at: int, x: float, sign: float) -> None:
    if x == x:
        values[at + R_COUNT] += sign
        if x != 0.0:
            values[at + R_NONZERO] += sign
            values[at + R_SUM] += sign * x


@njit
def roll_sum(values: np.ndarray, params: np.ndarray, at: int, series: int, k: int, n: int, rebuild: int) -> float:
    """The sum of the window, 0 if nothing is in it; a window of zeros gives exactly 0."""
    out_of_line()
    if rebuild or k % n == 0:
        for i in range(SUM):
            values[at + i] = 0.0
        for number in range(k - n + 1, k + 1):
            _add(values, at, value_of(values, params, series, number), 1.0)
    else:
        _add(values, at, value_of(values, params, series, k - n), -1.0)
        _add(values, at, value_of(values, params, series, k), 1.0)
        if values[at + R_NONZERO] == 0.0:
            values[at + R_SUM] = 0.0
    return values[at + R_SUM]


@njit
def roll_path(values: np.ndarray, params: np.ndarray, at: int, series: int, k: int, n: int, rebuild: int) -> float:
    """The sum of |x of row i - x of row i-1| over the window; a window that stands still gives exactly 0."""
    out_of_line()
    first = k
    if rebuild or k % n == 0:
        for i in range(SUM):
            values[at + i] = 0.0
        first = k - n + 1
    else:
        before = value_of(values, params, series, k - n - 1)
        _add(values, at, abs(value_of(values, params, series, k - n) - before), -1.0)
    for number in range(first, k + 1):
        before = value_of(values, params, series, number - 1)
        _add(values, at, abs(value_of(values, params, series, number) - before), 1.0)
    if values[at + R_NONZERO] == 0.0:
        values[at + R_SUM] = 0.0
    return values[at + R_SUM]


@njit
def enter(values: np.ndarray, at: int, x: float) -> None:
    """Moments with one more value; NaN is none."""
    if x == x:
        count = values[at + M_COUNT] + 1.0
        change = x - values[at + M_MEAN]
        values[at + M_COUNT] = count
        values[at + M_MEAN] += change / count
        values[at + M_SQUARES] += change * (x - values[at + M_MEAN])


@njit
def leave(values: np.ndarray, at: int, x: float) -> None:
    """Moments without a value that had entered."""
    if x == x:
        count = values[at + M_COUNT] - 1.0
        if count <= 0.0:
            for i in range(MOMENTS):
                values[at + i] = 0.0
            return
        change = x - values[at + M_MEAN]
        values[at + M_COUNT] = count
        values[at + M_MEAN] -= change / count
        values[at + M_SQUARES] -= change * (x - values[at + M_MEAN])


@njit
def roll_moments(values: np.ndarray, params: np.ndarray, at: int, series: int, k: int, n: int, rebuild: int) -> None:
    """Count, mean and squared deviations of the window (Welford's recurrence, and its inverse for what leaves)."""
    out_of_line()
    if rebuild or k % n == 0:
        for i in range(MOMENTS):
            values[at + i] = 0.0
        for number in range(k - n + 1, k + 1):
            enter(values, at, value_of(values, params, series, number))
    else:
        leave(values, at, value_of(values, params, series, k - n))
        enter(values, at, value_of(values, params, series, k))


@njit
def mean_of(values: np.ndarray, at: int) -> float:
    """The window's mean, NaN if it is empty."""
    return values[at + M_MEAN] if values[at + M_COUNT] > 0.0 else _NAN


@njit
def deviation_of(values: np.ndarray, at: int) -> float:
    """The window's sample standard deviation, NaN below two values."""
    count = values[at + M_COUNT]
    return math.sqrt(max(values[at + M_SQUARES], 0.0) / (count - 1.0)) if count >= 2.0 else _NAN


@njit
def add_pair(values: np.ndarray, at: int, x: float, y: float, sign: float) -> None:
    """One pair enters (``sign`` 1) or leaves (-1); a pair with a NaN is none."""
    if x == x and y == y:
        values[at + Q_COUNT] += sign
        values[at + Q_X] += sign * x
        values[at + Q_Y] += sign * y
        values[at + Q_XY] += sign * x * y
        values[at + Q_XX] += sign * x * x
        values[at + Q_YY] += sign * y * y
        if x != 0.0:
            values[at + Q_XS] += sign
        if y != 0.0:
            values[at + Q_YS] += sign


@njit
def _settle_zeros(values: np.ndarray, at: int) -> None:
    """What is all zero, or gone, has sums of exactly 0."""
    if values[at + Q_XS] == 0.0:
        values[at + Q_X] = 0.0
        values[at + Q_XX] = 0.0
    if values[at + Q_YS] == 0.0:
        values[at + Q_Y] = 0.0
        values[at + Q_YY] = 0.0
    if values[at + Q_XS] == 0.0 or values[at + Q_YS] == 0.0:
        values[at + Q_XY] = 0.0


@njit
def roll_pairs(
    values: np.ndarray, params: np.ndarray, at: int, x: int, y: int, k: int, n: int, lag: int, rebuild: int
) -> None:
    """Sums of the pairs (x of row i, y of row i - lag) for both rows inside the window."""
    out_of_line()
    if rebuild or k % n == 0:
        for i in range(PAIRS):
            values[at + i] = 0.0
        for number in range(k - n + 1 + lag, k + 1):
            add_pair(values, at, value_of(values, params, x, number), value_of(values, params, y, number - lag), 1.0)
    else:
        first = k - n + lag  # the pair of the row that leaves, or the one that loses its earlier half
        add_pair(values, at, value_of(values, params, x, first), value_of(values, params, y, first - lag), -1.0)
        add_pair(values, at, value_of(values, params, x, k), value_of(values, params, y, k - lag), 1.0)
        _settle_zeros(values, at)


@njit
def is_flat(values: np.ndarray, at: int) -> bool:
    """Whether the window's moments have no variance beyond rounding (relative test, features.md 0.3)."""
    count, mean, squares = values[at + M_COUNT], values[at + M_MEAN], values[at + M_SQUARES]
    return squares <= 1e-12 * (squares + count * mean * mean)


@njit
def score_of(values: np.ndarray, at: int, x: float) -> float:
    """How many standard deviations ``x`` lies above the window's mean; NaN below two values or without variance."""
    if values[at + M_COUNT] < 2.0 or is_flat(values, at):
        return _NAN
    return (x - values[at + M_MEAN]) / deviation_of(values, at)
