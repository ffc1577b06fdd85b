"""The window of a book side: one float64 per tick, and a bit per tick that says where a level stands.

Most updates are near the best price, and a price on the tick grid needs no search: its tick is its place. Setting a
level is two stores. ``window`` is the address of WINDOW sizes and WINDOW bits behind them; index 0 is the worst tick.
Only pages of memory that ever held a level cost anything.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import (
    bits_float,
    count_ones,
    float_bits,
    leading_zeros,
    put_word,
    trailing_zeros,
    word_at,
)
from ringcollect.jit import inlined, njit

WINDOW = 1 << 16
"""Ticks per side (docs/decisions/0015-book-of-ticks.md)."""
HOME = WINDOW // 8 * 7
"""Where the best level is put when a window is laid out: what follows is mostly worse."""
WINDOW_WORDS = WINDOW + WINDOW // 64

_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_NONE = np.uint64(0)
_TOP = np.uint64(1 << 63)


@njit
def size_at(window: int, i: int) -> float:
    """The size of the level at index ``i``, 0 if there is none."""
    return bits_float(word_at(window, i))


@njit
def put_size(window: int, i: int, size: float) -> None:
    """Set (size > 0) or remove (0) the level at index ``i``."""
    put_word(window, i, float_bits(size))
    word = WINDOW + (i >> 6)
    bit = np.int64(1) << (i & 63)
    mask = word_at(window, word)
    put_word(window, word, mask | bit if size > 0.0 else mask & ~bit)


@njit
def level_below(window: int, i: int) -> int:
    """The nearest level below index ``i``, -1 if there is none."""
    i -= 1
    if i < 0:
        return -1
    word = i >> 6
    mask = np.uint64(word_at(window, WINDOW + word)) & (_ALL >> np.uint64(63 - (i & 63)))
    while mask == _NONE:
        word -= 1
        if word < 0:
            return -1
        mask = np.uint64(word_at(window, WINDOW + word))
    return (word << 6) + 63 - leading_zeros(mask)


@inlined
def list_levels(window: int, top: int, low: int, to: np.ndarray, at: int, room: int) -> tuple[int, int]:
    """Write the indices of the levels in [low, top], best first, to ``to`` from ``at`` on: (how many, next top).

    Nearly without branches that go either way: four places of each word are written, whether levels stand there or
    not. It stops where less than 64 of ``room`` are left; what remains are the levels in [low, next top]; and behind
    the last one up to four places are overwritten.
    """
    word, last = top >> 6, low >> 6
    mask = np.uint64(word_at(window, WINDOW + word)) & (_ALL >> np.uint64(63 - (top & 63)))
    n = 0
    while word >= last and n <= room - 68:
        if word == last:
            mask &= _ALL << np.uint64(low & 63)
        count, first = count_ones(mask), (word << 6) + 63
        for i in range(max(count, 4)):
            zeros = leading_zeros(mask | np.uint64(1))
            to[at + n + i] = first - zeros
            mask &= ~(_TOP >> np.uint64(zeros))
        n += count
        word -= 1
        mask = np.uint64(word_at(window, WINDOW + max(word, 0)))
    return n, (word << 6) + 63


@njit
def worst_level(window: int) -> int:
    """The lowest index that holds a level; there must be one."""
    word = 0
    while word_at(window, WINDOW + word) == 0:
        word += 1
    return (word << 6) + trailing_zeros(np.uint64(word_at(window, WINDOW + word)))


@njit
def wipe(window: int, best: int) -> None:
    """Forget every level; none stands above index ``best``."""
    i = best
    while i >= 0:
        put_word(window, i, 0)
        i = level_below(window, i)
    for word in range((best >> 6) + 1):
        put_word(window, WINDOW + word, 0)
