"""One side of a book: levels sorted by key in a region of ``books``, free space at both ends.

The key of a bid is its price, of an ask minus its price, so that for both sides the best level has the largest key
and stands last. Prices are kept exactly as sent. A level is found by bisection; putting it in or taking it out
moves the shorter of the two parts, so that work near the best price and snapshots sent in any order stay cheap.
Regions grow by doubling (the engine does it between kernel calls) up to twice ``book_levels`` slots; beyond
``book_levels`` the worst level is given up and counted. 16 bytes per slot.

Side totals in base units are kept as a sum of two floats (error-free addition): what a level added, its removal
takes out again to about 2**-106 of the largest total, and the result does not depend on how long the book has lived.
"""

from __future__ import annotations

import numpy as np

from ringcollect.jit import njit
from ringcollect.sync.layout import (
    BOOK_CAPACITY,
    BOOK_HIGH,
    BOOK_LOW,
    BOOK_OFFSET,
    F_ASK_TOTAL,
    F_BID_TOTAL,
    F_MULTIPLIER,
    G_LEVELS_DROPPED,
    I_ASK,
    I_BID,
    I_BOOK_DEPTH,
    I_INVERSE,
    I_SIZE_UNIT,
    P_BOOK_LEVELS,
    UNIT_BASE,
    UNIT_QUOTE,
)


@njit
def base_size(size: float, price: float, row: np.ndarray, values: np.ndarray) -> float:
    """``size`` in base units; the same arithmetic as ``instruments.to_base``."""
    if row[I_SIZE_UNIT] == UNIT_BASE:
        return size
    if row[I_SIZE_UNIT] == UNIT_QUOTE:
        return size / price
    if row[I_INVERSE]:
        return size * values[F_MULTIPLIER] / price
    return size * values[F_MULTIPLIER]


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
    """Whether one more level fits on either side without growing a region."""
    most = 2 * params[P_BOOK_LEVELS]
    for side in (I_BID, I_ASK):
        capacity = row[side + BOOK_CAPACITY]
        if capacity < most and 2 * (row[side + BOOK_HIGH] - row[side + BOOK_LOW] + 1) > capacity:
            return False
    return True


@njit
def clear(row: np.ndarray, values: np.ndarray) -> None:
    """Forget both sides."""
    for side in (I_BID, I_ASK):
        middle = row[side + BOOK_OFFSET] + row[side + BOOK_CAPACITY] // 2
        row[side + BOOK_LOW] = middle
        row[side + BOOK_HIGH] = middle
    for total in (F_BID_TOTAL, F_ASK_TOTAL):
        values[total] = 0.0
        values[total + 1] = 0.0


@njit
def find(books: np.ndarray, low: int, high: int, key: float) -> int:
    """First position in [low, high) whose key is >= ``key``; ``high`` if none."""
    while low < high:
        middle = (low + high) >> 1
        if books[middle, 0] < key:
            low = middle + 1
        else:
            high = middle
    return low


@njit
def _centre(row: np.ndarray, side: int, books: np.ndarray) -> int:
    """Move a side into the middle of its region; returns by how much."""
    low, high = row[side + BOOK_LOW], row[side + BOOK_HIGH]
    to = row[side + BOOK_OFFSET] + (row[side + BOOK_CAPACITY] - (high - low)) // 2
    shift = to - low
    if shift > 0:
        for at in range(high - 1, low - 1, -1):
            books[at + shift, 0] = books[at, 0]
            books[at + shift, 1] = books[at, 1]
    else:
        for at in range(low, high):
            books[at + shift, 0] = books[at, 0]
            books[at + shift, 1] = books[at, 1]
    row[side + BOOK_LOW] = low + shift
    row[side + BOOK_HIGH] = high + shift
    return shift


@njit
def _insert(row: np.ndarray, side: int, books: np.ndarray, at: int, key: float, size: float) -> None:
    low, high = row[side + BOOK_LOW], row[side + BOOK_HIGH]
    worse_moves = at - low < high - at
    first = row[side + BOOK_OFFSET]
    if (worse_moves and low == first) or (not worse_moves and high == first + row[side + BOOK_CAPACITY]):
        shift = _centre(row, side, books)
        at, low, high = at + shift, low + shift, high + shift
    if worse_moves:
        for i in range(low, at):
            books[i - 1, 0] = books[i, 0]
            books[i - 1, 1] = books[i, 1]
        row[side + BOOK_LOW] = low - 1
        at -= 1
    else:
        for i in range(high, at, -1):
            books[i, 0] = books[i - 1, 0]
            books[i, 1] = books[i - 1, 1]
        row[side + BOOK_HIGH] = high + 1
    books[at, 0] = key
    books[at, 1] = size


@njit
def _remove(row: np.ndarray, side: int, books: np.ndarray, at: int) -> None:
    low, high = row[side + BOOK_LOW], row[side + BOOK_HIGH]
    if at - low < high - 1 - at:
        for i in range(at, low, -1):
            books[i, 0] = books[i - 1, 0]
            books[i, 1] = books[i - 1, 1]
        row[side + BOOK_LOW] = low + 1
    else:
        for i in range(at, high - 1):
            books[i, 0] = books[i + 1, 0]
            books[i, 1] = books[i + 1, 1]
        row[side + BOOK_HIGH] = high - 1


@njit
def _drop_worst(row: np.ndarray, values: np.ndarray, side: int, sign: int, books: np.ndarray) -> None:
    low = row[side + BOOK_LOW]
    total = F_BID_TOTAL if sign > 0 else F_ASK_TOTAL
    add_exactly(values, total, -base_size(books[low, 1], sign * books[low, 0], row, values))
    row[side + BOOK_LOW] = low + 1


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
    key = sign * price
    low, high = row[side + BOOK_LOW], row[side + BOOK_HIGH]
    at = find(books, low, high, key)
    held = at < high and books[at, 0] == key
    if held:
        add_exactly(values, total, -base_size(books[at, 1], price, row, values))
        if size > 0.0:
            books[at, 1] = size
            add_exactly(values, total, base_size(size, price, row, values))
        else:
            _remove(row, side, books, at)
    elif size > 0.0:
        if high - low >= params[P_BOOK_LEVELS]:
            shared[G_LEVELS_DROPPED] += 1
            if at == low:
                return
            _drop_worst(row, values, side, sign, books)
        _insert(row, side, books, at, key, size)
        add_exactly(values, total, base_size(size, price, row, values))
    if row[side + BOOK_LOW] == row[side + BOOK_HIGH]:
        values[total] = 0.0
        values[total + 1] = 0.0


@njit
def truncate(row: np.ndarray, values: np.ndarray, books: np.ndarray) -> None:
    """Forget levels beyond the instrument's depth (0 = no limit): some venues send no removal for them."""
    depth = row[I_BOOK_DEPTH]
    if depth <= 0:
        return
    while row[I_BID + BOOK_HIGH] - row[I_BID + BOOK_LOW] > depth:
        _drop_worst(row, values, I_BID, 1, books)
    while row[I_ASK + BOOK_HIGH] - row[I_ASK + BOOK_LOW] > depth:
        _drop_worst(row, values, I_ASK, -1, books)


@njit
def is_crossed(row: np.ndarray, books: np.ndarray) -> bool:
    """Both sides held and best bid >= best ask."""
    bid, ask = row[I_BID + BOOK_HIGH], row[I_ASK + BOOK_HIGH]
    if bid == row[I_BID + BOOK_LOW] or ask == row[I_ASK + BOOK_LOW]:
        return False
    return books[bid - 1, 0] >= -books[ask - 1, 0]
