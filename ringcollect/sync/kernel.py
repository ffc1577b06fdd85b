"""The kernel of the synchronizer: ``consume`` takes records in, and closes the stream at its end.

It works on the arrays of layout.py and nothing else, and may stop early (a full output, an array to grow, an
instrument to look up): called again with the same record it goes on exactly there. A record is therefore taken in in
steps that may be repeated: stream time, rows due, the clock, the record itself.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import plain
from ringcollect.jit import njit
from ringcollect.records import W_TAIL, W_TS_RECV, WHOLE_EXCHANGE
from ringcollect.sync.apply import apply_update, settle
from ringcollect.sync.arrays import BOOKS, FLOATS, INTS, OUT, PARAMS, POOL, RECORDS, SHARED, WIDE, array_at
from ringcollect.sync.batches import take_levels
from ringcollect.sync.chain import doubt, unchain, void
from ringcollect.sync.clocks import drives
from ringcollect.sync.emit import PARTIAL, advance
from ringcollect.sync.grid import is_outlier, record_time, ripe_period
from ringcollect.sync.ingest import ingest
from ringcollect.sync.layout import (
    B_LAST,
    C_BOOK,
    DONE,
    G_ANCHORED,
    G_ARGUMENT,
    G_CLOCK_OUTLIERS,
    G_CODE,
    G_CONSUMED,
    G_FINAL,
    G_FLOOR,
    G_FREE,
    G_FRESH,
    G_INSTRUMENTS,
    G_LOST,
    G_NOW,
    G_PERIOD,
    G_RECORDS,
    G_REFUSED,
    G_ROWS,
    G_SWEEP,
    G_TORN,
    GROUP_N,
    GROW_POOL,
    I_ANCHORED,
    I_DOUBT,
    I_EFFECTIVE,
    I_EVENTS_HEAD,
    I_EXCLUDED,
    I_FINAL_ROW,
    I_LOST_OPEN,
    I_PERIOD,
    I_RECV,
    I_SEEN,
    I_SEQ_GAPS,
    I_STALE,
    I_TRUSTED,
    I_UPDATES_HEAD,
    K_STATUS,
    MODE_EXTERNAL,
    MODE_ORDERBOOK,
    NEED_INSTRUMENT,
    P_GRID,
    P_GROUPS,
    P_HOLD_BACK,
    P_MAX_LATENCY,
    P_MODE,
    POOL_NEXT,
    POOL_TIME,
    S_DISCONNECTED,
    S_INSTRUMENT_CHANGED,
    S_INSTRUMENT_NEW,
    S_SEQ_GAP,
    S_STALE,
    S_START,
    S_TICK,
)
from ringcollect.sync.pool import hold
from ringcollect.sync.silence import note_silence


@njit
def anchor(row: np.ndarray, at: int, shared: np.ndarray) -> None:
    """G4: the clock stands at ``at`` (not before the floor a resumed stream has); its rows count as emitted."""
    row[I_ANCHORED] = 1
    row[I_PERIOD] = max(at, shared[G_FLOOR])


@njit
def _sweep(
    to: int,
    ints: np.ndarray,
    floats: np.ndarray,
    books: np.ndarray,
    pool: np.ndarray,
    params: np.ndarray,
    shared: np.ndarray,
    wide: np.ndarray,
    out: np.ndarray,
) -> int:
    """Bring every anchored instrument to period ``to``."""
    while shared[G_SWEEP] < shared[G_INSTRUMENTS]:
        i = shared[G_SWEEP]
        if ints[i, I_ANCHORED]:
            code = advance(i, to, ints[i], floats[i], books, pool, params, shared, wide, out, plain(0))
            if code != 0:
                return code
        shared[G_SWEEP] += 1
    shared[G_SWEEP] = 0
    return 0


@njit
def _on_time(
    is_tick: bool,
    ints: np.ndarray,
    floats: np.ndarray,
    books: np.ndarray,
    pool: np.ndarray,
    params: np.ndarray,
    shared: np.ndarray,
    wide: np.ndarray,
    out: np.ndarray,
) -> int:
    """Rows due by stream time: all of them in ExternalClock, in driven modes those a stalled driver holds (G21)."""
    if params[P_MODE] != MODE_EXTERNAL:
        if params[P_MAX_LATENCY] <= 0:
            return 0
        to = max(shared[G_NOW] - params[P_MAX_LATENCY], 0) // params[P_GRID]
    elif shared[G_ANCHORED] and shared[G_NOW] - params[P_HOLD_BACK] < (shared[G_PERIOD] + 1) * params[P_GRID]:
        return 0
    else:
        to = ripe_period(shared[G_NOW], params)
        if not shared[G_ANCHORED]:
            if to > 0 or is_tick:
                shared[G_ANCHORED] = 1
                shared[G_PERIOD] = to
                for i in range(shared[G_INSTRUMENTS]):
                    if ints[i, I_SEEN]:
                        anchor(ints[i], to, shared)
            return 0
    if to > shared[G_PERIOD]:
        code = _sweep(to, ints, floats, books, pool, params, shared, wide, out)
        if code != 0:
            return code
        shared[G_PERIOD] = to
    return 0


@njit
def _start(
    ints: np.ndarray, floats: np.ndarray, books: np.ndarray, pool: np.ndarray, params: np.ndarray, shared: np.ndarray,
    record: np.ndarray,
) -> int:  # fmt: skip
    """A producer started: every book is void after its last update, in ring order behind what waits."""
    count = shared[G_INSTRUMENTS]
    if shared[G_FREE] < count:
        return GROW_POOL
    for i in range(count):
        row = ints[i]
        if row[I_DOUBT]:
            void(row, floats[i], pool, shared)  # what waits may lack records: no row can trust it
        unchain(row)
        if row[I_UPDATES_HEAD] >= 0:
            hold(record, row[I_EFFECTIVE], row, plain(I_UPDATES_HEAD), shared, pool)
        elif row[I_TRUSTED]:
            apply_update(record, row[I_EFFECTIVE], row, floats[i], books, params, shared)
    return 0


@njit
def _status(
    record: np.ndarray,
    ints: np.ndarray,
    floats: np.ndarray,
    books: np.ndarray,
    pool: np.ndarray,
    params: np.ndarray,
    shared: np.ndarray,
) -> int:
    tail = record[W_TAIL]
    instrument = tail & 0xFFFF
    sub = (tail >> 24) & 0xFF
    if sub == S_START and instrument == WHOLE_EXCHANGE:
        return _start(ints, floats, books, pool, params, shared, record)
    if (sub in (S_DISCONNECTED, S_STALE)) and (tail >> 40) & 0xFF == C_BOOK and instrument < shared[G_INSTRUMENTS]:
        ints[instrument, I_STALE] = 1
    elif sub == S_SEQ_GAP and instrument < shared[G_INSTRUMENTS]:
        ints[instrument, I_SEQ_GAPS] += 1
    return 0


@njit
def _drive(
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
    """Move the instrument's clock if this record drives it (G3 to G6); the record itself is taken in afterwards."""
    if not drives(record, params) or is_outlier(record, params):
        return 0
    time = record_time(record, params)
    if row[I_ANCHORED] and time - params[P_HOLD_BACK] < (row[I_PERIOD] + 1) * params[P_GRID]:
        return 0
    to = ripe_period(time, params)
    if not row[I_ANCHORED]:
        anchor(row, to, shared)
        return 0
    return advance(instrument, to, row, values, books, pool, params, shared, wide, out, plain(0))


