"""Group M: how many events of which kind, and how they are spread over time.

Updates are complete ones that are news. What compares the book with the one before needs both to be valid. Of trades
out of order the later time counts: a gap is never negative. Gaps belong to the row of the later event.
"""

from __future__ import annotations

import math

import numpy as np

from ringcollect.decode.memory import out_of_line
from ringcollect.jit import njit
from ringcollect.sync.catalogue.options import MAX_HORIZONS
from ringcollect.sync.features import places as at
from ringcollect.sync.features.event import event_at, group_entry, params_of, row_at, words_at
from ringcollect.sync.features.rolling import PAIRS, Q_COUNT, Q_X, Q_XX, R_SUM, SUM, roll_pairs, roll_sum
from ringcollect.sync.features.series import push
from ringcollect.sync.layout import I_BIN_LIQUIDATIONS, I_BIN_STATES, I_BIN_TRADES, I_BIN_UPDATES, P_OPTIONS

(M_UPDATES, M_BEST, M_MIDS, M_BID_UP, M_BID_DOWN, M_ASK_UP, M_ASK_DOWN) = range(7)
(M_UPDATE_GAPS, M_UPDATE_TIME) = (7, 8)  # gaps of the open row, and the seconds they last
(M_GAPS, M_TIME, M_SQUARES) = range(9, 12)  # the same of trades, and seconds squared
_BIN = 12
(M_LAST_UPDATE, M_LAST_TRADE) = (12, 13)  # words: their times, 0 = none
M_BOUGHT, M_SOLD = 14, 15  # Hawkes sums as of the last trade
M_HORIZONS = 16  # trades per horizon
M_60S = M_HORIZONS + MAX_HORIZONS * SUM  # gaps, seconds, seconds squared, updates
M_COUNTS = M_60S + 4 * SUM  # trades of rows: 60 s, 300 s
SLAB = M_COUNTS + 2 * PAIRS
"""Words: the open row's counts, what was last, windows."""
_FEWEST_GAPS = 10.0
_NOTHING = 1e-12
_NAN = math.nan
_NS = 1e-9
_BETA = math.log(2.0)  # per second


@njit
def _update(values: np.ndarray, event: np.ndarray) -> None:
    out_of_line()
    if not event[at.E_NEWS]:
        return
    numbers, words = event.view(np.float64), values.view(np.int64)
    a, core, time = event[at.E_SLAB], event[at.E_CORE], event[at.E_TIME]
    values[a + M_UPDATES] += 1.0
    if words[a + M_LAST_UPDATE] != 0:
        values[a + M_UPDATE_GAPS] += 1.0
        values[a + M_UPDATE_TIME] += np.float64(max(time - words[a + M_LAST_UPDATE], 0)) * _NS
    words[a + M_LAST_UPDATE] = max(time, words[a + M_LAST_UPDATE])
    if event[at.E_FRESH] or not event[at.E_VALID]:
        return
    bid = numbers[at.E_BID_PRICE] - values[core + at.C_BID_PRICE]
    ask = numbers[at.E_ASK_PRICE] - values[core + at.C_ASK_PRICE]
    bid_size = numbers[at.E_BID_SIZE] - values[core + at.C_BID_SIZE]
    ask_size = numbers[at.E_ASK_SIZE] - values[core + at.C_ASK_SIZE]
    if bid != 0.0 or ask != 0.0 or bid_size != 0.0 or ask_size != 0.0:
        values[a + M_BEST] += 1.0
    if numbers[at.E_MID] != values[core + at.C_MID]:
        values[a + M_MIDS] += 1.0
    if bid != 0.0:
        values[a + (M_BID_UP if bid > 0.0 else M_BID_DOWN)] += 1.0
    if ask != 0.0:
        values[a + (M_ASK_UP if ask > 0.0 else M_ASK_DOWN)] += 1.0


@njit
def _trade(values: np.ndarray, event: np.ndarray) -> None:
    out_of_line()
    words = values.view(np.int64)
    a, time, side = event[at.E_SLAB], event[at.E_TIME], event[at.E_SIDE]
    last = words[a + M_LAST_TRADE]
    weight = 1.0
    if last != 0:
        seconds = np.float64(time - last) * _NS
        if seconds > 0.0:
            stays = math.exp(-_BETA * seconds)
            values[a + M_BOUGHT] *= stays
            values[a + M_SOLD] *= stays
        else:
            weight = math.exp(_BETA * seconds)
        gap = max(seconds, 0.0)
        values[a + M_GAPS] += 1.0
        values[a + M_TIME] += gap
        values[a + M_SQUARES] += gap * gap
    words[a + M_LAST_TRADE] = max(time, last)
    if side > 0:
        values[a + M_BOUGHT] += weight
    elif side < 0:
        values[a + M_SOLD] += weight


