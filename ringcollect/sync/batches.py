"""The levels of a batch behind one that was taken in: what was decided for it holds for them, so they go in at once.

Records of one batch share instrument, times, id and flags. Once a level of it was taken in, stream time, the clock, the
chain and the row it belongs to give the same answers for the next one: either all of them are applied as they come, and
only the book changes, or all of them wait. LAST, CLEAR, GAP and every doubt take the ordinary way, record by record.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import address_of, plain
from ringcollect.jit import njit
from ringcollect.records import RECORD_WORDS, W_AUX, W_ID, W_TAIL, W_TS_EVENT, W_TS_RECV
from ringcollect.sync.grid import is_outlier, record_time
from ringcollect.sync.ingest import waits
from ringcollect.sync.layout import (
    B_CLEAR,
    B_GAP,
    B_LAST,
    B_UNSYNCED,
    G_ANCHORED,
    G_FINAL,
    G_FREE,
    G_INSTRUMENTS,
    G_LATE_UPDATES,
    G_NOW,
    G_PERIOD,
    G_RECORDS,
    I_ANCHORED,
    I_BIN_UPDATES,
    I_BROKEN,
    I_EFFECTIVE,
    I_EVENTS_MIN,
    I_EXCLUDED,
    I_HELD,
    I_IN_BATCH,
    I_LAST_ID,
    I_LATE_UPDATES,
    I_PERIOD,
    I_UPDATES_HEAD,
    K_DELTA,
    K_SNAPSHOT,
    MODE_EXTERNAL,
    NO_FLOW,
    P_GRID,
    P_HOLD_BACK,
    P_MAX_HELD,
    P_MAX_LATENCY,
    P_MODE,
)
from ringcollect.sync.pool import hold_run
from ringcollect.sync.run_of_levels import set_levels

_LOOKED_AT = (B_LAST | B_CLEAR | B_GAP | B_UNSYNCED) << 48
_SUB = 0xFF << 24
_SIDE = 0xFF << 40


@njit
def _nothing_is_due(params: np.ndarray, shared: np.ndarray) -> bool:
    """Whether no row of any instrument comes out before stream time moves."""
    if params[P_MODE] == MODE_EXTERNAL:
        ripe = (shared[G_PERIOD] + 1) * params[P_GRID]
        return shared[G_ANCHORED] != 0 and shared[G_NOW] - params[P_HOLD_BACK] < ripe
    latency = params[P_MAX_LATENCY]
    return latency <= 0 or max(shared[G_NOW] - latency, 0) // params[P_GRID] <= shared[G_PERIOD]


@njit
def _speaks_for_others(record: np.ndarray, row: np.ndarray, params: np.ndarray) -> bool:
    """Whether ``record``, just taken in, is a level of an open batch that was accepted."""
    tail = record[W_TAIL]
    if tail & (_LOOKED_AT | _SUB) or not tail & _SIDE or (tail >> 32) & 0xFF not in (K_DELTA, K_SNAPSHOT):
        return False
    if row[I_EXCLUDED] or row[I_BROKEN] or not row[I_IN_BATCH] or record[W_ID] != row[I_LAST_ID]:
        return False
    return row[I_ANCHORED] != 0 and not is_outlier(record, params)


@njit
def _same_batch(records: np.ndarray, before: int) -> int:
    """How many records behind the one at ``before`` differ from it in side, price and size only."""
    first = records[before]
    tail = first[W_TAIL]
    stop = before + 1
    while stop < records.shape[0]:
        record = records[stop]
        if (record[W_TAIL] ^ tail) & ~_SIDE or not record[W_TAIL] & _SIDE:
            break
        if record[W_ID] != first[W_ID] or record[W_AUX] != first[W_AUX]:
            break
        if record[W_TS_EVENT] != first[W_TS_EVENT] or record[W_TS_RECV] != first[W_TS_RECV]:
            break
        stop += 1
    return stop - before - 1


@njit
def take_levels(
    records: np.ndarray,
    before: int,
    ints: np.ndarray,
    floats: np.ndarray,
    books: np.ndarray,
    pool: np.ndarray,
    params: np.ndarray,
    shared: np.ndarray,
) -> int:
    """Take in the records of the same batch that follow the one at ``before``; how many."""
    first = records[before]
    tail = first[W_TAIL]
    instrument = tail & 0xFFFF
    if instrument >= shared[G_INSTRUMENTS] or shared[G_FINAL] or not _nothing_is_due(params, shared):
        return 0
    row = ints[instrument]
    if not _speaks_for_others(first, row, params):
        return 0
    held = waits(row[I_EFFECTIVE], row, params)
    if not held and (row[I_UPDATES_HEAD] >= 0 or row[I_EVENTS_MIN] <= row[I_PERIOD] + 1):
        return 0
    taken = _same_batch(records, before)
    if held:
        taken = min(taken, min(shared[G_FREE], params[P_MAX_HELD] - row[I_HELD]))
    if taken <= 0:
        return 0
    if held:
        hold_run(records, before + 1, taken, row[I_EFFECTIVE], row, plain(I_UPDATES_HEAD), shared, pool)
    else:
        at = address_of(records) + 8 * RECORD_WORDS * (before + 1)
        taken = set_levels(at, plain(0), taken, row, floats[instrument], books, params, shared)
        row[I_BIN_UPDATES] += taken
    if not (tail >> 48) & NO_FLOW and record_time(first, params) < row[I_PERIOD] * params[P_GRID]:
        shared[G_LATE_UPDATES] += taken
        row[I_LATE_UPDATES] += taken
    shared[G_RECORDS] += taken
    return taken
