"""Group L: mark, index, basis, funding, open interest, liquidations. Without such records all are undefined or 0."""

from __future__ import annotations

import math

import numpy as np

from ringcollect.jit import njit
from ringcollect.sync.features import places as at
from ringcollect.sync.features.event import event_at, group_entry, params_of, row_at, words_at
from ringcollect.sync.features.rolling import MOMENTS, SUM, mean_of, roll_moments, roll_sum, score_of
from ringcollect.sync.features.series import push, value_of
from ringcollect.sync.layout import (
    EIGHT_HOURS_NS,
    F_FUNDING_RATE,
    F_INDEX,
    F_INTEREST,
    F_MARK,
    F_PREVIOUS_INTEREST,
    I_FUNDING_EVERY,
    I_FUNDING_INTERVAL,
    I_FUNDING_NEXT,
    I_FUNDING_TS,
    I_INDEX_TS,
    I_INTEREST_TS,
    I_MARK_TS,
    I_PREVIOUS_INTEREST,
    K_FUNDING,
    P_OPTIONS,
)

(_LONG, _SHORT, _VOLUME, _LARGEST) = range(4)  # liquidations of the open row
(_RATES, _RATE, _RATE_BEFORE) = range(4, 7)  # distinct funding rates seen (0, 1, 2 = two or more), the last two
_BASIS = 7
_ALL_60, _ALL_300 = _BASIS + MOMENTS, _BASIS + MOMENTS + SUM
_LONG_60, _SHORT_60, _TRADES_60 = _ALL_300 + SUM, _ALL_300 + 2 * SUM, _ALL_300 + 3 * SUM
SLAB = _TRADES_60 + SUM
"""Words: liquidations of the row; funding rates; moments of the basis; sums of windows."""
_NAN = math.nan


@njit
def _liquidation(values: np.ndarray, a: int, event: np.ndarray) -> None:
    numbers = event.view(np.float64)
    notional = numbers[at.E_PRICE] * numbers[at.E_SIZE]
    if event[at.E_SIDE] < 0:  # a forced sell closes a long position
        values[a + _LONG] += notional
    elif event[at.E_SIDE] > 0:
        values[a + _SHORT] += notional
    values[a + _VOLUME] += numbers[at.E_SIZE]
    values[a + _LARGEST] = max(values[a + _LARGEST], notional)


@njit
def _state(values: np.ndarray, a: int, event: np.ndarray) -> None:
    rate = values[F_FUNDING_RATE]
    if event[at.E_KIND] == K_FUNDING and (values[a + _RATES] == 0.0 or rate != values[a + _RATE]):
        values[a + _RATE_BEFORE] = values[a + _RATE]
        values[a + _RATE] = rate
        values[a + _RATES] = min(values[a + _RATES] + 1.0, 2.0)


@njit
def _bps(above: float, below: float) -> float:
    return 1e4 * (above - below) / below if below != 0.0 else _NAN


@njit
def _prices(
    row: np.ndarray, values: np.ndarray, event: np.ndarray, params: np.ndarray, wide: np.ndarray, a: int, to: int
) -> None:
    k, rebuild = event[at.E_NUMBER], event[at.E_REBUILD]
    mid = event.view(np.float64)[at.E_MID]
    mark = values[F_MARK] if row[I_MARK_TS] != 0 else _NAN
    index = values[F_INDEX] if row[I_INDEX_TS] != 0 else _NAN
    basis = _bps(mid, index)
    wide[to] = mark
    wide[to + 1] = index
    wide[to + 2] = _bps(mark, mid)
    wide[to + 3] = _bps(mark, index)
    wide[to + 4] = basis
    wide[to + 5] = _NAN
    wide[to + 6] = _NAN
    push(values, params, at.S_BASIS, k, basis)
    n = params[P_OPTIONS + at.O_ROWS_300S]
    if n > 0:
        roll_moments(values, params, a + _BASIS, at.S_BASIS, k, n, rebuild)
        wide[to + 5] = mean_of(values, a + _BASIS)
        wide[to + 6] = score_of(values, a + _BASIS, basis)


@njit
def _funding(row: np.ndarray, values: np.ndarray, event: np.ndarray, wide: np.ndarray, a: int, to: int) -> None:
    every = row[I_FUNDING_EVERY]
    if every <= 0:
        every = row[I_FUNDING_INTERVAL]
    if every <= 0:
        every = EIGHT_HOURS_NS
    known = row[I_FUNDING_TS] != 0
    wide[to] = values[F_FUNDING_RATE] * (float(EIGHT_HOURS_NS) / float(every)) if known else _NAN
    wide[to + 1] = values[a + _RATE] - values[a + _RATE_BEFORE] if values[a + _RATES] == 2.0 else 0.0
    ahead = row[I_FUNDING_NEXT] - event[at.E_CLOSE]
    wide[to + 2] = float(ahead) / 1e9 if known and row[I_FUNDING_NEXT] > 0 else _NAN


