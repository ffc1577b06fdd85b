"""A frame through its exchange's table: every object's members in any order, unknown ones passed over.

The walk is one loop with its own stack. What it cannot read, and whatever is not as the table says, is the typed
path's: the answer is BAD. Records are left in the private batch.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.levels import levels
from ringcollect.decode.members import enter, more
from ringcollect.decode.memory import byte_at, eight_bytes, out_of_line, plain, put_word, word_at
from ringcollect.decode.number import integer
from ringcollect.decode.skip import skip
from ringcollect.decode.text import BAD, find_byte, lower_bytes, space, string
from ringcollect.exchanges import hot
from ringcollect.exchanges.scanning import DEPTH
from ringcollect.exchanges.tabular import layout as at
from ringcollect.exchanges.tabular.emit import own, run
from ringcollect.exchanges.tabular.values import ABSENT, choice_at, found, number_at, same_symbol, text_at
from ringcollect.jit import inlined, njit

_QUOTE, _COLON, _COMMA, _DOT, _OPEN, _OBJECT, _ARRAY = 34, 58, 44, 46, 123, 125, 93
_ZERO, _THREE, _TO_SLOT = np.uint64(0), np.uint64(3), np.uint64(58)
_BID, _ASK = 1, -1
_SCOPE, _SEEN, _FIRST, _IN_LIST, _STACK_WORDS = range(5)


@inlined
def _name(a: int, i: int, n: int, length: int) -> tuple[np.uint64, np.uint64, np.uint64]:
    """The words of a text of ``length`` bytes at ``i``, as :func:`describe.name_words` makes them."""
    first = _ZERO
    if i + 8 <= n:
        first = eight_bytes(a, i) if length >= 8 else lower_bytes(eight_bytes(a, i), length)
    else:
        for k in range(min(length, n - i)):
            first |= np.uint64(byte_at(a, i + k)) << np.uint64(8 * k)
    middle = eight_bytes(a, i + 8) if length > 16 else _ZERO
    last = eight_bytes(a, i + length - 8) if length > 8 else _ZERO
    return first, middle, last


@inlined
def _is(entry: int, first: np.uint64, middle: np.uint64, last: np.uint64, length: int) -> bool:
    return (
        np.uint64(word_at(entry, 0)) == first
        and word_at(entry, 3) == length
        and np.uint64(word_at(entry, 2)) == last
        and np.uint64(word_at(entry, 1)) == middle
    )


@inlined
def _key(a: int, i: int, n: int) -> tuple[int, int]:
    """The key whose quote is at ``i``: (offset of its value or BAD, length of its text). Escaped ones are BAD."""
    if i >= n or byte_at(a, i) != _QUOTE:
        return BAD, 0
    end, escaped = string(a, i + 1, n)
    if end < 0 or escaped:
        return BAD, 0
    length = end - 2 - i
    if end >= n or byte_at(a, end) != _COLON:
        end = space(a, end, n)
        if end >= n or byte_at(a, end) != _COLON:
            return BAD, 0
    end = space(a, end + 1, n)
    return (end if end < n else BAD), length


@njit
def _entry(table: int, scope: int, a: int, i: int, n: int, length: int) -> int:
    """Address of the entry of the key of ``length`` bytes at ``i``, 0 for one without meaning."""
    if length == 0 or length > 32:
        return 0
    first, middle, last = _name(a, i, n, length)
    hashed = (first + _THREE * last + np.uint64(length)) * np.uint64(word_at(scope, at.S_MULTIPLIER))
    offset = word_at(table + word_at(scope, at.S_INDEX) * 8, np.int64(hashed >> _TO_SLOT))
    if offset == 0:
        return 0
    entry = table + offset * 8
    if not _is(entry, first, middle, last, length):
        return 0
    return 0 if length > 24 and np.uint64(word_at(entry, at.K_REST)) != eight_bytes(a, i + 16) else entry


@njit
def _shape(table: int, a: int, i: int, n: int, length: int) -> int:
    """Address of the shape of that name, 0 for an unknown one."""
    out_of_line()
    if length == 0 or length > 24:
        return 0
    first, middle, last = _name(a, i, n, length)
    shape = table + word_at(table, at.T_NAMES) * 8
    for _ in range(word_at(table, at.T_NAME_COUNT)):
        if _is(shape, first, middle, last, length):
            return shape
        shape += at.NAME_WORDS * 8
    return 0


@njit
def _named(table: int, a: int, i: int, n: int) -> int:
    """The shape that the object at ``i`` names itself by, 0 for none."""
    out_of_line()
    wanted = table + word_at(table, at.T_INSIDE) * 8
    i, going = enter(a, i, n, _OBJECT)
    while going:
        key = i + 1
        i, length = _key(a, i, n)
        if i < 0:
            return 0
        if 0 < length <= 24:
            first, middle, last = _name(a, key, n, length)
            if _is(wanted, first, middle, last, length):
                end = text_at(a, i, n)
                return _shape(table, a, i + 1, n, end - 2 - i) if end >= 0 else 0
        i = skip(a, i, n, DEPTH)
        if i < 0:
            return 0
        i, going = more(a, i, n, _OBJECT)
    return 0


@njit
def _topic(ctx: int, table: int, a: int, i: int, n: int) -> tuple[int, int, int]:
    """``"shape.SYMBOL"``: (offset after it or BAD, shape, instrument or negative). The symbol is the frame's."""
    end = text_at(a, i, n)
    if end < 0:
        return BAD, 0, -1
    dot = find_byte(a, i + 1, end - 1, _DOT)
    put_word(ctx, hot.C_NAME, a + dot + 1)
    put_word(ctx, hot.C_NAME_BYTES, end - 2 - dot)
    instrument = found(word_at(ctx, hot.C_ROW_SYMBOLS), a + dot + 1, end - 2 - dot)
    return end, _shape(table, a, i + 1, n, dot - 1 - i), instrument


