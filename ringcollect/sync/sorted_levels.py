"""Levels sorted by key in a region of ``books``, free space at both ends: the part of a side that no window holds.

A level is found by bisection; putting it in or taking it out moves the shorter of the two parts, so that work near the
best price and snapshots sent in any order stay cheap. Regions grow by doubling (the engine does it between kernel
calls). 16 bytes per slot.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import address_of, move_words
from ringcollect.jit import njit
from ringcollect.sync.layout import BOOK_CAPACITY, BOOK_HIGH, BOOK_LOW, BOOK_OFFSET

LEVEL_BYTES = 16


@njit
def find(books: np.ndarray, low: int, high: int, key: float) -> int:
    """First position in [low, high) whose key is >= ``key``; ``high`` if none. No branch: it would be a coin's toss."""
    left = high - low
    if left <= 0:
        return low
    while left > 1:
        half = left >> 1
        low += half * int(books[low + half - 1, 0] < key)
        left -= half
    return low + int(books[low, 0] < key)


@njit
def _move(books: np.ndarray, first: int, stop: int, by: int) -> None:
    """The levels of [first, stop) stand ``by`` positions further on."""
    if stop > first:
        start = address_of(books)
        move_words(start + (first + by) * LEVEL_BYTES, start + first * LEVEL_BYTES, 2 * (stop - first))


@njit
def _centre(row: np.ndarray, side: int, books: np.ndarray) -> int:
    """Move a side into the middle of its region; returns by how much."""
    low, high = row[side + BOOK_LOW], row[side + BOOK_HIGH]
    to = row[side + BOOK_OFFSET] + (row[side + BOOK_CAPACITY] - (high - low)) // 2
    shift = to - low
    _move(books, low, high, shift)
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
        _move(books, low, at, -1)
        row[side + BOOK_LOW] = low - 1
        at -= 1
    else:
        _move(books, at, high, 1)
        row[side + BOOK_HIGH] = high + 1
    books[at, 0] = key
    books[at, 1] = size


@njit
def remove(row: np.ndarray, side: int, books: np.ndarray, at: int) -> None:
    low, high = row[side + BOOK_LOW], row[side + BOOK_HIGH]
    if at - low < high - 1 - at:
        _move(books, low, at, 1)
        row[side + BOOK_LOW] = low + 1
    else:
        _move(books, at + 1, high, -1)
        row[side + BOOK_HIGH] = high - 1