@njit
def _take(
    record: np.ndarray,
    ints: np.ndarray,
    floats: np.ndarray,
    books: np.ndarray,
    pool: np.ndarray,
    params: np.ndarray,
    shared: np.ndarray,
    wide: np.ndarray,
    out: np.ndarray,
) -> int:
    """One record; 0 when it is taken in, else what is needed before it is tried again."""
    tail = record[W_TAIL]
    instrument = tail & 0xFFFF
    is_status = (tail >> 32) & 0xFF == K_STATUS
    sub = (tail >> 24) & 0xFF
    if instrument != WHOLE_EXCHANGE:
        renewed = is_status and (sub in (S_INSTRUMENT_NEW, S_INSTRUMENT_CHANGED))
        if instrument >= shared[G_INSTRUMENTS] or (renewed and not shared[G_FRESH]):
            shared[G_ARGUMENT] = instrument
            return NEED_INSTRUMENT
    if shared[G_FINAL]:
        shared[G_REFUSED] += 0 if is_status else 1
        return 0
    shared[G_NOW] = max(shared[G_NOW], record[W_TS_RECV])
    code = _on_time(is_status and sub == S_TICK, ints, floats, books, pool, params, shared, wide, out)
    if code != 0:
        return code
    if is_status:
        code = _status(record, ints, floats, books, pool, params, shared)
    elif instrument != WHOLE_EXCHANGE and not ints[instrument, I_EXCLUDED]:
        row, values = ints[instrument], floats[instrument]
        row[I_SEEN] = 1
        row[I_RECV] = max(row[I_RECV], record[W_TS_RECV])
        if shared[G_ANCHORED] and not row[I_ANCHORED]:
            anchor(row, shared[G_PERIOD], shared)
        code = _drive(record, instrument, row, values, books, pool, params, shared, wide, out)
        if code == 0:
            code = ingest(record, instrument, row, values, books, pool, params, shared, wide, out)
        if code == 0 and params[P_GROUPS] & GROUP_N:
            note_silence(record, row, params)
        if code == 0 and params[P_MODE] != MODE_EXTERNAL and row[I_ANCHORED]:
            # G21: from the next record on, rows of this instrument may be released too.
            shared[G_PERIOD] = min(shared[G_PERIOD], row[I_PERIOD])
        # An outlier counts once per stamp: the levels of a book batch share theirs.
        ends = params[P_MODE] != MODE_ORDERBOOK or (tail >> 48) & B_LAST != 0
        if code == 0 and ends and is_outlier(record, params) and drives(record, params):
            shared[G_CLOCK_OUTLIERS] += 1
    if code == 0:
        shared[G_FRESH] = 0
        if (tail >> 48) & B_LAST:
            shared[G_TORN] = 0
    return code


