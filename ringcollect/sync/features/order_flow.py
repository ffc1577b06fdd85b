"""Group G: order flow, what each update of the book added to and took from its best levels.

Only updates that are news and leave a valid book count; the first one after a (re)sync contributes depth, no flow. A
level that is missing on either of the two books is skipped, on its side alone. The vector of ``ofi_integrated`` is
scaled as ``mlofi_norm`` is, by the mean depth over updates and levels (Cont-Cucuringu-Zhang 2023); without an update
in the bin both are measured against the carried book's depth.
"""

from __future__ import annotations

import math

import numpy as np

from ringcollect.decode.memory import out_of_line
from ringcollect.jit import njit
from ringcollect.sync.catalogue.options import MAX_HORIZONS
from ringcollect.sync.features import places as at
from ringcollect.sync.features.event import event_at, group_entry, params_of, words_at
from ringcollect.sync.features.rolling import SUM, roll_sum
from ringcollect.sync.features.series import push
from ringcollect.sync.layout import P_OPTIONS

(G_BID_FLOW, G_ASK_FLOW, G_DEPTH, G_UPDATES, G_DEPTHS, G_LEVELS) = range(6)
# flow of the best level's sides; sum of its depths and their number; the same of all levels
(G_ADDED, G_REMOVED, G_DEPLETED) = (6, 8, 10)  # at the best price of bids and asks
G_FLOW = 12  # per level
_BIN = G_FLOW + at.FLOW_LEVELS
G_SUMS = _BIN  # windows of ofi and of mlofi_decay per horizon
G_NORMS = G_SUMS + 2 * MAX_HORIZONS * SUM  # windows of ofi, depths and updates over 5 s and 60 s
SLAB = G_NORMS + 6 * SUM
"""Words: the open row's sums, then windows."""
_NAN = math.nan


@njit
def _side_flow(price: float, size: float, before: float, size_before: float) -> float:
    """e(u) of a side whose better prices are the higher ones; a positive flow is size that came."""
    flow = 0.0
    if price >= before:
        flow += size
    if price <= before:
        flow -= size_before
    return flow


@njit
def _queue(values: np.ndarray, a: int, side: int, better: float, change: float, size_before: float) -> None:
    """What happened to the queue at the best price, ``better`` is by how much the price improved."""
    if better == 0.0:
        if change > 0.0:
            values[a + G_ADDED + side] += change
        else:
            values[a + G_REMOVED + side] -= change
    elif better < 0.0:
        values[a + G_DEPLETED + side] += size_before


@njit
def _update(values: np.ndarray, event: np.ndarray) -> None:
    out_of_line()
    if not event[at.E_NEWS] or not event[at.E_VALID]:
        return
    numbers, words = event.view(np.float64), values.view(np.int64)
    a, core = event[at.E_SLAB], event[at.E_CORE]
    levels = params_of(event)[P_OPTIONS + at.O_FLOW_LEVELS]
    bids, asks = min(event[at.E_BIDS], levels), min(event[at.E_ASKS], levels)
    values[a + G_DEPTH] += (numbers[at.E_BID_SIZE] + numbers[at.E_ASK_SIZE]) / 2.0
    values[a + G_UPDATES] += 1.0
    for i in range(min(bids, asks)):
        values[a + G_DEPTHS] += (numbers[at.E_BID_SIZE + i] + numbers[at.E_ASK_SIZE + i]) / 2.0
    values[a + G_LEVELS] += min(bids, asks)
    if event[at.E_FRESH]:
        return
    for i in range(min(bids, words[core + at.C_BIDS])):
        price, size = numbers[at.E_BID_PRICE + i], numbers[at.E_BID_SIZE + i]
        before, size_before = values[core + at.C_BID_PRICE + i], values[core + at.C_BID_SIZE + i]
        flow = _side_flow(price, size, before, size_before)
        values[a + G_FLOW + i] += flow
        if i == 0:
            values[a + G_BID_FLOW] += flow
            _queue(values, a, 0, price - before, size - size_before, size_before)
    for i in range(min(asks, words[core + at.C_ASKS])):
        price, size = numbers[at.E_ASK_PRICE + i], numbers[at.E_ASK_SIZE + i]
        before, size_before = values[core + at.C_ASK_PRICE + i], values[core + at.C_ASK_SIZE + i]
        flow = -_side_flow(-price, size, -before, size_before)
        values[a + G_FLOW + i] += flow
        if i == 0:
            values[a + G_ASK_FLOW] += flow
            _queue(values, a, 1, before - price, size - size_before, size_before)


