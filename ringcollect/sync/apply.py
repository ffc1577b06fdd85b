"""What a record does once its time has come: to the book, to the carried states, to the sums of the open row."""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import address_of, out_of_line, plain
from ringcollect.jit import njit, types
from ringcollect.records import W_AUX, W_ID, W_PRICE, W_SIZE, W_TAIL, W_TS_EVENT, W_TS_RECV
from ringcollect.sync.book import base_size, clear, has_room, set_level, truncate
from ringcollect.sync.checksum import DIFFERENT, UNKNOWN, verify
from ringcollect.sync.features import aggregate, observe
from ringcollect.sync.features.bar_writing import bars_are_full
from ringcollect.sync.features.places import ON_LIQUIDATION, ON_STATE, ON_TRADE
from ringcollect.sync.grid import is_outlier
from ringcollect.sync.layout import (
    B_CLEAR,
    B_LAST,
    B_REST,
    B_SNAPSHOT,
    F_FUNDING_PREDICTED,
    F_FUNDING_RATE,
    F_INDEX,
    F_INTEREST,
    F_INTEREST_VALUE,
    F_MARK,
    F_TRADE_PRICE,
    G_ARGUMENT,
    G_CHECKSUMS,
    G_CHECKSUMS_BAD,
    G_CHECKSUMS_UNKNOWN,
    G_LATE_EVENTS,
    GROUP_A,
    GROW_BOOK,
    I_APPLIED,
    I_BIN_FLAGS,
    I_BIN_LIQUIDATIONS,
    I_BIN_STATES,
    I_BIN_TRADES,
    I_BIN_UPDATES,
    I_CHECK_FAILED,
    I_EVENTS_HEAD,
    I_EVENTS_MIN,
    I_FIRST_TRADE,
    I_FUNDING_EVERY,
    I_FUNDING_NEXT,
    I_FUNDING_TS,
    I_INDEX_TS,
    I_INPUT_FLAGS,
    I_INTEREST_TS,
    I_LAST_TRADE,
    I_LATE_EVENTS,
    I_MARK_TS,
    I_PERIOD,
    I_RENEWALS,
    I_RENEWED,
    I_SEEDED_REST,
    I_TICK_SIGN,
    I_TRUSTED,
    I_UPDATES_HEAD,
    K_CHECK,
    K_DELTA,
    K_FUNDING,
    K_INTEREST,
    K_LIQUIDATION,
    K_MARK,
    K_SNAPSHOT,
    K_STATUS,
    K_TRADE,
    OUT_FULL,
    P_GRID,
    P_GROUPS,
    P_SLAB,
    POOL_NEXT,
    POOL_TIME,
    POOL_WORDS,
    UNLIMITED,
)
from ringcollect.sync.pool import pop, pop_run, release
from ringcollect.sync.rows import RowFlag
from ringcollect.sync.run_of_levels import set_levels
from ringcollect.sync.snapshot import is_full, keep_event

_SIDE = 0xFF << 40
_TICK_RULE = int(RowFlag.TICK_RULE_SIDE)
_RECV_TIME = int(RowFlag.RECV_TIME_USED)


@njit
def _mark_time(record: np.ndarray, row: np.ndarray, params: np.ndarray) -> None:
    if record[W_TS_EVENT] == 0 or is_outlier(record, params):
        row[I_BIN_FLAGS] |= _RECV_TIME


@njit
def _check(record: np.ndarray, row: np.ndarray, values: np.ndarray, books: np.ndarray, shared: np.ndarray) -> None:
    """Compare the venue's checksum with the book as applied; a wrong book is void, chain.settle_check asks anew."""
    out_of_line()
    if not row[I_TRUSTED]:
        return
    found = verify(row, values, books, record[W_AUX])
    if found == UNKNOWN:
        shared[G_CHECKSUMS_UNKNOWN] += 1
        return
    shared[G_CHECKSUMS] += 1
    if found == DIFFERENT:
        shared[G_CHECKSUMS_BAD] += 1
        clear(row, values)
        row[I_TRUSTED] = 0
        row[I_CHECK_FAILED] = 1


