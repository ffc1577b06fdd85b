"""Group D: depth in bands around the mid, over all levels held."""

from __future__ import annotations

import math

import numpy as np

from ringcollect.jit import njit
from ringcollect.sync.features import places as at
from ringcollect.sync.features.distances import distance
from ringcollect.sync.features.event import event_at, group_entry, params_of, words_at
from ringcollect.sync.features.near import balance
from ringcollect.sync.features.rolling import MOMENTS, deviation_of, roll_moments
from ringcollect.sync.features.series import push
from ringcollect.sync.layout import P_OPTIONS

SLAB = MOMENTS
"""Words: moments of the depth within 5 bps."""
_NAN = math.nan


@njit
def _bands(numbers: np.ndarray, wide: np.ndarray, to: int, bands: int) -> None:
    """Bids, asks, their balance and their sum: in each band, then of all levels nearer than its far edge."""
    near_bid = near_ask = 0.0
    for i in range(bands):
        bid, ask = numbers[at.E_BID_BAND + i], numbers[at.E_ASK_BAND + i]
        near_bid += bid
        near_ask += ask
        wide[to + i] = bid
        wide[to + bands + i] = ask
        wide[to + 2 * bands + i] = balance(bid, ask)
        wide[to + 3 * bands + i] = bid + ask
        wide[to + 4 * bands + i] = near_bid
        wide[to + 5 * bands + i] = near_ask
        wide[to + 6 * bands + i] = balance(near_bid, near_ask)


@njit
def _coverage(numbers: np.ndarray, options: np.ndarray, bands: int) -> float:
    """The largest edge that both sides reach."""
    mid = numbers[at.E_MID]
    reach = min(distance(numbers[at.E_BID_WORST], mid), distance(numbers[at.E_ASK_WORST], mid))
    found = 0.0
    for i in range(bands + 1):
        if options[at.O_EDGE + i] <= reach:
            found = options[at.O_EDGE + i]
    return found


@njit
def _row(values: np.ndarray, event: np.ndarray, wide: np.ndarray) -> None:
    numbers, params = event.view(np.float64), params_of(event)
    a, to, k = event[at.E_SLAB], event[at.E_WIDE], event[at.E_NUMBER]
    bands = params[P_OPTIONS + at.O_EDGES] - 1
    rest = to + 7 * bands
    first = notional = _NAN
    if event[at.E_VALID]:
        _bands(numbers, wide, to, bands)
        first = numbers[at.E_BID_WITHIN] + numbers[at.E_ASK_WITHIN]
        notional = numbers[at.E_NOTIONAL_WITHIN]
        wide[rest + 1] = _coverage(numbers, params[P_OPTIONS:].view(np.float64), bands)
    else:
        for i in range(to, rest):
            wide[i] = _NAN
        wide[rest + 1] = 0.0
    wide[rest] = notional
    push(values, params, at.S_FIRST_BAND, k, first)
    push(values, params, at.S_NEAR_NOTIONAL, k, notional)
    window = params[P_OPTIONS + at.O_ROWS_300S]
    if window > 0:
        roll_moments(values, params, a, at.S_FIRST_BAND, k, window, event[at.E_REBUILD])
    wide[rest + 2] = deviation_of(values, a) if window > 0 else _NAN


def kernel(what: int, row: int, values: int, event: int, wide: int) -> int:
    """The group's kernel (event.py)."""
    if what == at.ON_ROW:
        _row(words_at(values).view(np.float64), event_at(event), words_at(wide).view(np.float64))
    return 0


KERNEL = group_entry(njit(kernel))
