"""The state of one kind of bar, and writing it down when it closes.

Bars go to an array described by a few int64 words behind an address in ``shared`` (0: nobody wants any). A bar without
an update and without a trade is not written.
"""

from __future__ import annotations

import math

import numpy as np

from ringcollect.bar_kinds import MAX_BARS
from ringcollect.decode.memory import out_of_line, word_pointer
from ringcollect.jit import carray, njit
from ringcollect.sync.bar_record import BAR
from ringcollect.sync.layout import G_BARS, I_HELD, I_NUMBER

# The words behind shared[G_BARS]: settings, then R_OUT and R_COUNT for one call, then three words for each kind.
R_KINDS, R_BY_TRADES, R_CAPACITY, R_OUT, R_COUNT = range(5)
R_KIND = 8
K_KIND, K_SIZE, K_TOTAL, KIND_WORDS = range(4)  # K_SIZE: rows of a bar of time, else a float64
R_WORDS = R_KIND + MAX_BARS * KIND_WORDS

# State of one kind: mids, spreads, imbalances and flows of updates; returns of rows; trades.
(OPEN, HIGH, LOW, CLOSE) = range(4)
(SPREADS, RELATIVE, LEAST, MOST, IMBALANCES, VALID, FLOW, DECAYED, UPDATES) = range(4, 13)
(SQUARES, RETURNS, MEAN, DEVIATIONS) = range(13, 17)
(FIRST, TOP, BOTTOM, LAST, VOLUME, BUY, SELL, TRADES, NOTIONAL) = range(17, 26)
(SINCE, FLAGS, BEGUN) = range(26, 29)  # words
_NEW = 29  # what begins anew with each bar ends here
(INDEX, INDEX_BEFORE) = (29, 30)  # words: which bar this is; which the last one with a valid book was, and its extremes
(HIGH_BEFORE, LOW_BEFORE) = (31, 32)
STATE = 33
_NAN = math.nan
_RECORD_WORDS = BAR.itemsize // 8
_SHAPE = 3.0 - 2.0 * math.sqrt(2.0)


@njit
def bars_are_full(row: np.ndarray, shared: np.ndarray) -> bool:
    """Whether the output may be too small for what every record that waits and a row can close."""
    if shared[G_BARS] == 0:
        return False
    control = carray(word_pointer(shared[G_BARS]), (R_WORDS,))
    most = (row[I_HELD] + 2) * control[R_BY_TRADES] + 2 * control[R_KINDS]
    return control[R_CAPACITY] - control[R_COUNT] < most


@njit
def extend(values: np.ndarray, at: int, x: float, first: bool) -> None:
    """Open, high, low, close from ``at`` on, with one more value."""
    if first:
        values[at] = x
        values[at + 1] = x
        values[at + 2] = x
    values[at + 1] = max(values[at + 1], x)
    values[at + 2] = min(values[at + 2], x)
    values[at + 3] = x


@njit
def add_return(values: np.ndarray, s: int, r: float) -> None:
    """One more row's return."""
    count = values[s + RETURNS] + 1.0
    change = r - values[s + MEAN]
    values[s + RETURNS] = count
    values[s + MEAN] += change / count
    values[s + DEVIATIONS] += change * (r - values[s + MEAN])
    values[s + SQUARES] += r * r


@njit
def _corwin_schultz(values: np.ndarray, s: int) -> float:
    """The spread that two neighbouring bars' highs and lows imply (Corwin-Schultz 2012), 0 where it were negative."""
    words = values.view(np.int64)
    if words[s + INDEX_BEFORE] != words[s + INDEX] - 1 or not (values[s + LOW] > 0.0 and values[s + LOW_BEFORE] > 0.0):
        return _NAN
    own, before = (
        math.log(values[s + HIGH] / values[s + LOW]),
        math.log(values[s + HIGH_BEFORE] / values[s + LOW_BEFORE]),
    )
    both = math.log(max(values[s + HIGH], values[s + HIGH_BEFORE]) / min(values[s + LOW], values[s + LOW_BEFORE]))
    beta = own * own + before * before
    alpha = (math.sqrt(2.0 * beta) - math.sqrt(beta)) / _SHAPE - math.sqrt(both * both / _SHAPE)
    return max(2.0 * (math.exp(alpha) - 1.0) / (1.0 + math.exp(alpha)), 0.0)


@njit
def _book(out: np.ndarray, values: np.ndarray, s: int) -> None:
    valid, returns = values[s + VALID], values[s + RETURNS]
    for j in range(1, 10):
        out[j] = _NAN
    if valid > 0.0:
        for j in range(4):
            out[1 + j] = values[s + OPEN + j]
        out[5] = values[s + SPREADS] / valid
        out[6] = values[s + RELATIVE] / valid
        out[7] = values[s + LEAST]
        out[8] = values[s + MOST]
        out[9] = values[s + IMBALANCES] / valid
    out[10] = values[s + FLOW]
    out[11] = values[s + DECAYED]
    out[12] = values[s + SQUARES] if returns > 0.0 else _NAN
    out[13] = values[s + DEVIATIONS] / (returns - 1.0) if returns > 1.0 else _NAN
    out[14] = values[s + UPDATES]


@njit
def _trades(out: np.ndarray, values: np.ndarray, s: int) -> None:
    for j in range(4):
        out[15 + j] = values[s + FIRST + j] if values[s + TRADES] > 0.0 else _NAN
    volume = values[s + VOLUME]
    out[19] = volume
    out[20] = values[s + BUY]
    out[21] = values[s + SELL]
    out[22] = values[s + TRADES]
    out[23] = values[s + NOTIONAL] / volume if volume > 0.0 else _NAN


@njit
def close(control: np.ndarray, i: int, row: np.ndarray, values: np.ndarray, s: int, opened: int, closed: int) -> None:
    """Write the bar of kind ``i`` unless it is empty, and begin the next."""
    out_of_line()
    words = values.view(np.int64)
    if values[s + UPDATES] > 0.0 or values[s + TRADES] > 0.0:
        place = control[R_OUT] + 8 * _RECORD_WORDS * control[R_COUNT]
        line = carray(word_pointer(place), (_RECORD_WORDS,))
        kind = R_KIND + i * KIND_WORDS
        line[0] = control[kind + K_TOTAL]
        line[1] = opened
        line[2] = closed
        line[3] = row[I_NUMBER] | i << 16 | words[s + FLAGS] << 32
        out = line.view(np.float64)[4:]
        out[0] = np.float64(closed - opened) / 1e9
        _book(out, values, s)
        _trades(out, values, s)
        out[24] = _corwin_schultz(values, s) if values[s + VALID] > 0.0 else _NAN
        control[kind + K_TOTAL] += 1
        control[R_COUNT] += 1
    if values[s + VALID] > 0.0:
        words[s + INDEX_BEFORE] = words[s + INDEX]
        values[s + HIGH_BEFORE] = values[s + HIGH]
        values[s + LOW_BEFORE] = values[s + LOW]
    for j in range(_NEW):
        words[s + j] = 0


@njit
def close_interval(control: np.ndarray, i: int, row: np.ndarray, values: np.ndarray, s: int, length: int) -> None:
    """The same for a bar of time of ``length`` ns."""
    opened = values.view(np.int64)[s + INDEX] * length
    close(control, i, row, values, s, opened, opened + length)
