"""The volume-synchronised probability of informed trading: trades cut into buckets of equal volume.

A bucket's volume is the configured one, or what the UTC day before traded divided by the number of buckets a day shall
have; a day seen only in part, but for an hour at least, is scaled up. A bucket keeps the volume it began with, and
none is begun before one is known. A trade over several buckets is divided between them.
"""

from __future__ import annotations

import math

import numpy as np

from ringcollect.decode.memory import out_of_line
from ringcollect.jit import njit
from ringcollect.sync.catalogue.options import MAX_BUCKETS
from ringcollect.sync.features import places as at
from ringcollect.sync.layout import P_OPTIONS

_DAY_NS = 86_400 * 10**9
_HOUR_NS = 3_600 * 10**9

(V_DAY, V_SINCE, V_DAY_VOLUME, V_NEXT, V_SIZE, V_FILLED, V_SIGNED, V_FULL) = range(8)
# words: the day, the time its volume counts from; floats: that volume, what the next bucket holds, what the open one
# holds (0: none open), is filled with, buys less sells in it; word: buckets filled so far
_RATIOS = 8
BUCKETS = _RATIOS + MAX_BUCKETS
"""Words of state."""


@njit
def _next_size(values: np.ndarray, v: int, time: int, params: np.ndarray) -> float:
    """What a bucket that begins now holds, 0 if that is not known."""
    numbers, words = params.view(np.float64), values.view(np.int64)
    fixed = numbers[P_OPTIONS + at.O_BUCKET_VOLUME]
    if fixed > 0.0:
        return fixed
    day = time // _DAY_NS
    if words[v + V_SINCE] == 0:
        words[v + V_DAY] = day
        words[v + V_SINCE] = time
    elif day > words[v + V_DAY]:
        covered = (words[v + V_DAY] + 1) * _DAY_NS - words[v + V_SINCE]
        if covered >= _HOUR_NS:
            daily = values[v + V_DAY_VOLUME] * (_DAY_NS / np.float64(covered))
            values[v + V_NEXT] = daily / params[P_OPTIONS + at.O_BUCKETS]
        words[v + V_DAY] = day
        words[v + V_SINCE] = day * _DAY_NS
        values[v + V_DAY_VOLUME] = 0.0
    return values[v + V_NEXT]


@njit
def fill_buckets(values: np.ndarray, v: int, time: int, size: float, side: int, params: np.ndarray) -> None:
    """One trade of ``size`` base units; one without a side fills buckets and leans to none."""
    out_of_line()
    words = values.view(np.int64)
    window = params[P_OPTIONS + at.O_BUCKET_WINDOW]
    fresh = _next_size(values, v, time, params)
    values[v + V_DAY_VOLUME] += size
    rest = size
    while rest > 0.0:
        if values[v + V_SIZE] == 0.0:
            if not fresh > 0.0:
                return
            more = math.floor(rest / fresh) - window - 1
            if more > 0.0:  # all of these would be overwritten by those that follow
                rest -= more * fresh
                words[v + V_FULL] += np.int64(more)
            values[v + V_SIZE] = fresh
        room = values[v + V_SIZE] - values[v + V_FILLED]
        part = min(rest, room)
        values[v + V_SIGNED] += side * part
        values[v + V_FILLED] += part
        rest -= part
        if part == room:
            place = v + _RATIOS + words[v + V_FULL] % window
            values[place] = abs(values[v + V_SIGNED]) / values[v + V_SIZE]
            words[v + V_FULL] += 1
            values[v + V_SIZE] = 0.0
            values[v + V_FILLED] = 0.0
            values[v + V_SIGNED] = 0.0


@njit
def vpin(values: np.ndarray, v: int, params: np.ndarray) -> float:
    """The mean over the last full buckets, NaN until there are enough."""
    window = params[P_OPTIONS + at.O_BUCKET_WINDOW]
    if values.view(np.int64)[v + V_FULL] < window:
        return math.nan
    total = 0.0
    for i in range(window):
        total += values[v + _RATIOS + i]
    return total / window
