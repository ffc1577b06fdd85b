"""What a row says of its inputs beside their values: the flags of all of them together, and when it was known.

An input marks the row it takes its place in. A record that has no effect (sent twice, re-sent history, a change that
nobody may apply) marks the row of its own time, so that what was left out of a row is seen in it, too; its mark waits
beside the row where the record itself would have waited. One whose row is out is late and marks nothing.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import out_of_line
from ringcollect.jit import njit
from ringcollect.records import W_TAIL
from ringcollect.sync.grid import record_time, row_of
from ringcollect.sync.layout import (
    ASIDE_MARKS,
    B_LAST,
    G_NOW,
    I_ANCHORED,
    I_ASIDE,
    I_ASIDE_MARKS,
    I_INPUT_FLAGS,
    I_PERIOD,
    I_RECV,
    K_CHECK,
    K_DELTA,
    K_FUNDING,
    K_INDEX,
    K_LIQUIDATION,
    K_SNAPSHOT,
    K_TRADE,
    MODE_EXTERNAL,
    P_MAX_LATENCY,
    P_MODE,
)


@njit
def known_at(row: np.ndarray, params: np.ndarray, shared: np.ndarray) -> int:
    """The receive time at which the open row comes out: that of its instrument's records, where those drive it."""
    if params[P_MODE] == MODE_EXTERNAL or params[P_MAX_LATENCY] > 0:
        return shared[G_NOW]
    return row[I_RECV]


@njit
def _is_input(tail: int) -> bool:
    """Whether rows are made of records of this kind."""
    kind = (tail >> 32) & 0xFF
    if kind in (K_SNAPSHOT, K_DELTA, K_CHECK):
        return (tail >> 24) & 0xFF == 0
    return kind in (K_TRADE, K_LIQUIDATION) or K_FUNDING <= kind <= K_INDEX


@njit
def note_aside(record: np.ndarray, row: np.ndarray, params: np.ndarray) -> None:
    """Keep the flags (LAST is none of them) of a record that has no effect for the row of its time.

    Marks of ASIDE_MARKS rows can wait; those of more go to the open row, before their time rather than nowhere.
    """
    tail = record[W_TAIL]
    flags = (tail >> 48) & 0xFFFF & ~B_LAST
    if flags == 0 or not _is_input(tail) or not row[I_ANCHORED]:
        return
    out_of_line()
    number = row_of(record_time(record, params), params)
    if number <= row[I_PERIOD]:
        return
    free = -1
    for slot in range(I_ASIDE_MARKS, I_ASIDE_MARKS + 2 * ASIDE_MARKS, 2):
        if row[slot + 1] == 0:
            free = slot
        elif row[slot] == number:
            row[slot + 1] |= flags
            return
    if number == row[I_PERIOD] + 1 or free < 0:
        row[I_INPUT_FLAGS] |= flags
        return
    row[free] = number
    row[free + 1] = flags
    row[I_ASIDE] += 1


@njit
def open_row(row: np.ndarray) -> None:
    """The row after the clock's period begins, with the marks that wait for it; marks of rows before it go."""
    row[I_INPUT_FLAGS] = 0
    if row[I_ASIDE] == 0:
        return
    out_of_line()
    number = row[I_PERIOD] + 1
    for slot in range(I_ASIDE_MARKS, I_ASIDE_MARKS + 2 * ASIDE_MARKS, 2):
        if row[slot + 1] != 0 and row[slot] <= number:
            if row[slot] == number:
                row[I_INPUT_FLAGS] |= row[slot + 1]
            row[slot + 1] = 0
            row[I_ASIDE] -= 1
