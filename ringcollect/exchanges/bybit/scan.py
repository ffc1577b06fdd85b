"""One frame into context and private batch: keys of every object in any order, unknown ones passed over.

``{"topic":…,"type":…,"ts":…,"data":…,"cts":…}``, where ``type`` and ``ts`` change places between spot and linear. What
``data`` holds depends on the topic: a frame that has it first goes the typed way.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.levels import levels
from ringcollect.decode.match import follows
from ringcollect.decode.members import enter, key_at, more
from ringcollect.decode.memory import byte_at, float_bits, put_word, word_at
from ringcollect.decode.number import integer
from ringcollect.decode.skip import literal, skip
from ringcollect.decode.text import BAD, space, string
from ringcollect.decode.values import amount, uuid, whole
from ringcollect.exchanges import hot
from ringcollect.exchanges.bybit import fields as at
from ringcollect.exchanges.scanning import DEPTH, SYMBOL, SYMBOL_BYTES, is_word, same_symbol_at, text_at
from ringcollect.jit import njit
from ringcollect.records import RECORD_WORDS, W_AUX, W_ID, W_PRICE, W_SIZE, W_TAIL, W_TS_EVENT, Flag, TradeSub

_ARRAY, _OBJECT, _QUOTE, _MINUS, _DOT = 93, 125, 34, 45, 46
_MOST_MS = 9_223_372_036_854
_BLOCK, _RPI, _UUID = int(TradeSub.BLOCK), int(TradeSub.RPI), int(Flag.UUID)


@njit
def _natural(a: int, i: int, n: int) -> tuple[int, int]:
    """A whole number, bare, not negative: (offset after it or negative, value)."""
    if byte_at(a, i) == _MINUS:
        return BAD, 0
    return integer(a, i, n)


@njit
def _time(a: int, i: int, n: int) -> tuple[int, int]:
    """Milliseconds, bare, as ns: (offset after it or negative, ns)."""
    i, ms = _natural(a, i, n)
    if i < 0 or ms > _MOST_MS:
        return BAD, 0
    return i, ms * 1_000_000


@njit
def _topic(ctx: int, a: int, i: int, n: int) -> int:
    """``"orderbook.<depth>.<symbol>"`` or ``"publicTrade.<symbol>"`` at ``i``: offset after it or BAD."""
    if byte_at(a, i) != _QUOTE:
        return BAD
    end, escaped = string(a, i + 1, n)
    if end < 0 or escaped:
        return BAD
    stop = end - 1
    i += 1
    if follows(a, i, stop, "orderbook."):
        put_word(ctx, at.F_TOPIC, at.TOPIC_BOOK)
        i += 10
        depth = 0
        digits = 0
        while i < stop and 48 <= byte_at(a, i) <= 57 and digits < 6:
            depth = depth * 10 + byte_at(a, i) - 48
            digits += 1
            i += 1
        if digits == 0 or i >= stop or byte_at(a, i) != _DOT:
            return BAD
        put_word(ctx, at.F_DEPTH, depth)
        i += 1
    elif follows(a, i, stop, "publicTrade."):
        put_word(ctx, at.F_TOPIC, at.TOPIC_TRADE)
        i += 12
    else:
        return BAD
    put_word(ctx, SYMBOL, a + i)
    put_word(ctx, SYMBOL_BYTES, stop - i)
    return end if 0 < stop - i <= hot.SCRATCH_BYTES else BAD


@njit
def _book(ctx: int, a: int, i: int, n: int) -> int:
    """``data`` of a book at ``i``, bids before asks: offset after it or BAD. F_LEVELS says how many."""
    seen = 0
    count = 0
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return BAD
        bit = 0
        if is_word(low, high, at.S):
            bit = at.B_SYMBOL
            i = same_symbol_at(ctx, a, i, n)
        elif is_word(low, high, at.B):
            bit = at.B_BIDS
            if seen & at.B_ASKS:
                return BAD
            i, count = levels(a, i, n, word_at(ctx, hot.C_BATCH), word_at(ctx, hot.C_CAPACITY), count, 1, 0)
        elif is_word(low, high, at.A):
            bit = at.B_ASKS
            i, count = levels(a, i, n, word_at(ctx, hot.C_BATCH), word_at(ctx, hot.C_CAPACITY), count, -1, 0)
        elif is_word(low, high, at.U):
            bit = at.B_UPDATE
            i, update = _natural(a, i, n)
            put_word(ctx, at.F_UPDATE, update)
        else:
            i = skip(a, i, n, DEPTH)
        if i < 0 or seen & bit:
            return BAD
        seen |= bit
        i, going = more(a, i, n, _OBJECT)
    put_word(ctx, at.F_LEVELS, count)
    return i if seen == at.B_SYMBOL | at.B_BIDS | at.B_ASKS | at.B_UPDATE else BAD


@njit
def _identity(a: int, i: int, n: int, record: int) -> tuple[int, int]:
    """A trade's id at ``i`` into the record: (offset after it or BAD, the flag of a UUID)."""
    if i + 1 >= n or byte_at(a, i) != _QUOTE or byte_at(a, i + 1) == _MINUS:
        return BAD, 0
    end, high, low = uuid(a, i, n)
    flag = _UUID
    if end < 0:
        end, high = whole(a, i, n)
        low = high
        flag = 0
    put_word(record, W_ID, high)
    put_word(record, W_AUX, low)
    return end, flag


