"""Group F: what taking liquidity costs."""

from __future__ import annotations

import math

import numpy as np

from ringcollect.jit import njit
from ringcollect.sync.book import base_size, walk
from ringcollect.sync.features import places as at
from ringcollect.sync.features.event import event_at, group_entry, row_at, sides_at, words_at
from ringcollect.sync.features.near import balance, notional, total
from ringcollect.sync.layout import BOOK_BEST, BOOK_HIGH, I_ASK, I_BID

SLAB = 0
"""Words: none, every column is a function of the book at the row's close."""
COLUMNS = 15
_LEVELS = 5
_DECAY = 100.0
_SMALL, _LARGE = 10_000.0, 100_000.0
_NAN = math.nan


@njit
def _smart(numbers: np.ndarray, prices: int, held: int, mid: float) -> float:
    """Base units, each level's weight decaying with its distance from the mid."""
    found = 0.0
    for i in range(held):
        found += numbers[prices + at.TOP + i] * math.exp(-_DECAY * abs(mid - numbers[prices + i]) / mid)
    return found


@njit
def _taken(row: np.ndarray, values: np.ndarray, books: np.ndarray, side: int, sign: float) -> tuple[float, float]:
    """Average prices at which the smaller and the larger notional are taken from a side; NaN beyond what is held."""
    near, far = row[side + BOOK_BEST], row[side + BOOK_HIGH] - 1
    spent = got = 0.0
    small = _NAN
    while True:
        near, far, key, size = walk(row, values, books, side, near, far)
        if key != key:
            return small, _NAN
        price = sign * key
        base = base_size(size, price, row, values)
        worth = price * base
        if small != small and spent + worth >= _SMALL:
            small = _SMALL / (got + (_SMALL - spent) / price)
        if spent + worth >= _LARGE:
            return small, _LARGE / (got + (_LARGE - spent) / price)
        spent += worth
        got += base


@njit
def _row(values: np.ndarray, row: np.ndarray, event: np.ndarray, wide: np.ndarray) -> None:
    numbers = event.view(np.float64)
    to, mid, spread = event[at.E_WIDE], numbers[at.E_MID], numbers[at.E_SPREAD]
    bids, asks = event[at.E_BIDS], event[at.E_ASKS]
    if not event[at.E_VALID]:
        for i in range(to, to + COLUMNS):
            wide[i] = _NAN
        return
    wide[to] = notional(numbers, at.E_BID_PRICE, bids, _LEVELS) / total(numbers, at.E_BID_SIZE, bids, _LEVELS)
    wide[to + 1] = notional(numbers, at.E_ASK_PRICE, asks, _LEVELS) / total(numbers, at.E_ASK_SIZE, asks, _LEVELS)
    wide[to + 2] = wide[to + 1] - wide[to]
    bid, ask = _smart(numbers, at.E_BID_PRICE, bids, mid), _smart(numbers, at.E_ASK_PRICE, asks, mid)
    wide[to + 3] = bid
    wide[to + 4] = ask
    wide[to + 5] = bid + ask
    wide[to + 6] = balance(bid, ask)
    for i in range(2):
        depth = numbers[at.E_BID_WITHIN + i] + numbers[at.E_ASK_WITHIN + i]
        wide[to + 7 + i] = spread / depth if depth > 0.0 else _NAN
    books = sides_at(event[at.E_BOOKS])
    for side, sign, first in ((I_ASK, -1.0, 9), (I_BID, 1.0, 11)):
        small, large = _taken(row, values, books, side, sign)
        wide[to + first] = -1e4 * sign * (small / mid - 1.0)
        wide[to + first + 1] = -1e4 * sign * (large / mid - 1.0)
    wide[to + 13] = wide[to + 9] + wide[to + 11]
    wide[to + 14] = wide[to + 10] + wide[to + 12]


def kernel(what: int, row: int, values: int, event: int, wide: int) -> int:
    """The group's kernel (event.py)."""
    if what == at.ON_ROW:
        _row(words_at(values).view(np.float64), row_at(row), event_at(event), words_at(wide).view(np.float64))
    return 0


KERNEL = group_entry(njit(kernel))
