"""One message of the Exchange feed into context and private batch: keys in any order, unknown ones passed over.

Every function takes the context's address. Fields mean what ``type`` says, which may come last: they are kept until
the message is read.
"""

from __future__ import annotations

from ringcollect.decode.keys import NO_KEY, number_of_key
from ringcollect.decode.levels import levels, put_level
from ringcollect.decode.match import follows
from ringcollect.decode.members import enter, key_at, more
from ringcollect.decode.memory import bits_float, byte_at, float_bits, out_of_line, put_word, word_at
from ringcollect.decode.skip import skip
from ringcollect.decode.text import BAD, space
from ringcollect.decode.times import iso_ns
from ringcollect.decode.values import amount, called_amount
from ringcollect.exchanges import hot
from ringcollect.exchanges.coinbase import fields as at
from ringcollect.exchanges.scanning import DEPTH, count_at, is_word, symbol_at, text_at
from ringcollect.jit import njit
from ringcollect.records import RECORD_WORDS, W_AUX, W_ID, W_SIZE, W_TS_EVENT

_ARRAY, _OBJECT, _COMMA = 93, 125, 44
_TRADE_KEYS = at.X_TYPE | at.X_PRODUCT | at.X_ID | at.X_SIDE | at.X_PRICE | at.X_SIZE
_BEST_KEYS = at.X_TYPE | at.NEEDED_BEST


@njit
def _change(a: int, i: int, n: int, batch: int, r: int) -> int:
    """``["buy","1.5","2"]`` at ``i`` into record ``r``: offset after it or BAD."""
    i, going = enter(a, i, n, _ARRAY)
    if not going:
        return BAD
    i, low, high = text_at(a, i, n)
    side = 1 if is_word(low, high, at.LOWER_BUY) else -1 if is_word(low, high, at.LOWER_SELL) else 0
    if i < 0 or side == 0:
        return BAD
    i, going = more(a, i, n, _ARRAY)
    if not going:
        return BAD
    i, price = amount(a, i, n)
    if i < 0:
        return BAD
    i, going = more(a, i, n, _ARRAY)
    if not going:
        return BAD
    i, size = amount(a, i, n)
    if i < 0 or size < 0.0:
        return BAD
    i, going = more(a, i, n, _ARRAY)
    put_level(batch, r, price, size, side)
    return BAD if going else i


@njit
def _changes(ctx: int, a: int, i: int, n: int) -> int:
    """``changes`` at ``i`` into the batch: offset after it or BAD."""
    r = 0
    i, going = enter(a, i, n, _ARRAY)
    while going:
        if r >= word_at(ctx, hot.C_CAPACITY):
            return BAD
        i = _change(a, i, n, word_at(ctx, hot.C_BATCH), r)
        if i < 0:
            return BAD
        r += 1
        i, going = more(a, i, n, _ARRAY)
    put_word(ctx, at.F_COUNT, r)
    return i


@njit
def _whole_book(ctx: int, a: int, n: int) -> bool:
    """Bids, then asks, whichever came first."""
    batch, capacity = word_at(ctx, hot.C_BATCH), word_at(ctx, hot.C_CAPACITY)
    i, r = levels(a, word_at(ctx, at.F_BIDS_AT), n, batch, capacity, 0, 1, 0)
    if i < 0:
        return False
    i, r = levels(a, word_at(ctx, at.F_ASKS_AT), n, batch, capacity, r, -1, 0)
    if i < 0:
        return False
    for k in range(r):
        if bits_float(word_at(batch, k * RECORD_WORDS + W_SIZE)) < 0.0:
            return False
    put_word(ctx, at.F_COUNT, r)
    return True


@njit
def _trade(ctx: int) -> bool:
    """The fields of a match into record 0, with the aggressor's side."""
    if word_at(ctx, at.F_SIDE) == 0:
        return False
    batch = word_at(ctx, hot.C_BATCH)
    price, size = bits_float(word_at(ctx, at.F_PRICE)), bits_float(word_at(ctx, at.F_SIZE))
    put_level(batch, 0, price, size, -word_at(ctx, at.F_SIDE))
    put_word(batch, W_ID, word_at(ctx, at.F_ID))
    put_word(batch, W_AUX, word_at(ctx, at.F_ID))
    put_word(ctx, at.F_COUNT, 1)
    return True


