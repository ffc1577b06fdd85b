"""What came before, of streams no dense id orders: a window of newest ids, into which kernel and feed look and add.

An int64 array: capacity, how many were ever added, then the keys, oldest overwritten first, then one byte per key: the
connection it came by. A record's key is made of its ``id`` and ``aux`` words (both halves of a UUID, or one number
twice).
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import put_byte, put_word, word_at, word_pointer
from ringcollect.jit import carray, njit
from ringcollect.records import RECORD_WORDS, W_AUX, W_ID, W_PRICE, W_SIZE, W_TS_EVENT

CAPACITY = 512
"""Ids remembered per stream: the busiest one prints some hundreds a second, and our own two connections are less than
a second apart."""
MOST_AT_ONCE = 16
"""Records of one frame that the kernel compares with each other; longer frames go the other way."""
_SPREAD = -0x61C8864680B583EB  # odd, the golden ratio's 64 bits
R_CAPACITY, R_ADDED, R_KEYS = 0, 1, 2


def room(capacity: int = CAPACITY) -> np.ndarray:
    """An empty window."""
    words = np.zeros(R_KEYS + capacity + capacity // 8, np.int64)
    words[R_CAPACITY] = capacity
    return words


@njit
def _has(window: int, key: int) -> bool:
    n = min(word_at(window, R_ADDED), word_at(window, R_CAPACITY))
    keys = carray(word_pointer(window + 8 * R_KEYS), (n,))
    hits = 0
    for k in range(n):  # without a way out, so that several are compared at a time
        hits += keys[k] == key
    return hits > 0


@njit
def take(window: int, batch: int, n: int, conn: int) -> bool:
    """Add the ids of ``n`` records at ``batch``, or (False) nothing: one was seen before, or is none, or there are too
    many.
    """
    if n > MOST_AT_ONCE:
        return False
    for r in range(n):
        record = batch + 8 * RECORD_WORDS * r
        key = word_at(record, W_ID) ^ (word_at(record, W_AUX) << 1)
        if key == 0 or _has(window, key):
            return False
        for earlier in range(r):
            other = batch + 8 * RECORD_WORDS * earlier
            if word_at(other, W_ID) ^ (word_at(other, W_AUX) << 1) == key:
                return False
    capacity = word_at(window, R_CAPACITY)
    conns = window + 8 * (R_KEYS + capacity)
    for r in range(n):
        record = batch + 8 * RECORD_WORDS * r
        place = word_at(window, R_ADDED) & (capacity - 1)
        put_word(window, R_KEYS + place, word_at(record, W_ID) ^ (word_at(record, W_AUX) << 1))
        put_byte(conns, place, conn)
        put_word(window, R_ADDED, word_at(window, R_ADDED) + 1)
    return True


@njit
def content_key(batch: int, n: int) -> int:
    """One number for the levels of ``n`` records at ``batch``: equal for equal ones, else almost certainly not."""
    key = n
    for r in range(n):
        record = batch + 8 * RECORD_WORDS * r
        for w in (W_TS_EVENT, W_PRICE, W_SIZE):
            key = (key ^ word_at(record, w)) * _SPREAD
            key ^= (key >> 29) & 0x7FFFFFFFF
    return key


def warm() -> None:
    """Compile what the feed calls."""
    content_key(0, 0)


@njit
def whole(batch: int, n: int, first_id: int, last_id: int) -> bool:
    """Whether the prints of one frame fill the dense ids ``first_id..last_id``; a record's first is in ``aux``."""
    ids = 0
    for r in range(n):
        record = batch + 8 * RECORD_WORDS * r
        ids += word_at(record, W_ID) - word_at(record, W_AUX) + 1
    return ids == last_id - first_id + 1
