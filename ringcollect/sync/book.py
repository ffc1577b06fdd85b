"""The book of an instrument as applied: two sides, each a window of ticks and a sorted rest.

The key of a bid is its price, of an ask minus its price, so that for both sides the best level has the largest key.
Prices are kept exactly as sent: a level on the instrument's tick grid and near the best stands in the window
(window.py), everything else (far away, off the grid, tick not known) in the sorted rest (sorted_levels.py). No level
is in both, and where one stands never decides a row. Beyond ``book_levels`` levels a side gives up its worst and
counts it.

Side totals in base units are kept as a sum of two floats (error-free addition): what a level added, its removal
takes out again to about 2**-106 of the largest total, and the result does not depend on how long the book has lived.
"""

from __future__ import annotations

import math

import numpy as np

from ringcollect.decode.memory import out_of_line, plain
from ringcollect.jit import inlined, njit
from ringcollect.sync.layout import (
    BOOK_BASE,
    BOOK_BEST,
    BOOK_CAPACITY,
    BOOK_HIGH,
    BOOK_LOW,
    BOOK_NEAR,
    BOOK_OFFSET,
    BOOK_WINDOW,
    F_ASK_TOTAL,
    F_BID_TOTAL,
    F_MULTIPLIER,
    F_TICK_DENOMINATOR,
    F_TICK_NUMERATOR,
    F_TICKS,
    G_LEVELS_DROPPED,
    I_ASK,
    I_BID,
    I_BOOK_DEPTH,
    I_INVERSE,
    I_LAY_OUT,
    I_SIZE_UNIT,
    P_BOOK_LEVELS,
    UNIT_BASE,
    UNIT_QUOTE,
)
from ringcollect.sync.sorted_levels import find, insert, remove
from ringcollect.sync.window import HOME, WINDOW, level_below, put_size, size_at, wipe, worst_level

_NAN = math.nan
MOST_TICKS = 2.0**52


@njit
def base_size(size: float, price: float, row: np.ndarray, values: np.ndarray) -> float:
    """``size`` in base units; the same arithmetic as ``instruments.to_base``."""
    return base_of(size, price, row[I_SIZE_UNIT], row[I_INVERSE], values[F_MULTIPLIER])


@njit
def base_of(size: float, price: float, unit: int, inverse: int, multiplier: float) -> float:
    """``size`` of an instrument with these metadata in base units."""
    if unit == UNIT_BASE:
        return size
    if unit == UNIT_QUOTE:
        return size / price
    if inverse:
        return size * multiplier / price
    return size * multiplier


@njit
def add_exactly(values: np.ndarray, at: int, x: float) -> None:
    """``values[at] + values[at+1] += x`` without losing the rounding error (Knuth's two-sum)."""
    high = values[at]
    total = high + x
    part = total - high
    values[at + 1] += (high - (total - part)) + (x - part)
    values[at] = total


@njit
def has_room(row: np.ndarray, params: np.ndarray) -> bool:
    """Whether one more level can be set before the engine has to grow a region or lay the windows out anew."""
    if row[I_LAY_OUT]:
        return False
    most = 2 * params[P_BOOK_LEVELS]
    for side in (I_BID, I_ASK):
        capacity = row[side + BOOK_CAPACITY]
        if capacity < most and 2 * (row[side + BOOK_HIGH] - row[side + BOOK_LOW] + 1) > capacity:
            return False
    return True


@njit
def levels_of(row: np.ndarray, side: int) -> int:
    """Levels a side holds."""
    return row[side + BOOK_NEAR] + row[side + BOOK_HIGH] - row[side + BOOK_LOW]


@njit
def clear(row: np.ndarray, values: np.ndarray) -> None:
    """Forget both sides."""
    out_of_line()
    for side in (I_BID, I_ASK):
        middle = row[side + BOOK_OFFSET] + row[side + BOOK_CAPACITY] // 2
        row[side + BOOK_LOW] = middle
        row[side + BOOK_HIGH] = middle
        if row[side + BOOK_NEAR] > 0:
            wipe(row[side + BOOK_WINDOW], row[side + BOOK_BEST])
        row[side + BOOK_NEAR] = 0
        row[side + BOOK_BEST] = -1
    for total in (F_BID_TOTAL, F_ASK_TOTAL):
        values[total] = 0.0
        values[total + 1] = 0.0


