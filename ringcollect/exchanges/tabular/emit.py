"""From slots to records: the steps and records of a program, and whose the records are.

Steps, by operation: POSITIVE x and NONZERO x: forget slot x unless it is. OR_ELSE x y: x is y where x is not there.
DIFFERENCE x y z: x is y - z, not below 0, where y is there. HOURS x: so many hours as ns, forgotten unless 1 to 9999.
OWN_INTERVAL x: the instrument's funding interval where x is not there. RESET x: forget the state if x is 1. MERGE x y:
slots x to y - 1 into the instrument's state, and what only the state has into them. HALF x: half of a number.
"""

from __future__ import annotations

import math

from ringcollect.decode.memory import bits_float, float_bits, out_of_line, plain, put_word, word_at
from ringcollect.exchanges import hot
from ringcollect.exchanges.tabular import layout as at
from ringcollect.jit import inlined, njit
from ringcollect.records import (
    RECORD_WORDS,
    W_AUX,
    W_ID,
    W_PRICE,
    W_SEQ,
    W_SIZE,
    W_TAIL,
    W_TS_EVENT,
    W_TS_RECV,
    Flag,
    Kind,
)

_F_LAST, _F_CLEAR, _NAN = int(Flag.LAST), int(Flag.CLEAR), math.nan
_BOOK = int(Kind.BOOK_SNAPSHOT)
_HOUR_NS, _MOST_HOURS = 3600 * 1_000_000_000, 9_999
_RECORD_BYTES = RECORD_WORDS * 8


@inlined
def _slot(ctx: int, slot: int) -> int:
    return word_at(ctx, hot.C_SLOTS + slot)


@njit
def _step(ctx: int, step: int, have: int, instrument: int) -> int:
    """One step; which slots are there after it."""
    out_of_line()
    operation = word_at(step, 0)
    x = word_at(step, 1)
    y = word_at(step, 2)
    bit = 1 << x
    there = have & bit != 0
    if operation == at.POSITIVE:
        if there and not bits_float(_slot(ctx, x)) > 0.0:
            have &= ~bit
    elif operation == at.NONZERO:
        if there and _slot(ctx, x) == 0:
            have &= ~bit
    elif operation == at.OR_ELSE:
        if not there and have & 1 << y:
            put_word(ctx, hot.C_SLOTS + x, _slot(ctx, y))
            have |= bit
    elif operation == at.DIFFERENCE:
        if have & 1 << y:
            put_word(ctx, hot.C_SLOTS + x, max(0, _slot(ctx, y) - _slot(ctx, word_at(step, 3))))
            have |= bit
    elif operation == at.HOURS:
        if there and 0 < _slot(ctx, x) <= _MOST_HOURS:
            put_word(ctx, hot.C_SLOTS + x, _slot(ctx, x) * _HOUR_NS)
        else:
            have &= ~bit
    elif operation == at.OWN_INTERVAL:
        if not there:
            put_word(ctx, hot.C_SLOTS + x, word_at(word_at(ctx, hot.C_INTERVALS), instrument))
            have |= bit
    elif operation == at.RESET:
        if there and _slot(ctx, x) == 1:
            put_word(word_at(ctx, hot.C_STATE), instrument * at.STATE_WORDS, 0)
    elif operation == at.MERGE:
        state = word_at(ctx, hot.C_STATE) + instrument * at.STATE_WORDS * 8
        known = word_at(state, 0)
        for k in range(x, y):
            if have & 1 << k:
                put_word(state, 1 + k - x, _slot(ctx, k))
            elif known & 1 << (k - x):
                put_word(ctx, hot.C_SLOTS + k, word_at(state, 1 + k - x))
                have |= 1 << k
        put_word(state, 0, (have >> x) & ((1 << (y - x)) - 1))
    elif operation == at.HALF and there:
        put_word(ctx, hot.C_SLOTS + x, float_bits(bits_float(_slot(ctx, x)) / 2.0))
    return have


@inlined
def _number(ctx: int, slot: int, have: int) -> int:
    """The bits of a price or size; NaN where there is none."""
    return _slot(ctx, slot) if slot >= 0 and have & 1 << slot else float_bits(_NAN)


@inlined
def _count(ctx: int, slot: int, have: int) -> int:
    return _slot(ctx, slot) if slot >= 0 and have & 1 << slot else 0


@njit
def _record(ctx: int, one: int, have: int, to: int, ts_recv: int) -> None:
    """The record that entry ``one`` describes, at address ``to``, but for its instrument."""
    out_of_line()
    time = _count(ctx, word_at(one, at.R_TIME), have)
    aux = word_at(one, at.R_AUX)
    put_word(to, W_SEQ, 0)
    put_word(to, W_TS_EVENT, time)
    put_word(to, W_TS_RECV, ts_recv)
    put_word(to, W_PRICE, _number(ctx, word_at(one, at.R_PRICE), have))
    put_word(to, W_SIZE, _number(ctx, word_at(one, at.R_SIZE), have))
    put_word(to, W_ID, _count(ctx, word_at(one, at.R_ID), have))
    if aux == at.NOT_A_NUMBER:
        put_word(to, W_AUX, float_bits(_NAN))
    else:
        put_word(to, W_AUX, word_at(one, at.R_SUB) if aux == at.AS_SUB else _count(ctx, aux, have))
    side = _count(ctx, word_at(one, at.R_SIDE), have) & 0xFF
    flags = word_at(one, at.R_FLAGS) | hot.bad_ts_flag(ctx, time, ts_recv)
    tail = word_at(ctx, hot.C_CONN) << 16 | word_at(one, at.R_SUB) << 24 | word_at(one, at.R_KIND) << 32
    put_word(to, W_TAIL, tail | side << 40 | flags << 48)


