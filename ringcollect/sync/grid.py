"""Grid arithmetic (G1 to G3, G13): periods are integers, row k closes at k * grid and owns [(k-1)*grid, k*grid)."""

from __future__ import annotations

import numpy as np

from ringcollect.jit import njit
from ringcollect.records import W_TS_EVENT, W_TS_RECV
from ringcollect.sync.layout import P_GRID, P_HOLD_BACK, P_MAX_SKEW


@njit
def row_of(ts: int, params: np.ndarray) -> int:
    """The row an event stamped ``ts`` belongs to, decided by nothing but its stamp (G3)."""
    return ts // params[P_GRID] + 1


@njit
def ripe_period(ts: int, params: np.ndarray) -> int:
    """The period a driving stamp reaches once the hold-back is taken off; saturates at 0 (G13)."""
    return max(ts - params[P_HOLD_BACK], 0) // params[P_GRID]


@njit
def is_outlier(record: np.ndarray, params: np.ndarray) -> bool:
    """G18: stamped further ahead of its own receive time than the guard allows."""
    return record[W_TS_EVENT] - record[W_TS_RECV] > params[P_MAX_SKEW]


@njit
def record_time(record: np.ndarray, params: np.ndarray) -> int:
    """The instant that decides membership: exchange time, or receive time when there is none (G19).

    A stamp the guard refuses falls back too: as a book update it would otherwise hold back every later one, since
    effective time is a running maximum.
    """
    if record[W_TS_EVENT] == 0 or is_outlier(record, params):
        return record[W_TS_RECV]
    return record[W_TS_EVENT]
