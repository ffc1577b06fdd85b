"""Group K: liquidity and price impact.

Regressions and the depth's autocorrelation need 30 pairs, Roll's spread 10. Pairs of neighbouring price changes belong
to the row of the later trade. Spreads of trades are weighted by notional, over those with a side and a mid before them.
"""

from __future__ import annotations

import math

import numpy as np

from ringcollect.decode.memory import out_of_line
from ringcollect.jit import njit
from ringcollect.sync.features import places as at
from ringcollect.sync.features import returns as of
from ringcollect.sync.features.event import event_at, group_entry, params_of, words_at
from ringcollect.sync.features.regression import correlation_of, slope_of, slope_through_origin
from ringcollect.sync.features.rolling import (
    MOMENTS,
    PAIRS,
    R_COUNT,
    R_SUM,
    SUM,
    mean_of,
    roll_moments,
    roll_pairs,
    roll_sum,
)
from ringcollect.sync.features.series import push, value_of
from ringcollect.sync.layout import P_OPTIONS

(K_SIGNED, K_WEIGHT, K_EFFECTIVE, K_FIRST, K_SECOND, K_PAIRS, K_CHANGE, K_LAGGED, K_PRODUCT) = range(9)
# of the open row: signed notional; notional with a mid before, and its sums of 2s(p-m)/m, 2sp/m and 2s/m; pairs of
# price changes, sums of the later, of the earlier, of the products
(K_PRICES, K_PRICE, K_LAST_CHANGE) = range(9, 12)  # prices known (to 2), the last one, the last change
_BIN = K_PRICES
K_KYLE = 12
K_TRADES, K_HASBROUCK, K_DEPTHS = K_KYLE + PAIRS, K_KYLE + 2 * PAIRS, K_KYLE + 3 * PAIRS
K_AMIHUD = K_KYLE + 4 * PAIRS  # 60 s, 300 s
K_ROLL = K_AMIHUD + 2 * SUM  # the four of the pairs
K_TURNOVER = K_ROLL + 4 * SUM  # notional, depth
K_POWERS = K_TURNOVER + SUM + MOMENTS
SLAB = K_POWERS + of.POWERS
"""Words: the open row's sums, the last trades, windows."""
_FEWEST, _FEWEST_CHANGES = 30.0, 10.0
_NAN = math.nan


@njit
def _trade(values: np.ndarray, event: np.ndarray) -> None:
    out_of_line()
    numbers = event.view(np.float64)
    a, side = event[at.E_SLAB], event[at.E_SIDE]
    price, notional, mid = numbers[at.E_PRICE], numbers[at.E_PRICE] * numbers[at.E_SIZE], numbers[at.E_MID_BEFORE]
    values[a + K_SIGNED] += side * notional
    if side != 0 and mid == mid:
        share = 2.0 * side * notional / mid
        values[a + K_WEIGHT] += notional
        values[a + K_EFFECTIVE] += share * (price - mid)
        values[a + K_FIRST] += share * price
        values[a + K_SECOND] += share
    change = price - values[a + K_PRICE]
    if values[a + K_PRICES] == 2.0:
        values[a + K_PAIRS] += 1.0
        values[a + K_CHANGE] += change
        values[a + K_LAGGED] += values[a + K_LAST_CHANGE]
        values[a + K_PRODUCT] += change * values[a + K_LAST_CHANGE]
    if values[a + K_PRICES] > 0.0:
        values[a + K_LAST_CHANGE] = change
    values[a + K_PRICE] = price
    values[a + K_PRICES] = min(values[a + K_PRICES] + 1.0, 2.0)


@njit
def roll_spread(pairs: float, later: float, earlier: float, products: float) -> float:
    """Roll's spread from sums over pairs of neighbouring price changes; 0 where they do not alternate."""
    return 2.0 * math.sqrt(max(0.0, later / pairs * (earlier / pairs) - products / pairs))


@njit
def _push(values: np.ndarray, event: np.ndarray, params: np.ndarray) -> None:
    """The row's values of the group's series."""
    a, core, k = event[at.E_SLAB], event[at.E_CORE], event[at.E_NUMBER]
    r = value_of(values, params, at.S_RETURN, k)
    notional, signed, weight = values[core + at.C_NOTIONAL], values[a + K_SIGNED], values[a + K_WEIGHT]
    root = math.sqrt(abs(signed))
    change = event.view(np.float64)[at.E_MID] - values[core + at.C_ROW_MID]
    push(values, params, at.S_SIGNED_ROOT, k, root if signed > 0.0 else -root)
    push(values, params, at.S_SIGNED_VOLUME, k, values[core + at.C_BUY] - values[core + at.C_SELL])
    push(values, params, at.S_MID_CHANGE, k, change)
    push(values, params, at.S_AMIHUD, k, abs(r) / notional if notional > 0.0 else _NAN)
    push(values, params, at.S_EFFECTIVE, k, values[a + K_EFFECTIVE] / weight if weight > 0.0 else _NAN)
    push(values, params, at.S_REALIZED_1, k, values[a + K_FIRST] / weight if weight > 0.0 else _NAN)
    push(values, params, at.S_REALIZED_2, k, values[a + K_SECOND] / weight if weight > 0.0 else _NAN)
    for i in range(4):
        push(values, params, at.S_CHANGES + i, k, values[a + K_PAIRS + i])


