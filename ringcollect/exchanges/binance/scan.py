"""One event object into the context array: every key in any order, unknown ones passed over.

What a key means depends on the event (``a`` is a price, an id, or a list of levels), and ``e`` may come last or, on
spot, not at all. So values are taken by their form here and judged in ``decode``. ``ctx`` is the context's address.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.levels import levels
from ringcollect.decode.match import follows
from ringcollect.decode.members import enter, key_at, more
from ringcollect.decode.memory import byte_at, float_bits, four_bytes, put_word, word_at
from ringcollect.decode.number import integer
from ringcollect.decode.skip import literal, skip
from ringcollect.decode.text import BAD, find_byte, space, string, word
from ringcollect.decode.values import amount
from ringcollect.exchanges import hot
from ringcollect.exchanges.binance import events as ev
from ringcollect.jit import njit

_ZERO = np.uint64(0)
_DEPTH = 32  # of a value inside an event; less than the typed path allows for the whole frame
_PREV_WORD = np.uint64(int.from_bytes(b"pu", "little"))
_KEY_MASK, _KEY = 0xFFFF80FF, int.from_bytes(b'"\0":', "little")  # a key of one ASCII character and its colon
_OBJECT = 125


@njit
def event(ctx: int, a: int, i: int, n: int) -> int:
    """The object whose ``{`` is at ``i``: offset after it, negative when the kernel cannot take it."""
    seen = 0
    read = -1  # levels in the batch, -1 before the bids
    put_word(ctx, ev.F_ASKS_AT, -1)
    i, going = enter(a, i, n, _OBJECT)
    while going:
        place = ev.NOWHERE
        four = four_bytes(a, i) if i + 5 <= n else 0
        if four & _KEY_MASK == _KEY:
            place = ev.PLACES[np.uint64(four >> 8 & 0x7F)]
        if place != ev.NOWHERE:
            i = space(a, i + 4, n)
        else:
            i, low, high = key_at(a, i, n)
            if i < 0:
                return BAD
            if high == _ZERO and low < np.uint64(128):
                place = ev.PLACES[low]
            elif high == _ZERO and low == _PREV_WORD:
                place = ev.PREV_PLACE
            elif high == _ZERO and (low == ev.STREAM[0] or low == ev.DATA[0]):
                return BAD  # an envelope that does not begin like one
        if i >= n:
            return BAD
        form = place & 7
        key = place >> 3
        bits = 1 << key
        if form == ev.SIDE:
            bits |= 1 << (ev.K_A if key == ev.K_ASK else ev.K_B)
        c = byte_at(a, i)
        if form == ev.INTEGER or form == ev.NUMBER or (form == ev.SIDE and c != 91):
            whole = np.int64(-1)
            if form == ev.INTEGER or (form == ev.SIDE and c != 34):
                end, whole = integer(a, i, n)
                if end < 0:
                    whole = np.int64(-1)
            if form == ev.INTEGER:
                if whole < 0:
                    return BAD
                i = end
                put_word(ctx, ev.F_VALUE + key, whole)
            else:
                if key == ev.K_ASK:
                    put_word(ctx, ev.F_VALUE + ev.K_AGGREGATE, whole)
                i, value = amount(a, i, n)
                put_word(ctx, ev.F_VALUE + key, float_bits(value))
        elif form == ev.SIDE:  # bids are recorded first, whatever the order of the keys
            bits ^= 1 << key | 1 << (ev.K_ASKS if key == ev.K_ASK else ev.K_BIDS)
            if key == ev.K_ASK and read < 0:
                put_word(ctx, ev.F_ASKS_AT, i)
                i = skip(a, i, n, _DEPTH)
            else:
                start = 0 if key == ev.K_BID else read
                side = 1 if key == ev.K_BID else -1
                i, read = levels(a, i, n, word_at(ctx, hot.C_BATCH), word_at(ctx, hot.C_CAPACITY), start, side, 0)
        elif form == ev.SYMBOL:
            i, instrument = hot.read_symbol(ctx, a, i, n)
            put_word(ctx, ev.F_INSTRUMENT, instrument)
        elif form == ev.NAME:
            if c != 34:
                return BAD
            i, low, high = word(a, i + 1, n)
            put_word(ctx, ev.F_NAMES + 2 * (key - ev.K_EVENT), np.int64(low))
            put_word(ctx, ev.F_NAMES + 2 * (key - ev.K_EVENT) + 1, np.int64(high))
        elif form == ev.FLAG:
            i, truth = literal(a, i, n)
            if truth < 0:
                return BAD
            put_word(ctx, ev.F_VALUE + key, truth)
        else:
            i = skip(a, i, n, _DEPTH)
            bits = 0
        if i < 0 or seen & bits:
            return BAD  # the same key twice is the typed path's to judge
        seen |= bits
        if i + 1 < n and byte_at(a, i) == 44 and byte_at(a, i + 1) == 34:
            i += 1
        else:
            i, going = more(a, i, n, _OBJECT)
    put_word(ctx, ev.F_SEEN, seen)
    put_word(ctx, ev.F_LEVELS, read)
    return i


@njit
def _stream(ctx: int, a: int, i: int, n: int) -> int:
    """The stream's name: is it the diff depth? Offset behind it or BAD."""
    if byte_at(a, i) != 34:
        return BAD
    end, escaped = string(a, i + 1, n)
    if end < 0 or escaped:
        return BAD
    stop = end - 1
    at = find_byte(a, i + 1, stop, 64)
    is_depth = follows(a, at, stop, "@depth") and (at + 6 == stop or byte_at(a, at + 6) == 64)
    put_word(ctx, ev.F_STREAM, ev.STREAM_DEPTH if is_depth else ev.STREAM_OTHER)
    return end


@njit
def frame(ctx: int, a: int, n: int) -> bool:
    """A whole frame, bare or ``{"stream":name,"data":{event}}`` in either order; False: not one for the kernel."""
    start = space(a, 0, n)
    put_word(ctx, ev.F_STREAM, ev.STREAM_NONE)
    if follows(a, start, n, '{"u":') or follows(a, start, n, '{"e":'):
        i = event(ctx, a, start, n)
        return i >= 0 and space(a, i, n) == n
    i, going = enter(a, start, n, _OBJECT)
    named = False
    filled = False
    while going:
        i, low, high = key_at(a, i, n)
        if i < 0:
            return False
        if high == _ZERO and low == ev.STREAM[0] and not named:
            named = True
            i = _stream(ctx, a, i, n)
        elif high == _ZERO and low == ev.DATA[0] and not filled:
            filled = True
            i = event(ctx, a, i, n)
        elif named or filled:
            return False
        else:
            i = event(ctx, a, start, n)
            return i >= 0 and space(a, i, n) == n
        if i < 0:
            return False
        i, going = more(a, i, n, _OBJECT)
    return i >= 0 and named and filled and space(a, i, n) == n