@njit
def _print(ctx: int, a: int, i: int, n: int, r: int) -> int:
    """One trade into record ``r``; its tail word gets side, sub and flags as ``decode`` takes them apart."""
    record = word_at(ctx, hot.C_BATCH) + r * RECORD_WORDS * 8
    seen, side, sub, flag, rpi = 0, 0, 0, 0, 0
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return BAD
        bit = 0
        if is_word(low, high, at.S):
            bit = at.T_SYMBOL
            i = same_symbol_at(ctx, a, i, n)
        elif is_word(low, high, at.IDENTITY):
            bit = at.T_ID
            i, flag = _identity(a, i, n, record)
        elif is_word(low, high, at.T):
            bit = at.T_TIME
            i, ts = _time(a, i, n)
            put_word(record, W_TS_EVENT, ts)
        elif is_word(low, high, at.P):
            bit = at.T_PRICE
            i, number = amount(a, i, n)
            put_word(record, W_PRICE, float_bits(number))
        elif is_word(low, high, at.V):
            bit = at.T_SIZE
            i, number = amount(a, i, n)
            put_word(record, W_SIZE, float_bits(number))
        elif is_word(low, high, at.SIDE):
            bit = at.T_SIDE
            i, low, high = text_at(a, i, n)
            side = 1 if is_word(low, high, at.BUY) else -1 if is_word(low, high, at.SELL) else 0
        elif is_word(low, high, at.BT):
            bit = at.T_BLOCK
            i, truth = literal(a, i, n)
            if truth < 0:
                return BAD
            sub = _BLOCK if truth else 0
        elif is_word(low, high, at.RPI):
            bit = at.T_RPI
            i, rpi = literal(a, i, n)
            if rpi < 0:
                return BAD
        else:
            i = skip(a, i, n, DEPTH)
        if i < 0 or seen & bit:
            return BAD
        seen |= bit
        i, going = more(a, i, n, _OBJECT)
    needed = at.T_SYMBOL | at.T_ID | at.T_TIME | at.T_PRICE | at.T_SIZE | at.T_SIDE
    if i < 0 or seen & needed != needed or side == 0:
        return BAD
    if sub == 0 and rpi != 0:
        sub = _RPI
    put_word(record, W_TAIL, (side & 0xFF) | sub << 8 | flag << 16)
    return i


@njit
def _prints(ctx: int, a: int, i: int, n: int) -> int:
    """Every trade of ``data`` at ``i``: offset after the array or BAD. F_LEVELS says how many."""
    r = 0
    i, going = enter(a, i, n, _ARRAY)
    while going:
        if r >= word_at(ctx, hot.C_CAPACITY):
            return BAD
        i = _print(ctx, a, i, n, r)
        if i < 0:
            return BAD
        r += 1
        i, going = more(a, i, n, _ARRAY)
    put_word(ctx, at.F_LEVELS, r)
    return i if r > 0 else BAD


@njit
def _member(ctx: int, a: int, i: int, n: int, low: np.uint64, high: np.uint64, seen: int) -> tuple[int, int]:
    """The value of one key of the frame: (offset after it or BAD, its bit, 0 for a key nobody knows)."""
    if is_word(low, high, at.TOPIC):
        return _topic(ctx, a, i, n), 1
    if is_word(low, high, at.TYPE):
        i, low, high = text_at(a, i, n)
        put_word(ctx, at.F_TYPE, at.TYPE_DELTA if is_word(low, high, at.DELTA) else at.TYPE_NONE)
        if is_word(low, high, at.SNAPSHOT):
            put_word(ctx, at.F_TYPE, at.TYPE_SNAPSHOT)
        return i, 2
    if is_word(low, high, at.TS):
        i, value = _time(a, i, n)
        put_word(ctx, at.F_TS, value)
        return i, 4
    if is_word(low, high, at.CTS):
        i, value = _time(a, i, n)
        put_word(ctx, at.F_CTS, value)
        return i, 8
    if is_word(low, high, at.DATA):
        if not seen & 1:
            return BAD, 16
        if word_at(ctx, at.F_TOPIC) == at.TOPIC_BOOK:
            return _book(ctx, a, i, n), 16
        return _prints(ctx, a, i, n), 16
    for name in at.ANSWERS:
        if is_word(low, high, name):
            return BAD, 0
    return skip(a, i, n, DEPTH), 0


@njit
def scan(ctx: int, a: int, n: int) -> bool:
    """The whole frame; False when it is not one for the kernel."""
    put_word(ctx, at.F_TYPE, at.TYPE_NONE)
    put_word(ctx, at.F_TS, -1)
    put_word(ctx, at.F_CTS, -1)
    seen = 0
    i = space(a, 0, n)
    if n > word_at(ctx, hot.C_MAX_FRAME) or i >= n:
        return False
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return False
        i, bit = _member(ctx, a, i, n, low, high, seen)
        if i < 0 or seen & bit:
            return False
        seen |= bit
        i, going = more(a, i, n, _OBJECT)
    return i >= 0 and space(a, i, n) == n and seen & 16 != 0
