"""From what happened in the open row to the kernels of the features: what they are told of it.

Called at the end of a book update, for each trade, liquidation and state that enters the open row, and for the row
itself. Nothing here runs when only group A is chosen. What follows is behind an address (core.py), so that it is
compiled apart from the kernel that takes records in.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import address_of, call_words, out_of_line, plain
from ringcollect.jit import njit
from ringcollect.records import W_TAIL, W_TS_EVENT, W_TS_RECV
from ringcollect.sync.features import places as at
from ringcollect.sync.features.event import event_at
from ringcollect.sync.grid import record_time
from ringcollect.sync.layout import G_EVENT, G_LOST, I_ANCHORED, I_PERIOD, NO_FLOW, P_CORE, P_GRID, P_HEARS


@njit
def _tell(what: int, row: np.ndarray, values: np.ndarray, event: np.ndarray, shared: np.ndarray) -> None:
    call_words(event[at.E_CORE_KERNEL], what, address_of(row), address_of(values), shared[G_EVENT], event[at.E_WIDE_AT])


@njit
def _stamp(record: np.ndarray, time: int, event: np.ndarray) -> None:
    event[at.E_TIME] = time
    event[at.E_RECV] = record[W_TS_RECV]
    event[at.E_STAMP] = record[W_TS_EVENT]


@njit
def on_update(
    record: np.ndarray, time: int, row: np.ndarray, values: np.ndarray, params: np.ndarray, shared: np.ndarray
) -> None:
    """A book update is complete: ``record`` was its last, ``time`` is its effective time."""
    if params[P_CORE] == 0:
        return
    out_of_line()
    event = event_at(shared[G_EVENT])
    _stamp(record, time, event)
    late = row[I_ANCHORED] != 0 and record_time(record, params) < row[I_PERIOD] * params[P_GRID]
    event[at.E_NEWS] = 0 if late or (record[W_TAIL] >> 48) & NO_FLOW else 1
    _tell(plain(at.ON_UPDATE), row, values, event, shared)


@njit
def on_event(
    what: int,
    record: np.ndarray,
    time: int,
    price: float,
    size: float,
    side: int,
    row: np.ndarray,
    values: np.ndarray,
    params: np.ndarray,
    shared: np.ndarray,
) -> None:
    """A trade (ON_TRADE), a liquidation (ON_LIQUIDATION) or a state (ON_STATE) entered the open row, after group A.

    ``size`` is in base units but for states, ``side`` a trade's after the tick rule, a liquidation's that of the forced
    order.
    """
    if params[P_CORE] == 0 or (what != at.ON_TRADE and params[P_HEARS + what] == 0):
        return
    out_of_line()
    event = event_at(shared[G_EVENT])
    numbers = event.view(np.float64)
    _stamp(record, time, event)
    event[at.E_KIND] = (record[W_TAIL] >> 32) & 0xFF
    event[at.E_SIDE] = side
    numbers[at.E_PRICE] = price
    numbers[at.E_SIZE] = size
    _tell(what, row, values, event, shared)


@njit
def on_row(
    flags: int, has_book: bool, row: np.ndarray, values: np.ndarray, params: np.ndarray, shared: np.ndarray
) -> None:
    """The open row closes: every group that runs writes its columns into ``wide``."""
    if params[P_CORE] == 0:
        return
    out_of_line()
    event = event_at(shared[G_EVENT])
    event[at.E_NUMBER] = row[I_PERIOD] + 1
    event[at.E_CLOSE] = (row[I_PERIOD] + 1) * params[P_GRID]
    event[at.E_FLAGS] = flags
    event[at.E_HAS_BOOK] = 1 if has_book else 0
    event[at.E_LOST] = shared[G_LOST]
    _tell(plain(at.ON_ROW), row, values, event, shared)
