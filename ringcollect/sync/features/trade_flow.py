"""Group H: trade flow, what takers bought and sold.

A trade is large against the mean size in the 300 s of rows before its own. Signs of neighbouring trades belong to the
row of the later one; trades without a side are passed over.
"""

from __future__ import annotations

import math

import numpy as np

from ringcollect.decode.memory import out_of_line
from ringcollect.jit import njit
from ringcollect.sync.catalogue.options import MAX_HORIZONS
from ringcollect.sync.features import places as at
from ringcollect.sync.features.event import event_at, group_entry, params_of, row_at, words_at
from ringcollect.sync.features.rolling import SUM, roll_sum
from ringcollect.sync.features.series import push, value_of
from ringcollect.sync.features.vpin import BUCKETS, fill_buckets, vpin
from ringcollect.sync.layout import I_PERIOD, P_OPTIONS

(T_COUNT, T_NOTIONAL, T_MOST, T_HIGH, T_LOW, T_LARGE, T_PRODUCTS, T_PAIRS) = range(8)
# of the open row: trades, signed notional, largest size, extreme prices, large trades, products of signs, pairs
(T_RUN, T_LIMIT, T_LIMIT_ROW) = range(8, 11)  # signed length of the run; what is large in row T_LIMIT_ROW (word)
T_SUMS = 11  # per horizon: bought, sold, trades
T_60S = T_SUMS + 3 * MAX_HORIZONS * SUM  # notional, volume, products and pairs of signs
T_300S = T_60S + 4 * SUM  # volume, trades
T_BUCKETS = T_300S + 2 * SUM
SLAB = T_BUCKETS + BUCKETS
"""Words: the open row's sums, the run, windows, vpin's buckets."""
_LARGE = 10.0
_FEWEST_PAIRS = 10
_NAN = math.nan


@njit
def _limit(values: np.ndarray, a: int, core: int, number: int, params: np.ndarray) -> None:
    """What is large in row ``number``, where rows before it are missing: from those of the window that are there."""
    out_of_line()
    words = values.view(np.int64)
    volume = count = 0.0
    for k in range(number - params[P_OPTIONS + at.O_ROWS_300S], words[core + at.C_ROW] + 1):
        here = value_of(values, params, at.S_COUNT, k)
        if here == here:
            volume += value_of(values, params, at.S_VOLUME, k)
            count += here
    values[a + T_LIMIT] = _LARGE * (volume / count) if count > 0.0 else _NAN
    words[a + T_LIMIT_ROW] = number


@njit
def _trade(row: np.ndarray, values: np.ndarray, event: np.ndarray) -> None:
    out_of_line()
    numbers, params = event.view(np.float64), params_of(event)
    a, core, side = event[at.E_SLAB], event[at.E_CORE], event[at.E_SIDE]
    price, size = numbers[at.E_PRICE], numbers[at.E_SIZE]
    first = values[a + T_COUNT] == 0.0
    values[a + T_COUNT] += 1.0
    values[a + T_NOTIONAL] += side * (price * size)
    values[a + T_MOST] = max(values[a + T_MOST], size)
    values[a + T_HIGH] = price if first else max(values[a + T_HIGH], price)
    values[a + T_LOW] = price if first else min(values[a + T_LOW], price)
    if values.view(np.int64)[a + T_LIMIT_ROW] != row[I_PERIOD] + 1:
        _limit(values, a, core, row[I_PERIOD] + 1, params)
    if size > values[a + T_LIMIT]:
        values[a + T_LARGE] += 1.0
    run = values[a + T_RUN]
    if side != 0:
        if run != 0.0:
            values[a + T_PAIRS] += 1.0
            values[a + T_PRODUCTS] += 1.0 if run * side > 0.0 else -1.0
        values[a + T_RUN] = run + side if run * side > 0.0 else np.float64(side)
    fill_buckets(values, a + T_BUCKETS, event[at.E_TIME], size, side, params)


@njit
def _imbalance(bought: float, sold: float) -> float:
    return (bought - sold) / (bought + sold) if bought + sold > 0.0 else 0.0


