"""Group P: bars of time, of ticks, of volume and of quote volume. It writes no column of a row.

Every kind of bar has a block of state in the group's words. What a trade or a row closes goes to an array of its own
(bar_writing.py).
"""

from __future__ import annotations

import math

import numpy as np

from ringcollect.bar_kinds import QUOTE, TICKS, TIME
from ringcollect.decode.memory import out_of_line
from ringcollect.jit import njit
from ringcollect.sync.features import bar_writing as bar
from ringcollect.sync.features import places as at
from ringcollect.sync.features.event import event_at, group_entry, params_of, row_at, words_at
from ringcollect.sync.features.flow import level_flow
from ringcollect.sync.layout import I_FINAL_ROW, I_JUMPED, I_PERIOD, P_OPTIONS
from ringcollect.sync.rows import RowFlag

SLAB = 0
"""Words: STATE for each kind of bar that is configured."""
_PARTIAL = int(RowFlag.PARTIAL)


@njit
def _enter(control: np.ndarray, i: int, row: np.ndarray, values: np.ndarray, s: int, event: np.ndarray) -> None:
    """What comes now belongs to the open row's bar: an older one that rows which never came left open is closed."""
    words = values.view(np.int64)
    if control[bar.R_KIND + i * bar.KIND_WORDS + bar.K_KIND] != TIME:
        if words[s + bar.BEGUN] == 0:
            words[s + bar.SINCE] = event[at.E_TIME]
            words[s + bar.INDEX] += 1
            words[s + bar.BEGUN] = 1
        return
    rows = control[bar.R_KIND + i * bar.KIND_WORDS + bar.K_SIZE]
    index = row[I_PERIOD] // rows
    if words[s + bar.BEGUN] and index != words[s + bar.INDEX]:
        bar.close_interval(control, i, row, values, s, rows * event[at.E_GRID])
    if words[s + bar.BEGUN] == 0 and row[I_PERIOD] % rows != 0 and not row[I_JUMPED]:
        words[s + bar.FLAGS] |= _PARTIAL  # the clock began in the middle of it: what was before is not known
    words[s + bar.INDEX] = index
    words[s + bar.BEGUN] = 1


@njit
def _update(row: np.ndarray, values: np.ndarray, event: np.ndarray) -> None:
    out_of_line()
    if not event[at.E_NEWS]:
        return
    numbers, params = event.view(np.float64), params_of(event)
    control = words_at(event[at.E_BARS])
    flow = decayed = imbalance = 0.0
    if event[at.E_VALID] and not event[at.E_FRESH]:
        alpha = params.view(np.float64)[P_OPTIONS + at.O_ALPHA]
        flow = level_flow(event, values, 0)
        for level in range(params[P_OPTIONS + at.O_FLOW_LEVELS]):
            decayed += math.exp(-alpha * level) * level_flow(event, values, level)
    mid, spread = numbers[at.E_MID], numbers[at.E_SPREAD]
    both = numbers[at.E_BID_SIZE] + numbers[at.E_ASK_SIZE]
    if both > 0.0:
        imbalance = (numbers[at.E_BID_SIZE] - numbers[at.E_ASK_SIZE]) / both
    for i in range(control[bar.R_KINDS]):
        s = event[at.E_SLAB] + i * bar.STATE
        _enter(control, i, row, values, s, event)
        values[s + bar.UPDATES] += 1.0
        values[s + bar.FLOW] += flow
        values[s + bar.DECAYED] += decayed
        if event[at.E_VALID]:
            bar.extend(values, s + bar.OPEN, mid, values[s + bar.VALID] == 0.0)
            first = values[s + bar.VALID] == 0.0
            values[s + bar.LEAST] = spread if first else min(values[s + bar.LEAST], spread)
            values[s + bar.MOST] = spread if first else max(values[s + bar.MOST], spread)
            values[s + bar.SPREADS] += spread
            values[s + bar.RELATIVE] += spread / mid
            values[s + bar.IMBALANCES] += imbalance
            values[s + bar.VALID] += 1.0


@njit
def _trade(row: np.ndarray, values: np.ndarray, event: np.ndarray) -> None:
    out_of_line()
    numbers = event.view(np.float64)
    control = words_at(event[at.E_BARS])
    price, size, side = numbers[at.E_PRICE], numbers[at.E_SIZE], event[at.E_SIDE]
    for i in range(control[bar.R_KINDS]):
        s = event[at.E_SLAB] + i * bar.STATE
        _enter(control, i, row, values, s, event)
        bar.extend(values, s + bar.FIRST, price, values[s + bar.TRADES] == 0.0)
        values[s + bar.TRADES] += 1.0
        values[s + bar.VOLUME] += size
        values[s + bar.NOTIONAL] += price * size
        if side > 0:
            values[s + bar.BUY] += size
        elif side < 0:
            values[s + bar.SELL] += size
        kind = control[bar.R_KIND + i * bar.KIND_WORDS + bar.K_KIND]
        if kind != TIME:
            filled = values[s + bar.VOLUME]
            if kind == TICKS:
                filled = values[s + bar.TRADES]
            elif kind == QUOTE:
                filled = values[s + bar.NOTIONAL]
            if filled >= control.view(np.float64)[bar.R_KIND + i * bar.KIND_WORDS + bar.K_SIZE]:
                bar.close(control, i, row, values, s, values.view(np.int64)[s + bar.SINCE], event[at.E_TIME])


@njit
def _row(row: np.ndarray, values: np.ndarray, event: np.ndarray) -> None:
    out_of_line()
    words = values.view(np.int64)
    control = words_at(event[at.E_BARS])
    number = event[at.E_NUMBER]
    mid, before = event.view(np.float64)[at.E_MID], values[event[at.E_CORE] + at.C_ROW_MID]
    is_last = event[at.E_FLAGS] & _PARTIAL and number == row[I_FINAL_ROW]
    event[at.E_TIME] = event[at.E_CLOSE] - 1
    for i in range(control[bar.R_KINDS]):
        s = event[at.E_SLAB] + i * bar.STATE
        is_time = control[bar.R_KIND + i * bar.KIND_WORDS + bar.K_KIND] == TIME
        if is_time:
            _enter(control, i, row, values, s, event)
        elif not words[s + bar.BEGUN]:
            continue
        if mid > 0.0 and before > 0.0:
            bar.add_return(values, s, math.log(mid / before))
        words[s + bar.FLAGS] |= event[at.E_FLAGS]
        rows = control[bar.R_KIND + i * bar.KIND_WORDS + bar.K_SIZE]
        if is_time and (is_last or number % rows == 0):
            bar.close_interval(control, i, row, values, s, rows * event[at.E_GRID])
        elif is_last:
            bar.close(control, i, row, values, s, words[s + bar.SINCE], event[at.E_CLOSE])


def kernel(what: int, row: int, values: int, event: int, wide: int) -> int:
    """The group's kernel (event.py)."""
    told = event_at(event)
    floats = words_at(values).view(np.float64)
    if what == at.ON_UPDATE:
        _update(row_at(row), floats, told)
    elif what == at.ON_TRADE:
        _trade(row_at(row), floats, told)
    elif what == at.ON_ROW:
        _row(row_at(row), floats, told)
    return 0


KERNEL = group_entry(njit(kernel))
