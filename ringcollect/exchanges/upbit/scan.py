"""One message into context and private batch: every key in any order and either format, unknown ones passed over."""

from __future__ import annotations

from ringcollect.decode.keys import NO_KEY, number_of_key
from ringcollect.decode.levels import put_level
from ringcollect.decode.match import follows
from ringcollect.decode.members import enter, key_at, more
from ringcollect.decode.memory import byte_at, float_bits, put_word, word_at
from ringcollect.decode.number import SHORT_BYTES, integer, short_decimal
from ringcollect.decode.skip import skip
from ringcollect.decode.text import BAD, space
from ringcollect.decode.times import epoch_ns
from ringcollect.decode.values import amount
from ringcollect.exchanges import hot
from ringcollect.exchanges.scanning import DEPTH, is_word, symbol_at, text_at
from ringcollect.exchanges.upbit import fields as at
from ringcollect.jit import inlined, njit
from ringcollect.records import RECORD_WORDS, W_PRICE, W_SIZE, W_TAIL

_ARRAY, _OBJECT = 93, 125
_UNIT_BYTES = 2 * 13 + 2 * 12 + 3 * 16 + SHORT_BYTES  # keys, the longest short numbers, and what the last one may read


@njit
def _whole(a: int, i: int, n: int) -> tuple[int, int]:
    """A bare whole number that is not negative: (offset after it or BAD, value)."""
    i, value = integer(a, i, n)
    if i < 0 or value < 0:
        return BAD, 0
    return i, value


@inlined
def _usual_unit(a: int, i: int, n: int) -> tuple[int, int, float, float, float, float]:
    """A unit in Upbit's own spelling: (offset after it, format, ask, bid, their sizes), 0 first for any other."""
    simple = follows(a, i, n, '{"ap":')
    if i + _UNIT_BYTES > n or not (simple or follows(a, i, n, '{"ask_price":')):
        return 0, 0, 0.0, 0.0, 0.0, 0.0
    i, ask = short_decimal(a, i + (6 if simple else 13))
    if i == 0 or not (follows(a, i, n, ',"bp":') if simple else follows(a, i, n, ',"bid_price":')):
        return 0, 0, 0.0, 0.0, 0.0, 0.0
    i, bid = short_decimal(a, i + (6 if simple else 13))
    if i == 0 or not (follows(a, i, n, ',"as":') if simple else follows(a, i, n, ',"ask_size":')):
        return 0, 0, 0.0, 0.0, 0.0, 0.0
    i, ask_size = short_decimal(a, i + (6 if simple else 12))
    if i == 0 or not (follows(a, i, n, ',"bs":') if simple else follows(a, i, n, ',"bid_size":')):
        return 0, 0, 0.0, 0.0, 0.0, 0.0
    i, bid_size = short_decimal(a, i + (6 if simple else 12))
    if i == 0 or byte_at(a, i) != _OBJECT:
        return 0, 0, 0.0, 0.0, 0.0, 0.0
    return i + 1, at.SIMPLE if simple else at.DEFAULT, ask, bid, ask_size, bid_size


@njit
def _put_unit(
    ctx: int, i: int, upper: int, ask: float, bid: float, ask_size: float, bid_size: float, forms: int
) -> int:
    """Record a unit that ends at ``i``: ``i``, or BAD without room. A price of 0 pads the side with fewer levels."""
    batch, bids, asks = word_at(ctx, hot.C_BATCH), word_at(ctx, at.F_BIDS), word_at(ctx, at.F_ASKS)
    if bids >= upper or asks >= upper:
        return BAD
    put_word(ctx, at.F_FORMS, word_at(ctx, at.F_FORMS) | forms)
    if bid != 0.0:
        put_level(batch, bids, bid, bid_size, 1)
        put_word(ctx, at.F_BIDS, bids + 1)
    if ask != 0.0:
        put_level(batch, upper + asks, ask, ask_size, -1)
        put_word(ctx, at.F_ASKS, asks + 1)
    return i


@njit
def _unit(ctx: int, a: int, i: int, n: int, upper: int) -> int:
    """One unit: its bid behind the bids, its ask behind those parked from record ``upper`` on. Offset after or BAD."""
    end, forms, ask, bid, ask_size, bid_size = _usual_unit(a, i, n)
    if end != 0:
        return _put_unit(ctx, end, upper, ask, bid, ask_size, bid_size, forms)
    seen = 0
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return BAD
        found = number_of_key(at.UNIT_TABLE, low, high)
        if found == NO_KEY:
            i = skip(a, i, n, DEPTH)
        else:
            key = found >> 1
            if seen & (1 << key):
                return BAD
            seen |= 1 << key
            forms |= 1 + (found & 1)
            i, value = amount(a, i, n)
            if key == at.U_ASK:
                ask = value
            elif key == at.U_BID:
                bid = value
            elif key == at.U_ASK_SIZE:
                ask_size = value
            else:
                bid_size = value
        if i < 0:
            return BAD
        i, going = more(a, i, n, _OBJECT)
    if i < 0 or seen != at.NEEDED_UNIT:
        return BAD
    return _put_unit(ctx, i, upper, ask, bid, ask_size, bid_size, forms)


