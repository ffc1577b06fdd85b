"""What several groups need: the book around an update, trades of the open row, the row's own series.

Group by group it calls the kernels that run (event.py), with the state they share brought up to date around them. It is
a kernel of the same form and is not even loaded when only group A is chosen.
"""

from __future__ import annotations

import math

import numpy as np

from ringcollect.decode.memory import address_of, call_words, out_of_line, plain
from ringcollect.jit import njit
from ringcollect.sync.book import base_size, walk
from ringcollect.sync.features import places as at
from ringcollect.sync.features.event import event_at, group_entry, params_of, row_at, sides_at, words_at
from ringcollect.sync.features.near import look_near
from ringcollect.sync.features.series import forget_rows, push
from ringcollect.sync.layout import (
    BOOK_BEST,
    BOOK_HIGH,
    GROUP_A,
    GROUP_P,
    I_ASK,
    I_BID,
    I_BIN_TRADES,
    I_DOUBT,
    I_PERIOD,
    I_RENEWED,
    I_TRUSTED,
    MAX_GROUPS,
    P_DEEP,
    P_GRID,
    P_GROUPS,
    P_HEARS,
    P_OPTIONS,
    P_SLAB,
    P_WIDE,
)

_NAN = math.nan
_ORDER_FLOW = 1 << 6 | GROUP_P
"""Groups G and P compare several levels of each update with those before it; everybody else only the best."""
_WHOLE_BOOK = 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5
"""Groups C to F read what near.py finds."""


@njit
def _call(mask: int, what: int, row: np.ndarray, values: np.ndarray, event: np.ndarray, params: np.ndarray) -> None:
    out_of_line()
    kernels = words_at(event[at.E_KERNELS])
    for group in range(1, MAX_GROUPS):
        if (mask >> group) & 1:
            event[at.E_SLAB] = params[P_SLAB + group]
            event[at.E_WIDE] = params[P_WIDE + group]
            call_words(kernels[group], what, address_of(row), address_of(values), event[at.E_SELF], event[at.E_WIDE_AT])


@njit
def _look(row: np.ndarray, values: np.ndarray, books: np.ndarray, most: int, event: np.ndarray) -> None:
    """Put the best ``most`` levels of both sides into the event, sizes in base units, and mid and spread."""
    out_of_line()
    numbers = event.view(np.float64)
    for side, sign, count, price_at, size_at in (
        (I_BID, 1.0, at.E_BIDS, at.E_BID_PRICE, at.E_BID_SIZE),
        (I_ASK, -1.0, at.E_ASKS, at.E_ASK_PRICE, at.E_ASK_SIZE),
    ):
        near, far = row[side + BOOK_BEST], row[side + BOOK_HIGH] - 1
        level = 0
        while level < most:
            near, far, key, size = walk(row, values, books, side, near, far)
            if key != key:
                break
            price = sign * key
            numbers[price_at + level] = price
            numbers[size_at + level] = base_size(size, price, row, values)
            level += 1
        event[count] = level
    bid, ask = numbers[at.E_BID_PRICE], numbers[at.E_ASK_PRICE]
    both = event[at.E_BIDS] > 0 and event[at.E_ASKS] > 0
    event[at.E_VALID] = 1 if both and bid < ask and row[I_TRUSTED] and not row[I_DOUBT] else 0
    numbers[at.E_MID] = (bid + ask) / 2.0 if event[at.E_VALID] else _NAN
    numbers[at.E_SPREAD] = ask - bid if event[at.E_VALID] else _NAN


@njit
def _held(core: int, until: int, row: np.ndarray, values: np.ndarray, params: np.ndarray) -> int:
    """ns for which the mid of the last update stood within the open row until ``until``."""
    if values[core + at.C_MID] != values[core + at.C_MID] or not row[I_TRUSTED]:
        return 0
    since = max(values.view(np.int64)[core + at.C_SINCE], row[I_PERIOD] * params[P_GRID])
    return max(until - since, 0)


