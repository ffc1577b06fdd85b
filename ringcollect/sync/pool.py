"""Slots for records that wait for their row: one array, a free list, two linked lists per instrument.

*Updates* of the book wait in ring order, which is also the order of their effective times (a running maximum), so
only the head of the list can be due. *Events* (trades, liquidations) and single-valued states wait in ring order but
may be due in any order; the smallest row among them is kept, so that a row without any costs nothing.
"""

from __future__ import annotations

import numpy as np

from ringcollect.jit import njit
from ringcollect.records import RECORD_WORDS
from ringcollect.sync.layout import G_FREE, G_FREE_HEAD, I_HELD, POOL_NEXT, POOL_TIME


@njit
def hold(record: np.ndarray, time: int, row: np.ndarray, head: int, shared: np.ndarray, pool: np.ndarray) -> int:
    """Append ``record`` to the list whose head is ``row[head]`` (tail: head + 1); returns the slot.

    ``row`` is the instrument's int state. The caller made sure that a slot is free.
    """
    slot = shared[G_FREE_HEAD]
    shared[G_FREE_HEAD] = pool[slot, POOL_NEXT]
    shared[G_FREE] -= 1
    for w in range(RECORD_WORDS):
        pool[slot, w] = record[w]
    pool[slot, POOL_TIME] = time
    pool[slot, POOL_NEXT] = -1
    if row[head] < 0:
        row[head] = slot
    else:
        pool[row[head + 1], POOL_NEXT] = slot
    row[head + 1] = slot
    row[I_HELD] += 1
    return slot


@njit
def hold_run(
    records: np.ndarray, first: int, n: int, time: int, row: np.ndarray, head: int, shared: np.ndarray, pool: np.ndarray
) -> None:
    """As :func:`hold` for the records ``first .. first+n-1``, n > 0: so many free slots are already linked in order."""
    slot = begin = end = shared[G_FREE_HEAD]
    for i in range(first, first + n):
        for w in range(RECORD_WORDS):
            pool[slot, w] = records[i, w]
        pool[slot, POOL_TIME] = time
        end = slot
        slot = pool[slot, POOL_NEXT]
    shared[G_FREE_HEAD] = slot
    shared[G_FREE] -= n
    pool[end, POOL_NEXT] = -1
    if row[head] < 0:
        row[head] = begin
    else:
        pool[row[head + 1], POOL_NEXT] = begin
    row[head + 1] = end
    row[I_HELD] += n


@njit
def release(slot: int, row: np.ndarray, shared: np.ndarray, pool: np.ndarray) -> None:
    """Give ``slot``, already out of its list, back."""
    pool[slot, POOL_NEXT] = shared[G_FREE_HEAD]
    shared[G_FREE_HEAD] = slot
    shared[G_FREE] += 1
    row[I_HELD] -= 1


@njit
def pop(row: np.ndarray, head: int, shared: np.ndarray, pool: np.ndarray) -> None:
    """Take the first slot out of the list at ``row[head]`` and give it back."""
    slot = row[head]
    row[head] = pool[slot, POOL_NEXT]
    if row[head] < 0:
        row[head + 1] = -1
    release(slot, row, shared, pool)


@njit
def pop_run(row: np.ndarray, head: int, n: int, shared: np.ndarray, pool: np.ndarray) -> None:
    """As :func:`pop` for the first ``n`` slots, n > 0; they stay in their order, so that they are soon one behind the
    other in memory."""
    begin = end = row[head]
    for _ in range(n - 1):
        end = pool[end, POOL_NEXT]
    row[head] = pool[end, POOL_NEXT]
    if row[head] < 0:
        row[head + 1] = -1
    pool[end, POOL_NEXT] = shared[G_FREE_HEAD]
    shared[G_FREE_HEAD] = begin
    shared[G_FREE] += n
    row[I_HELD] -= n


@njit
def drop_all(row: np.ndarray, head: int, shared: np.ndarray, pool: np.ndarray) -> None:
    """Empty the list at ``row[head]``."""
    while row[head] >= 0:
        pop(row, head, shared, pool)