@njit
def _levels(ctx: int, a: int, i: int, n: int, start: int, side: int, extra: int) -> int:
    """Levels behind ``start`` others, of which :data:`layout.LEVELS` is told how many there are then. Offset or BAD."""
    out_of_line()
    i, count = levels(a, i, n, word_at(ctx, hot.C_BATCH), word_at(ctx, hot.C_CAPACITY), start, side, extra)
    put_word(ctx, hot.C_SLOTS + at.LEVELS, count)
    return i


@njit
def walk(ctx: int, a: int, n: int, ts_recv: int) -> int:
    """Records made of the frame of ``n`` bytes at ``a``, BAD if it is not the table's."""
    table = word_at(ctx, hot.C_TABLE)
    start = space(a, 0, n)
    root = table + word_at(table, at.T_ROOT) * 8
    shape = 0
    if word_at(table, at.T_INSIDE) != 0:
        i, _ = enter(a, start, n, _OBJECT)
        key = i + 1
        i, length = _key(a, i, n)
        if i < 0:
            return BAD
        if _entry(table, root, a, key, n, length) == 0:  # no envelope: the object itself
            shape = _named(table, a, start, n)
            if shape == 0 or word_at(shape, at.N_SCOPE) == 0:
                return BAD
            root = table + word_at(shape, at.N_SCOPE) * 8
    later = np.int64(0)
    records, later, shape = _pass(ctx, table, root, shape, a, start, n, ts_recv)
    if records >= 0 and later != 0:  # the data came before its name
        if shape == 0:
            return BAD
        records, later, shape = _pass(ctx, table, root, shape, a, start, n, ts_recv)
    return records