@njit
def apply_update(
    record: np.ndarray,
    time: int,
    row: np.ndarray,
    values: np.ndarray,
    books: np.ndarray,
    params: np.ndarray,
    shared: np.ndarray,
) -> None:
    """Apply one book record (or the void a START left) with effective time ``time``.

    Records come from the ring (8 words) or from the pool (their first 8 words).
    """
    tail = record[W_TAIL]
    flags = (tail >> 48) & 0xFFFF
    if (tail >> 32) & 0xFF == K_STATUS:
        row[I_TRUSTED] = 0
        clear(row, values)
        return
    row[I_INPUT_FLAGS] |= flags
    if (tail >> 32) & 0xFF == K_CHECK:
        _check(record, row, values, books, shared)
        return
    if flags & B_CLEAR:
        if flags & B_SNAPSHOT or not row[I_TRUSTED]:
            row[I_RENEWED] = 1
            row[I_RENEWALS] += 1 if row[I_APPLIED] != 0 else 0
        clear(row, values)
        row[I_TRUSTED] = 1
        row[I_CHECK_FAILED] = 0
        row[I_SEEDED_REST] = 1 if flags & B_REST else 0
    side = (tail >> 40) & 0xFF
    if side != 0:
        numbers = record.view(np.float64)
        sign = 1 if side < 128 else -1
        set_level(row, values, books, params, shared, sign, numbers[W_PRICE], numbers[W_SIZE])
    row[I_APPLIED] = time
    row[I_BIN_UPDATES] += 1
    _mark_time(record, row, params)
    if flags & B_LAST:
        truncate(row, values, books)
        observe.on_update(record, time, row, values, params, shared)


@njit
def _trade(
    record: np.ndarray, time: int, row: np.ndarray, values: np.ndarray, params: np.ndarray, shared: np.ndarray
) -> None:
    numbers = record.view(np.float64)
    price, size = numbers[W_PRICE], numbers[W_SIZE]
    side = (record[W_TAIL] >> 40) & 0xFF
    if side >= 128:
        side -= 256
    change = price - values[F_TRADE_PRICE]
    if side == 0:
        # Tick rule: against the trade before it in ring order; an unchanged price keeps the last direction.
        if values[F_TRADE_PRICE] > 0.0 and change != 0.0:
            row[I_TICK_SIGN] = 1 if change > 0.0 else -1
        side = row[I_TICK_SIGN]
        if side != 0:
            row[I_BIN_FLAGS] |= _TICK_RULE
    elif values[F_TRADE_PRICE] > 0.0 and change != 0.0:
        row[I_TICK_SIGN] = 1 if change > 0.0 else -1
    values[F_TRADE_PRICE] = price
    # Records arrive in ring order, so of two equal times the earlier is first and the later is last.
    first = row[I_BIN_TRADES] == 0 or time < row[I_FIRST_TRADE]
    last = row[I_BIN_TRADES] == 0 or time >= row[I_LAST_TRADE]
    if first:
        row[I_FIRST_TRADE] = time
    if last:
        row[I_LAST_TRADE] = time
    row[I_BIN_TRADES] += 1
    base = base_size(size, price, row, values)
    if params[P_GROUPS] & GROUP_A:
        aggregate.on_trade(values, params[P_SLAB], price, base, side, first, last)
    observe.on_event(plain(ON_TRADE), record, time, price, base, side, row, values, params, shared)


