"""Group B: price and spread, at the row's close and time-weighted over the bin."""

from __future__ import annotations

import math

import numpy as np

from ringcollect.jit import njit
from ringcollect.sync.features import places as at
from ringcollect.sync.features.event import event_at, group_entry, row_at, words_at
from ringcollect.sync.layout import F_TICKS

(B_TIME, B_MID_TIME, B_SPREAD_TIME, B_VELOCITY, B_ROW) = range(5)
SLAB = 5
"""Words: seconds with a valid book, integrals of mid and of spread in bps over them; last velocity and its row."""
_LEVELS = 5
_NAN = math.nan
_NS = 1e-9


@njit
def _hold(values: np.ndarray, a: int, core: int, held: int) -> None:
    """The mid of the last update stood for ``held`` ns of the open row."""
    if held > 0:
        seconds = np.float64(held) * _NS
        mid = values[core + at.C_MID]
        values[a + B_TIME] += seconds
        values[a + B_MID_TIME] += seconds * mid
        values[a + B_SPREAD_TIME] += seconds * (1e4 * values[core + at.C_SPREAD] / mid)


@njit
def _fair(event: np.ndarray, numbers: np.ndarray, wide: np.ndarray, to: int, mid: float) -> None:
    """Prices weighted by sizes, of the best level and of the best five."""
    bid, ask = numbers[at.E_BID_PRICE], numbers[at.E_ASK_PRICE]
    bid_size, ask_size = numbers[at.E_BID_SIZE], numbers[at.E_ASK_SIZE]
    both = bid_size + ask_size
    micro = (bid * ask_size + ask * bid_size) / both if both > 0.0 else mid
    wide[to] = micro
    wide[to + 1] = micro - mid
    wide[to + 2] = 1e4 * (micro - mid) / mid
    wide[to + 3] = (bid * bid_size + ask * ask_size) / both if both > 0.0 else _NAN
    bids, asks = min(event[at.E_BIDS], _LEVELS), min(event[at.E_ASKS], _LEVELS)
    crossed = sizes = own = 0.0
    bid_sizes = ask_sizes = bid_notional = ask_notional = 0.0
    for i in range(_LEVELS):
        pb, qb = (numbers[at.E_BID_PRICE + i], numbers[at.E_BID_SIZE + i]) if i < bids else (0.0, 0.0)
        pa, qa = (numbers[at.E_ASK_PRICE + i], numbers[at.E_ASK_SIZE + i]) if i < asks else (0.0, 0.0)
        if i < bids and i < asks:
            crossed += pb * qa + pa * qb
            sizes += qa + qb
        own += pb * qb + pa * qa
        bid_sizes += qb
        ask_sizes += qa
        bid_notional += pb * qb
        ask_notional += pa * qa
    both = bid_sizes + ask_sizes
    wide[to + 4] = crossed / sizes if sizes > 0.0 else _NAN
    wide[to + 5] = (
        (bid_notional / bid_sizes * ask_sizes + ask_notional / ask_sizes * bid_sizes) / both
        if bid_sizes > 0.0 and ask_sizes > 0.0
        else _NAN
    )
    wide[to + 6] = own / both if both > 0.0 else _NAN


@njit
def _motion(values: np.ndarray, a: int, core: int, event: np.ndarray, wide: np.ndarray, to: int, mid: float) -> None:
    """Change, velocity and acceleration of the mid from row to row."""
    words = values.view(np.int64)
    seconds = np.float64(event[at.E_GRID]) * _NS
    change = mid - values[core + at.C_ROW_MID]
    velocity = change / seconds
    before = values[a + B_VELOCITY] if words[a + B_ROW] == event[at.E_NUMBER] - 1 else _NAN
    wide[to] = change
    wide[to + 1] = velocity
    wide[to + 2] = (velocity - before) / seconds
    values[a + B_VELOCITY] = velocity
    words[a + B_ROW] = event[at.E_NUMBER]


@njit
def _row(values: np.ndarray, row: np.ndarray, event: np.ndarray, wide: np.ndarray) -> None:
    numbers = event.view(np.float64)
    a, to, core = event[at.E_SLAB], event[at.E_WIDE], event[at.E_CORE]
    mid, spread = numbers[at.E_MID], numbers[at.E_SPREAD]
    for i in range(12):
        wide[to + i] = _NAN
    if event[at.E_VALID]:
        wide[to] = mid
        wide[to + 1] = spread
        wide[to + 2] = spread / mid
        wide[to + 3] = 1e4 * spread / mid
        if values[F_TICKS] > 0.0:
            wide[to + 4] = np.rint(spread * values[F_TICKS])
        _fair(event, numbers, wide, to + 5, mid)
    open_mid = values[core + at.C_OPEN]
    wide[to + 12] = open_mid
    wide[to + 13] = values[core + at.C_HIGH]
    wide[to + 14] = values[core + at.C_LOW]
    _motion(values, a, core, event, wide, to + 15, mid)
    _hold(values, a, core, event[at.E_HELD])
    time = values[a + B_TIME]
    wide[to + 18] = values[a + B_MID_TIME] / time if time > 0.0 else _NAN
    wide[to + 19] = values[a + B_SPREAD_TIME] / time if time > 0.0 else _NAN
    last = values[core + at.C_LAST_PRICE]
    wide[to + 20] = last
    wide[to + 21] = 1e4 * (last - mid) / mid
    volume = values[core + at.C_VOLUME]
    average = values[core + at.C_NOTIONAL] / volume if volume > 0.0 else _NAN
    wide[to + 22] = 1e4 * (average - open_mid) / open_mid
    for i in range(B_VELOCITY):
        values[a + i] = 0.0


def kernel(what: int, row: int, values: int, event: int, wide: int) -> int:
    """The group's kernel (event.py)."""
    words, told = words_at(values), event_at(event)
    floats = words.view(np.float64)
    if what == at.ON_UPDATE:
        _hold(floats, told[at.E_SLAB], told[at.E_CORE], told[at.E_HELD])
    elif what == at.ON_ROW:
        _row(floats, row_at(row), told, words_at(wide).view(np.float64))
    return 0


KERNEL = group_entry(njit(kernel))