@njit
def _bin(values: np.ndarray, event: np.ndarray, params: np.ndarray, wide: np.ndarray, to: int) -> int:
    """Columns of the bin alone; where the next column goes."""
    numbers, options = event.view(np.float64), params[P_OPTIONS:]
    a = event[at.E_SLAB]
    levels = options[at.O_FLOW_LEVELS]
    ofi = values[a + G_BID_FLOW] + values[a + G_ASK_FLOW]
    wide[to] = ofi
    wide[to + 1] = values[a + G_BID_FLOW]
    wide[to + 2] = values[a + G_ASK_FLOW]
    to += 3
    total = decayed = weighted = 0.0
    for i in range(levels):
        flow = values[a + G_FLOW + i]
        wide[to + i] = flow
        total += flow
        decayed += math.exp(-options.view(np.float64)[at.O_ALPHA] * i) * flow
        weighted += options.view(np.float64)[at.O_WEIGHT + i] * flow
    to += levels
    depth, updates = values[a + G_DEPTH], values[a + G_UPDATES]
    push(values, params, at.S_OFI, event[at.E_NUMBER], ofi)
    push(values, params, at.S_DECAYED_OFI, event[at.E_NUMBER], decayed)
    push(values, params, at.S_BEST_DEPTH, event[at.E_NUMBER], depth)
    push(values, params, at.S_BEST_DEPTH_COUNT, event[at.E_NUMBER], updates)
    depths, count = values[a + G_DEPTHS], values[a + G_LEVELS]
    if updates == 0.0 and event[at.E_VALID]:
        depth, updates = (numbers[at.E_BID_SIZE] + numbers[at.E_ASK_SIZE]) / 2.0, 1.0
        for i in range(min(levels, event[at.E_BIDS], event[at.E_ASKS])):
            depths += (numbers[at.E_BID_SIZE + i] + numbers[at.E_ASK_SIZE + i]) / 2.0
            count += 1.0
    wide[to] = total
    wide[to + 1] = decayed
    wide[to + 2] = ofi / (depth / updates) if depth > 0.0 else _NAN
    wide[to + 3] = total / (depths / count) if depths > 0.0 else _NAN
    wide[to + 4] = weighted / (depths / count) if depths > 0.0 else _NAN
    return to + 5


@njit
def _norm(values: np.ndarray, params: np.ndarray, s: int, k: int, n: int, rebuild: int) -> float:
    """Flow over a window of ``n`` rows by the mean depth of its updates."""
    out_of_line()
    if n == 0:
        return _NAN
    flow = roll_sum(values, params, s, at.S_OFI, k, n, rebuild)
    depth = roll_sum(values, params, s + SUM, at.S_BEST_DEPTH, k, n, rebuild)
    updates = roll_sum(values, params, s + 2 * SUM, at.S_BEST_DEPTH_COUNT, k, n, rebuild)
    return flow / (depth / updates) if depth > 0.0 else _NAN


@njit
def _row(values: np.ndarray, event: np.ndarray, wide: np.ndarray) -> None:
    out_of_line()
    params = params_of(event)
    options = params[P_OPTIONS:]
    a, core, k, rebuild = event[at.E_SLAB], event[at.E_CORE], event[at.E_NUMBER], event[at.E_REBUILD]
    to = _bin(values, event, params, wide, event[at.E_WIDE])
    for series, words in ((at.S_OFI, a + G_SUMS), (at.S_DECAYED_OFI, a + G_SUMS + MAX_HORIZONS * SUM)):
        for i in range(options[at.O_HORIZONS]):
            rows = options[at.O_HORIZON_ROWS + i]
            wide[to] = roll_sum(values, params, words + i * SUM, series, k, rows, rebuild)
            to += 1
    wide[to] = _norm(values, params, a + G_NORMS, k, options[at.O_ROWS_5S], rebuild)
    wide[to + 1] = _norm(values, params, a + G_NORMS + 3 * SUM, k, options[at.O_ROWS_60S], rebuild)
    to += 2
    for side in range(2):
        gone = values[a + G_REMOVED + side] + values[a + G_DEPLETED + side]
        taken = values[core + (at.C_SELL if side == 0 else at.C_BUY)]
        wide[to + side] = values[a + G_ADDED + side]
        wide[to + 2 + side] = values[a + G_REMOVED + side]
        wide[to + 4 + side] = values[a + G_DEPLETED + side]
        wide[to + 6 + side] = max(0.0, gone - taken)
    for i in range(_BIN):
        values[a + i] = 0.0


def kernel(what: int, row: int, values: int, event: int, wide: int) -> int:
    """The group's kernel (event.py)."""
    floats, told = words_at(values).view(np.float64), event_at(event)
    if what == at.ON_UPDATE:
        _update(floats, told)
    elif what == at.ON_ROW:
        _row(floats, told, words_at(wide).view(np.float64))
    return 0


KERNEL = group_entry(njit(kernel))