@njit
def _horizons(values: np.ndarray, event: np.ndarray, params: np.ndarray, wide: np.ndarray, to: int) -> int:
    """The columns of each horizon; where the next column goes."""
    out_of_line()
    a, k, rebuild = event[at.E_SLAB], event[at.E_NUMBER], event[at.E_REBUILD]
    count = params[P_OPTIONS + at.O_HORIZONS]
    for i in range(count):
        n = params[P_OPTIONS + at.O_HORIZON_ROWS + i]
        words = a + T_SUMS + 3 * SUM * i
        bought = roll_sum(values, params, words, at.S_BUY, k, n, rebuild)
        sold = roll_sum(values, params, words + SUM, at.S_SELL, k, n, rebuild)
        wide[to + i] = bought
        wide[to + count + i] = sold
        wide[to + 2 * count + i] = bought + sold
        wide[to + 3 * count + i] = _imbalance(bought, sold)
        wide[to + 4 * count + i] = roll_sum(values, params, words + 2 * SUM, at.S_COUNT, k, n, rebuild)
    return to + 5 * count


@njit
def _row(values: np.ndarray, event: np.ndarray, wide: np.ndarray) -> None:
    out_of_line()
    params, words = params_of(event), values.view(np.int64)
    a, core, k, rebuild = event[at.E_SLAB], event[at.E_CORE], event[at.E_NUMBER], event[at.E_REBUILD]
    to = event[at.E_WIDE]
    bought, sold = values[core + at.C_BUY], values[core + at.C_SELL]
    wide[to] = bought
    wide[to + 1] = sold
    wide[to + 2] = _imbalance(bought, sold)
    wide[to + 3] = bought - sold
    wide[to + 4] = values[a + T_NOTIONAL]
    to = _horizons(values, event, params, wide, to + 5)
    push(values, params, at.S_SIGN_PRODUCTS, k, values[a + T_PRODUCTS])
    push(values, params, at.S_SIGN_PAIRS, k, values[a + T_PAIRS])
    minute, long = params[P_OPTIONS + at.O_ROWS_60S], params[P_OPTIONS + at.O_ROWS_300S]
    average = signs = _NAN
    if minute > 0:
        notional = roll_sum(values, params, a + T_60S, at.S_NOTIONAL, k, minute, rebuild)
        volume = roll_sum(values, params, a + T_60S + SUM, at.S_VOLUME, k, minute, rebuild)
        products = roll_sum(values, params, a + T_60S + 2 * SUM, at.S_SIGN_PRODUCTS, k, minute, rebuild)
        pairs = roll_sum(values, params, a + T_60S + 3 * SUM, at.S_SIGN_PAIRS, k, minute, rebuild)
        average = notional / volume if volume > 0.0 else _NAN
        signs = products / pairs if pairs >= _FEWEST_PAIRS else _NAN
    any_trade = values[a + T_COUNT] > 0.0
    wide[to] = average
    wide[to + 1] = 1e4 * (event.view(np.float64)[at.E_MID] - average) / average
    wide[to + 2] = values[core + at.C_VOLUME] / values[a + T_COUNT] if any_trade else _NAN
    wide[to + 3] = values[a + T_MOST]
    wide[to + 4] = values[a + T_LARGE]
    wide[to + 5] = values[a + T_HIGH] if any_trade else _NAN
    wide[to + 6] = values[a + T_LOW] if any_trade else _NAN
    wide[to + 7] = values[a + T_RUN]
    wide[to + 8] = signs
    wide[to + 9] = vpin(values, a + T_BUCKETS, params)
    if long > 0:
        volume = roll_sum(values, params, a + T_300S, at.S_VOLUME, k, long, rebuild)
        count = roll_sum(values, params, a + T_300S + SUM, at.S_COUNT, k, long, rebuild)
        values[a + T_LIMIT] = _LARGE * (volume / count) if count > 0.0 else _NAN
        words[a + T_LIMIT_ROW] = k + 1
    for i in range(T_RUN):
        values[a + i] = 0.0


def kernel(what: int, row: int, values: int, event: int, wide: int) -> int:
    """The group's kernel (event.py)."""
    floats, told = words_at(values).view(np.float64), event_at(event)
    if what == at.ON_TRADE:
        _trade(row_at(row), floats, told)
    elif what == at.ON_ROW:
        _row(floats, told, words_at(wide).view(np.float64))
    return 0


KERNEL = group_entry(njit(kernel))
