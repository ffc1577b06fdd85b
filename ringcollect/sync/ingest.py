"""Taking one record in: to its place now, or into the pool until its row is open."""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import out_of_line, plain
from ringcollect.jit import njit
from ringcollect.records import W_TAIL
from ringcollect.sync.apply import apply_event, apply_update, count_late_event, is_event, settle
from ringcollect.sync.book import has_room
from ringcollect.sync.chain import ACCEPT, BREAK, break_chain, follow, is_check, judge, settle_check
from ringcollect.sync.clocks import is_flow
from ringcollect.sync.emit import OVERRUN, advance
from ringcollect.sync.grid import record_time, row_of
from ringcollect.sync.layout import (
    B_GAP,
    G_ARGUMENT,
    G_FREE,
    G_LATE_UPDATES,
    G_OVERRUNS,
    GROW_BOOK,
    GROW_POOL,
    I_ANCHORED,
    I_BIN_OTHER,
    I_EFFECTIVE,
    I_EVENTS_HEAD,
    I_EVENTS_MIN,
    I_GAP_UNTIL,
    I_HELD,
    I_LATE_UPDATES,
    I_LOST_OPEN,
    I_LOST_UNTIL,
    I_PERIOD,
    I_STALE,
    I_UPDATES_HEAD,
    K_CHECK,
    K_DELTA,
    K_FUNDING,
    K_INDEX,
    K_SNAPSHOT,
    NO_FLOW,
    NO_STATE,
    P_GRID,
    P_MAX_HELD,
    POOL_NEXT,
    POOL_TIME,
    UNLIMITED,
)
from ringcollect.sync.pool import hold, pop
from ringcollect.sync.provenance import note_aside
from ringcollect.sync.snapshot import keep_event

SKIP, UPDATE, EVENT = range(3)


@njit
def role(record: np.ndarray) -> int:
    """UPDATE of the primary book, EVENT (flow or single-valued state), or SKIP (no input of any row)."""
    tail = record[W_TAIL]
    kind = (tail >> 32) & 0xFF
    sub = (tail >> 24) & 0xFF
    flags = (tail >> 48) & 0xFFFF
    if kind in (K_SNAPSHOT, K_DELTA, K_CHECK):
        return UPDATE if sub == 0 else SKIP
    if is_event(kind):
        return EVENT if is_flow(kind, sub, flags) else SKIP
    if K_FUNDING <= kind <= K_INDEX:
        return SKIP if flags & NO_STATE else EVENT
    return SKIP


@njit
def note_marks(record: np.ndarray, row: np.ndarray, params: np.ndarray) -> None:
    """Remember up to which row an input gap or a loss reaches.

    What is missing lies before this record, so every row from the open one to the record's own may lack it.
    """
    flags = (record[W_TAIL] >> 48) & 0xFFFF
    if not flags & B_GAP and not row[I_LOST_OPEN]:
        return
    number = row_of(record_time(record, params), params)
    if row[I_ANCHORED]:
        number = max(number, row[I_PERIOD] + 1)
    if flags & B_GAP:
        row[I_GAP_UNTIL] = max(row[I_GAP_UNTIL], number)
    if row[I_LOST_OPEN] and not flags & NO_FLOW:
        row[I_LOST_UNTIL] = max(row[I_LOST_UNTIL], number)
        row[I_LOST_OPEN] = 0


