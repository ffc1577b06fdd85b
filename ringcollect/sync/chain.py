"""The chain rule: a book consumer missed something exactly when ``aux`` differs from the last ``id`` it accepted.

The rule is applied where records arrive, in ring order, not where they are applied later: a break must ask for a
resync at once, however long the hold-back is. Arrival state of an instrument: last accepted id, whether there is one
(``chained``), whether the chain broke and only a CLEAR helps (``broken``), whether records of the ring were lost
since its last batch (``doubt``: the next batch proves the chain whole or broken).
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import out_of_line, plain
from ringcollect.jit import njit
from ringcollect.records import W_AUX, W_ID, W_TAIL
from ringcollect.sync.book import clear
from ringcollect.sync.layout import (
    B_CLEAR,
    B_LAST,
    B_UNSYNCED,
    G_CHAIN_BREAKS,
    G_TORN,
    G_WANTED,
    I_BROKEN,
    I_CHAINED,
    I_CHECK_FAILED,
    I_DOUBT,
    I_IN_BATCH,
    I_LAST_ID,
    I_TRUSTED,
    I_UPDATES_HEAD,
    I_WANT_RESYNC,
    K_CHECK,
    POOL_NEXT,
)
from ringcollect.sync.pool import drop_all

IGNORE, ACCEPT, BREAK = range(3)


@njit
def is_check(record: np.ndarray) -> bool:
    """Whether ``record`` is the venue's checksum of the book after the batch of the same id, no link of the chain."""
    return (record[W_TAIL] >> 32) & 0xFF == K_CHECK


@njit
def judge(record: np.ndarray, row: np.ndarray, shared: np.ndarray) -> int:
    """What to do with a record of the primary book; changes nothing.

    IGNORE: UNSYNCED (applied by nobody) or behind a break; ACCEPT: apply it in its time; BREAK: the chain just broke.
    """
    flags = (record[W_TAIL] >> 48) & 0xFFFF
    if flags & B_UNSYNCED:
        return IGNORE
    if is_check(record):
        return IGNORE if row[I_BROKEN] or not row[I_CHAINED] or record[W_ID] != row[I_LAST_ID] else ACCEPT
    if flags & B_CLEAR:
        return ACCEPT
    if row[I_BROKEN]:
        return IGNORE
    if row[I_IN_BATCH]:
        return ACCEPT
    if shared[G_TORN] or not row[I_CHAINED] or record[W_AUX] != row[I_LAST_ID]:
        return BREAK
    return ACCEPT


@njit
def follow(record: np.ndarray, row: np.ndarray) -> None:
    """Go along the chain with an accepted record."""
    flags = (record[W_TAIL] >> 48) & 0xFFFF
    if flags & B_CLEAR or not row[I_IN_BATCH]:
        row[I_BROKEN] = 0
        row[I_DOUBT] = 0
        row[I_CHAINED] = 1
        row[I_LAST_ID] = record[W_ID]
    row[I_IN_BATCH] = 0 if flags & B_LAST else 1


@njit
def void(row: np.ndarray, values: np.ndarray, pool: np.ndarray, shared: np.ndarray) -> None:
    """Forget the book at once, also what waits for it."""
    drop_all(row, plain(I_UPDATES_HEAD), shared, pool)
    clear(row, values)
    row[I_TRUSTED] = 0


@njit
def break_chain(row: np.ndarray, values: np.ndarray, pool: np.ndarray, shared: np.ndarray) -> None:
    """Void the book and ask for a resync of this instrument."""
    out_of_line()
    void(row, values, pool, shared)
    row[I_BROKEN] = 1
    row[I_CHAINED] = 0
    row[I_DOUBT] = 0
    row[I_IN_BATCH] = 0
    shared[G_CHAIN_BREAKS] += 1
    if not row[I_WANT_RESYNC]:
        row[I_WANT_RESYNC] = 1
        shared[G_WANTED] += 1


@njit
def settle_check(row: np.ndarray, values: np.ndarray, pool: np.ndarray, shared: np.ndarray) -> None:
    """After a checksum that is not ours: a new base that waits already mends the book, else the chain is broken."""
    if not row[I_CHECK_FAILED]:
        return
    row[I_CHECK_FAILED] = 0
    slot = row[I_UPDATES_HEAD]
    while slot >= 0:
        if (pool[slot, W_TAIL] >> 48) & B_CLEAR:
            return
        slot = pool[slot, POOL_NEXT]
    if not row[I_BROKEN]:
        break_chain(row, values, pool, shared)


@njit
def unchain(row: np.ndarray) -> None:
    """The feed started anew: only a CLEAR begins a chain; a plain delta before one breaks it."""
    row[I_BROKEN] = 0
    row[I_CHAINED] = 0
    row[I_DOUBT] = 0
    row[I_IN_BATCH] = 0


@njit
def doubt(row: np.ndarray) -> None:
    """Records of the ring were lost: the next batch tells. A batch cut in the middle can only be broken.

    An instrument that waits for its CLEAR may have lost it: its next plain delta asks again.
    """
    if row[I_BROKEN] or row[I_IN_BATCH]:
        row[I_CHAINED] = 0
    row[I_BROKEN] = 0
    row[I_IN_BATCH] = 0
    row[I_DOUBT] = 1
