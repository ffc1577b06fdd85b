"""A run of levels: the records of one batch, with the side's state in registers while they stand in its window.

Nearly every level changes the window and nothing else. Written level by level, each would wait for what the one before
stored (how many there are, the side's total) to be loaded again; a run keeps both to its end. The records stand one
behind the other, as in the ring, or in a list of the pool.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import bits_float, out_of_line, word_at
from ringcollect.jit import inlined, njit
from ringcollect.records import RECORD_WORDS, W_PRICE, W_SIZE, W_TAIL
from ringcollect.sync.book import MOST_TICKS, base_of, has_room, set_level
from ringcollect.sync.layout import (
    BOOK_BASE,
    BOOK_BEST,
    BOOK_HIGH,
    BOOK_LOW,
    BOOK_NEAR,
    BOOK_WINDOW,
    F_ASK_TOTAL,
    F_BID_TOTAL,
    F_MULTIPLIER,
    F_TICK_DENOMINATOR,
    F_TICK_NUMERATOR,
    F_TICKS,
    I_ASK,
    I_BID,
    I_INVERSE,
    I_SIZE_UNIT,
    P_BOOK_LEVELS,
    POOL_NEXT,
    POOL_WORDS,
)
from ringcollect.sync.window import WINDOW, level_below, put_size, size_at


@inlined
def _behind(at: int, links: int) -> int:
    """The address of the record behind the one at ``at``; of no use behind the last of a list."""
    return at + 8 * RECORD_WORDS if links == 0 else links + word_at(at, POOL_NEXT) * (8 * POOL_WORDS)


@njit
def set_levels(
    records: int,
    links: int,
    n: int,
    row: np.ndarray,
    values: np.ndarray,
    books: np.ndarray,
    params: np.ndarray,
    shared: np.ndarray,
) -> int:
    """Set or remove the levels of ``n`` records from address ``records`` on, in their order, as ``set_level`` does.

    ``links`` is 0 for records one behind the other, the address of the pool for records of one of its lists. Every
    record has a side. Returns how many were set: fewer than ``n`` if the book has no room for the next (``has_room``).
    """
    out_of_line()
    at = records
    done = 0
    while done < n and has_room(row, params):
        sign = 1 if (word_at(at, W_TAIL) >> 40) & 0xFF < 128 else -1
        taken = 0
        if row[(I_BID if sign > 0 else I_ASK) + BOOK_WINDOW] != 0:
            taken, at = _near_levels(at, links, n - done, sign, row, values, params[P_BOOK_LEVELS])
        if taken == 0:
            price, size = bits_float(word_at(at, W_PRICE)), bits_float(word_at(at, W_SIZE))
            set_level(row, values, books, params, shared, sign, price, size)
            taken, at = 1, _behind(at, links)
        done += taken
    return done


@njit
def _near_levels(
    records: int, links: int, n: int, sign: int, row: np.ndarray, values: np.ndarray, most: int
) -> tuple[int, int]:
    """The levels from the first on that are of the first's side, in its window, and no reason to look closer: how many
    were set, and the address of what follows.
    """
    side, total = (I_BID, F_BID_TOTAL) if sign > 0 else (I_ASK, F_ASK_TOTAL)
    window, base, best, near = (
        row[side + BOOK_WINDOW],
        row[side + BOOK_BASE],
        row[side + BOOK_BEST],
        row[side + BOOK_NEAR],
    )
    far = row[side + BOOK_HIGH] - row[side + BOOK_LOW]
    per_unit, numerator, denominator = values[F_TICKS], values[F_TICK_NUMERATOR], values[F_TICK_DENOMINATOR]
    unit, inverse, multiplier = row[I_SIZE_UNIT], row[I_INVERSE], values[F_MULTIPLIER]
    high, low = values[total], values[total + 1]
    side_byte = (word_at(records, W_TAIL) >> 40) & 0xFF
    done, at = 0, records
    while done < n:
        price, size = bits_float(word_at(at, W_PRICE)), bits_float(word_at(at, W_SIZE))
        ticks = np.rint(price * per_unit)
        plain_level = (abs(ticks) < MOST_TICKS) & (ticks * numerator / denominator == price) & (size >= 0.0)
        if not plain_level or (word_at(at, W_TAIL) >> 40) & 0xFF != side_byte:
            break
        i = sign * np.int64(ticks) - base
        if not 0 <= i < WINDOW:
            break
        before = size_at(window, i)
        now_near = near + np.int64(size > 0.0) - np.int64(before > 0.0)
        if now_near + far > most or now_near + far == 0:
            break
        near = now_near
        put_size(window, i, size)
        if i >= best:
            if size > 0.0:
                best = i
            elif i == best:
                best = level_below(window, i)
        was, now = base_of(before, price, unit, inverse, multiplier), base_of(size, price, unit, inverse, multiplier)
        change = now - was
        part = change - now
        lost = (now - (change - part)) - (was + part)
        sum_ = high + change
        part = sum_ - high
        low += (high - (sum_ - part)) + (change - part) + lost
        high = sum_
        done += 1
        at = _behind(at, links)
    row[side + BOOK_BEST], row[side + BOOK_NEAR] = best, near
    values[total], values[total + 1] = high, low
    return done, at
