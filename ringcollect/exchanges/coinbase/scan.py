"""One message of Advanced Trade into context and private batch: keys of every object in any order, unknown ones passed.

Every function takes the context's address. A message of several events, or of several products, goes the typed way.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.keys import NO_KEY, number_of_key
from ringcollect.decode.levels import put_level
from ringcollect.decode.match import follows
from ringcollect.decode.members import enter, key_at, more
from ringcollect.decode.memory import float_bits, out_of_line, put_word, word_at
from ringcollect.decode.number import integer
from ringcollect.decode.skip import skip
from ringcollect.decode.text import BAD, space, string
from ringcollect.decode.times import iso_ns
from ringcollect.decode.values import amount, called_amount
from ringcollect.exchanges import hot
from ringcollect.exchanges.coinbase import fields as at
from ringcollect.exchanges.scanning import DEPTH, count_at, is_word, same_symbol_at, symbol_at, text_at
from ringcollect.jit import njit
from ringcollect.records import RECORD_WORDS, W_AUX, W_ID, W_PRICE, W_SIZE, W_TAIL, W_TS_EVENT

_ARRAY, _OBJECT = 93, 125
_ZERO = np.uint64(0)
_ESCAPED = -2


@njit
def _level(a: int, i: int, n: int, batch: int, r: int) -> int:
    """The level at ``i`` into record ``r``, 0 for a time it does not have: offset after it or BAD."""
    seen = 0
    side = 0
    price = 0.0
    size = 0.0
    ts = np.int64(0)
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return BAD
        bit = 0
        if is_word(low, high, at.SIDE):
            bit = at.L_SIDE
            i, low, high = text_at(a, i, n)
            side = 1 if is_word(low, high, at.BID) else -1 if is_word(low, high, at.OFFER) else 0
        elif is_word(low, high, at.EVENT_TIME):
            bit = at.L_TIME
            i, ts = iso_ns(a, i, n)
        elif is_word(low, high, at.PRICE_LEVEL):
            bit = at.L_PRICE
            i, price = amount(a, i, n)
        elif is_word(low, high, at.NEW_QUANTITY):
            bit = at.L_SIZE
            i, size = amount(a, i, n)
        else:
            i = skip(a, i, n, DEPTH)
        if i < 0 or seen & bit:
            return BAD
        seen |= bit
        i, going = more(a, i, n, _OBJECT)
    needed = at.L_SIDE | at.L_PRICE | at.L_SIZE
    if i < 0 or seen & needed != needed or side == 0 or size < 0.0:
        return BAD
    put_level(batch, r, price, size, side)
    put_word(batch, r * RECORD_WORDS + W_TS_EVENT, ts)
    return i


@njit
def _trade(ctx: int, a: int, i: int, n: int, batch: int, r: int) -> int:
    """The trade at ``i`` into record ``r``, with the aggressor's side: offset after it or BAD."""
    record = batch + r * RECORD_WORDS * 8
    seen = 0
    side = 0
    put_word(record, W_TS_EVENT, 0)
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return BAD
        bit = 0
        if is_word(low, high, at.PRODUCT_ID):
            bit = at.T_PRODUCT
            if r == 0:
                i = symbol_at(ctx, a, i, n, ctx + hot.C_SCRATCH * 8)
            else:
                i = same_symbol_at(ctx, a, i, n)
        elif is_word(low, high, at.TRADE_ID):
            bit = at.T_ID
            i, identity = count_at(a, i, n)
            put_word(record, W_ID, identity)
            put_word(record, W_AUX, identity)
        elif is_word(low, high, at.PRICE):
            bit = at.T_PRICE
            i, number = called_amount(a, i, n)
            put_word(record, W_PRICE, float_bits(number))
        elif is_word(low, high, at.SIZE):
            bit = at.T_SIZE
            i, number = called_amount(a, i, n)
            put_word(record, W_SIZE, float_bits(number))
        elif is_word(low, high, at.SIDE):  # the maker's
            bit = at.T_SIDE
            i, low, high = text_at(a, i, n)
            side = -1 if is_word(low, high, at.BUY) else 1 if is_word(low, high, at.SELL) else 0
            side = -1 if is_word(low, high, at.LOWER_BUY) else 1 if is_word(low, high, at.LOWER_SELL) else side
        elif is_word(low, high, at.TIME):
            bit = at.T_TIME
            i, ts = iso_ns(a, i, n)
            put_word(record, W_TS_EVENT, ts)
        else:
            i = skip(a, i, n, DEPTH)
        if i < 0 or seen & bit:
            return BAD
        seen |= bit
        i, going = more(a, i, n, _OBJECT)
    needed = at.T_PRODUCT | at.T_ID | at.T_PRICE | at.T_SIZE | at.T_SIDE
    if i < 0 or seen & needed != needed or side == 0:
        return BAD
    put_word(record, W_TAIL, side)
    return i