@njit
def _liquidation(
    record: np.ndarray, time: int, row: np.ndarray, values: np.ndarray, params: np.ndarray, shared: np.ndarray
) -> None:
    numbers = record.view(np.float64)
    price, size = numbers[W_PRICE], numbers[W_SIZE]
    if price != price:
        price = numbers[W_AUX]  # the other price the venue sent
    row[I_BIN_LIQUIDATIONS] += 1
    if price != price:
        return
    side = (record[W_TAIL] >> 40) & 0xFF
    signed = side if side < 128 else side - 256
    base = base_size(size, price, row, values)
    if params[P_GROUPS] & GROUP_A:
        aggregate.on_liquidation(values, params[P_SLAB], price, base, signed)
    observe.on_event(plain(ON_LIQUIDATION), record, time, price, base, signed, row, values, params, shared)


@njit
def _state(record: np.ndarray, time: int, kind: int, row: np.ndarray, values: np.ndarray) -> None:
    """Carry a single-valued state; of two the one with the greater (time, sequence) counts (G10, G12)."""
    numbers = record.view(np.float64)
    if kind == K_FUNDING:
        if time >= row[I_FUNDING_TS]:
            row[I_FUNDING_TS] = time
            row[I_FUNDING_EVERY] = record[W_ID]
            row[I_FUNDING_NEXT] = record[W_AUX]
            values[F_FUNDING_RATE] = numbers[W_PRICE]
            values[F_FUNDING_PREDICTED] = numbers[W_SIZE]
    elif kind == K_INTEREST:
        if time >= row[I_INTEREST_TS]:
            row[I_INTEREST_TS] = time
            values[F_INTEREST] = numbers[W_SIZE]
            values[F_INTEREST_VALUE] = numbers[W_PRICE]
    elif kind == K_MARK:
        if time >= row[I_MARK_TS]:
            row[I_MARK_TS] = time
            values[F_MARK] = numbers[W_PRICE]
    elif time >= row[I_INDEX_TS]:
        row[I_INDEX_TS] = time
        values[F_INDEX] = numbers[W_PRICE]
    row[I_BIN_STATES] += 1


@njit
def apply_event(
    record: np.ndarray, time: int, row: np.ndarray, values: np.ndarray, params: np.ndarray, shared: np.ndarray
) -> None:
    """Add a trade or liquidation of the open row to its sums, or carry a state."""
    kind = (record[W_TAIL] >> 32) & 0xFF
    row[I_INPUT_FLAGS] |= (record[W_TAIL] >> 48) & 0xFFFF
    if kind == K_TRADE:
        _trade(record, time, row, values, params, shared)
    elif kind == K_LIQUIDATION:
        _liquidation(record, time, row, values, params, shared)
    else:
        _state(record, time, kind, row, values)
        numbers = record.view(np.float64)
        price, size = numbers[W_PRICE], numbers[W_SIZE]
        observe.on_event(plain(ON_STATE), record, time, price, size, plain(0), row, values, params, shared)
    _mark_time(record, row, params)


@njit
def count_late_event(row: np.ndarray, shared: np.ndarray) -> None:
    """G7: an event whose row is out is dropped and counted."""
    shared[G_LATE_EVENTS] += 1
    row[I_LATE_EVENTS] += 1


@njit
def is_event(kind: int) -> bool:
    """Trades and liquidations belong to one row; everything else is state and is carried."""
    return kind in (K_TRADE, K_LIQUIDATION)


@njit
def _settle_events(
    row: np.ndarray, values: np.ndarray, pool: np.ndarray, params: np.ndarray, shared: np.ndarray
) -> None:
    out_of_line()
    close = (row[I_PERIOD] + 1) * params[P_GRID]
    before = -1
    slot = row[I_EVENTS_HEAD]
    smallest = UNLIMITED
    while slot >= 0:
        after = pool[slot, POOL_NEXT]
        time = pool[slot, POOL_TIME]
        if time >= close:
            smallest = min(smallest, time)
            before = slot
        else:
            if time < close - params[P_GRID] and is_event((pool[slot, W_TAIL] >> 32) & 0xFF):
                count_late_event(row, shared)
            else:
                apply_event(pool[slot], time, row, values, params, shared)
                keep_event(pool[slot], time, row, values, params, shared)
            if before < 0:
                row[I_EVENTS_HEAD] = after
            else:
                pool[before, POOL_NEXT] = after
            release(slot, row, shared, pool)
        slot = after
    row[I_EVENTS_HEAD + 1] = before
    row[I_EVENTS_MIN] = UNLIMITED if smallest == UNLIMITED else smallest // params[P_GRID] + 1