@njit
def _last_row(row: np.ndarray, pool: np.ndarray, params: np.ndarray) -> int:
    """The highest row a waiting record belongs to, at least the open one (G15)."""
    last = row[I_PERIOD] + 1
    for head in (I_UPDATES_HEAD, I_EVENTS_HEAD):
        slot = row[head]
        while slot >= 0:
            last = max(last, pool[slot, POOL_TIME] // params[P_GRID] + 1)
            slot = pool[slot, POOL_NEXT]
    return last


@njit
def _finish(
    ints: np.ndarray, floats: np.ndarray, books: np.ndarray, pool: np.ndarray, params: np.ndarray, shared: np.ndarray,
    wide: np.ndarray, out: np.ndarray,
) -> int:  # fmt: skip
    """G14, G15: emit every remaining row of every anchored instrument, flagged PARTIAL; later records are refused."""
    while not shared[G_FINAL] and shared[G_SWEEP] < shared[G_INSTRUMENTS]:
        i = shared[G_SWEEP]
        row = ints[i]
        if row[I_ANCHORED]:
            to = row[I_FINAL_ROW]
            if to == 0:
                code = settle(i, row, floats[i], books, pool, params, shared)
                if code != DONE:
                    return code
                to = _last_row(row, pool, params)
                row[I_FINAL_ROW] = to
            code = advance(i, to, row, floats[i], books, pool, params, shared, wide, out, plain(PARTIAL))
            if code == DONE:
                code = settle(i, row, floats[i], books, pool, params, shared)
            if code != DONE:
                return code
        shared[G_SWEEP] += 1
    shared[G_SWEEP] = 0
    shared[G_FINAL] = 1
    return DONE


@njit
def consume(context: np.ndarray, closes: bool) -> int:
    """Take in the records of ``context`` and write rows from the first line of its output on.

    With ``closes`` the stream is over instead (:func:`_finish`): called until it returns DONE, and a finished stream
    stays as it is. Both are one kernel, so that what they share is compiled once.

    Returns how it ended (DONE, OUT_FULL, GROW_POOL, GROW_BOOK, NEED_INSTRUMENT); ``shared`` holds how many records
    were consumed, how many rows were written, and which instrument it is about.
    """
    records, out = array_at(context, RECORDS), array_at(context, OUT)
    params, shared = array_at(context, PARAMS)[0], array_at(context, SHARED)[0]
    ints, floats = array_at(context, INTS), array_at(context, FLOATS).view(np.float64)
    books, pool = array_at(context, BOOKS).view(np.float64), array_at(context, POOL)
    wide = array_at(context, WIDE)[0].view(np.float64)
    shared[G_ROWS] = 0
    if closes:
        return _finish(ints, floats, books, pool, params, shared, wide, out)
    code = DONE
    position = 0
    while position < records.shape[0]:
        code = _take(records[position], ints, floats, books, pool, params, shared, wide, out)
        if code != DONE:
            break
        shared[G_RECORDS] += 1
        position += 1 + take_levels(records, position, ints, floats, books, pool, params, shared)
    shared[G_CONSUMED] = position
    shared[G_CODE] = code
    return code


@njit
def lose(context: np.ndarray, count: int) -> None:
    """``count`` records of the ring were lost before the next one: rows are marked, every book is in doubt."""
    shared, ints = array_at(context, SHARED)[0], array_at(context, INTS)
    shared[G_LOST] += count
    shared[G_TORN] = 1
    for i in range(shared[G_INSTRUMENTS]):
        doubt(ints[i])
        ints[i, I_LOST_OPEN] = 1