@njit
def _long_key(a: int, i: int, n: int) -> int:
    """Which key of more than 16 characters stands at ``i``; escapes may spell anything."""
    out_of_line()
    if follows(a, i, n, '"best_bid_quantity"'):
        return at.N_BID_SIZE
    if follows(a, i, n, '"best_ask_quantity"'):
        return at.N_ASK_SIZE
    end, escaped = string(a, i + 1, n)
    return _ESCAPED if end < 0 or escaped else NO_KEY


@njit
def _ticker(ctx: int, a: int, i: int, n: int) -> int:
    """The ticker at ``i`` into F_NUMBERS; F_SEEN says which keys it has. Offset after it or BAD."""
    seen = 0
    i, going = enter(a, i, n, _OBJECT)
    while going:
        name = i
        i, low, high = key_at(a, i, n)
        if i < 0:
            return BAD
        key = number_of_key(at.TICKER_TABLE, low, high)
        if low == _ZERO and high == _ZERO:
            key = np.int64(_long_key(a, name, n))
            if key == _ESCAPED:
                return BAD
        if key == NO_KEY:
            i = skip(a, i, n, DEPTH)
        else:
            if seen & (1 << key):
                return BAD
            seen |= 1 << key
            if key == at.N_PRODUCT:
                i = symbol_at(ctx, a, i, n, ctx + hot.C_SCRATCH * 8)
            else:
                i, number = called_amount(a, i, n)
                put_word(ctx, at.F_NUMBERS + key, float_bits(number))
        if i < 0:
            return BAD
        i, going = more(a, i, n, _OBJECT)
    put_word(ctx, at.F_SEEN, seen)
    return i if seen & at.NEEDED_BEST == at.NEEDED_BEST else BAD


@njit
def _list(ctx: int, a: int, i: int, n: int) -> int:
    """``updates``, ``trades`` or ``tickers`` at ``i``, by the message's kind: offset after it or BAD."""
    kind, batch, capacity = word_at(ctx, at.F_KIND), word_at(ctx, hot.C_BATCH), word_at(ctx, hot.C_CAPACITY)
    r = 0
    i, going = enter(a, i, n, _ARRAY)
    while going:
        if r >= capacity or (kind == at.KIND_BEST and r > 0):
            return BAD
        if kind == at.KIND_BOOK:
            i = _level(a, i, n, batch, r)
        elif kind == at.KIND_TRADE:
            i = _trade(ctx, a, i, n, batch, r)
        else:
            i = _ticker(ctx, a, i, n)
        if i < 0:
            return BAD
        r += 1
        i, going = more(a, i, n, _ARRAY)
    put_word(ctx, at.F_COUNT, r)
    return i if r > 0 or kind == at.KIND_BOOK else BAD


