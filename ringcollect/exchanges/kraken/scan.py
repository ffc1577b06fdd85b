"""One frame into context and private batch: every key in any order, unknown ones passed over.

``{"channel":…,"type":"update","data":[…]}``, or ``"snapshot"``. What ``data`` holds depends on the channel: where it
comes before that it is passed over and read at the end.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.keys import NO_KEY, number_of_key
from ringcollect.decode.levels import object_levels
from ringcollect.decode.members import enter, key_at, more
from ringcollect.decode.memory import byte_at, float_bits, put_word, word_at
from ringcollect.decode.number import integer
from ringcollect.decode.skip import skip
from ringcollect.decode.text import BAD, space
from ringcollect.decode.times import iso_ns
from ringcollect.decode.values import amount, called_amount
from ringcollect.exchanges import hot
from ringcollect.exchanges.kraken import fields as at
from ringcollect.exchanges.scanning import DEPTH, count_at, is_word, same_symbol_at, symbol_at, text_at
from ringcollect.jit import njit
from ringcollect.records import RECORD_WORDS, W_AUX, W_ID, W_PRICE, W_SIZE, W_TAIL, W_TS_EVENT

_ARRAY, _OBJECT = 93, 125
_MOST_CHECK = 2**32 - 1
_PRICE, _QTY = at.PRICE[0], at.QTY[0]


@njit
def _levels(ctx: int, a: int, i: int, n: int, start: int, side: int) -> int:
    batch, capacity = word_at(ctx, hot.C_BATCH), word_at(ctx, hot.C_CAPACITY)
    i, count = object_levels(a, i, n, batch, capacity, start, side, _PRICE, _QTY)
    put_word(ctx, at.F_LEVELS, count)
    return i


@njit
def _side(ctx: int, a: int, i: int, n: int, is_ask: bool) -> int:
    """A list of levels: bids are recorded first, whatever the order of the keys. Offset after it or BAD."""
    if byte_at(a, i) != 91:
        return BAD
    if not is_ask:
        return _levels(ctx, a, i, n, 0, 1)
    if word_at(ctx, at.F_SEEN) & at.B_BIDS:
        return _levels(ctx, a, i, n, word_at(ctx, at.F_LEVELS), -1)
    put_word(ctx, at.F_ASKS_AT, i)
    return skip(a, i, n, DEPTH)


@njit
def _book_value(ctx: int, a: int, i: int, n: int, low: np.uint64, high: np.uint64, scratch: int) -> tuple[int, int]:
    """The value of one key of a book: (offset after it or negative, its bit)."""
    if is_word(low, high, at.SYMBOL):
        return symbol_at(ctx, a, i, n, scratch), at.B_SYMBOL
    if is_word(low, high, at.BIDS):
        return _side(ctx, a, i, n, False), at.B_BIDS
    if is_word(low, high, at.ASKS):
        return _side(ctx, a, i, n, True), at.B_ASKS
    if is_word(low, high, at.TIMESTAMP):
        i, value = iso_ns(a, i, n)
        put_word(ctx, at.F_TS, value)
        return i, at.B_TIME
    if is_word(low, high, at.CHECKSUM):
        i, value = integer(a, i, n)
        put_word(ctx, at.F_CHECKSUM, value)
        if word_at(ctx, at.F_CHECKSUM) < 0 or word_at(ctx, at.F_CHECKSUM) > _MOST_CHECK:
            return BAD, 0
        return i, at.B_CHECKSUM
    return skip(a, i, n, DEPTH), 0


@njit
def _book(ctx: int, a: int, i: int, n: int, scratch: int) -> int:
    """The one book of ``data`` at ``i``: offset after the array or BAD."""
    put_word(ctx, at.F_SEEN, 0)
    put_word(ctx, at.F_LEVELS, 0)
    put_word(ctx, at.F_ASKS_AT, -1)
    put_word(ctx, at.F_TS, 0)
    put_word(ctx, at.F_CHECKSUM, -1)
    i, going = enter(a, i, n, _ARRAY)
    if not going:
        return BAD
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return BAD
        i, bit = _book_value(ctx, a, i, n, low, high, scratch)
        if i < 0 or word_at(ctx, at.F_SEEN) & bit:
            return BAD
        put_word(ctx, at.F_SEEN, word_at(ctx, at.F_SEEN) | bit)
        i, going = more(a, i, n, _OBJECT)
    if i < 0 or word_at(ctx, at.F_SEEN) & at.NEEDED_BOOK != at.NEEDED_BOOK:
        return BAD
    if (
        word_at(ctx, at.F_ASKS_AT) >= 0
        and _levels(ctx, a, word_at(ctx, at.F_ASKS_AT), n, word_at(ctx, at.F_LEVELS), -1) < 0
    ):
        return BAD
    i, going = more(a, i, n, _ARRAY)
    return BAD if going else i


@njit
def _print(ctx: int, a: int, i: int, n: int, r: int, scratch: int) -> int:
    """The print at ``i`` into record ``r``: price, size, time, ids, and the side in the tail. Offset or BAD."""
    record = word_at(ctx, hot.C_BATCH) + r * RECORD_WORDS * 8
    seen = 0
    side = 0
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return BAD
        bit = 0
        if is_word(low, high, at.SYMBOL):
            bit = at.B_SYMBOL
            i = symbol_at(ctx, a, i, n, scratch) if r == 0 else same_symbol_at(ctx, a, i, n)
        elif is_word(low, high, at.SIDE):
            bit = at.B_SIDE
            i, low, high = text_at(a, i, n)
            side = 1 if is_word(low, high, at.BUY) else -1 if is_word(low, high, at.SELL) else 0
        elif is_word(low, high, at.PRICE):
            bit = at.B_PRICE
            i, number = amount(a, i, n)
            put_word(record, W_PRICE, float_bits(number))
        elif is_word(low, high, at.QTY):
            bit = at.B_QTY
            i, number = amount(a, i, n)
            put_word(record, W_SIZE, float_bits(number))
        elif is_word(low, high, at.TRADE_ID):
            bit = at.B_ID
            i, identity = count_at(a, i, n)
            put_word(record, W_ID, identity)
            put_word(record, W_AUX, identity)
        elif is_word(low, high, at.TIMESTAMP):
            bit = at.B_TIME
            i, ts = iso_ns(a, i, n)
            put_word(record, W_TS_EVENT, ts)
        else:
            i = skip(a, i, n, DEPTH)
        if i < 0 or seen & bit:
            return BAD
        seen |= bit
        i, going = more(a, i, n, _OBJECT)
    if i < 0 or seen & at.NEEDED_TRADE != at.NEEDED_TRADE or side == 0:
        return BAD
    put_word(record, W_TAIL, side & 0xFF)
    return i


@njit
def _prints(ctx: int, a: int, i: int, n: int, scratch: int) -> int:
    """Every print of ``data`` at ``i``: offset after the array or BAD. F_LEVELS says how many."""
    r = 0
    i, going = enter(a, i, n, _ARRAY)
    while going:
        if r >= word_at(ctx, hot.C_CAPACITY):
            return BAD
        i = _print(ctx, a, i, n, r, scratch)
        if i < 0:
            return BAD
        r += 1
        i, going = more(a, i, n, _ARRAY)
    put_word(ctx, at.F_LEVELS, r)
    return i if r > 0 else BAD


@njit
def _ticker(ctx: int, a: int, i: int, n: int, scratch: int) -> int:
    """The one ticker of ``data`` at ``i`` into the context; F_SEEN says which keys it has. Offset after or BAD."""
    seen = 0
    put_word(ctx, at.F_TS, 0)
    i, going = enter(a, i, n, _ARRAY)
    if not going:
        return BAD
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return BAD
        key = number_of_key(at.TICKER_TABLE, low, high)
        if key == NO_KEY:
            i = skip(a, i, n, DEPTH)
        else:
            if seen & (1 << key):
                return BAD
            seen |= 1 << key
            if key < at.T_SYMBOL:
                i, number = called_amount(a, i, n)
                put_word(ctx, at.F_BEST + key, float_bits(number))
            elif key == at.T_SYMBOL:
                i = symbol_at(ctx, a, i, n, scratch)
            else:
                i, ts = iso_ns(a, i, n)
                put_word(ctx, at.F_TS, ts)
        if i < 0:
            return BAD
        i, going = more(a, i, n, _OBJECT)
    if i < 0 or seen & at.NEEDED_TICKER != at.NEEDED_TICKER:
        return BAD
    put_word(ctx, at.F_SEEN, seen)
    i, going = more(a, i, n, _ARRAY)
    return BAD if going else i


@njit
def _data(ctx: int, a: int, i: int, n: int, scratch: int) -> int:
    channel = word_at(ctx, at.F_CHANNEL)
    if channel == at.CH_BOOK:
        return _book(ctx, a, i, n, scratch)
    return _prints(ctx, a, i, n, scratch) if channel == at.CH_TRADE else _ticker(ctx, a, i, n, scratch)


@njit
def _text(ctx: int, a: int, i: int, n: int, is_channel: bool) -> int:
    """The value of ``channel`` or ``type``: offset after it, BAD when it is none for the kernel."""
    i, low, high = text_at(a, i, n)
    if i < 0:
        return BAD
    if not is_channel:
        whole = is_word(low, high, at.SNAPSHOT)
        put_word(ctx, at.F_WHOLE, 1 if whole else 0)
        return i if whole or is_word(low, high, at.UPDATE) else BAD
    channel = at.CH_TICKER if is_word(low, high, at.TICKER) else at.CH_NONE
    channel = at.CH_TRADE if is_word(low, high, at.TRADE) else channel
    channel = at.CH_BOOK if is_word(low, high, at.BOOK) else channel
    put_word(ctx, at.F_CHANNEL, channel)
    return i if word_at(ctx, at.F_CHANNEL) != at.CH_NONE else BAD


@njit
def scan(ctx: int, a: int, n: int, scratch: int) -> bool:
    """The whole frame; False when it is not one for the kernel."""
    put_word(ctx, at.F_CHANNEL, at.CH_NONE)
    data_at = -1
    typed = False
    filled = False
    i = space(a, 0, n)
    if n > word_at(ctx, hot.C_MAX_FRAME) or i >= n:
        return False
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return False
        if is_word(low, high, at.CHANNEL):
            i = _text(ctx, a, i, n, True) if word_at(ctx, at.F_CHANNEL) == at.CH_NONE else BAD
        elif is_word(low, high, at.TYPE):
            i = BAD if typed else _text(ctx, a, i, n, False)
            typed = True
        elif is_word(low, high, at.DATA):
            if filled or data_at >= 0:
                return False
            if word_at(ctx, at.F_CHANNEL) != at.CH_NONE:
                filled = True
                i = _data(ctx, a, i, n, scratch)
            else:
                data_at = i
                i = skip(a, i, n, DEPTH)
        else:
            for name in at.OTHERS:
                if is_word(low, high, name):
                    return False
            i = skip(a, i, n, DEPTH)
        if i < 0:
            return False
        i, going = more(a, i, n, _OBJECT)
    if i < 0 or space(a, i, n) != n or not typed or word_at(ctx, at.F_CHANNEL) == at.CH_NONE:
        return False
    if data_at >= 0:
        return _data(ctx, a, data_at, n, scratch) >= 0
    return filled