@njit
def _remember(core: int, values: np.ndarray, event: np.ndarray, levels: int) -> None:
    """The book after the update is the one before the next."""
    numbers, words = event.view(np.float64), values.view(np.int64)
    mid = numbers[at.E_MID]
    if mid != values[core + at.C_MID] and (mid == mid or values[core + at.C_MID] == values[core + at.C_MID]):
        place = core + at.C_LOG + 2 * (words[core + at.C_LOGGED] % at.LOG)
        words[place] = event[at.E_TIME]
        values[place + 1] = mid
        words[core + at.C_LOGGED] += 1
    values[core + at.C_MID] = mid
    values[core + at.C_SPREAD] = numbers[at.E_SPREAD]
    bid, ask = numbers[at.E_BID_SIZE], numbers[at.E_ASK_SIZE]
    values[core + at.C_IMBALANCE] = (bid - ask) / (bid + ask) if event[at.E_VALID] and bid + ask > 0.0 else 0.0
    words[core + at.C_SINCE] = event[at.E_TIME]
    words[core + at.C_BIDS] = event[at.E_BIDS] if event[at.E_VALID] else 0
    words[core + at.C_ASKS] = event[at.E_ASKS] if event[at.E_VALID] else 0
    for level in range(levels):
        values[core + at.C_BID_PRICE + level] = numbers[at.E_BID_PRICE + level]
        values[core + at.C_BID_SIZE + level] = numbers[at.E_BID_SIZE + level]
        values[core + at.C_ASK_PRICE + level] = numbers[at.E_ASK_PRICE + level]
        values[core + at.C_ASK_SIZE + level] = numbers[at.E_ASK_SIZE + level]


@njit
def _update(row: np.ndarray, values: np.ndarray, books: np.ndarray, params: np.ndarray, event: np.ndarray) -> None:
    out_of_line()
    core, time = event[at.E_CORE], event[at.E_TIME]
    words = values.view(np.int64)
    levels = params[P_OPTIONS + at.O_FLOW_LEVELS] if params[P_GROUPS] & _ORDER_FLOW else 1
    _look(row, values, books, levels, event)
    event[at.E_FRESH] = 1 if row[I_RENEWED] or words[core + at.C_BIDS] == 0 or words[core + at.C_ASKS] == 0 else 0
    event[at.E_HELD] = 0 if row[I_RENEWED] else _held(core, time, row, values, params)
    row[I_RENEWED] = 0
    _call(params[P_HEARS], plain(at.ON_UPDATE), row, values, event, params)
    mid = event.view(np.float64)[at.E_MID]
    if mid == mid and time >= row[I_PERIOD] * params[P_GRID]:
        if values[core + at.C_OPEN] != values[core + at.C_OPEN]:
            values[core + at.C_OPEN] = mid
            values[core + at.C_HIGH] = mid
            values[core + at.C_LOW] = mid
        values[core + at.C_HIGH] = max(values[core + at.C_HIGH], mid)
        values[core + at.C_LOW] = min(values[core + at.C_LOW], mid)
    _remember(core, values, event, levels)


@njit
def _mid_before(core: int, time: int, values: np.ndarray) -> float:
    """The mid after the last update before ``time``, NaN if there was no valid book or it is too long ago."""
    words = values.view(np.int64)
    logged = words[core + at.C_LOGGED]
    for back in range(1, min(logged, at.LOG) + 1):
        place = core + at.C_LOG + 2 * ((logged - back) % at.LOG)
        if words[place] < time:
            return values[place + 1]
    return _NAN


@njit
def _trade(row: np.ndarray, values: np.ndarray, params: np.ndarray, event: np.ndarray) -> None:
    out_of_line()
    core, time = event[at.E_CORE], event[at.E_TIME]
    numbers, words = event.view(np.float64), values.view(np.int64)
    price, size = numbers[at.E_PRICE], numbers[at.E_SIZE]
    numbers[at.E_MID_BEFORE] = _mid_before(core, time, values)
    _call(params[P_HEARS + at.ON_TRADE], plain(at.ON_TRADE), row, values, event, params)
    values[core + at.C_VOLUME] += size
    values[core + at.C_NOTIONAL] += price * size
    if event[at.E_SIDE] > 0:
        values[core + at.C_BUY] += size
    elif event[at.E_SIDE] < 0:
        values[core + at.C_SELL] += size
    if time >= words[core + at.C_LAST_TRADE]:
        words[core + at.C_LAST_TRADE] = time
        values[core + at.C_LAST_PRICE] = price