@njit
def _impact(values: np.ndarray, event: np.ndarray, params: np.ndarray, wide: np.ndarray, to: int) -> None:
    """Regressions of price on flow."""
    out_of_line()
    a, k, rebuild = event[at.E_SLAB], event[at.E_NUMBER], event[at.E_REBUILD]
    chosen, long = params[P_OPTIONS + at.O_ROWS_KYLE], params[P_OPTIONS + at.O_ROWS_300S]
    if chosen > 0:
        roll_pairs(values, params, a + K_KYLE, at.S_OFI, at.S_RETURN, k, chosen, 0, rebuild)
        roll_pairs(values, params, a + K_TRADES, at.S_SIGNED_VOLUME, at.S_MID_CHANGE, k, chosen, 0, rebuild)
    if long > 0:
        roll_pairs(values, params, a + K_HASBROUCK, at.S_SIGNED_ROOT, at.S_RETURN, k, long, 0, rebuild)
    correlation = correlation_of(values, a + K_KYLE, _FEWEST)
    wide[to] = slope_of(values, a + K_KYLE, _FEWEST)
    wide[to + 1] = correlation * correlation
    wide[to + 2] = slope_of(values, a + K_TRADES, _FEWEST)
    wide[to + 3] = slope_through_origin(values, a + K_HASBROUCK, _FEWEST)
    for i in range(2):
        n = params[P_OPTIONS + (at.O_ROWS_60S if i == 0 else at.O_ROWS_300S)]
        words = a + K_AMIHUD + i * SUM
        total = roll_sum(values, params, words, at.S_AMIHUD, k, n, rebuild) if n > 0 else _NAN
        wide[to + 4 + i] = 1e6 * (total / values[words + R_COUNT]) if values[words + R_COUNT] > 0.0 else _NAN


@njit
def _spreads(values: np.ndarray, event: np.ndarray, params: np.ndarray, wide: np.ndarray, to: int) -> None:
    """What taking liquidity cost."""
    out_of_line()
    a, k, rebuild = event[at.E_SLAB], event[at.E_NUMBER], event[at.E_REBUILD]
    minute, five = params[P_OPTIONS + at.O_ROWS_60S], params[P_OPTIONS + at.O_ROWS_5S]
    mid = event.view(np.float64)[at.E_MID]
    spread = _NAN
    if minute > 0:
        words = a + K_ROLL
        for i in range(4):
            roll_sum(values, params, words + i * SUM, at.S_CHANGES + i, k, minute, rebuild)
        pairs = values[words + R_SUM]
        if pairs >= _FEWEST_CHANGES:
            spread = roll_spread(
                pairs, values[words + SUM + R_SUM], values[words + 2 * SUM + R_SUM], values[words + 3 * SUM + R_SUM]
            )
    wide[to] = spread
    wide[to + 1] = 1e4 * spread / mid
    wide[to + 2] = 1e4 * value_of(values, params, at.S_EFFECTIVE, k)
    effective = realized = _NAN
    if five > 0:
        effective = 1e4 * value_of(values, params, at.S_EFFECTIVE, k - five)
        first = value_of(values, params, at.S_REALIZED_1, k - five)
        realized = 1e4 * (first - mid * value_of(values, params, at.S_REALIZED_2, k - five))
    wide[to + 3] = realized
    wide[to + 4] = effective - realized


@njit
def _depth(values: np.ndarray, event: np.ndarray, params: np.ndarray, wide: np.ndarray, to: int) -> None:
    """Trading and spread beside depth and volatility, over 60 s."""
    out_of_line()
    a, k, rebuild = event[at.E_SLAB], event[at.E_NUMBER], event[at.E_REBUILD]
    n = params[P_OPTIONS + at.O_ROWS_60S]
    numbers = event.view(np.float64)
    for i in range(3):
        wide[to + i] = _NAN
    if n == 0:
        return
    notional = roll_sum(values, params, a + K_TURNOVER, at.S_NOTIONAL, k, n, rebuild)
    roll_moments(values, params, a + K_TURNOVER + SUM, at.S_NEAR_NOTIONAL, k, n, rebuild)
    depth = mean_of(values, a + K_TURNOVER + SUM)
    if depth > 0.0:
        wide[to] = notional / depth
    of.roll_powers(values, params, a + K_POWERS, k, n, rebuild)
    variance = of.realized(values, a + K_POWERS, n)
    if variance > 0.0:
        wide[to + 1] = numbers[at.E_SPREAD] / numbers[at.E_MID] / math.sqrt(variance / 60.0)
    roll_pairs(values, params, a + K_DEPTHS, at.S_NEAR_NOTIONAL, at.S_NEAR_NOTIONAL, k, n, 1, rebuild)
    wide[to + 2] = correlation_of(values, a + K_DEPTHS, _FEWEST)


@njit
def _row(values: np.ndarray, event: np.ndarray, wide: np.ndarray) -> None:
    out_of_line()
    params = params_of(event)
    a, to = event[at.E_SLAB], event[at.E_WIDE]
    _push(values, event, params)
    _impact(values, event, params, wide, to)
    _spreads(values, event, params, wide, to + 6)
    _depth(values, event, params, wide, to + 11)
    for i in range(_BIN):
        values[a + i] = 0.0


def kernel(what: int, row: int, values: int, event: int, wide: int) -> int:
    """The group's kernel (event.py)."""
    floats, told = words_at(values).view(np.float64), event_at(event)
    if what == at.ON_TRADE:
        _trade(floats, told)
    elif what == at.ON_ROW:
        _row(floats, told, words_at(wide).view(np.float64))
    return 0


KERNEL = group_entry(njit(kernel))