@njit
def _event(ctx: int, a: int, i: int, n: int) -> int:
    """The one event of ``events`` at ``i``: offset after the array or BAD."""
    out_of_line()
    kind = word_at(ctx, at.F_KIND)
    seen = 0
    i, going = enter(a, i, n, _ARRAY)
    if not going:
        return BAD
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return BAD
        bit = 0
        if is_word(low, high, at.TYPE):
            bit = at.E_TYPE
            i, low, high = text_at(a, i, n)
            put_word(ctx, at.F_SNAPSHOT, 1 if is_word(low, high, at.SNAPSHOT) else 0)
            if not is_word(low, high, at.SNAPSHOT) and not is_word(low, high, at.UPDATE):
                return BAD
        elif kind == at.KIND_BOOK and is_word(low, high, at.PRODUCT_ID):
            bit = at.E_PRODUCT
            i = symbol_at(ctx, a, i, n, ctx + hot.C_SCRATCH * 8)
        elif (
            (kind == at.KIND_BOOK and is_word(low, high, at.UPDATES))
            or (kind == at.KIND_TRADE and is_word(low, high, at.TRADES))
            or (kind == at.KIND_BEST and is_word(low, high, at.TICKERS))
        ):
            bit = at.E_LIST
            i = _list(ctx, a, i, n) if seen & bit == 0 else BAD
        else:
            i = skip(a, i, n, DEPTH)
        if i < 0 or seen & bit:
            return BAD
        seen |= bit
        i, going = more(a, i, n, _OBJECT)
    needed = at.E_TYPE | at.E_LIST | (at.E_PRODUCT if kind == at.KIND_BOOK else 0)
    if i < 0 or seen & needed != needed:
        return BAD
    i, going = more(a, i, n, _ARRAY)
    return BAD if going else i


@njit
def _channel(ctx: int, a: int, i: int, n: int) -> int:
    """The channel's name at ``i`` into F_KIND: offset after it, BAD for one that is not ours."""
    i, low, high = text_at(a, i, n)
    kind = at.KIND_NONE
    if is_word(low, high, at.L2_DATA):
        kind = at.KIND_BOOK
    elif is_word(low, high, at.MARKET_TRADES):
        kind = at.KIND_TRADE
    elif is_word(low, high, at.TICKER):
        kind = at.KIND_BEST
    put_word(ctx, at.F_KIND, kind)
    return i if kind != at.KIND_NONE else BAD


@njit
def scan(ctx: int, a: int, n: int) -> bool:
    """The whole message; False when it is not one for the kernel."""
    put_word(ctx, at.F_TS, 0)
    put_word(ctx, hot.C_SEQUENCE, -1)
    seen = 0
    events_at = -1
    i = space(a, 0, n)
    if n > word_at(ctx, hot.C_MAX_FRAME) or i >= n:
        return False
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return False
        bit = 0
        if is_word(low, high, at.CHANNEL):
            bit = at.B_CHANNEL
            i = _channel(ctx, a, i, n) if seen & bit == 0 else BAD
        elif is_word(low, high, at.TIMESTAMP):
            bit = at.B_TIMESTAMP
            i, ts = iso_ns(a, i, n)
            put_word(ctx, at.F_TS, ts)
        elif is_word(low, high, at.SEQUENCE):
            bit = at.B_SEQUENCE
            i, number = integer(a, i, n)
            if i >= 0 and number < 0:
                return False
            put_word(ctx, hot.C_SEQUENCE, number)
        elif is_word(low, high, at.EVENTS):
            bit = at.B_EVENTS
            if seen & bit:
                return False
            if seen & at.B_CHANNEL:
                i = _event(ctx, a, i, n)
            else:
                events_at = i
                i = skip(a, i, n, DEPTH)
        elif is_word(low, high, at.TYPE) or is_word(low, high, at.PRODUCT_ID):
            return False
        else:
            i = skip(a, i, n, DEPTH)
        if i < 0 or seen & bit:
            return False
        seen |= bit
        i, going = more(a, i, n, _OBJECT)
    needed = at.B_CHANNEL | at.B_EVENTS
    if i < 0 or space(a, i, n) != n or seen & needed != needed:
        return False
    return events_at < 0 or _event(ctx, a, events_at, n) >= 0