@njit
def _units(ctx: int, a: int, i: int, n: int) -> int:
    """The whole book into the batch, bids first: offset after it or BAD."""
    batch = word_at(ctx, hot.C_BATCH)
    upper = (word_at(ctx, hot.C_CAPACITY) - 2) // 2  # two records are left for the best prices
    put_word(ctx, at.F_BIDS, 0)
    put_word(ctx, at.F_ASKS, 0)
    i, going = enter(a, i, n, _ARRAY)
    while going:
        i = _unit(ctx, a, i, n, upper)
        if i < 0:
            return BAD
        i, going = more(a, i, n, _ARRAY)
    for k in range(word_at(ctx, at.F_ASKS)):
        source, target = (upper + k) * RECORD_WORDS, (word_at(ctx, at.F_BIDS) + k) * RECORD_WORDS
        for w in (W_PRICE, W_SIZE, W_TAIL):
            put_word(batch, target + w, word_at(batch, source + w))
    return i


@njit
def _value(ctx: int, a: int, i: int, n: int, key: int, scratch: int) -> int:
    """The value of a key with a meaning: offset after it or negative."""
    if key == at.K_CODE:
        return symbol_at(ctx, a, i, n, scratch)
    if key == at.K_UNITS:
        return _units(ctx, a, i, n)
    if key == at.K_TIME:
        i, value = _whole(a, i, n)
        put_word(ctx, at.F_TS, epoch_ns(value))
        return i if word_at(ctx, at.F_TS) >= 0 else BAD
    if key == at.K_ID:
        i, value = _whole(a, i, n)
        put_word(ctx, at.F_ID, value)
        return i
    if key == at.K_PRICE or key == at.K_SIZE:
        i, number = amount(a, i, n)
        put_word(ctx, at.F_PRICE if key == at.K_PRICE else at.F_SIZE, float_bits(number))
        return i
    i, low, high = text_at(a, i, n)
    if key == at.K_TYPE:
        kind = at.KIND_TRADE if is_word(low, high, at.TRADE) else at.KIND_NONE
        put_word(ctx, at.F_KIND, at.KIND_BOOK if is_word(low, high, at.BOOK) else kind)
    elif key == at.K_SIDE:
        put_word(ctx, at.F_SIDE, 1 if is_word(low, high, at.BID) else -1 if is_word(low, high, at.ASK) else 0)
    else:
        put_word(ctx, at.F_SNAPSHOT, 1 if is_word(low, high, at.SNAPSHOT) else 0)
    return i


@njit
def scan(ctx: int, a: int, n: int, scratch: int) -> bool:
    """The whole message; False when it is not one for the kernel."""
    put_word(ctx, at.F_SEEN, 0)
    put_word(ctx, at.F_FORMS, 0)
    put_word(ctx, at.F_KIND, at.KIND_NONE)
    put_word(ctx, at.F_SNAPSHOT, 0)
    i = space(a, 0, n)
    if n > word_at(ctx, hot.C_MAX_FRAME) or i >= n:
        return False
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return False
        found = number_of_key(at.TABLE, low, high)
        if found == at.ANSWER:
            return False
        if found != NO_KEY:
            bit = 1 << (found >> 1)
            if word_at(ctx, at.F_SEEN) & bit:
                return False
            put_word(ctx, at.F_SEEN, word_at(ctx, at.F_SEEN) | bit)
            put_word(ctx, at.F_FORMS, word_at(ctx, at.F_FORMS) | (1 + (found & 1)))
            i = _value(ctx, a, i, n, found >> 1, scratch)
        else:
            i = skip(a, i, n, DEPTH)
        if i < 0:
            return False
        i, going = more(a, i, n, _OBJECT)
    needed = at.NEEDED_BOOK if word_at(ctx, at.F_KIND) == at.KIND_BOOK else at.NEEDED_TRADE
    return (
        i >= 0
        and space(a, i, n) == n
        and word_at(ctx, at.F_KIND) != at.KIND_NONE
        and word_at(ctx, at.F_SEEN) & needed == needed
        and (word_at(ctx, at.F_FORMS) == at.DEFAULT or word_at(ctx, at.F_FORMS) == at.SIMPLE)
    )
