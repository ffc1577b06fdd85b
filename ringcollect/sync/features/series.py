"""Series: one value of each row, in a ring as long as the longest window over it needs.

Rows are numbered by the grid; a row that was never written and a value that is not defined are NaN. A series that no
running group reads has length 0: pushing to it does nothing.
"""

from __future__ import annotations

import math

import numpy as np

from ringcollect.jit import inlined, njit
from ringcollect.sync.features.places import SERIES
from ringcollect.sync.layout import P_SERIES

_NAN = math.nan


@inlined
def push(values: np.ndarray, params: np.ndarray, series: int, number: int, value: float) -> None:
    """The value of row ``number``."""
    rows = params[P_SERIES + 2 * series + 1]
    if rows > 0:
        values[params[P_SERIES + 2 * series] + number % rows] = value


@inlined
def value_of(values: np.ndarray, params: np.ndarray, series: int, number: int) -> float:
    """The value of row ``number``, which is at most the ring's length behind the newest; NaN if nothing is kept."""
    rows = params[P_SERIES + 2 * series + 1]
    return values[params[P_SERIES + 2 * series] + number % rows] if rows > 0 else _NAN


@njit
def forget_rows(values: np.ndarray, params: np.ndarray, first: int, last: int) -> None:
    """Rows ``first`` to ``last`` were never written: NaN in every series."""
    for series in range(SERIES):
        start, rows = params[P_SERIES + 2 * series], params[P_SERIES + 2 * series + 1]
        if rows > 0:
            for number in range(max(first, last - rows + 1), last + 1):
                values[start + number % rows] = _NAN