@njit
def near_key(row: np.ndarray, values: np.ndarray, side: int, i: int) -> float:
    """The key at index ``i`` of the window: the correctly rounded price of its tick, signed."""
    return np.float64(row[side + BOOK_BASE] + i) * values[F_TICK_NUMERATOR] / values[F_TICK_DENOMINATOR]


@inlined
def walk(
    row: np.ndarray, values: np.ndarray, books: np.ndarray, side: int, near: int, far: int
) -> tuple[int, int, float, float]:
    """One step from better to worse: (near, far, key, size); the key is NaN behind the last level.

    Start with ``near = row[side + BOOK_BEST]`` and ``far = row[side + BOOK_HIGH] - 1``.
    """
    if near >= 0:
        key = near_key(row, values, side, near)
        if far < row[side + BOOK_LOW] or key > books[far, 0]:
            window = row[side + BOOK_WINDOW]
            return level_below(window, near), far, key, size_at(window, near)
    if far < row[side + BOOK_LOW]:
        return near, far, _NAN, 0.0
    return near, far - 1, books[far, 0], books[far, 1]


@njit
def best_key(row: np.ndarray, values: np.ndarray, books: np.ndarray, side: int) -> float:
    """The price of a side's best level, negated for asks; NaN if the side is empty."""
    best, high = row[side + BOOK_BEST], row[side + BOOK_HIGH]
    if best < 0:
        return books[high - 1, 0] if high > row[side + BOOK_LOW] else _NAN
    key = near_key(row, values, side, best)
    return max(key, books[high - 1, 0]) if high > row[side + BOOK_LOW] else key


@njit
def worst_key(row: np.ndarray, values: np.ndarray, books: np.ndarray, side: int) -> float:
    """The price of a side's deepest level, negated for asks; NaN if the side is empty."""
    low = row[side + BOOK_LOW]
    far = books[low, 0] if low < row[side + BOOK_HIGH] else _NAN
    if row[side + BOOK_NEAR] == 0:
        return far
    near = near_key(row, values, side, worst_level(row[side + BOOK_WINDOW]))
    return min(near, far) if far == far else near


@njit
def _drop_worst(row: np.ndarray, values: np.ndarray, side: int, sign: int, books: np.ndarray) -> None:
    out_of_line()
    total = F_BID_TOTAL if sign > 0 else F_ASK_TOTAL
    low = row[side + BOOK_LOW]
    is_near = row[side + BOOK_NEAR] > 0
    if is_near:
        window = row[side + BOOK_WINDOW]
        i = worst_level(window)
        key = near_key(row, values, side, i)
        is_near = low == row[side + BOOK_HIGH] or key < books[low, 0]
        if is_near:
            add_exactly(values, total, -base_size(size_at(window, i), sign * key, row, values))
            put_size(window, i, 0.0)
            row[side + BOOK_NEAR] -= 1
            if row[side + BOOK_NEAR] == 0:
                row[side + BOOK_BEST] = -1
    if not is_near:
        add_exactly(values, total, -base_size(books[low, 1], sign * books[low, 0], row, values))
        row[side + BOOK_LOW] = low + 1


@njit
def _set_near(row: np.ndarray, values: np.ndarray, side: int, total: int, i: int, price: float, size: float) -> None:
    """Set or remove the level at index ``i`` of the window, nearly without branches that go either way."""
    window = row[side + BOOK_WINDOW]
    before = size_at(window, i)
    put_size(window, i, size)
    row[side + BOOK_NEAR] += np.int64(size > 0.0) - np.int64(before > 0.0)
    if i >= row[side + BOOK_BEST]:  # rarely: no store that the next level would have to wait for
        if size > 0.0:
            row[side + BOOK_BEST] = i
        elif i == row[side + BOOK_BEST]:
            row[side + BOOK_BEST] = level_below(window, i)
    _exchange(values, total, base_size(before, price, row, values), base_size(size, price, row, values))


