"""Group J: where the row stands among those before it, and in the week."""

from __future__ import annotations

import math

import numpy as np

from ringcollect.decode.memory import out_of_line
from ringcollect.jit import njit
from ringcollect.sync.features import places as at
from ringcollect.sync.features.event import event_at, group_entry, params_of, words_at
from ringcollect.sync.features.ranks import rank
from ringcollect.sync.features.returns import POWERS, realized, roll_powers
from ringcollect.sync.features.rolling import (
    MOMENTS,
    R_COUNT,
    R_NONZERO,
    R_SUM,
    SUM,
    roll_moments,
    roll_path,
    roll_sum,
    score_of,
)
from ringcollect.sync.features.series import push, value_of
from ringcollect.sync.layout import P_OPTIONS

J_REGIMES = 0
J_ACTIVITY = J_REGIMES + SUM
J_PATH = J_ACTIVITY + SUM
J_MIDS = J_PATH + SUM
J_POWERS = J_MIDS + MOMENTS
SLAB = J_POWERS + POWERS
"""Words: sums of regimes, of trades over 5 s and of steps of the mid; moments of mids; powers of returns."""
_TIGHT, _NORMAL, _WIDE, _UNKNOWN = 0.0, 1.0, 2.0, 255.0
_NAN = math.nan
_MINUTE_NS = 60 * 10**9
_DAYS_TO_MONDAY = 3  # the epoch was a Thursday


@njit
def _regime(values: np.ndarray, params: np.ndarray, k: int, n: int, spread: float, wide: np.ndarray, to: int) -> float:
    """The spread's rank and its regime, NaN if not known."""
    options = params[P_OPTIONS:].view(np.float64)
    share, alike = rank(values, params, at.S_RELATIVE_SPREAD, k, n)
    wide[to] = share
    if spread != spread:
        return _NAN
    if not params[P_OPTIONS + at.O_DYNAMIC]:
        return _TIGHT if spread <= options[at.O_TIGHT_SPREAD] else _NORMAL
    if share != share:
        return _NAN
    if alike:
        return _NORMAL
    if share <= options[at.O_TIGHT]:
        return _TIGHT
    return _WIDE if share >= options[at.O_WIDE] else _NORMAL


@njit
def _spreads(values: np.ndarray, event: np.ndarray, params: np.ndarray, wide: np.ndarray, to: int) -> None:
    """From spread_percentile to spread_regime_wide_frac."""
    numbers = event.view(np.float64)
    a, k, n = event[at.E_SLAB], event[at.E_NUMBER], params[P_OPTIONS + at.O_ROWS_REGIME]
    spread = numbers[at.E_SPREAD] / numbers[at.E_MID]
    push(values, params, at.S_RELATIVE_SPREAD, k, spread)
    regime = _regime(values, params, k, n, spread, wide, to)
    push(values, params, at.S_REGIME, k, regime)
    wide[to + 1] = regime if regime == regime else _UNKNOWN
    wide[to + 2] = _NAN
    wide[to + 3] = _NAN
    if n > 0:
        roll_sum(values, params, a + J_REGIMES, at.S_REGIME, k, n, event[at.E_REBUILD])
        known, not_tight = values[a + J_REGIMES + R_COUNT], values[a + J_REGIMES + R_NONZERO]
        if known > 0.0:
            wide[to + 2] = (known - not_tight) / known
            wide[to + 3] = (values[a + J_REGIMES + R_SUM] - not_tight) / known


@njit
def _ranks(values: np.ndarray, event: np.ndarray, params: np.ndarray, wide: np.ndarray, to: int) -> None:
    """Ranks of volatility and of activity."""
    a, k, rebuild = event[at.E_SLAB], event[at.E_NUMBER], event[at.E_REBUILD]
    minute, five = params[P_OPTIONS + at.O_ROWS_60S], params[P_OPTIONS + at.O_ROWS_5S]
    volatility = trades = _NAN
    if minute > 0:
        roll_powers(values, params, a + J_POWERS, k, minute, rebuild)
        volatility = math.sqrt(realized(values, a + J_POWERS, minute))
    if five > 0:
        trades = roll_sum(values, params, a + J_ACTIVITY, at.S_COUNT, k, five, rebuild)
    push(values, params, at.S_VOLATILITY, k, volatility)
    push(values, params, at.S_ACTIVITY, k, trades)
    n = params[P_OPTIONS + at.O_ROWS_900S]
    wide[to], _ = rank(values, params, at.S_VOLATILITY, k, n)
    wide[to + 1], _ = rank(values, params, at.S_ACTIVITY, k, n)


@njit
def _trend(values: np.ndarray, event: np.ndarray, params: np.ndarray, wide: np.ndarray, to: int) -> None:
    """efficiency_ratio_60s and mid_zscore_60s."""
    a, k, rebuild = event[at.E_SLAB], event[at.E_NUMBER], event[at.E_REBUILD]
    n, mid = params[P_OPTIONS + at.O_ROWS_60S], event.view(np.float64)[at.E_MID]
    wide[to] = _NAN
    wide[to + 1] = _NAN
    if n > 0:
        path = roll_path(values, params, a + J_PATH, at.S_MID, k, n, rebuild)
        way = abs(mid - value_of(values, params, at.S_MID, k - n))
        wide[to] = way / path if path > 0.0 else _NAN
        roll_moments(values, params, a + J_MIDS, at.S_MID, k, n, rebuild)
        wide[to + 1] = score_of(values, a + J_MIDS, mid)


@njit
def _clock(event: np.ndarray, wide: np.ndarray, to: int) -> None:
    """Hour, minute and day of the row's start, UTC."""
    minutes = (event[at.E_CLOSE] - event[at.E_GRID]) // _MINUTE_NS
    day = (minutes // 1440 + _DAYS_TO_MONDAY) % 7
    wide[to] = np.float64(minutes // 60 % 24)
    wide[to + 1] = np.float64(minutes % 60)
    wide[to + 2] = np.float64(day)
    wide[to + 3] = 1.0 if day >= 5 else 0.0


@njit
def _row(values: np.ndarray, event: np.ndarray, wide: np.ndarray) -> None:
    out_of_line()
    params, to = params_of(event), event[at.E_WIDE]
    _spreads(values, event, params, wide, to)
    _ranks(values, event, params, wide, to + 4)
    _trend(values, event, params, wide, to + 6)
    _clock(event, wide, to + 8)


def kernel(what: int, row: int, values: int, event: int, wide: int) -> int:
    """The group's kernel (event.py)."""
    if what == at.ON_ROW:
        _row(words_at(values).view(np.float64), event_at(event), words_at(wide).view(np.float64))
    return 0


KERNEL = group_entry(njit(kernel))
