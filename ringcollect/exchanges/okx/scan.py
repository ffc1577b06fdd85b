"""One frame into context and private batch: every key in any order, unknown ones passed over.

``{"arg":{"channel":…,"instId":…},"action":…,"data":[…]}``. What ``data`` holds depends on the channel: where it comes
before ``arg`` it is passed over and read at the end.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.levels import levels
from ringcollect.decode.members import enter, key_at, more
from ringcollect.decode.memory import byte_at, float_bits, put_word, word_at
from ringcollect.decode.number import integer
from ringcollect.decode.skip import skip
from ringcollect.decode.text import BAD, space
from ringcollect.decode.values import amount
from ringcollect.exchanges import hot
from ringcollect.exchanges.okx import fields as at
from ringcollect.exchanges.scanning import (
    DEPTH,
    SYMBOL_BYTES,
    count_at,
    id_at,
    is_word,
    same_symbol_at,
    symbol_at,
    text_at,
)
from ringcollect.jit import njit
from ringcollect.records import RECORD_WORDS, W_AUX, W_ID, W_PRICE, W_SIZE, W_TAIL, W_TS_EVENT, TradeSub

_ARRAY, _OBJECT, _QUOTE = 93, 125, 34
_EXTRA = 2  # of a level, behind price and size
_MOST_MS = 9_223_372_036_854
_LEAST_CHECK, _MOST_CHECK = -(2**31), 2**31 - 1
_RPI, _AGGREGATED = int(TradeSub.RPI), int(TradeSub.AGGREGATED)


@njit
def _time(a: int, i: int, n: int) -> tuple[int, int]:
    """Milliseconds, bare or in quotes, as ns: (offset after it or negative, ns)."""
    i, ms = count_at(a, i, n)
    if i < 0 or ms > _MOST_MS:
        return BAD, 0
    return i, ms * 1_000_000


@njit
def _channel(low: np.uint64, high: np.uint64) -> int:
    if is_word(low, high, at.BOOKS) or is_word(low, high, at.BOOKS_TBT) or is_word(low, high, at.BOOKS50_TBT):
        return at.CH_BOOK
    if is_word(low, high, at.SHORT):
        return at.CH_SHORT
    if is_word(low, high, at.BBO):
        return at.CH_BEST
    if is_word(low, high, at.TRADES) or is_word(low, high, at.TRADES_ALL):
        return at.CH_TRADES
    return at.CH_NONE


@njit
def _argument(ctx: int, a: int, i: int, n: int, scratch: int) -> int:
    """The object ``arg`` at ``i``: offset after it, BAD when it is not one of a hot channel and an instrument."""
    put_word(ctx, SYMBOL_BYTES, 0)
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return BAD
        if is_word(low, high, at.CHANNEL) and word_at(ctx, at.F_CHANNEL) == at.CH_NONE:
            i, low, high = text_at(a, i, n)
            put_word(ctx, at.F_CHANNEL, _channel(low, high))
            if word_at(ctx, at.F_CHANNEL) == at.CH_NONE:
                return BAD
        elif is_word(low, high, at.INST_ID) and word_at(ctx, SYMBOL_BYTES) == 0:
            i = symbol_at(ctx, a, i, n, scratch)
        elif is_word(low, high, at.CHANNEL) or is_word(low, high, at.INST_ID) or is_word(low, high, at.INST_TYPE):
            return BAD
        else:
            i = skip(a, i, n, DEPTH)
        if i < 0:
            return BAD
        i, going = more(a, i, n, _OBJECT)
    return i if word_at(ctx, at.F_CHANNEL) != at.CH_NONE and word_at(ctx, SYMBOL_BYTES) > 0 else BAD


@njit
def _side(ctx: int, a: int, i: int, n: int, is_ask: bool) -> int:
    """A list of levels: bids are recorded first, whatever the order of the keys. Offset after it or BAD."""
    if byte_at(a, i) != 91:
        return BAD
    batch, capacity = word_at(ctx, hot.C_BATCH), word_at(ctx, hot.C_CAPACITY)
    if not is_ask:
        i, count = levels(a, i, n, batch, capacity, 0, 1, _EXTRA)
        put_word(ctx, at.F_LEVELS, count)
        return i
    if word_at(ctx, at.F_SEEN) & at.B_BIDS:
        i, count = levels(a, i, n, batch, capacity, word_at(ctx, at.F_LEVELS), -1, _EXTRA)
        put_word(ctx, at.F_LEVELS, count)
        return i
    put_word(ctx, at.F_ASKS_AT, i)
    return skip(a, i, n, DEPTH)


@njit
def _book_value(ctx: int, a: int, i: int, n: int, low: np.uint64, high: np.uint64) -> tuple[int, int]:
    """The value of one key of a book: (offset after it or negative, its bit)."""
    if is_word(low, high, at.ASKS):
        return _side(ctx, a, i, n, True), at.B_ASKS
    if is_word(low, high, at.BIDS):
        return _side(ctx, a, i, n, False), at.B_BIDS
    if is_word(low, high, at.TS):
        i, value = _time(a, i, n)
        put_word(ctx, at.F_TS, value)
        return i, at.B_TS
    if is_word(low, high, at.SEQ):
        i, value = id_at(a, i, n)
        put_word(ctx, at.F_SEQ, value)
        return i, at.B_SEQ
    if is_word(low, high, at.PREV):
        i, value = id_at(a, i, n)
        put_word(ctx, at.F_PREV, value)
        return i, at.B_PREV
    if is_word(low, high, at.CHECKSUM):
        i, value = integer(a, i, n)
        put_word(ctx, at.F_CHECKSUM, value)
        if word_at(ctx, at.F_CHECKSUM) < _LEAST_CHECK or word_at(ctx, at.F_CHECKSUM) > _MOST_CHECK:
            return BAD, 0
        return i, at.B_CHECKSUM
    return skip(a, i, n, DEPTH), 0


@njit
def _book(ctx: int, a: int, i: int, n: int) -> int:
    """The one book of ``data`` at ``i``: offset after the array or BAD."""
    put_word(ctx, at.F_SEEN, 0)
    put_word(ctx, at.F_LEVELS, 0)
    put_word(ctx, at.F_ASKS_AT, -1)
    put_word(ctx, at.F_SEQ, -1)
    put_word(ctx, at.F_PREV, -1)
    put_word(ctx, at.F_CHECKSUM, 0)
    i, going = enter(a, i, n, _ARRAY)
    if not going:
        return BAD
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return BAD
        i, bit = _book_value(ctx, a, i, n, low, high)
        if i < 0 or word_at(ctx, at.F_SEEN) & bit:
            return BAD
        put_word(ctx, at.F_SEEN, word_at(ctx, at.F_SEEN) | bit)
        i, going = more(a, i, n, _OBJECT)
    if i < 0 or word_at(ctx, at.F_SEEN) & (at.B_ASKS | at.B_BIDS | at.B_TS) != at.B_ASKS | at.B_BIDS | at.B_TS:
        return BAD
    if word_at(ctx, at.F_ASKS_AT) >= 0:
        batch, capacity, bids = word_at(ctx, hot.C_BATCH), word_at(ctx, hot.C_CAPACITY), word_at(ctx, at.F_LEVELS)
        end, count = levels(a, word_at(ctx, at.F_ASKS_AT), n, batch, capacity, bids, -1, _EXTRA)
        put_word(ctx, at.F_LEVELS, count)
        if end < 0:
            return BAD
    i, going = more(a, i, n, _ARRAY)
    return BAD if going else i


@njit
def _print(ctx: int, a: int, i: int, n: int, r: int, scratch: int) -> int:
    """The print at ``i`` into record ``r``: price, size, time, ids, and side and sub in the tail. Offset or BAD.

    On a connection that carries whatever it carries the first one names the instrument, whatever the argument says.
    """
    record = word_at(ctx, hot.C_BATCH) + r * RECORD_WORDS * 8
    seen = 0
    identity = 0
    count = 1
    sub = 0
    side = 0
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return BAD
        bit = 0
        if is_word(low, high, at.TRADE_ID):
            bit = at.T_ID
            i, identity = count_at(a, i, n)
        elif is_word(low, high, at.PX):
            bit = at.T_PRICE
            i, number = amount(a, i, n)
            put_word(record, W_PRICE, float_bits(number))
        elif is_word(low, high, at.SZ):
            bit = at.T_SIZE
            i, number = amount(a, i, n)
            put_word(record, W_SIZE, float_bits(number))
        elif is_word(low, high, at.SIDE):
            bit = at.T_SIDE
            i, low, high = text_at(a, i, n)
            side = 1 if is_word(low, high, at.BUY) else -1 if is_word(low, high, at.SELL) else 0
        elif is_word(low, high, at.TS):
            bit = at.T_TS
            i, ts = _time(a, i, n)
            put_word(record, W_TS_EVENT, ts)
        elif is_word(low, high, at.COUNT):
            bit = at.T_COUNT
            i, count = count_at(a, i, n)
        elif is_word(low, high, at.INST_ID):
            bit = at.T_SYMBOL
            names = r == 0 and word_at(ctx, hot.C_VARIANT) == at.MIXED
            i = symbol_at(ctx, a, i, n, scratch) if names else same_symbol_at(ctx, a, i, n)
        elif is_word(low, high, at.SOURCE):
            bit = at.T_SOURCE
            i, low, high = text_at(a, i, n)
            sub = _RPI if is_word(low, high, at.RPI) else 0
        else:
            i = skip(a, i, n, DEPTH)
        if i < 0 or seen & bit:
            return BAD
        seen |= bit
        i, going = more(a, i, n, _OBJECT)
    needed = at.T_ID | at.T_PRICE | at.T_SIZE | at.T_SIDE | at.T_TS | at.T_SYMBOL
    if i < 0 or seen & needed != needed or side == 0 or count < 1 or count > identity + 1:
        return BAD
    if seen & at.T_COUNT:
        sub += _AGGREGATED
    put_word(record, W_ID, identity)
    put_word(record, W_AUX, identity - count + 1)
    put_word(record, W_TAIL, (side & 0xFF) | sub << 8)
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
def _data(ctx: int, a: int, i: int, n: int, scratch: int) -> int:
    return _prints(ctx, a, i, n, scratch) if word_at(ctx, at.F_CHANNEL) == at.CH_TRADES else _book(ctx, a, i, n)


@njit
def scan(ctx: int, a: int, n: int, scratch: int) -> bool:
    """The whole frame; False when it is not one for the kernel."""
    put_word(ctx, at.F_CHANNEL, at.CH_NONE)
    put_word(ctx, at.F_ACTION, at.ACTION_NONE)
    data_at = -1
    named = False
    filled = False
    i = space(a, 0, n)
    if n > word_at(ctx, hot.C_MAX_FRAME) or i >= n:
        return False
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return False
        if is_word(low, high, at.ARG) and not named:
            named = True
            i = _argument(ctx, a, i, n, scratch)
        elif is_word(low, high, at.ACTION) and word_at(ctx, at.F_ACTION) == at.ACTION_NONE:
            i, low, high = text_at(a, i, n)
            other = at.ACTION_SNAPSHOT if is_word(low, high, at.SNAPSHOT) else at.ACTION_OTHER
            put_word(ctx, at.F_ACTION, at.ACTION_UPDATE if is_word(low, high, at.UPDATE) else other)
        elif is_word(low, high, at.DATA) and not filled and data_at < 0:
            if named:
                filled = True
                i = _data(ctx, a, i, n, scratch)
            else:
                data_at = i
                i = skip(a, i, n, DEPTH)
        elif is_word(low, high, at.ARG) or is_word(low, high, at.ACTION) or is_word(low, high, at.DATA):
            return False
        else:
            for name in at.OTHERS:
                if is_word(low, high, name):
                    return False
            i = skip(a, i, n, DEPTH)
        if i < 0:
            return False
        i, going = more(a, i, n, _OBJECT)
    if i < 0 or space(a, i, n) != n or not named:
        return False
    if data_at >= 0:
        return _data(ctx, a, data_at, n, scratch) >= 0
    return filled
