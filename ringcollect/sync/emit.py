"""Writing rows: one row, and an instrument's way to a period (G5, G6)."""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import out_of_line
from ringcollect.jit import njit
from ringcollect.sync.apply import settle
from ringcollect.sync.book import is_crossed
from ringcollect.sync.features import aggregate, observe
from ringcollect.sync.layout import (
    F_INTEREST,
    F_PREVIOUS_INTEREST,
    G_OVERRUNS,
    G_ROWS,
    G_ROWS_TOTAL,
    G_SKIPPED_ROWS,
    G_SNAPSHOTS,
    GROUP_A,
    I_APPLIED,
    I_BIN_FLAGS,
    I_BIN_LIQUIDATIONS,
    I_BIN_OTHER,
    I_BIN_STATES,
    I_BIN_TRADES,
    I_BIN_UPDATES,
    I_DOUBT,
    I_FUNDING_TS,
    I_GAP_UNTIL,
    I_INPUT_FLAGS,
    I_INTEREST_TS,
    I_JUMPED,
    I_LOST_OPEN,
    I_LOST_UNTIL,
    I_MARK_TS,
    I_PERIOD,
    I_PREVIOUS_INTEREST,
    I_SEEDED_REST,
    I_STALE,
    I_STEP_LEFT,
    I_TRUSTED,
    OUT_FULL,
    P_COLUMNS,
    P_GRID,
    P_GROUPS,
    P_MAX_GAP,
    P_SELECT,
    P_SLAB,
    P_WIDE,
    ROW_COLUMNS,
    ROW_TAIL,
    ROW_TS,
    ROW_TS_BOOK,
    ROW_TS_RECV,
)
from ringcollect.sync.provenance import known_at, open_row
from ringcollect.sync.rows import RowFlag
from ringcollect.sync.snapshot import write as write_snapshot

HAS_BOOK, HAS_TRADE, HAS_LIQ = int(RowFlag.HAS_BOOK), int(RowFlag.HAS_TRADE), int(RowFlag.HAS_LIQ)
HAS_FUNDING, HAS_OI, HAS_MARK = int(RowFlag.HAS_FUNDING), int(RowFlag.HAS_OI), int(RowFlag.HAS_MARK)
BOOK_CARRIED, GAP_FILL, PARTIAL = int(RowFlag.BOOK_CARRIED), int(RowFlag.GAP_FILL), int(RowFlag.PARTIAL)
CLOCK_JUMP, CROSSED, SEEDED = int(RowFlag.CLOCK_JUMP), int(RowFlag.CROSSED), int(RowFlag.SEEDED_BY_REST)
LOST, OVERRUN, GAP = int(RowFlag.LOST), int(RowFlag.OVERRUN), int(RowFlag.GAP)
STALE, SUSPECT = int(RowFlag.STALE), int(RowFlag.SUSPECT)


@njit
def _flags(number: int, row: np.ndarray, values: np.ndarray, books: np.ndarray, close: int) -> int:
    flags = row[I_BIN_FLAGS]
    if row[I_TRUSTED]:
        if row[I_DOUBT]:
            flags |= SUSPECT
        else:
            flags |= HAS_BOOK
            if is_crossed(row, values, books):
                flags |= CROSSED
            if row[I_SEEDED_REST]:
                flags |= SEEDED
            if row[I_BIN_UPDATES] == 0:
                flags |= BOOK_CARRIED
            if row[I_STALE]:
                flags |= STALE
            if row[I_APPLIED] >= close:
                flags |= OVERRUN  # the hold-back overflowed before the clock was anchored: a later book than due
    if row[I_BIN_TRADES] > 0:
        flags |= HAS_TRADE
    if row[I_BIN_LIQUIDATIONS] > 0:
        flags |= HAS_LIQ
    if row[I_FUNDING_TS] != 0:
        flags |= HAS_FUNDING
    if row[I_INTEREST_TS] != 0:
        flags |= HAS_OI
    if row[I_MARK_TS] != 0:
        flags |= HAS_MARK
    if row[I_BIN_UPDATES] + row[I_BIN_TRADES] + row[I_BIN_LIQUIDATIONS] + row[I_BIN_STATES] == 0:
        flags |= GAP_FILL
    if row[I_JUMPED]:
        flags |= CLOCK_JUMP
    if row[I_LOST_OPEN] or number <= row[I_LOST_UNTIL]:
        flags |= LOST
    if number <= row[I_GAP_UNTIL]:
        flags |= GAP
    return flags


