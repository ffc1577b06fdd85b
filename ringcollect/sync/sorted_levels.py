"""Levels sorted by key in a region of ``books``, free space at both ends: the part of a side that no window holds.

A level is found by bisection; putting it in or taking it out moves the shorter of the two parts, so that work near the
best price and snapshots sent in any order stay cheap. Regions grow by doubling (the engine does it between kernel
calls). 16 bytes per slot.
"""

from __future__ import annotations

import numpy as np

from ringcollect.jit import njit
from ringcollect.sync.layout import BOOK_CAPACITY, BOOK_HIGH, BOOK_LOW, BOOK_OFFSET


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
def insert(row: np.ndarray, side: int, books: np.ndarray, at: int, key: float, size: float) -> None:
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
def remove(row: np.ndarray, side: int, books: np.ndarray, at: int) -> None:
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
