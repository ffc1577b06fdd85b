"""One frame into the context: a flat object, its keys in any order, unknown ones passed over.

A book frame is one level, a trade frame one print, and their keys do not contradict each other: they are read alike,
and which were needed is asked at the end. Production has changed the order of the keys (``product_id`` came first in
2026), and what the feed is may come late.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.members import enter, key_at, more
from ringcollect.decode.memory import byte_at, float_bits, put_word, word_at
from ringcollect.decode.number import integer
from ringcollect.decode.skip import skip
from ringcollect.decode.text import BAD, space, string
from ringcollect.decode.values import amount, uuid
from ringcollect.exchanges import hot
from ringcollect.exchanges.kraken_futures import fields as at
from ringcollect.exchanges.scanning import DEPTH, SYMBOL, SYMBOL_BYTES, is_word, text_at
from ringcollect.jit import njit

_OBJECT, _QUOTE, _MINUS = 125, 34, 45
_MOST_MS = 9_223_372_036_854


@njit
def _natural(a: int, i: int, n: int) -> tuple[int, int]:
    """A whole number, bare, not negative: (offset after it or BAD, value)."""
    if byte_at(a, i) == _MINUS:
        return BAD, 0
    return integer(a, i, n)


@njit
def _time(ctx: int, a: int, i: int, n: int, place: int) -> int:
    """Milliseconds, bare, as ns into the context: offset after them or BAD."""
    i, ms = _natural(a, i, n)
    put_word(ctx, place, ms * 1_000_000)
    return i if ms <= _MOST_MS else BAD


@njit
def _amount(ctx: int, a: int, i: int, n: int, place: int) -> int:
    i, value = amount(a, i, n)
    put_word(ctx, place, float_bits(value))
    return i


@njit
def _product(ctx: int, a: int, i: int, n: int) -> int:
    """The product's name as the frame's symbol: offset after it, BAD unless it is in capitals as the venue's are."""
    if byte_at(a, i) != _QUOTE:
        return BAD
    end, escaped = string(a, i + 1, n)
    length = end - 2 - i
    if end < 0 or escaped or length <= 0 or length > hot.SCRATCH_BYTES:
        return BAD
    for k in range(length):
        c = byte_at(a, i + 1 + k)
        if c >= 128 or 97 <= c <= 122:
            return BAD
    put_word(ctx, SYMBOL, a + i + 1)
    put_word(ctx, SYMBOL_BYTES, length)
    return end


@njit
def _text(ctx: int, a: int, i: int, n: int, bit: int) -> int:
    """The value of ``feed``, ``side`` or ``type``: offset after it, BAD when it is none for the kernel."""
    i, low, high = text_at(a, i, n)
    if i < 0:
        return BAD
    if bit == at.B_FEED:
        if is_word(low, high, at.BOOK):
            put_word(ctx, at.F_FEED, at.FEED_BOOK)
        elif is_word(low, high, at.TRADE):
            put_word(ctx, at.F_FEED, at.FEED_TRADE)
        else:
            return BAD
    elif bit == at.B_SIDE:
        if is_word(low, high, at.BUY):
            put_word(ctx, at.F_SIDE, 1)
        elif is_word(low, high, at.SELL):
            put_word(ctx, at.F_SIDE, -1)
        else:
            return BAD
    elif not is_word(low, high, at.FILL):
        return BAD
    return i


@njit
def _uid(ctx: int, a: int, i: int, n: int) -> int:
    i, high, low = uuid(a, i, n)
    put_word(ctx, at.F_UID_HIGH, high)
    put_word(ctx, at.F_UID_LOW, low)
    return i


@njit
def _member(ctx: int, a: int, i: int, n: int, low: np.uint64, high: np.uint64) -> tuple[int, int]:
    """The value of one key: (offset after it or negative, its bit, 0 for a key without meaning)."""
    if is_word(low, high, at.SIDE):
        return _text(ctx, a, i, n, at.B_SIDE), at.B_SIDE
    if is_word(low, high, at.SEQ):
        i, value = _natural(a, i, n)
        put_word(ctx, at.F_SEQ, value)
        return i, at.B_SEQ
    if is_word(low, high, at.PRICE):
        return _amount(ctx, a, i, n, at.F_PRICE), at.B_PRICE
    if is_word(low, high, at.SIZE):
        return _amount(ctx, a, i, n, at.F_SIZE), at.B_SIZE
    if is_word(low, high, at.TIMESTAMP):
        return _time(ctx, a, i, n, at.F_TIMESTAMP), at.B_TIMESTAMP
    if is_word(low, high, at.FEED):
        return _text(ctx, a, i, n, at.B_FEED), at.B_FEED
    if is_word(low, high, at.PRODUCT):
        return _product(ctx, a, i, n), at.B_PRODUCT
    if is_word(low, high, at.TIME):
        return _time(ctx, a, i, n, at.F_TIME), at.B_TIME
    if is_word(low, high, at.UID):
        return _uid(ctx, a, i, n), at.B_UID
    if is_word(low, high, at.TYPE):
        return _text(ctx, a, i, n, at.B_TYPE), at.B_TYPE
    if is_word(low, high, at.EVENT):
        return BAD, 0
    return skip(a, i, n, DEPTH), 0


@njit
def scan(ctx: int, a: int, n: int) -> bool:
    """The whole frame; False when it is not one for the kernel."""
    seen = 0
    i = space(a, 0, n)
    if n > word_at(ctx, hot.C_MAX_FRAME) or i >= n:
        return False
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return False
        i, bit = _member(ctx, a, i, n, low, high)
        if i < 0 or seen & bit:
            return False
        seen |= bit
        i, going = more(a, i, n, _OBJECT)
    if i < 0 or space(a, i, n) != n or seen & at.B_FEED == 0:
        return False
    needed = at.NEEDED_BOOK if word_at(ctx, at.F_FEED) == at.FEED_BOOK else at.NEEDED_TRADE
    return seen & needed == needed