@njit
def _pass(
    ctx: int, table: int, root: int, shape: int, a: int, start: int, n: int, ts_recv: int
) -> tuple[int, int, int]:
    """(records or BAD, 1 if the data was passed over for want of its shape, the shape)."""
    out_of_line()
    stack = ctx + hot.C_STACK * 8
    scope = root
    depth = seen = have = first = records = later = plain(0)
    books = False  # the bids are in the batch
    waiting = plain(-1)  # where asks begin that came before the bids
    extra = plain(0)  # elements of their levels behind price and size
    frame_instrument = instrument = plain(-1)
    i, going = enter(a, start, n, _OBJECT)
    if i < 0:
        return BAD, 0, 0
    while True:
        if not going:
            required = word_at(scope, at.S_REQUIRED)
            if seen & required != required:
                return BAD, 0, 0
            if waiting >= 0 and books:
                if _levels(ctx, a, waiting, n, word_at(ctx, hot.C_SLOTS + at.LEVELS), plain(_ASK), extra) < 0:
                    return BAD, 0, 0
                waiting = -1
            if word_at(scope, at.S_PROGRAM) != 0:
                program = table + word_at(scope, at.S_PROGRAM) * 8
                records = run(ctx, program, have, instrument, records, ts_recv)
                if records < 0:
                    return BAD, 0, 0
            if word_at(scope, at.S_FLAGS) & at.OWNER:
                records = own(ctx, instrument, first, records, word_at(scope, at.S_FLAGS))
                if records < 0:
                    return BAD, 0, 0
            if depth == 0:
                break
            depth -= 1
            frame = stack + depth * _STACK_WORDS * 8
            if word_at(frame, _IN_LIST):
                i, going = more(a, i, n, _ARRAY)
                if going:  # the next object of the list
                    depth += 1
                    have &= ~word_at(scope, at.S_CLEARS)
                    seen = 0
                    first = records
                    if word_at(table, at.T_INSIDE) != 0 and depth == 1 and _named(table, a, i, n) != shape:
                        return BAD, 0, 0
                    i, going = enter(a, i, n, _OBJECT)
                    if i < 0:
                        return BAD, 0, 0
                    continue
                if i < 0:
                    return BAD, 0, 0
            scope = word_at(frame, _SCOPE)
            seen = word_at(frame, _SEEN)
            first = word_at(frame, _FIRST)
            i, going = more(a, i, n, _OBJECT)
            if i < 0:
                return BAD, 0, 0
            continue
        key = i + 1
        i, length = _key(a, i, n)
        if i < 0:
            return BAD, 0, 0
        entry = _entry(table, scope, a, key, n, length)
        if entry == 0:
            if byte_at(a, i) == _QUOTE:
                i, _ = string(a, i + 1, n)
            else:
                i = skip(a, i, n, DEPTH)
        else:
            bit = word_at(entry, at.K_BIT)
            form = word_at(entry, at.K_FORM)
            slot = word_at(entry, at.K_SLOT)
            if seen & bit:
                return BAD, 0, 0  # the same key twice is the typed path's to judge
            seen |= bit
            if form < at.OTHER_FORMS:
                end = number_at(ctx, a, i, n, form, slot)
                if end == ABSENT:
                    i += 2
                else:
                    i = end
                    have |= 1 << slot
            elif form == at.SYMBOL:
                end = text_at(a, i, n)
                if end < 0:
                    return BAD, 0, 0
                instrument = found(word_at(ctx, hot.C_ROW_SYMBOLS + slot), a + i + 1, end - 2 - i)
                if instrument < 0:
                    return BAD, 0, 0
                i = end
            elif form == at.SAME_SYMBOL:
                end = text_at(a, i, n)
                if end < 0 or not same_symbol(ctx, a, i, end):
                    return BAD, 0, 0
                i = end
            elif form == at.WORD:
                i = choice_at(ctx, a, i, n, table + word_at(entry, at.K_ARG) * 8, slot)
                have |= 1 << slot
            elif form == at.TEXT:
                i = text_at(a, i, n)
            elif form == at.NAME:
                end = text_at(a, i, n)
                if end < 0:
                    return BAD, 0, 0
                shape = _shape(table, a, i + 1, n, end - 2 - i)
                if shape == 0:
                    return BAD, 0, 0
                i = end
            elif form == at.TOPIC:
                i, shape, frame_instrument = _topic(ctx, table, a, i, n)
                instrument = frame_instrument
                if shape == 0:
                    return BAD, 0, 0
            elif form == at.ID:
                i, identity = integer(a, i, n)
                if identity < -1:
                    return BAD, 0, 0
                put_word(ctx, hot.C_SLOTS + slot, identity)
                have |= 1 << slot
            elif form == at.BIDS:
                if records != 0 or books:
                    return BAD, 0, 0
                books = True
                i = _levels(ctx, a, i, n, plain(0), plain(_BID), slot)
            elif form == at.ASKS:
                if books:
                    i = _levels(ctx, a, i, n, word_at(ctx, hot.C_SLOTS + at.LEVELS), plain(_ASK), slot)
                else:
                    waiting = i
                    extra = slot
                    i = skip(a, i, n, DEPTH)
            elif form == at.OBJECT or form == at.LIST or form == at.DATA:
                inner = table + word_at(entry, at.K_ARG) * 8
                listed = byte_at(a, i) == _ARRAY - 2
                if form == at.DATA:
                    if shape == 0 and word_at(table, at.T_INSIDE) != 0:
                        shape = _named(table, a, space(a, i + 1, n) if listed else i, n)
                        if shape == 0:
                            return BAD, 0, 0
                    if shape == 0:
                        later = 1
                        inner = table
                    else:
                        flags = word_at(shape, at.N_FLAGS)
                        inner = table + word_at(shape, at.N_SCOPE) * 8
                        if flags & at.BLOCKED and word_at(ctx, word_at(table, at.T_BLOCK)) != 0:
                            return BAD, 0, 0
                        if inner != table and flags & (at.LIST_SHAPE if listed else at.OBJECT_SHAPE) == 0:
                            return BAD, 0, 0
                elif listed != (form == at.LIST):
                    return BAD, 0, 0
                if inner == table:  # nothing to be read there
                    i = skip(a, i, n, DEPTH)
                else:
                    going = True
                    if listed:
                        i, going = enter(a, i, n, _ARRAY)
                        if i < 0:
                            return BAD, 0, 0
                    if going:
                        if depth == at.MAX_DEPTH:
                            return BAD, 0, 0
                        frame = stack + depth * _STACK_WORDS * 8
                        put_word(frame, _SCOPE, scope)
                        put_word(frame, _SEEN, seen)
                        put_word(frame, _FIRST, first)
                        put_word(frame, _IN_LIST, 1 if listed else 0)
                        depth += 1
                        scope = inner
                        seen = 0
                        first = records
                        have &= ~word_at(scope, at.S_CLEARS)
                        i, going = enter(a, i, n, _OBJECT)
                        if i < 0:
                            return BAD, 0, 0
                        continue
            else:
                return BAD, 0, 0
        if i < 0:
            return BAD, 0, 0
        if i + 1 < n and byte_at(a, i) == _COMMA and byte_at(a, i + 1) == _QUOTE:
            i += 1
        else:
            i, going = more(a, i, n, _OBJECT)
            if i < 0:
                return BAD, 0, 0
    if space(a, i, n) != n or waiting >= 0:
        return BAD, 0, 0
    if word_at(table, at.T_NAME_COUNT) == 0:  # the answer to a question: its one shape is the root
        return own(ctx, word_at(ctx, hot.C_INSTRUMENT), plain(0), records, plain(0)), 0, 0
    if later != 0 or shape == 0:
        return 0, later, shape
    flags = word_at(shape, at.N_FLAGS)
    if flags & at.WHOLE_FRAME:
        if frame_instrument < 0:
            return BAD, 0, 0
        if word_at(shape, at.N_PROGRAM) != 0:
            records = run(ctx, table + word_at(shape, at.N_PROGRAM) * 8, have, frame_instrument, records, ts_recv)
            if records < 0:
                return BAD, 0, 0
        records = own(ctx, frame_instrument, plain(0), records, plain(0))
    if records == 0 and flags & at.NOT_EMPTY:
        return BAD, 0, 0
    return records, 0, shape
