"""Group N: how old what a row says is, how late it came, what broke since the row before."""

from __future__ import annotations

import math

import numpy as np

from ringcollect.jit import njit
from ringcollect.sync.features import places as at
from ringcollect.sync.features.event import event_at, group_entry, row_at, words_at
from ringcollect.sync.layout import (
    I_APPLIED,
    I_FUNDING_TS,
    I_INTEREST_TS,
    I_LATE_EVENTS,
    I_LATE_UPDATES,
    I_MARK_TS,
    I_RENEWALS,
    I_SEQ_GAPS,
    I_SILENCES,
)
from ringcollect.sync.rows import RowFlag

(_BOOK_COUNT, _BOOK_SUM, _BOOK_MOST, _TRADE_COUNT, _TRADE_SUM, _TRADE_MOST, _CROSSED) = range(7)
(_GAPS, _RENEWALS, _SILENCES, _LATE, _DROPPED) = range(7, 12)
SLAB = 12
"""Words: latencies of the row's updates and trades, crossed updates; int64: counters as of the row before."""
_NAN = math.nan
_MS = 1e-6
_HAS_BOOK = int(RowFlag.HAS_BOOK)


@njit
def _latency(values: np.ndarray, place: int, event: np.ndarray) -> None:
    if event[at.E_STAMP] == 0:
        return
    late = np.float64(event[at.E_RECV] - event[at.E_STAMP]) * _MS
    values[place + 2] = late if values[place] == 0.0 else max(values[place + 2], late)
    values[place] += 1.0
    values[place + 1] += late


@njit
def _age(close: int, time: int) -> float:
    return np.float64(close - time) * _MS if time != 0 else _NAN


@njit
def _row(row: np.ndarray, words: np.ndarray, values: np.ndarray, event: np.ndarray, wide: np.ndarray) -> None:
    a, to, close = event[at.E_SLAB], event[at.E_WIDE], event[at.E_CLOSE]
    flags = event[at.E_FLAGS]
    wide[to] = _age(close, row[I_APPLIED]) if flags & _HAS_BOOK else _NAN
    wide[to + 1] = _age(close, words[event[at.E_CORE] + at.C_LAST_TRADE])
    wide[to + 2] = _age(close, row[I_FUNDING_TS])
    wide[to + 3] = _age(close, row[I_INTEREST_TS])
    wide[to + 4] = _age(close, row[I_MARK_TS])
    for i, place in enumerate((a + _BOOK_COUNT, a + _TRADE_COUNT)):
        count = values[place]
        wide[to + 5 + 2 * i] = values[place + 1] / count if count > 0.0 else _NAN
        wide[to + 6 + 2 * i] = values[place + 2] if count > 0.0 else _NAN
    wide[to + 9] = event[at.E_VALID]
    wide[to + 10] = values[a + _CROSSED]
    late = row[I_LATE_EVENTS] + row[I_LATE_UPDATES]
    now = (row[I_SEQ_GAPS], row[I_RENEWALS], row[I_SILENCES], late, event[at.E_LOST])
    for i, counter in enumerate(now):
        wide[to + 11 + i] = counter - words[a + _GAPS + i]
        words[a + _GAPS + i] = counter
    wide[to + 16] = flags
    for i in range(_GAPS):
        values[a + i] = 0.0


def kernel(what: int, row: int, values: int, event: int, wide: int) -> int:
    """The group's kernel (event.py)."""
    told = event_at(event)
    words = words_at(values)
    floats = words.view(np.float64)
    a = told[at.E_SLAB]
    if what == at.ON_UPDATE:
        numbers = told.view(np.float64)
        if told[at.E_NEWS]:
            _latency(floats, a + _BOOK_COUNT, told)
        both = told[at.E_BIDS] > 0 and told[at.E_ASKS] > 0
        if both and numbers[at.E_BID_PRICE] >= numbers[at.E_ASK_PRICE]:
            floats[a + _CROSSED] += 1.0
    elif what == at.ON_TRADE:
        _latency(floats, a + _TRADE_COUNT, told)
    elif what == at.ON_ROW:
        _row(row_at(row), words, floats, told, words_at(wide).view(np.float64))
    return 0


KERNEL = group_entry(njit(kernel))