@njit
def _interest(
    row: np.ndarray, values: np.ndarray, event: np.ndarray, params: np.ndarray, wide: np.ndarray, to: int
) -> None:
    k = event[at.E_NUMBER]
    interest = values[F_INTEREST] if row[I_INTEREST_TS] != 0 else _NAN
    before = values[F_PREVIOUS_INTEREST] if row[I_PREVIOUS_INTEREST] else _NAN
    wide[to] = (interest - before) / before if before != 0.0 else _NAN
    push(values, params, at.S_INTEREST, k, interest)
    minute, five = params[P_OPTIONS + at.O_ROWS_60S], params[P_OPTIONS + at.O_ROWS_300S]
    wide[to + 1] = interest - value_of(values, params, at.S_INTEREST, k - minute) if minute > 0 else _NAN
    wide[to + 2] = interest - value_of(values, params, at.S_INTEREST, k - five) if five > 0 else _NAN


@njit
def _window(values: np.ndarray, params: np.ndarray, place: int, series: int, event: np.ndarray, n: int) -> float:
    return roll_sum(values, params, place, series, event[at.E_NUMBER], n, event[at.E_REBUILD]) if n > 0 else 0.0


@njit
def _liquidations(
    values: np.ndarray, event: np.ndarray, params: np.ndarray, wide: np.ndarray, a: int, to: int, interest_change: float
) -> None:
    k = event[at.E_NUMBER]
    long, short = values[a + _LONG], values[a + _SHORT]
    wide[to] = long
    wide[to + 1] = short
    wide[to + 2] = values[a + _VOLUME]
    wide[to + 3] = values[a + _LARGEST]
    push(values, params, at.S_LIQUIDATED, k, long + short)
    push(values, params, at.S_LIQUIDATED_LONG, k, long)
    push(values, params, at.S_LIQUIDATED_SHORT, k, short)
    minute, five = params[P_OPTIONS + at.O_ROWS_60S], params[P_OPTIONS + at.O_ROWS_300S]
    total = _window(values, params, a + _ALL_60, at.S_LIQUIDATED, event, minute)
    wide[to + 4] = total
    wide[to + 5] = _window(values, params, a + _ALL_300, at.S_LIQUIDATED, event, five)
    longs = _window(values, params, a + _LONG_60, at.S_LIQUIDATED_LONG, event, minute)
    shorts = _window(values, params, a + _SHORT_60, at.S_LIQUIDATED_SHORT, event, minute)
    wide[to + 6] = (longs - shorts) / (longs + shorts) if longs + shorts > 0.0 else 0.0
    traded = _window(values, params, a + _TRADES_60, at.S_NOTIONAL, event, minute)
    wide[to + 7] = total / traded if traded > 0.0 else _NAN
    then = value_of(values, params, at.S_MID, k - minute) if minute > 0 else _NAN
    move = event.view(np.float64)[at.E_MID] - then
    code = 0.0
    if move > 0.0:
        code = 1.0 if interest_change > 0.0 else (2.0 if interest_change < 0.0 else 0.0)
    elif move < 0.0:
        code = 3.0 if interest_change > 0.0 else (4.0 if interest_change < 0.0 else 0.0)
    wide[to + 8] = code
    for i in range(_RATES):
        values[a + i] = 0.0


def kernel(what: int, row: int, values: int, event: int, wide: int) -> int:
    """The group's kernel (event.py)."""
    told = event_at(event)
    floats = words_at(values).view(np.float64)
    a = told[at.E_SLAB]
    if what == at.ON_LIQUIDATION:
        _liquidation(floats, a, told)
    elif what == at.ON_STATE:
        _state(floats, a, told)
    elif what == at.ON_ROW:
        own, params, columns = row_at(row), params_of(told), words_at(wide).view(np.float64)
        to = told[at.E_WIDE]
        _prices(own, floats, told, params, columns, a, to)
        _funding(own, floats, told, columns, a, to + 7)
        _interest(own, floats, told, params, columns, to + 10)
        _liquidations(floats, told, params, columns, a, to + 13, columns[to + 11])
    return 0


KERNEL = group_entry(njit(kernel))
