"""Windows of returns: squares by sign, fourth powers, products of neighbours.

How many of each kind are in the window is counted, so that a window without them gives exactly 0, whatever rounding
the ones that left have left behind.
"""

from __future__ import annotations

import math

import numpy as np

from ringcollect.decode.memory import out_of_line
from ringcollect.jit import njit
from ringcollect.sync.features.places import S_RETURN
from ringcollect.sync.features.series import value_of

_NAN = math.nan

POWERS = 6  # words: returns, those above 0, those below, sums of squares of both, sum of fourth powers
W_COUNT, W_UPS, W_DOWNS, W_UP, W_DOWN, W_FOURTH = range(POWERS)
NEIGHBOURS = 4  # words: pairs, those whose product is not 0, sum of products, of absolute products
N_PAIRS, N_NONZERO, N_PRODUCTS, N_ABSOLUTE = range(NEIGHBOURS)


@njit
def _add_return(values: np.ndarray, at: int, r: float, sign: float) -> None:
    if r == r:
        square = r * r
        values[at + W_COUNT] += sign
        if r > 0.0:
            values[at + W_UPS] += sign
            values[at + W_UP] += sign * square
        elif r < 0.0:
            values[at + W_DOWNS] += sign
            values[at + W_DOWN] += sign * square
        values[at + W_FOURTH] += sign * (square * square)


@njit
def roll_powers(values: np.ndarray, params: np.ndarray, at: int, k: int, n: int, rebuild: int) -> None:
    """Powers of the returns of rows k-n+1 .. k."""
    out_of_line()
    first = k
    if rebuild or k % n == 0:
        for i in range(POWERS):
            values[at + i] = 0.0
        first = k - n + 1
    else:
        _add_return(values, at, value_of(values, params, S_RETURN, k - n), -1.0)
    for number in range(first, k + 1):
        _add_return(values, at, value_of(values, params, S_RETURN, number), 1.0)
    values[at + W_UP] = max(values[at + W_UP], 0.0) if values[at + W_UPS] > 0.0 else 0.0
    values[at + W_DOWN] = max(values[at + W_DOWN], 0.0) if values[at + W_DOWNS] > 0.0 else 0.0
    values[at + W_FOURTH] = max(values[at + W_FOURTH], 0.0) if values[at + W_UPS] + values[at + W_DOWNS] > 0.0 else 0.0


@njit
def realized(values: np.ndarray, at: int, n: int) -> float:
    """Realized variance of a window of ``n`` rows; NaN with fewer than max(2, n/2) returns."""
    enough = values[at + W_COUNT] >= max(2.0, n / 2.0)
    return values[at + W_UP] + values[at + W_DOWN] if enough else _NAN


@njit
def _add_neighbours(values: np.ndarray, params: np.ndarray, at: int, number: int, sign: float) -> None:
    product = value_of(values, params, S_RETURN, number) * value_of(values, params, S_RETURN, number - 1)
    if product == product:
        values[at + N_PAIRS] += sign
        if product != 0.0:
            values[at + N_NONZERO] += sign
            values[at + N_PRODUCTS] += sign * product
            values[at + N_ABSOLUTE] += sign * abs(product)


@njit
def roll_neighbours(values: np.ndarray, params: np.ndarray, at: int, k: int, n: int, rebuild: int) -> None:
    """Products of returns of neighbouring rows, both of them inside the window."""
    out_of_line()
    first = k
    if rebuild or k % n == 0:
        for i in range(NEIGHBOURS):
            values[at + i] = 0.0
        first = k - n + 2
    else:
        _add_neighbours(values, params, at, k - n + 1, -1.0)
    for number in range(first, k + 1):
        _add_neighbours(values, params, at, number, 1.0)
    if values[at + N_NONZERO] == 0.0:
        values[at + N_PRODUCTS] = 0.0
        values[at + N_ABSOLUTE] = 0.0
    values[at + N_ABSOLUTE] = max(values[at + N_ABSOLUTE], 0.0)