@njit
def _first_due(row: np.ndarray, pool: np.ndarray, params: np.ndarray) -> int:
    """The earliest row a waiting record belongs to."""
    first = row[I_EVENTS_MIN]
    head = row[I_UPDATES_HEAD]
    if head >= 0:
        first = min(first, pool[head, POOL_TIME] // params[P_GRID] + 1)
    return first


@njit
def _shed_oldest(
    row: np.ndarray, values: np.ndarray, books: np.ndarray, pool: np.ndarray, params: np.ndarray, shared: np.ndarray
) -> None:
    """Overflow before the clock is anchored: no row can be written, so the oldest waiting record goes.

    A book update is applied ahead of its time (rows that close before it carry OVERRUN), an event is dropped as
    late, a state is carried.
    """
    out_of_line()
    update, event = row[I_UPDATES_HEAD], row[I_EVENTS_HEAD]
    shared[G_OVERRUNS] += 1
    if event < 0 or (update >= 0 and pool[update, 0] < pool[event, 0]):
        apply_update(pool[update], pool[update, POOL_TIME], row, values, books, params, shared)
        pop(row, plain(I_UPDATES_HEAD), shared, pool)
        return
    if is_event((pool[event, W_TAIL] >> 32) & 0xFF):
        count_late_event(row, shared)
    else:
        apply_event(pool[event], pool[event, POOL_TIME], row, values, params, shared)
    pop(row, plain(I_EVENTS_HEAD), shared, pool)
    smallest = UNLIMITED
    slot = row[I_EVENTS_HEAD]
    while slot >= 0:
        smallest = min(smallest, pool[slot, POOL_TIME] // params[P_GRID] + 1)
        slot = pool[slot, POOL_NEXT]
    row[I_EVENTS_MIN] = smallest


@njit
def waits(time: int, row: np.ndarray, params: np.ndarray) -> bool:
    """Whether a record of this time belongs to a row that is not open yet."""
    return row[I_ANCHORED] == 0 or time >= (row[I_PERIOD] + 1) * params[P_GRID]


@njit
def _make_space(
    instrument: int,
    time: int,
    row: np.ndarray,
    values: np.ndarray,
    books: np.ndarray,
    pool: np.ndarray,
    params: np.ndarray,
    shared: np.ndarray,
    wide: np.ndarray,
    out: np.ndarray,
) -> int:
    """Bounded hold-back: while the queue is full and this record would wait, the open rows come out early."""
    out_of_line()
    while row[I_HELD] >= params[P_MAX_HELD] and waits(time, row, params):
        if row[I_ANCHORED]:
            to = min(_first_due(row, pool, params), row_of(time, params)) - 1
            code = advance(instrument, to, row, values, books, pool, params, shared, wide, out, plain(OVERRUN))
            if code != 0:
                return code
            code = settle(instrument, row, values, books, pool, params, shared)
            if code != 0:
                return code
        else:
            if not has_room(row, params):
                shared[G_ARGUMENT] = instrument
                return GROW_BOOK
            _shed_oldest(row, values, books, pool, params, shared)
    return 0


@njit
def _update(
    record: np.ndarray,
    time: int,
    row: np.ndarray,
    values: np.ndarray,
    books: np.ndarray,
    pool: np.ndarray,
    params: np.ndarray,
    shared: np.ndarray,
) -> None:
    is_news = not (record[W_TAIL] >> 48) & NO_FLOW and not is_check(record)
    if not is_check(record):
        follow(record, row)
        row[I_STALE] = 0
    if row[I_ANCHORED] and is_news and record_time(record, params) < row[I_PERIOD] * params[P_GRID]:
        shared[G_LATE_UPDATES] += 1
        row[I_LATE_UPDATES] += 1
    row[I_EFFECTIVE] = time
    if waits(time, row, params):
        hold(record, time, row, plain(I_UPDATES_HEAD), shared, pool)
    else:
        apply_update(record, time, row, values, books, params, shared)


@njit
def _event(
    record: np.ndarray,
    time: int,
    row: np.ndarray,
    values: np.ndarray,
    pool: np.ndarray,
    params: np.ndarray,
    shared: np.ndarray,
) -> None:
    if waits(time, row, params):
        hold(record, time, row, plain(I_EVENTS_HEAD), shared, pool)
        row[I_EVENTS_MIN] = min(row[I_EVENTS_MIN], row_of(time, params))
    elif time >= row[I_PERIOD] * params[P_GRID]:
        apply_event(record, time, row, values, params, shared)
        keep_event(record, time, row, values, params, shared)
    elif is_event((record[W_TAIL] >> 32) & 0xFF):
        count_late_event(row, shared)
    else:
        shared[G_LATE_UPDATES] += 1
        row[I_LATE_UPDATES] += 1
        apply_event(record, time, row, values, params, shared)


@njit
def ingest(
    record: np.ndarray,
    instrument: int,
    row: np.ndarray,
    values: np.ndarray,
    books: np.ndarray,
    pool: np.ndarray,
    params: np.ndarray,
    shared: np.ndarray,
    wide: np.ndarray,
    out: np.ndarray,
) -> int:
    """Take in one record of ``instrument`` whose clock was moved before.

    Returns 0, or what is needed before the same record can be taken in again; until then nothing has changed that
    would count twice.
    """
    code = settle(instrument, row, values, books, pool, params, shared)
    if code != 0:
        return code
    what = role(record)
    if what == SKIP:
        row[I_BIN_OTHER] += 1
        note_marks(record, row, params)
        note_aside(record, row, params)
        return 0
    time = record_time(record, params)
    verdict = ACCEPT
    if what == UPDATE:
        verdict = judge(record, row, shared)
        time = max(time, row[I_EFFECTIVE])
    if verdict == ACCEPT:
        if shared[G_FREE] == 0:
            return GROW_POOL
        if what == UPDATE and not has_room(row, params):
            shared[G_ARGUMENT] = instrument
            return GROW_BOOK
        code = _make_space(instrument, time, row, values, books, pool, params, shared, wide, out)
        if code != 0:
            return code
    note_marks(record, row, params)
    if verdict != ACCEPT:
        note_aside(record, row, params)
    if verdict == BREAK:
        break_chain(row, values, pool, shared)
    elif verdict == ACCEPT and what == UPDATE:
        _update(record, time, row, values, books, pool, params, shared)
    elif verdict == ACCEPT:
        _event(record, time, row, values, pool, params, shared)
    settle_check(row, values, pool, shared)
    return 0
