"""Sums over the levels of a window near the mid, a stretch of ticks at a time.

Where an edge lies is found once, by the distance that decides for each level; between two edges nothing but sizes is
looked at. The sums are the same, in the same order, as those of a walk from level to level.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import out_of_line
from ringcollect.jit import inlined, njit
from ringcollect.sync.book import base_of, near_key
from ringcollect.sync.features import places as at
from ringcollect.sync.features.distances import distance
from ringcollect.sync.layout import (
    BOOK_BASE,
    BOOK_BEST,
    BOOK_HIGH,
    BOOK_LOW,
    BOOK_WINDOW,
    F_MULTIPLIER,
    F_TICKS,
    I_INVERSE,
    I_SIZE_UNIT,
    P_OPTIONS,
    UNIT_BASE,
    UNIT_CONTRACT,
)
from ringcollect.sync.window import level_below, list_levels, size_at

Sums = tuple[float, float, float, float, float]
"""Base units within each of the three distances, quote units within the second, base units of the open band."""


@njit
def _lowest(
    row: np.ndarray, values: np.ndarray, side: int, sign: float, mid: float, edge: float, low: int, top: int
) -> int:
    """The lowest index in [low, top] nearer to the mid than ``edge`` bps; top + 1 if there is none."""
    guess = sign * mid * (1.0 - sign * edge * 1e-4) * values[F_TICKS] - np.float64(row[side + BOOK_BASE])
    i = int(min(max(guess, float(low)), float(top + 1)))
    while i > low and distance(sign * near_key(row, values, side, i - 1), mid) < edge:
        i -= 1
    while i <= top and not distance(sign * near_key(row, values, side, i), mid) < edge:
        i += 1
    return i


@inlined
def _stretch(
    row: np.ndarray, values: np.ndarray, event: np.ndarray, side: int, sign: float, top: int, low: int, within: int,
    sums: Sums,
) -> Sums:  # fmt: skip
    """``sums`` with the levels in [low, top]; bits of ``within`` say nearer than which of the distances they are."""
    first, middle, third, worth, band = sums
    window, unit, inverse, multiplier = (
        row[side + BOOK_WINDOW],
        row[I_SIZE_UNIT],
        row[I_INVERSE],
        values[F_MULTIPLIER],
    )
    same = unit == UNIT_BASE or (unit == UNIT_CONTRACT and not inverse)
    factor = 1.0 if unit == UNIT_BASE else multiplier
    while top >= low:
        n, top = list_levels(window, top, low, event, at.E_LIST, at.LIST)
        if same and within & 2 == 0:
            more = third
            for j in range(at.E_LIST, at.E_LIST + n):
                base = size_at(window, event[j]) * factor
                band += base
                more += base
            third = more if within & 4 else third
            continue
        for j in range(at.E_LIST, at.E_LIST + n):
            i = event[j]
            price = sign * near_key(row, values, side, i)
            base = base_of(size_at(window, i), price, unit, inverse, multiplier)
            band += base
            if within & 1:
                first += base
            if within & 2:
                middle += base
                worth += price * base
            if within & 4:
                third += base
    return first, middle, third, worth, band


@njit
def run_down(
    row: np.ndarray, values: np.ndarray, books: np.ndarray, params: np.ndarray, event: np.ndarray, side: int,
    sign: float, band_at: int,
) -> tuple[int, int, int, Sums]:  # fmt: skip
    """Sum up the levels of a side's window that are better than all levels outside it; full bands go into the event.

    Returns (near, far, band, sums): where a walk from level to level has to go on, in which band.
    """
    out_of_line()
    sums = (0.0, 0.0, 0.0, 0.0, 0.0)
    top, far = row[side + BOOK_BEST], row[side + BOOK_HIGH] - 1
    if top < 0:
        return top, far, 0, sums
    numbers, options = event.view(np.float64), params[P_OPTIONS:].view(np.float64)
    mid, bands = numbers[at.E_MID], params[P_OPTIONS + at.O_EDGES] - 1
    end = 0
    if far >= row[side + BOOK_LOW]:
        guess = books[far, 0] * values[F_TICKS] - np.float64(row[side + BOOK_BASE])
        end = int(min(max(guess, 0.0), float(top + 1)))
        while end > 0 and near_key(row, values, side, end - 1) > books[far, 0]:
            end -= 1
        while end <= top and not near_key(row, values, side, end) > books[far, 0]:
            end += 1
    lows = (
        _lowest(row, values, side, sign, mid, at.NEAR_FIRST, end, top),
        _lowest(row, values, side, sign, mid, at.NEAR_MIDDLE, end, top),
        _lowest(row, values, side, sign, mid, at.NEAR_LAST, end, top),
    )
    band = 0
    edge = _lowest(row, values, side, sign, mid, options[at.O_EDGE + 1], end, top) if bands > 0 else 0
    while top >= end:
        if band < bands and edge > top:  # whatever comes is beyond the open band
            numbers[band_at + band] = sums[4]
            sums = (sums[0], sums[1], sums[2], sums[3], 0.0)
            band += 1
            edge = _lowest(row, values, side, sign, mid, options[at.O_EDGE + band + 1], end, top) if band < bands else 0
            continue
        low, within = (edge if band < bands else end), 0
        for k in range(3):
            if top >= lows[k]:
                within |= 1 << k
                low = max(low, lows[k])
        if band == bands and within == 0:
            break
        sums = _stretch(row, values, event, side, sign, top, low, within, sums)
        top = low - 1
    return level_below(row[side + BOOK_WINDOW], top + 1), far, band, sums
