"""One frame into context and private batch: an object, its keys in any order, unknown ones passed over.

A book frame is one level, a trade frame one print, and their keys do not contradict each other: they are read alike,
and which were needed is asked at the end. Production has changed the order of the keys (``product_id`` came first in
2026), and what the feed is may come late: lists are passed over, and read when it is known.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.levels import object_levels
from ringcollect.decode.members import enter, key_at, more
from ringcollect.decode.memory import byte_at, float_bits, out_of_line, put_word, word_at
from ringcollect.decode.number import integer
from ringcollect.decode.skip import skip
from ringcollect.decode.text import BAD, space, string
from ringcollect.decode.values import amount, uuid
from ringcollect.exchanges import hot
from ringcollect.exchanges.kraken_futures import fields as at
from ringcollect.exchanges.scanning import DEPTH, SYMBOL, SYMBOL_BYTES, is_word, same_symbol_at, text_at
from ringcollect.jit import njit
from ringcollect.records import RECORD_WORDS, W_AUX, W_ID, W_PRICE, W_SEQ, W_SIZE, W_TAIL, W_TS_EVENT

_ARRAY, _OBJECT, _QUOTE, _MINUS = 93, 125, 34, 45
_MOST_MS = 9_223_372_036_854
SUB_SHIFT, UUID_SHIFT = 8, 16
"""Of the tail word of a print that is scanned: above the side what kind of trade it is, and whether it has a UUID."""


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
    found = False
    if bit == at.B_FEED:
        for k in range(4):
            if is_word(low, high, at.FEEDS[k]):
                put_word(ctx, at.F_FEED, k + 1)
                found = True
    elif bit == at.B_SIDE:
        buys = is_word(low, high, at.BUY)
        put_word(ctx, at.F_SIDE, 1 if buys else -1)
        found = buys or is_word(low, high, at.SELL)
    else:
        for k in range(5):
            if is_word(low, high, at.TYPES[k]):
                put_word(ctx, at.F_SUB, at.SUBS[k])
                found = True
    return i if found else BAD


@njit
def _uid(ctx: int, a: int, i: int, n: int) -> int:
    i, high, low = uuid(a, i, n)
    put_word(ctx, at.F_UID_HIGH, high)
    put_word(ctx, at.F_UID_LOW, low)
    return i


@njit
def _later(ctx: int, a: int, i: int, n: int, place: int) -> int:
    """Remember where a list begins; offset after it."""
    put_word(ctx, place, i)
    return skip(a, i, n, DEPTH)


@njit
def _member(ctx: int, a: int, i: int, n: int, low: np.uint64, high: np.uint64, inner: bool) -> tuple[int, int]:
    """The value of one key: (offset after it or negative, its bit, 0 for a key without meaning).

    ``inner``: of a trade in a list, whose product is the frame's.
    """
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
        return same_symbol_at(ctx, a, i, n) if inner else _product(ctx, a, i, n), at.B_PRODUCT
    if is_word(low, high, at.TIME):
        return _time(ctx, a, i, n, at.F_TIME), at.B_TIME
    if is_word(low, high, at.UID):
        return _uid(ctx, a, i, n), at.B_UID
    if is_word(low, high, at.TYPE):
        return _text(ctx, a, i, n, at.B_TYPE), at.B_TYPE
    if is_word(low, high, at.BIDS):
        return _later(ctx, a, i, n, at.F_BIDS_AT), at.B_BIDS
    if is_word(low, high, at.ASKS):
        return _later(ctx, a, i, n, at.F_ASKS_AT), at.B_ASKS
    if is_word(low, high, at.TRADES):
        return _later(ctx, a, i, n, at.F_TRADES_AT), at.B_TRADES
    if is_word(low, high, at.EVENT):
        return BAD, 0
    return skip(a, i, n, DEPTH), 0


@njit
def _object(ctx: int, a: int, i: int, n: int, inner: bool) -> tuple[int, int]:
    """The members of the object at ``i``: (offset after it or BAD, the bits of those with a meaning)."""
    out_of_line()
    seen = 0
    put_word(ctx, at.F_SUB, 0)
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return BAD, 0
        i, bit = _member(ctx, a, i, n, low, high, inner)
        if i < 0 or seen & bit:
            return BAD, 0
        seen |= bit
        i, going = more(a, i, n, _OBJECT)
    return i, seen


@njit
def _print(ctx: int, r: int, seen: int) -> None:
    """The print just read into record ``r``, completed by the caller. Before there were UUIDs its name was ``seq``."""
    record = word_at(ctx, hot.C_BATCH) + r * RECORD_WORDS * 8
    seq = word_at(ctx, at.F_SEQ)
    named = seen & at.B_UID != 0
    put_word(record, W_SEQ, seq)
    put_word(record, W_TS_EVENT, word_at(ctx, at.F_TIME))
    put_word(record, W_PRICE, word_at(ctx, at.F_PRICE))
    put_word(record, W_SIZE, word_at(ctx, at.F_SIZE))
    put_word(record, W_ID, word_at(ctx, at.F_UID_HIGH) if named else seq)
    put_word(record, W_AUX, word_at(ctx, at.F_UID_LOW) if named else seq)
    tail = (word_at(ctx, at.F_SIDE) & 0xFF) | word_at(ctx, at.F_SUB) << SUB_SHIFT
    put_word(record, W_TAIL, tail | (1 << UUID_SHIFT if named else 0))


@njit
def _prints(ctx: int, a: int, i: int, n: int) -> bool:
    """The trades of the list at ``i``; F_COUNT says how many."""
    r = 0
    i, going = enter(a, i, n, _ARRAY)
    while going:
        if r >= word_at(ctx, hot.C_CAPACITY):
            return False
        i, seen = _object(ctx, a, i, n, True)
        if i < 0 or seen & at.NEEDED_TRADE != at.NEEDED_TRADE:
            return False
        _print(ctx, r, seen)
        r += 1
        i, going = more(a, i, n, _ARRAY)
    put_word(ctx, at.F_COUNT, r)
    return i >= 0 and r > 0


@njit
def _levels(ctx: int, a: int, n: int) -> bool:
    """The levels of both lists, bids first, whatever the order of the keys; F_COUNT says how many."""
    batch, capacity = word_at(ctx, hot.C_BATCH), word_at(ctx, hot.C_CAPACITY)
    count = 0
    for k in range(2):
        i = word_at(ctx, at.F_BIDS_AT + k)
        i, count = object_levels(a, i, n, batch, capacity, count, 1 - 2 * k, at.PRICE[0], at.SIZE[0])
        if i < 0:
            return False
    put_word(ctx, at.F_COUNT, count)
    return True


@njit
def scan(ctx: int, a: int, n: int) -> bool:
    """The whole frame; False when it is not one for the kernel."""
    put_word(ctx, at.F_TIMESTAMP, 0)
    i = space(a, 0, n)
    if n > word_at(ctx, hot.C_MAX_FRAME) or i >= n:
        return False
    i, seen = _object(ctx, a, i, n, False)
    if i < 0 or space(a, i, n) != n or seen & at.B_FEED == 0:
        return False
    feed = word_at(ctx, at.F_FEED)
    if feed == at.FEED_BOOK:
        return seen & at.NEEDED_BOOK == at.NEEDED_BOOK
    if feed == at.FEED_TRADE:
        _print(ctx, 0, seen)
        put_word(ctx, at.F_COUNT, 1)
        return seen & at.NEEDED_TRADE == at.NEEDED_TRADE
    if feed == at.FEED_WHOLE:
        return seen & at.NEEDED_WHOLE == at.NEEDED_WHOLE and _levels(ctx, a, n)
    if seen & at.NEEDED_HISTORY != at.NEEDED_HISTORY or not _prints(ctx, a, word_at(ctx, at.F_TRADES_AT), n):
        return False
    put_word(ctx, at.F_FEED, feed)  # its trades are of another
    return True
