"""One event object into the context array: every key in any order, unknown ones passed over.

What a key means depends on the event (``a`` is a price, an id, or a list of levels), and ``e`` may come last or, on
spot, not at all. So values are taken by their form here and judged in ``decode``.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.levels import levels
from ringcollect.decode.members import key_at
from ringcollect.decode.memory import byte_at, float_bits
from ringcollect.decode.number import integer
from ringcollect.decode.skip import literal, skip
from ringcollect.decode.text import BAD, space, string, word
from ringcollect.decode.values import amount
from ringcollect.exchanges import hot
from ringcollect.exchanges.binance import events as ev
from ringcollect.jit import njit

_NONE, _INTEGER, _NUMBER, _SIDE, _FLAG, _EVENT_NAME, _TYPE_NAME, _SYMBOL = range(8)
_ZERO = np.uint64(0)
_DEPTH = 32  # of a value inside an event; less than the typed path allows for the whole frame
_PREV_WORD = np.uint64(int.from_bytes(b"pu", "little"))


@njit
def _meaning(low: np.uint64, high: np.uint64) -> tuple[int, int]:
    """(bit, form) of a key, (-1, _NONE) for one without meaning here."""
    if high != _ZERO:
        return -1, _NONE
    if low == _PREV_WORD:
        return ev.K_PREV, _INTEGER
    if low > np.uint64(127):
        return -1, _NONE
    c = np.int64(low)
    if c == 69:  # E
        return ev.K_EVENT_TIME, _INTEGER
    if c == 84:  # T
        return ev.K_TIME, _INTEGER
    if c == 85:  # U
        return ev.K_FIRST, _INTEGER
    if c == 117:  # u
        return ev.K_LAST, _INTEGER
    if c == 116:  # t
        return ev.K_TRADE, _INTEGER
    if c == 102:  # f
        return ev.K_FROM, _INTEGER
    if c == 108:  # l
        return ev.K_TO, _INTEGER
    if c == 112:  # p
        return ev.K_PRICE, _NUMBER
    if c == 113:  # q
        return ev.K_SIZE, _NUMBER
    if c == 66:  # B
        return ev.K_BID_SIZE, _NUMBER
    if c == 65:  # A
        return ev.K_ASK_SIZE, _NUMBER
    if c == 98:  # b
        return ev.K_BID, _SIDE
    if c == 97:  # a
        return ev.K_ASK, _SIDE
    if c == 109:  # m
        return ev.K_MAKER, _FLAG
    if c == 101:  # e
        return ev.K_EVENT, _EVENT_NAME
    if c == 88:  # X
        return ev.K_TYPE, _TYPE_NAME
    if c == 115:  # s
        return ev.K_SYMBOL, _SYMBOL
    return -1, _NONE


@njit
def _side(ctx: np.ndarray, a: int, i: int, n: int, key: int) -> tuple[int, int]:
    """The value of ``a`` or ``b``: (offset after it or BAD, bits it stands for)."""
    seen = 1 << (ev.K_A if key == ev.K_ASK else ev.K_B)
    c = byte_at(a, i)
    if c == 91:  # bids are recorded first, whatever the order of the keys
        read = ctx[ev.F_LEVELS]
        if key == ev.K_BID:
            i, ctx[ev.F_LEVELS] = levels(a, i, n, ctx[hot.C_BATCH], ctx[hot.C_CAPACITY], 0, 1, 0)
            return i, seen | 1 << ev.K_BIDS
        if read >= 0:
            i, ctx[ev.F_LEVELS] = levels(a, i, n, ctx[hot.C_BATCH], ctx[hot.C_CAPACITY], read, -1, 0)
            return i, seen | 1 << ev.K_ASKS
        ctx[ev.F_ASKS_AT] = i
        return skip(a, i, n, _DEPTH), seen | 1 << ev.K_ASKS
    if c != 34:
        end, whole = integer(a, i, n)
        if end >= 0 and key == ev.K_ASK:
            ctx[ev.F_VALUE + ev.K_AGGREGATE] = whole
            seen |= 1 << ev.K_AGGREGATE
    i, value = amount(a, i, n)
    ctx[ev.F_VALUE + key] = float_bits(value)
    return i, seen | 1 << key


@njit
def _value(ctx: np.ndarray, a: int, i: int, n: int, key: int, form: int) -> tuple[int, int]:
    """The value of a key with a meaning: (offset after it or negative, bits of ev.F_SEEN it sets)."""
    if form == _INTEGER:
        i, whole = integer(a, i, n)
        if whole < 0:
            return BAD, 0
        ctx[ev.F_VALUE + key] = whole
        return i, 1 << key
    if form == _NUMBER:
        i, value = amount(a, i, n)
        ctx[ev.F_VALUE + key] = float_bits(value)
        return i, 1 << key
    if form == _SIDE:
        return _side(ctx, a, i, n, key)
    if form == _FLAG:
        i, truth = literal(a, i, n)
        if truth < 0:
            return BAD, 0
        ctx[ev.F_VALUE + key] = truth
        return i, 1 << key
    if byte_at(a, i) != 34:
        return BAD, 0
    if form == _SYMBOL:
        i, ctx[ev.F_INSTRUMENT] = hot.read_symbol(ctx, a, i, n)
        return i, 1 << key
    i, low, high = word(a, i + 1, n)
    if form == _EVENT_NAME:
        ctx[ev.F_EVENT_LOW] = np.int64(low)
        ctx[ev.F_EVENT_HIGH] = np.int64(high)
    else:
        ctx[ev.F_TYPE_LOW] = np.int64(low)
        ctx[ev.F_TYPE_HIGH] = np.int64(high)
    return i, 1 << key


@njit
def event(ctx: np.ndarray, a: int, i: int, n: int) -> int:
    """The object whose ``{`` is at ``i``: offset after it, negative when the kernel cannot take it."""
    ctx[ev.F_SEEN] = 0
    ctx[ev.F_LEVELS] = -1
    ctx[ev.F_ASKS_AT] = -1
    seen = 0
    i = space(a, i + 1, n)
    if i < n and byte_at(a, i) == 125:
        return i + 1
    while True:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return BAD
        key, form = _meaning(low, high)
        if form == _NONE:
            if (low == ev.STREAM[0] or low == ev.DATA[0]) and high == _ZERO:
                return BAD  # an envelope that does not begin like one
            i = skip(a, i, n, _DEPTH)
        else:
            i, bits = _value(ctx, a, i, n, key, form)
            if seen & bits:
                return BAD  # the same key twice
            seen |= bits
        if i < 0:
            return BAD
        i = space(a, i, n)
        if i >= n:
            return BAD
        c = byte_at(a, i)
        if c == 125:
            ctx[ev.F_SEEN] = seen
            return i + 1
        if c != 44:
            return BAD
        i = space(a, i + 1, n)


@njit
def _stream(ctx: np.ndarray, a: int, i: int, n: int) -> int:
    """The stream's name: is it the diff depth? Offset behind it or BAD."""
    if byte_at(a, i) != 34:
        return BAD
    end, escaped = string(a, i + 1, n)
    if end < 0 or escaped:
        return BAD
    stop = end - 1
    at = i + 1
    while at < stop and byte_at(a, at) != 64:
        at += 1
    ctx[ev.F_STREAM] = ev.STREAM_OTHER
    if (
        at + 6 <= stop
        and byte_at(a, at + 1) == 100
        and byte_at(a, at + 2) == 101
        and byte_at(a, at + 3) == 112
        and byte_at(a, at + 4) == 116
        and byte_at(a, at + 5) == 104
        and (at + 6 == stop or byte_at(a, at + 6) == 64)
    ):
        ctx[ev.F_STREAM] = ev.STREAM_DEPTH
    return end


@njit
def envelope(ctx: np.ndarray, a: int, i: int, n: int) -> int:
    """``{"stream":name,"data":{event}}`` whose ``{`` is at ``i``, keys in any order: offset after it or negative."""
    named = False
    filled = False
    i = space(a, i + 1, n)
    while True:
        i, low, high = key_at(a, i, n)
        if i < 0 or high != _ZERO:
            return BAD
        if low == ev.STREAM[0] and not named:
            i = _stream(ctx, a, i, n)
            named = True
        elif low == ev.DATA[0] and not filled:
            if byte_at(a, i) != 123:
                return BAD
            i = event(ctx, a, i, n)
            filled = True
        else:
            return BAD
        if i < 0:
            return BAD
        i = space(a, i, n)
        if i >= n:
            return BAD
        c = byte_at(a, i)
        if c == 125:
            return i + 1 if named and filled else BAD
        if c != 44:
            return BAD
        i = space(a, i + 1, n)