@njit
def _waiting_levels(slot: int, pool: np.ndarray) -> int:
    """How many slots from ``slot`` on are levels of one batch that have nothing to say but side, price and size."""
    tail = pool[slot, W_TAIL]
    kind = (tail >> 32) & 0xFF
    if tail & (B_LAST | B_CLEAR) << 48 or not tail & _SIDE or kind not in (K_SNAPSHOT, K_DELTA):
        return 0
    n, after = 1, pool[slot, POOL_NEXT]
    while after >= 0:
        if (pool[after, W_TAIL] ^ tail) & ~_SIDE or not pool[after, W_TAIL] & _SIDE:
            break
        if pool[after, POOL_TIME] != pool[slot, POOL_TIME] or pool[after, W_TS_EVENT] != pool[slot, W_TS_EVENT]:
            break
        if pool[after, W_TS_RECV] != pool[slot, W_TS_RECV]:
            break
        n += 1
        after = pool[after, POOL_NEXT]
    return n


@njit
def _apply_waiting(
    row: np.ndarray, values: np.ndarray, books: np.ndarray, pool: np.ndarray, params: np.ndarray, shared: np.ndarray
) -> None:
    """Apply the first waiting update, with the levels of its batch as far as there is room; there is for one."""
    slot = row[I_UPDATES_HEAD]
    n = _waiting_levels(slot, pool)
    if n == 0:
        apply_update(pool[slot], pool[slot, POOL_TIME], row, values, books, params, shared)
        pop(row, plain(I_UPDATES_HEAD), shared, pool)
        return
    first = address_of(pool)
    n = set_levels(first + 8 * POOL_WORDS * slot, first, n, row, values, books, params, shared)
    row[I_APPLIED] = pool[slot, POOL_TIME]
    row[I_BIN_UPDATES] += n
    _mark_time(pool[slot], row, params)
    pop_run(row, plain(I_UPDATES_HEAD), n, shared, pool)


@njit
def settle(
    instrument: int,
    row: np.ndarray,
    values: np.ndarray,
    books: np.ndarray,
    pool: np.ndarray,
    params: np.ndarray,
    shared: np.ndarray,
) -> int:
    """Apply every waiting record that is due for the open row; 0, or GROW_BOOK before a level that does not fit,
    or OUT_FULL before snapshot records or bars do not.

    Afterwards the book is the one of the open row's close and its sums hold every event seen of it: writing the row
    only reads. Calling it again changes nothing.
    """
    out_of_line()
    if is_full(row, shared) or bars_are_full(row, shared):
        return OUT_FULL
    close = (row[I_PERIOD] + 1) * params[P_GRID]
    while row[I_UPDATES_HEAD] >= 0:
        slot = row[I_UPDATES_HEAD]
        if pool[slot, POOL_TIME] >= close:
            break
        if not has_room(row, params):
            shared[G_ARGUMENT] = instrument
            return GROW_BOOK
        _apply_waiting(row, values, books, pool, params, shared)
    if row[I_EVENTS_MIN] <= row[I_PERIOD] + 1:
        _settle_events(row, values, pool, params, shared)
    return 0


def warm() -> None:
    """Compile or load the largest part of the record kernel by itself: both at once take more memory than one may."""
    word = types.int64
    words, floats = types.Array(word, 1, "C"), types.Array(types.float64, 1, "C")
    books, pool = types.Array(types.float64, 2, "C"), types.Array(word, 2, "C")
    settle.compile((word, words, floats, books, pool, words, words))