@njit
def _book(ctx: int, one: int, have: int, ts_recv: int) -> int:
    """A whole book, whose levels are in the batch already; of an empty one the record that says so. How many."""
    out_of_line()
    batch = word_at(ctx, hot.C_BATCH)
    count = _slot(ctx, at.LEVELS)
    if count == 0:
        put_word(batch, W_PRICE, float_bits(_NAN))
        put_word(batch, W_SIZE, 0)
        put_word(batch, W_TAIL, 0)
        count = 1
    time = _count(ctx, word_at(one, at.R_TIME), have)
    identity = _count(ctx, word_at(one, at.R_ID), have)
    flags = word_at(one, at.R_FLAGS) | hot.bad_ts_flag(ctx, time, ts_recv)
    tail = word_at(ctx, hot.C_CONN) << 16 | _BOOK << 32 | flags << 48
    for r in range(count):
        record = batch + r * _RECORD_BYTES
        put_word(record, W_SEQ, 0)
        put_word(record, W_TS_EVENT, time)
        put_word(record, W_TS_RECV, ts_recv)
        put_word(record, W_ID, identity)
        put_word(record, W_AUX, -1)
        put_word(record, W_TAIL, tail | (word_at(record, W_TAIL) & 0xFF) << 40)
    put_word(batch, W_TAIL, word_at(batch, W_TAIL) | _F_CLEAR << 48)
    return count


@njit
def run(ctx: int, program: int, have: int, instrument: int, records: int, ts_recv: int) -> int:
    """A program over the slots that are there (bits of ``have``): records in the batch after it, or -1.

    ``instrument`` may be unknown (negative) where no step asks for it.
    """
    out_of_line()
    news = have
    step = program + at.PROGRAM_WORDS * 8
    for _ in range(word_at(program, at.P_STEPS)):
        if instrument < 0 and word_at(step, 0) >= at.OWN_INTERVAL and word_at(step, 0) <= at.MERGE:
            return -1
        have = _step(ctx, step, have, instrument)
        step += at.STEP_WORDS * 8
    one = step
    for _ in range(word_at(program, at.P_RECORDS)):
        need = word_at(one, at.R_NEED)
        wanted = word_at(one, at.R_NEWS)
        if have & need == need and have & word_at(one, at.R_FORBID) == 0 and (wanted == 0 or news & wanted != 0):
            if word_at(one, at.R_KIND) == _BOOK:
                if records != 0:
                    return -1
                records = _book(ctx, one, have, ts_recv)
            else:
                if records >= word_at(ctx, hot.C_CAPACITY):
                    return -1
                _record(ctx, one, have, word_at(ctx, hot.C_BATCH) + records * _RECORD_BYTES, ts_recv)
                records += 1
        one += at.RECORD_ENTRY_WORDS * 8
    return records


@njit
def _give(ctx: int, first: int, end: int, instrument: int) -> None:
    """Records ``first`` to ``end`` are the instrument's; those of one kind that follow each other are one batch."""
    batch = word_at(ctx, hot.C_BATCH)
    following = plain(-1)
    for k in range(end - first):
        record = batch + (end - 1 - k) * _RECORD_BYTES
        tail = word_at(record, W_TAIL)
        kind = tail >> 32 & 0xFF
        put_word(record, W_TAIL, tail | instrument | (_F_LAST << 48 if kind != following else 0))
        following = kind


@njit
def own(ctx: int, symbol: int, first: int, records: int, flags: int) -> int:
    """The records from ``first`` on are those of ``symbol``, or of everyone in its group: how many there are, or -1."""
    out_of_line()
    if records == first:
        return records
    if symbol < 0:
        return -1
    if flags & at.GROUP == 0:
        _give(ctx, first, records, symbol)
        return records
    group = word_at(ctx, hot.C_GROUPS)
    member = group + word_at(group, symbol) * 8  # count, then instruments
    count = records - first
    members = word_at(member, 0)
    batch = word_at(ctx, hot.C_BATCH)
    if first + count * members > word_at(ctx, hot.C_CAPACITY):
        return -1
    for m in range(1, members):
        for w in range(count * RECORD_WORDS):
            put_word(batch, (first + m * count) * RECORD_WORDS + w, word_at(batch, first * RECORD_WORDS + w))
    for m in range(members):
        _give(ctx, first + m * count, first + (m + 1) * count, word_at(member, 1 + m))
    return first + count * members