@njit
def write_row(
    instrument: int,
    row: np.ndarray,
    values: np.ndarray,
    books: np.ndarray,
    params: np.ndarray,
    shared: np.ndarray,
    wide: np.ndarray,
    out: np.ndarray,
    extra: int,
) -> None:
    """Write the open row of a settled instrument with ``extra`` flags and open the next one."""
    number = row[I_PERIOD] + 1
    close = number * params[P_GRID]
    flags = _flags(number, row, values, books, close) | extra
    has_book = flags & HAS_BOOK != 0
    line = out[shared[G_ROWS]]
    line[0] = shared[G_ROWS_TOTAL]
    line[ROW_TS] = close
    line[ROW_TS_BOOK] = row[I_APPLIED] if has_book else 0
    line[ROW_TS_RECV] = known_at(row, params, shared)
    line[ROW_TAIL] = instrument | row[I_INPUT_FLAGS] << 16 | flags << 32
    if params[P_GROUPS] & GROUP_A:
        aggregate.write(row, values, books, params[P_SLAB], has_book, wide, params[P_WIDE])
    observe.on_row(flags, has_book, row, values, params, shared)
    numbers = line.view(np.float64)
    for column in range(params[P_COLUMNS]):
        numbers[ROW_COLUMNS + column] = wide[params[P_SELECT + column]]
    if shared[G_SNAPSHOTS] != 0:
        write_snapshot(instrument, close, flags, row, values, books, shared)
    if row[I_INTEREST_TS] != 0:
        values[F_PREVIOUS_INTEREST] = values[F_INTEREST]
        row[I_PREVIOUS_INTEREST] = 1
    row[I_BIN_UPDATES] = 0
    row[I_BIN_TRADES] = 0
    row[I_BIN_LIQUIDATIONS] = 0
    row[I_BIN_STATES] = 0
    row[I_BIN_OTHER] = 0
    row[I_BIN_FLAGS] = 0
    row[I_JUMPED] = 0
    row[I_PERIOD] = number
    open_row(row)
    shared[G_ROWS] += 1
    shared[G_ROWS_TOTAL] += 1
    if extra & OVERRUN:
        shared[G_OVERRUNS] += 1


@njit
def advance(
    instrument: int,
    to: int,
    row: np.ndarray,
    values: np.ndarray,
    books: np.ndarray,
    pool: np.ndarray,
    params: np.ndarray,
    shared: np.ndarray,
    wide: np.ndarray,
    out: np.ndarray,
    extra: int,
) -> int:
    """Emit rows up to period ``to``, at most ``max_gap_fill`` of them, then stand at ``to`` (G5, G6).

    Returns 0, or OUT_FULL or GROW_BOOK; called again with the same ``to`` it goes on where it stopped. A period
    already reached changes nothing: the clock never runs backwards.
    """
    out_of_line()
    if to <= row[I_PERIOD]:
        return 0
    if row[I_STEP_LEFT] < 0:
        row[I_STEP_LEFT] = params[P_MAX_GAP]
    while row[I_PERIOD] < to and row[I_STEP_LEFT] > 0:
        code = settle(instrument, row, values, books, pool, params, shared)
        if code != 0:
            return code
        if shared[G_ROWS] >= out.shape[0]:
            return OUT_FULL
        write_row(instrument, row, values, books, params, shared, wide, out, extra)
        row[I_STEP_LEFT] -= 1
    row[I_STEP_LEFT] = -1
    if row[I_PERIOD] < to:
        shared[G_SKIPPED_ROWS] += to - row[I_PERIOD]
        row[I_PERIOD] = to
        open_row(row)
        row[I_JUMPED] = 1
    return 0