@njit
def _windows(core: int, number: int, values: np.ndarray, event: np.ndarray, params: np.ndarray) -> None:
    """What rows that are missing before row ``number`` mean for the windows over them."""
    words = values.view(np.int64)
    last = words[core + at.C_ROW]
    event[at.E_REBUILD] = 0
    event[at.E_RESTART] = 0
    if number != last + 1:
        if last > 0:
            forget_rows(values, params, last + 1, number - 1)
        values[core + at.C_ROW_MID] = _NAN
        event[at.E_REBUILD] = 1
    if event[at.E_VALID]:
        seen = words[core + at.C_BOOK_ROW]
        if seen > 0 and number - seen > params[P_OPTIONS + at.O_ROWS_RESET]:
            forget_rows(values, params, plain(0), number - 1)
            event[at.E_REBUILD] = 1
            event[at.E_RESTART] = 1
        words[core + at.C_BOOK_ROW] = number


@njit
def _push(core: int, number: int, row: np.ndarray, values: np.ndarray, params: np.ndarray, mid: float) -> None:
    before = values[core + at.C_ROW_MID]
    if values[core + at.C_OPEN] != values[core + at.C_OPEN]:
        values[core + at.C_OPEN] = before
        values[core + at.C_HIGH] = before
        values[core + at.C_LOW] = before
    push(values, params, at.S_MID, number, mid)
    push(values, params, at.S_RETURN, number, math.log(mid / before) if mid > 0.0 and before > 0.0 else _NAN)
    push(values, params, at.S_MID_HIGH, number, values[core + at.C_HIGH])
    push(values, params, at.S_MID_LOW, number, values[core + at.C_LOW])
    push(values, params, at.S_BUY, number, values[core + at.C_BUY])
    push(values, params, at.S_SELL, number, values[core + at.C_SELL])
    push(values, params, at.S_VOLUME, number, values[core + at.C_VOLUME])
    push(values, params, at.S_NOTIONAL, number, values[core + at.C_NOTIONAL])
    push(values, params, at.S_COUNT, number, np.float64(row[I_BIN_TRADES]))


@njit
def _row(row: np.ndarray, values: np.ndarray, books: np.ndarray, params: np.ndarray, event: np.ndarray) -> None:
    out_of_line()
    core, number = event[at.E_CORE], event[at.E_NUMBER]
    numbers, words = event.view(np.float64), values.view(np.int64)
    _look(row, values, books, at.TOP if params[P_DEEP] else 1, event)
    if not event[at.E_HAS_BOOK]:
        event[at.E_VALID] = 0
        numbers[at.E_MID] = _NAN
        numbers[at.E_SPREAD] = _NAN
    event[at.E_HELD] = _held(core, event[at.E_CLOSE], row, values, params)
    if params[P_DEEP] & _WHOLE_BOOK and event[at.E_VALID]:
        look_near(row, values, books, params, event)
    _windows(core, number, values, event, params)
    _push(core, number, row, values, params, numbers[at.E_MID])
    _call(params[P_GROUPS] & ~GROUP_A, plain(at.ON_ROW), row, values, event, params)
    words[core + at.C_ROW] = number
    values[core + at.C_ROW_MID] = numbers[at.E_MID]
    for sum_at in (at.C_BUY, at.C_SELL, at.C_VOLUME, at.C_NOTIONAL):
        values[core + sum_at] = 0.0
    for mid_at in (at.C_OPEN, at.C_HIGH, at.C_LOW):
        values[core + mid_at] = _NAN


def kernel(what: int, row: int, values: int, event: int, wide: int) -> int:
    """The core's kernel, of the form of a group's (event.py); it calls theirs."""
    told = event_at(event)
    own, floats, params = row_at(row), words_at(values).view(np.float64), params_of(told)
    if what == at.ON_UPDATE:
        _update(own, floats, sides_at(told[at.E_BOOKS]), params, told)
    elif what == at.ON_TRADE:
        _trade(own, floats, params, told)
    elif what == at.ON_ROW:
        _row(own, floats, sides_at(told[at.E_BOOKS]), params, told)
    else:
        _call(params[P_HEARS + what], what, own, floats, told, params)
    return 0


KERNEL = group_entry(njit(kernel))
