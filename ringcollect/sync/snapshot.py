"""Writing snapshot records: an event as it takes its place in the open row, the rest when the row closes.

The output is an array of its own, described by a few int64 words behind an address in ``shared`` (0: nobody wants any).
Nothing is kept between two rows: memory is the output, however many trades a row has.
"""

from __future__ import annotations

import math

import numpy as np

from ringcollect.decode.memory import bits_float, float_bits, out_of_line, plain, put_word, word_at
from ringcollect.jit import njit
from ringcollect.records import W_AUX, W_ID, W_PRICE, W_SIZE, W_TAIL
from ringcollect.sync.book import base_size, walk
from ringcollect.sync.layout import (
    B_LAST,
    BOOK_BEST,
    BOOK_HIGH,
    F_ASK_REST,
    F_ASK_TOTAL,
    F_BID_REST,
    F_BID_TOTAL,
    F_FUNDING_PREDICTED,
    F_FUNDING_RATE,
    F_INTEREST,
    F_INTEREST_VALUE,
    F_MARK,
    G_SNAPSHOTS,
    I_APPLIED,
    I_ASK,
    I_BID,
    I_FUNDING_EVERY,
    I_FUNDING_INTERVAL,
    I_FUNDING_NEXT,
    I_FUNDING_TS,
    I_HELD,
    I_INTEREST_TS,
    I_MARK_TS,
    I_PERIOD,
    I_SNAPSHOTS_FROM,
    K_FUNDING,
    K_INTEREST,
    K_LIQUIDATION,
    K_SNAPSHOT,
    K_TRADE,
    P_GRID,
)
from ringcollect.sync.rows import RowFlag
from ringcollect.sync.snapshot_record import ROW_KIND

# The words behind shared[G_SNAPSHOTS]; the first three are settings, S_TOTAL is state, the others last for one call.
S_MASK, S_LEVELS, S_CAPACITY, S_TOTAL, S_COUNT, S_OUT = range(6)
S_WORDS = 8
BESIDE_BOOK = 4
"""Records of one row beside levels and events: funding, open interest, row, and one event that is just coming."""

_HAS_BOOK = int(RowFlag.HAS_BOOK)
_RECORD_BYTES = 64
_NAN = math.nan


@njit
def is_full(row: np.ndarray, shared: np.ndarray) -> bool:
    """Whether the output may be too small for every event that waits and a row."""
    control = shared[G_SNAPSHOTS]
    if control == 0:
        return False
    most = row[I_HELD] + 2 * word_at(control, S_LEVELS) + BESIDE_BOOK
    return word_at(control, S_CAPACITY) - word_at(control, S_COUNT) < most


@njit
def _put(control: int, ts: int, event: int, price: float, size: float, ident: int, aux: int, tail: int) -> None:
    out_of_line()
    count = word_at(control, S_COUNT)
    at = word_at(control, S_OUT) + _RECORD_BYTES * count
    put_word(at, plain(0), word_at(control, S_TOTAL))
    put_word(at, plain(1), ts)
    put_word(at, plain(2), event)
    put_word(at, plain(3), float_bits(price))
    put_word(at, plain(4), float_bits(size))
    put_word(at, plain(5), ident)
    put_word(at, plain(6), aux)
    put_word(at, plain(7), tail)
    put_word(control, plain(S_COUNT), count + 1)
    put_word(control, plain(S_TOTAL), word_at(control, S_TOTAL) + 1)


@njit
def keep_event(
    record: np.ndarray, time: int, row: np.ndarray, values: np.ndarray, params: np.ndarray, shared: np.ndarray
) -> None:
    """A record (its words, its time) took its place in the open row; a trade or liquidation is written."""
    control = shared[G_SNAPSHOTS]
    if control == 0 or row[I_PERIOD] + 1 < row[I_SNAPSHOTS_FROM]:
        return
    out_of_line()
    tail = record[W_TAIL]
    kind = (tail >> 32) & 0xFF
    if kind not in (K_TRADE, K_LIQUIDATION) or not (word_at(control, S_MASK) >> kind) & 1:
        return
    price = bits_float(record[W_PRICE])
    per = bits_float(record[W_AUX]) if kind == K_LIQUIDATION and price != price else price
    size = base_size(bits_float(record[W_SIZE]), per, row, values)
    close = (row[I_PERIOD] + 1) * params[P_GRID]
    level = (tail >> 24) & 0xFF
    tail = (tail & ~(0xFFFF << 16 | B_LAST << 48)) | level << 16
    _put(control, close, time, price, size, record[W_ID], record[W_AUX], tail)


@njit
def _book(
    control: int, instrument: int, close: int, row: np.ndarray, values: np.ndarray, books: np.ndarray, side: int
) -> None:
    sign = 1 if side == I_BID else -1
    tail = instrument | K_SNAPSHOT << 32 | (sign & 0xFF) << 40
    near, far = row[side + BOOK_BEST], row[side + BOOK_HIGH] - 1
    for level in range(word_at(control, S_LEVELS)):
        near, far, key, size = walk(row, values, books, side, near, far)
        if key != key:
            break
        price = sign * key
        base = base_size(size, price, row, values)
        _put(control, close, row[I_APPLIED], price, base, plain(0), plain(0), tail | level << 16)


@njit
def write(
    instrument: int,
    close: int,
    flags: int,
    row: np.ndarray,
    values: np.ndarray,
    books: np.ndarray,
    shared: np.ndarray,
) -> None:
    """The row of ``instrument`` with boundary ``close`` and ``row_flags`` closes: its states and its end."""
    out_of_line()
    if row[I_PERIOD] + 1 < row[I_SNAPSHOTS_FROM]:
        return
    control = shared[G_SNAPSHOTS]
    mask = word_at(control, S_MASK)
    bids, asks = 0.0, 0.0
    applied = 0
    if flags & _HAS_BOOK:
        bids, asks = values[F_BID_TOTAL] + values[F_BID_REST], values[F_ASK_TOTAL] + values[F_ASK_REST]
        applied = row[I_APPLIED]
        if (mask >> K_SNAPSHOT) & 1:
            _book(control, instrument, close, row, values, books, plain(I_BID))
            _book(control, instrument, close, row, values, books, plain(I_ASK))
    if (mask >> K_FUNDING) & 1 and row[I_FUNDING_TS] != 0:
        every = row[I_FUNDING_EVERY] if row[I_FUNDING_EVERY] > 0 else row[I_FUNDING_INTERVAL]
        _put(
            control, close, row[I_FUNDING_TS], values[F_FUNDING_RATE], values[F_FUNDING_PREDICTED],
            every, row[I_FUNDING_NEXT], instrument | K_FUNDING << 32,
        )  # fmt: skip
    if (mask >> K_INTEREST) & 1 and row[I_INTEREST_TS] != 0:
        _put(
            control, close, row[I_INTEREST_TS], values[F_INTEREST_VALUE], values[F_INTEREST], plain(0), plain(0),
            instrument | K_INTEREST << 32,
        )  # fmt: skip
    mark = values[F_MARK] if row[I_MARK_TS] != 0 else _NAN
    tail = instrument | ROW_KIND << 32 | B_LAST << 48
    _put(control, close, applied, bids, asks, flags, float_bits(mark), tail)
