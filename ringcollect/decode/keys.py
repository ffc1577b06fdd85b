"""Which of an exchange's keys is this? A perfect hash: one product and one comparison, whatever the order of keys.

A table is an array of uint64: the multiplier, then for each of SLOTS slots the two words of a key (:func:`text.packed`)
and its number. Free slots hold two zero words, which are no key's.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ringcollect.decode.text import packed
from ringcollect.jit import inlined

SLOTS = 128
NO_KEY = -1
_SHIFT = np.uint64(57)  # leaves the number of a slot
_FOLD = np.uint64(0x9E3779B97F4A7C15)
_MASK = (1 << 64) - 1


def key_table(numbers: Mapping[str, int]) -> np.ndarray:
    """The table of at most 32 keys of 1 to 16 ASCII characters, each with its number (not negative)."""
    words = {key: packed(key) for key in numbers}
    if len(words) > SLOTS // 4 or len({_folded(int(low), int(high)) for low, high in words.values()}) < len(words):
        raise ValueError(f"no perfect hash of {sorted(words)}")
    multiplier = int(_FOLD)
    while True:
        slots = {_slot(int(low), int(high), multiplier) for low, high in words.values()}
        if len(slots) == len(words):
            break
        multiplier = (multiplier * int(_FOLD) + 2) & _MASK  # stays odd
    table = np.zeros(1 + 3 * SLOTS, np.uint64)
    table[0] = multiplier
    for key, (low, high) in words.items():
        at = 1 + 3 * _slot(int(low), int(high), multiplier)
        table[at : at + 3] = low, high, numbers[key]
    return table


def _folded(low: int, high: int) -> int:
    return low ^ (high * int(_FOLD) & _MASK)


def _slot(low: int, high: int, multiplier: int) -> int:
    return (_folded(low, high) * multiplier & _MASK) >> int(_SHIFT)


@inlined
def number_of_key(table: np.ndarray, low: np.uint64, high: np.uint64) -> np.int64:
    """The number of the key of these two words (of :func:`text.word`), NO_KEY for one that is not in the table."""
    at = np.uint64(1) + np.uint64(3) * (((low ^ (high * _FOLD)) * table[0]) >> _SHIFT)
    if table[at] != low or table[at + np.uint64(1)] != high or low == np.uint64(0):
        return np.int64(NO_KEY)
    return np.int64(table[at + np.uint64(2)])