@njit
def _gaps(values: np.ndarray, event: np.ndarray, params: np.ndarray, n: int, wide: np.ndarray, to: int) -> float:
    """Spread of the gaps between trades over 60 s; the updates of these rows."""
    out_of_line()
    k, rebuild, words = event[at.E_NUMBER], event[at.E_REBUILD], event[at.E_SLAB] + M_60S
    wide[to] = _NAN
    wide[to + 1] = _NAN
    if n == 0:
        return _NAN
    for i in range(4):
        roll_sum(values, params, words + i * SUM, at.S_GAPS + i, k, n, rebuild)
    count = values[words + R_SUM]
    total, squares = values[words + SUM + R_SUM], values[words + 2 * SUM + R_SUM]
    if count >= _FEWEST_GAPS:
        mean = total / count
        deviation = math.sqrt(max(squares - total * mean, 0.0) / (count - 1.0))
        wide[to] = deviation / mean if mean > 0.0 else _NAN
        wide[to + 1] = (deviation - mean) / (deviation + mean) if deviation + mean > 0.0 else _NAN
    return values[words + 3 * SUM + R_SUM]


@njit
def _moments(values: np.ndarray, params: np.ndarray, words: int, k: int, n: int, rebuild: int) -> tuple[float, float]:
    """Mean and sample variance of the rows' trade counts; whole numbers, so that both are exact."""
    out_of_line()
    roll_pairs(values, params, words, at.S_COUNT, at.S_COUNT, k, n, 0, rebuild)
    count, total = values[words + Q_COUNT], values[words + Q_X]
    if count < 2.0:
        return _NAN, _NAN
    return total / count, (count * values[words + Q_XX] - total * total) / (count * (count - 1.0))


@njit
def _hawkes(values: np.ndarray, event: np.ndarray, wide: np.ndarray, to: int) -> None:
    """Intensities of taker buys and sells at the row's close."""
    a = event[at.E_SLAB]
    last = values.view(np.int64)[a + M_LAST_TRADE]
    scale = _BETA * math.exp(-_BETA * (np.float64(event[at.E_CLOSE] - last) * _NS)) if last != 0 else 0.0
    bought, sold = scale * values[a + M_BOUGHT], scale * values[a + M_SOLD]
    wide[to] = bought
    wide[to + 1] = sold
    wide[to + 2] = (bought - sold) / (bought + sold) if bought + sold >= _NOTHING else 0.0


@njit
def _row(row: np.ndarray, values: np.ndarray, event: np.ndarray, wide: np.ndarray) -> None:
    out_of_line()
    params = params_of(event)
    a, to, k, rebuild = event[at.E_SLAB], event[at.E_WIDE], event[at.E_NUMBER], event[at.E_REBUILD]
    for i in range(M_UPDATE_GAPS):
        wide[to + i] = values[a + i]
    push(values, params, at.S_UPDATES, k, values[a + M_UPDATES])
    for i in range(3):
        push(values, params, at.S_GAPS + i, k, values[a + M_GAPS + i])
    records = row[I_BIN_UPDATES] + row[I_BIN_TRADES] + row[I_BIN_LIQUIDATIONS] + row[I_BIN_STATES]
    wide[to + 7] = np.float64(records)
    for i, gaps in ((8, M_UPDATE_GAPS), (9, M_GAPS)):
        wide[to + i] = 1e3 * (values[a + gaps + 1] / values[a + gaps]) if values[a + gaps] > 0.0 else _NAN
    n, long = params[P_OPTIONS + at.O_ROWS_60S], params[P_OPTIONS + at.O_ROWS_300S]
    updates = _gaps(values, event, params, n, wide, to + 10)
    to += 12
    horizons = params[P_OPTIONS + at.O_HORIZONS]
    for i in range(horizons):
        rows = params[P_OPTIONS + at.O_HORIZON_ROWS + i]
        trades = roll_sum(values, params, a + M_HORIZONS + i * SUM, at.S_COUNT, k, rows, rebuild)
        wide[to + i] = trades / (np.float64(rows * event[at.E_GRID]) * _NS)
    to += horizons
    _hawkes(values, event, wide, to)
    for i in range(3, 6):
        wide[to + i] = _NAN
    if long > 0:
        mean, variance = _moments(values, params, a + M_COUNTS + PAIRS, k, long, rebuild)
        wide[to + 3] = max(1.0 - math.sqrt(mean / variance), 0.0) if variance > 0.0 else _NAN
    if n > 0:
        mean, variance = _moments(values, params, a + M_COUNTS, k, n, rebuild)
        trades = values[a + M_COUNTS + Q_X]
        wide[to + 4] = variance / mean if mean > 0.0 else _NAN
        wide[to + 5] = updates / trades if trades > 0.0 else _NAN
    for i in range(_BIN):
        values[a + i] = 0.0


def kernel(what: int, row: int, values: int, event: int, wide: int) -> int:
    """The group's kernel (event.py)."""
    floats, told = words_at(values).view(np.float64), event_at(event)
    if what == at.ON_UPDATE:
        _update(floats, told)
    elif what == at.ON_TRADE:
        _trade(floats, told)
    elif what == at.ON_ROW:
        _row(row_at(row), floats, told, words_at(wide).view(np.float64))
    return 0


KERNEL = group_entry(njit(kernel))
