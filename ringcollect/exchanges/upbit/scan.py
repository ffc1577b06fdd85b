"""One message into context and private batch: every key in any order and either format, unknown ones passed over."""

from __future__ import annotations

import numpy as np

from ringcollect.decode.levels import put_level
from ringcollect.decode.members import enter, key_at, more
from ringcollect.decode.memory import float_bits, put_word, word_at
from ringcollect.decode.number import integer
from ringcollect.decode.skip import skip
from ringcollect.decode.text import BAD, space
from ringcollect.decode.times import epoch_ns
from ringcollect.decode.values import amount
from ringcollect.exchanges import hot
from ringcollect.exchanges.scanning import DEPTH, is_word, symbol_at, text_at
from ringcollect.exchanges.upbit import fields as at
from ringcollect.jit import njit
from ringcollect.records import RECORD_WORDS, W_PRICE, W_SIZE, W_TAIL

_ARRAY, _OBJECT = 93, 125


@njit
def _meaning(low: np.uint64, high: np.uint64, keys: tuple[tuple[tuple[np.uint64, np.uint64], ...], ...]) -> int:
    """Twice the place of a key in ``keys``, plus one in the format SIMPLE; -1 for a key without meaning here."""
    for k in range(len(keys)):
        if is_word(low, high, keys[k][0]):
            return 2 * k
        if is_word(low, high, keys[k][1]):
            return 2 * k + 1
    return -1


@njit
def _whole(a: int, i: int, n: int) -> tuple[int, int]:
    """A bare whole number that is not negative: (offset after it or BAD, value)."""
    i, value = integer(a, i, n)
    if i < 0 or value < 0:
        return BAD, 0
    return i, value


@njit
def _unit(ctx: int, a: int, i: int, n: int, upper: int) -> int:
    """One unit: its bid behind the bids, its ask behind those parked from record ``upper`` on. Offset after or BAD."""
    seen = 0
    ask, bid, ask_size, bid_size = 0.0, 0.0, 0.0, 0.0
    i, going = enter(a, i, n, _OBJECT)
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return BAD
        found = _meaning(low, high, at.UNIT_KEYS)
        if found < 0:
            i = skip(a, i, n, DEPTH)
        else:
            key = found >> 1
            if seen & (1 << key):
                return BAD
            seen |= 1 << key
            put_word(ctx, at.F_FORMS, word_at(ctx, at.F_FORMS) | (1 + (found & 1)))
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
    if i < 0 or seen != at.NEEDED_UNIT or word_at(ctx, at.F_BIDS) >= upper or word_at(ctx, at.F_ASKS) >= upper:
        return BAD
    if bid != 0.0:  # a price of 0 pads the side that has fewer levels
        put_level(word_at(ctx, hot.C_BATCH), word_at(ctx, at.F_BIDS), bid, bid_size, 1)
        put_word(ctx, at.F_BIDS, word_at(ctx, at.F_BIDS) + 1)
    if ask != 0.0:
        put_level(word_at(ctx, hot.C_BATCH), upper + word_at(ctx, at.F_ASKS), ask, ask_size, -1)
        put_word(ctx, at.F_ASKS, word_at(ctx, at.F_ASKS) + 1)
    return i


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
        found = _meaning(low, high, at.KEYS)
        if found >= 0:
            bit = 1 << (found >> 1)
            if word_at(ctx, at.F_SEEN) & bit:
                return False
            put_word(ctx, at.F_SEEN, word_at(ctx, at.F_SEEN) | bit)
            put_word(ctx, at.F_FORMS, word_at(ctx, at.F_FORMS) | (1 + (found & 1)))
            i = _value(ctx, a, i, n, found >> 1, scratch)
        else:
            for name in at.OTHERS:
                if is_word(low, high, name):
                    return False
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