@njit
def _type(ctx: int, a: int, i: int, n: int) -> int:
    """The type at ``i`` into F_KIND and F_SNAPSHOT: offset after it, BAD for one that is not ours."""
    i, low, high = text_at(a, i, n)
    kind = at.KIND_NONE
    history = is_word(low, high, at.SNAPSHOT) or is_word(low, high, at.LAST_MATCH)
    if is_word(low, high, at.L2UPDATE) or is_word(low, high, at.SNAPSHOT):
        kind = at.KIND_BOOK
    elif is_word(low, high, at.MATCH) or is_word(low, high, at.LAST_MATCH):
        kind = at.KIND_TRADE
    elif is_word(low, high, at.TICKER):
        kind = at.KIND_BEST
    put_word(ctx, at.F_KIND, kind)
    put_word(ctx, at.F_SNAPSHOT, 1 if history else 0)
    return i if kind != at.KIND_NONE else BAD


@njit
def _no_time(a: int, i: int, n: int) -> int:
    """Midnight of year 1 at ``i``, which says that there is no time: offset after it or BAD."""
    out_of_line()
    if not follows(a, i, n, '"0001-01-01T00:00:00'):
        return BAD
    i += 20
    zeros = -1
    while i < n and zeros < 9 and byte_at(a, i) == (46 if zeros < 0 else 48):
        i += 1
        zeros += 1
    return i + 2 if zeros != 0 and follows(a, i, n, 'Z"') else BAD


@njit
def _value(ctx: int, a: int, i: int, n: int, key: int) -> int:
    """The value of a key of the table: offset after it or BAD."""
    if key <= at.N_LAST_NUMBER:
        i, number = called_amount(a, i, n)
        put_word(ctx, at.F_NUMBERS + key, float_bits(number))
        return i
    if key == at.N_TYPE:
        return _type(ctx, a, i, n)
    if key == at.N_PRODUCT:
        return symbol_at(ctx, a, i, n, ctx + hot.C_SCRATCH * 8)
    if key == at.N_TIME:
        end, ts = iso_ns(a, i, n)
        put_word(ctx, at.F_TS, ts if end >= 0 else 0)
        return end if end >= 0 else _no_time(a, i, n)
    if key == at.N_CHANGES:
        return _changes(ctx, a, i, n)
    if key == at.N_ID:
        i, identity = count_at(a, i, n)
        put_word(ctx, at.F_ID, identity)
        return i
    if key == at.N_SIDE:  # the maker's in a match
        i, low, high = text_at(a, i, n)
        buys = is_word(low, high, at.LOWER_BUY) or is_word(low, high, at.BUY)
        sells = is_word(low, high, at.LOWER_SELL) or is_word(low, high, at.SELL)
        put_word(ctx, at.F_SIDE, 1 if buys else -1 if sells else 0)
        return i
    if key == at.N_BIDS:
        put_word(ctx, at.F_BIDS_AT, i)
        return skip(a, i, n, DEPTH)
    if key == at.N_ASKS:
        put_word(ctx, at.F_ASKS_AT, i)
        return skip(a, i, n, DEPTH)
    return BAD


@njit
def scan(ctx: int, a: int, n: int) -> bool:
    """The whole message; False when it is not one for the kernel."""
    put_word(ctx, at.F_TS, 0)
    put_word(ctx, hot.C_SEQUENCE, -1)  # ``sequence`` counts what other channels carry too
    seen = 0
    i = space(a, 0, n)
    if n > word_at(ctx, hot.C_MAX_FRAME) or i >= n:
        return False
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return False
        key = number_of_key(at.EXCHANGE_TABLE, low, high)
        if key == NO_KEY:
            i = skip(a, i, n, DEPTH)
        else:
            if seen & (1 << key):
                return False
            seen |= 1 << key
            i = _value(ctx, a, i, n, key)
        if i < 0:
            return False
        i, going = more(a, i, n, _OBJECT)
    if i < 0 or space(a, i, n) != n or seen & (at.X_TYPE | at.X_PRODUCT) != at.X_TYPE | at.X_PRODUCT:
        return False
    kind = word_at(ctx, at.F_KIND)
    if kind == at.KIND_TRADE:
        put_word(word_at(ctx, hot.C_BATCH), W_TS_EVENT, 0)
        return seen & _TRADE_KEYS == _TRADE_KEYS and seen & (at.X_CHANGES | at.X_BIDS) == 0 and _trade(ctx)
    if kind == at.KIND_BEST:
        put_word(ctx, at.F_SEEN, seen)
        return seen & _BEST_KEYS == _BEST_KEYS
    if word_at(ctx, at.F_SNAPSHOT):
        if seen & at.X_BIDS == 0 or seen & at.X_ASKS == 0 or not _whole_book(ctx, a, n):
            return False
    elif seen & at.X_CHANGES == 0:
        return False
    batch = word_at(ctx, hot.C_BATCH)
    for r in range(word_at(ctx, at.F_COUNT)):
        put_word(batch, r * RECORD_WORDS + W_TS_EVENT, 0)
    return True