@njit
def _exchange(values: np.ndarray, at: int, before: float, now: float) -> None:
    """``values[at] + values[at+1] += now - before`` without losing a rounding error."""
    change = now - before
    part = change - now
    lost = (now - (change - part)) - (before + part)
    high = values[at]
    total = high + change
    part = total - high
    values[at + 1] += (high - (total - part)) + (change - part) + lost
    values[at] = total


@njit
def _set_far(
    row: np.ndarray, values: np.ndarray, books: np.ndarray, side: int, total: int, key: float, price: float, size: float
) -> None:
    """The same in the sorted rest."""
    out_of_line()
    high = row[side + BOOK_HIGH]
    at = find(books, row[side + BOOK_LOW], high, key)
    if at < high and books[at, 0] == key:
        add_exactly(values, total, -base_size(books[at, 1], price, row, values))
        if size > 0.0:
            books[at, 1] = size
            add_exactly(values, total, base_size(size, price, row, values))
        else:
            remove(row, side, books, at)
    elif size > 0.0:
        insert(row, side, books, at, key, size)
        add_exactly(values, total, base_size(size, price, row, values))


@njit
def _index(row: np.ndarray, values: np.ndarray, side: int, sign: int, price: float, size: float) -> int:
    """The level's index in the window, -1 if it belongs into the rest; marks a window that stands in a wrong place."""
    ticks = np.rint(price * values[F_TICKS])
    if abs(ticks) >= MOST_TICKS or ticks * values[F_TICK_NUMERATOR] / values[F_TICK_DENOMINATOR] != price:
        return -1
    i = sign * np.int64(ticks) - row[side + BOOK_BASE]
    if 0 <= i < WINDOW:
        return i
    if size > 0.0:
        if levels_of(row, side) == 0:
            row[side + BOOK_BASE] += i - HOME
            return HOME
        if i >= WINDOW or row[side + BOOK_BEST] < WINDOW // 2:
            row[I_LAY_OUT] = 1
    return -1


@njit
def set_level(
    row: np.ndarray,
    values: np.ndarray,
    books: np.ndarray,
    params: np.ndarray,
    shared: np.ndarray,
    sign: int,
    price: float,
    size: float,
) -> None:
    """Set (size > 0) or remove (size 0) one level; ``sign`` +1 bid, -1 ask.

    Removing a level that is not held is normal (it fell out of depth). A NaN price or a NaN or negative size is no
    level and changes nothing. ``has_room`` was asked before.
    """
    if not (size >= 0.0) or price != price:
        return
    side = I_BID if sign > 0 else I_ASK
    total = F_BID_TOTAL if sign > 0 else F_ASK_TOTAL
    i = -1
    if row[side + BOOK_WINDOW] != 0:
        i = _index(row, values, side, sign, price, size)
    if i >= 0:
        _set_near(row, values, side, total, i, price, size)
    else:
        _set_far(row, values, books, side, total, sign * price, price, size)
    if levels_of(row, side) > params[P_BOOK_LEVELS]:
        shared[G_LEVELS_DROPPED] += 1
        _drop_worst(row, values, side, sign, books)
    elif levels_of(row, side) == 0:
        values[total] = 0.0
        values[total + 1] = 0.0


@njit
def truncate(row: np.ndarray, values: np.ndarray, books: np.ndarray) -> None:
    """Forget levels beyond the instrument's depth (0 = no limit): some venues send no removal for them."""
    out_of_line()
    depth = row[I_BOOK_DEPTH]
    if depth <= 0:
        return
    while levels_of(row, plain(I_BID)) > depth:
        _drop_worst(row, values, plain(I_BID), plain(1), books)
    while levels_of(row, plain(I_ASK)) > depth:
        _drop_worst(row, values, plain(I_ASK), plain(-1), books)


@njit
def is_crossed(row: np.ndarray, values: np.ndarray, books: np.ndarray) -> bool:
    """Both sides held and best bid >= best ask."""
    return best_key(row, values, books, plain(I_BID)) >= -best_key(row, values, books, plain(I_ASK))
