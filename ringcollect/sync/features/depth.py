"""Group C: depth by level."""

from __future__ import annotations

import math

import numpy as np

from ringcollect.jit import njit
from ringcollect.sync.features import places as at
from ringcollect.sync.features.distances import distance
from ringcollect.sync.features.event import event_at, group_entry, params_of, words_at
from ringcollect.sync.features.near import balance, notional, total
from ringcollect.sync.features.rolling import M_COUNT, MOMENTS, roll_moments, score_of
from ringcollect.sync.features.series import push
from ringcollect.sync.layout import P_OPTIONS

(C_TIME, C_IMBALANCE_TIME, C_BALANCE) = range(3)
SLAB = C_BALANCE + MOMENTS
"""Words: seconds with a valid book, integral of the best level's imbalance over them; moments of the near balance."""
_LEAST_ROWS = 30
_NAN = math.nan


@njit
def _hold(values: np.ndarray, a: int, core: int, held: int) -> None:
    """The imbalance after the last update stood for ``held`` ns of the open row."""
    if held > 0:
        seconds = np.float64(held) * 1e-9
        values[a + C_TIME] += seconds
        values[a + C_IMBALANCE_TIME] += seconds * values[core + at.C_IMBALANCE]


@njit
def _levels(event: np.ndarray, wide: np.ndarray, to: int, stored: int) -> None:
    """Prices and sizes of the best ``stored`` levels."""
    numbers = event.view(np.float64)
    bids, asks = event[at.E_BIDS], event[at.E_ASKS]
    for i in range(stored):
        wide[to + i] = numbers[at.E_BID_PRICE + i] if i < bids else _NAN
        wide[to + stored + i] = numbers[at.E_ASK_PRICE + i] if i < asks else _NAN
        wide[to + 2 * stored + i] = numbers[at.E_BID_SIZE + i] if i < bids else 0.0
        wide[to + 3 * stored + i] = numbers[at.E_ASK_SIZE + i] if i < asks else 0.0


@njit
def _balances(event: np.ndarray, wide: np.ndarray, to: int) -> None:
    """Imbalances of the best 1, 3, 5 and 10 levels."""
    numbers = event.view(np.float64)
    for i, levels in enumerate((1, 3, 5, 10)):
        bid = total(numbers, at.E_BID_SIZE, event[at.E_BIDS], levels)
        wide[to + i] = balance(bid, total(numbers, at.E_ASK_SIZE, event[at.E_ASKS], levels))


@njit
def _totals(event: np.ndarray, wide: np.ndarray, to: int, levels: int) -> None:
    """From bbo_size_ratio to ask_gap_L1_bps."""
    numbers = event.view(np.float64)
    bids, asks, mid = event[at.E_BIDS], event[at.E_ASKS], numbers[at.E_MID]
    bid, ask = numbers[at.E_BID_SIZE], numbers[at.E_ASK_SIZE]
    wide[to] = min(bid, ask) / max(bid, ask) if max(bid, ask) > 0.0 else _NAN
    wide[to + 1] = math.log(bid / ask) if bid > 0.0 and ask > 0.0 else _NAN
    wide[to + 2] = total(numbers, at.E_BID_SIZE, bids, levels)
    wide[to + 3] = total(numbers, at.E_ASK_SIZE, asks, levels)
    wide[to + 4] = notional(numbers, at.E_BID_PRICE, bids, levels)
    wide[to + 5] = notional(numbers, at.E_ASK_PRICE, asks, levels)
    wide[to + 6] = balance(wide[to + 2], wide[to + 3])
    wide[to + 7] = np.float64(event[at.E_BID_LEVELS])
    wide[to + 8] = np.float64(event[at.E_ASK_LEVELS])
    wide[to + 9] = distance(numbers[at.E_BID_WORST], mid)
    wide[to + 10] = distance(numbers[at.E_ASK_WORST], mid)
    wide[to + 11] = 1e4 * (numbers[at.E_BID_PRICE] - numbers[at.E_BID_PRICE + 1]) / mid if bids > 1 else _NAN
    wide[to + 12] = 1e4 * (numbers[at.E_ASK_PRICE + 1] - numbers[at.E_ASK_PRICE]) / mid if asks > 1 else _NAN


@njit
def _row(values: np.ndarray, event: np.ndarray, wide: np.ndarray) -> None:
    numbers, params = event.view(np.float64), params_of(event)
    a, to, core, k = event[at.E_SLAB], event[at.E_WIDE], event[at.E_CORE], event[at.E_NUMBER]
    stored = params[P_OPTIONS + at.O_PRICE_LEVELS]
    rest = to + 4 * stored
    for i in range(to, rest + 19):
        wide[i] = _NAN
    wide[rest + 12] = 0.0
    wide[rest + 13] = 0.0
    near = _NAN
    if event[at.E_VALID]:
        _levels(event, wide, to, stored)
        _balances(event, wide, rest)
        _totals(event, wide, rest + 5, params[P_OPTIONS + at.O_LEVELS])
        near = numbers[at.E_BID_WITHIN + 1] - numbers[at.E_ASK_WITHIN + 1]
    _hold(values, a, core, event[at.E_HELD])
    if values[a + C_TIME] > 0.0:
        wide[rest + 4] = values[a + C_IMBALANCE_TIME] / values[a + C_TIME]
    values[a + C_TIME] = 0.0
    values[a + C_IMBALANCE_TIME] = 0.0
    push(values, params, at.S_NEAR_BALANCE, k, near)
    window = params[P_OPTIONS + at.O_ROWS_300S]
    if window > 0:
        roll_moments(values, params, a + C_BALANCE, at.S_NEAR_BALANCE, k, window, event[at.E_REBUILD])
        if values[a + C_BALANCE + M_COUNT] >= _LEAST_ROWS:
            wide[rest + 18] = score_of(values, a + C_BALANCE, near)


def kernel(what: int, row: int, values: int, event: int, wide: int) -> int:
    """The group's kernel (event.py)."""
    floats, told = words_at(values).view(np.float64), event_at(event)
    if what == at.ON_UPDATE:
        _hold(floats, told[at.E_SLAB], told[at.E_CORE], told[at.E_HELD])
    elif what == at.ON_ROW:
        _row(floats, told, words_at(wide).view(np.float64))
    return 0


KERNEL = group_entry(njit(kernel))
