"""Group A: the market aggregate scalars. A source that is absent gives 0, never NaN; ``row_flags`` tells which exist.

State in the instrument's slab: running sums of the open row. ``a`` is where the slab starts, ``to`` where the
group's columns start in ``wide``; both are data.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import plain
from ringcollect.jit import njit
from ringcollect.sync.book import base_size, best_key
from ringcollect.sync.layout import (
    EIGHT_HOURS_NS,
    F_ASK_REST,
    F_ASK_TOTAL,
    F_BID_REST,
    F_BID_TOTAL,
    F_FUNDING_RATE,
    F_INTEREST,
    F_INTEREST_VALUE,
    F_MARK,
    F_PREVIOUS_INTEREST,
    GROUP_A_SLAB,
    I_ASK,
    I_BID,
    I_BIN_LIQUIDATIONS,
    I_BIN_TRADES,
    I_FUNDING_EVERY,
    I_FUNDING_INTERVAL,
    I_FUNDING_NEXT,
    I_FUNDING_TS,
    I_INTEREST_TS,
    I_MARK_TS,
    I_PREVIOUS_INTEREST,
    YEAR_NS,
)

VOLUME, NOTIONAL, BUY_VOLUME, BUY_NOTIONAL, BUY_COUNT = range(5)
SELL_VOLUME, SELL_NOTIONAL, SELL_COUNT, PRICE_FIRST, PRICE_LAST = range(5, 10)
LIQ_NOTIONAL, LIQ_LONG, LIQ_SHORT = range(10, GROUP_A_SLAB)
COLUMNS = 25
"""Columns this group writes, in catalogue order."""


@njit
def on_trade(values: np.ndarray, a: int, price: float, size: float, side: int, first: bool, last: bool) -> None:
    """Add one trade (``size`` in base units); ``first``/``last``: so far the earliest/latest by (time, sequence)."""
    notional = price * size
    values[a + VOLUME] += size
    values[a + NOTIONAL] += notional
    if side > 0:
        values[a + BUY_VOLUME] += size
        values[a + BUY_NOTIONAL] += notional
        values[a + BUY_COUNT] += 1.0
    elif side < 0:
        values[a + SELL_VOLUME] += size
        values[a + SELL_NOTIONAL] += notional
        values[a + SELL_COUNT] += 1.0
    if first:
        values[a + PRICE_FIRST] = price
    if last:
        values[a + PRICE_LAST] = price


@njit
def on_liquidation(values: np.ndarray, a: int, price: float, size: float, side: int) -> None:
    """Add one liquidation; ``side`` is the forced order's: a sell order closes a long position."""
    notional = price * size
    values[a + LIQ_NOTIONAL] += notional
    if side < 0:
        values[a + LIQ_LONG] += notional
    elif side > 0:
        values[a + LIQ_SHORT] += notional


@njit
def _balance(plus: float, minus: float) -> float:
    total = plus + minus
    return (plus - minus) / total if total > 0.0 else 0.0


@njit
def _book(row: np.ndarray, values: np.ndarray, books: np.ndarray, wide: np.ndarray, to: int) -> None:
    best_bid, best_ask = best_key(row, values, books, plain(I_BID)), -best_key(row, values, books, plain(I_ASK))
    if best_bid > 0.0 and best_ask > 0.0:
        wide[to + 0] = (best_bid + best_ask) / 2.0
        wide[to + 1] = best_ask - best_bid
    wide[to + 2] = _balance(values[F_BID_TOTAL] + values[F_BID_REST], values[F_ASK_TOTAL] + values[F_ASK_REST])


@njit
def _funding(row: np.ndarray, values: np.ndarray, wide: np.ndarray, to: int) -> None:
    every = row[I_FUNDING_EVERY]
    if every <= 0:
        every = row[I_FUNDING_INTERVAL]
    if every <= 0:
        every = EIGHT_HOURS_NS
    wide[to + 9] = values[F_FUNDING_RATE]
    wide[to + 10] = values[F_FUNDING_RATE] * (float(YEAR_NS) / float(every))
    if row[I_FUNDING_NEXT] > 0:
        wide[to + 11] = float(row[I_FUNDING_NEXT] - row[I_FUNDING_TS])


@njit
def _interest(row: np.ndarray, values: np.ndarray, wide: np.ndarray, to: int) -> None:
    interest = values[F_INTEREST]
    wide[to + 12] = interest
    if values[F_INTEREST_VALUE] == values[F_INTEREST_VALUE]:
        wide[to + 13] = values[F_INTEREST_VALUE]
    elif row[I_MARK_TS] != 0:
        wide[to + 13] = base_size(interest, values[F_MARK], row, values) * values[F_MARK]
    if row[I_PREVIOUS_INTEREST]:
        wide[to + 14] = interest - values[F_PREVIOUS_INTEREST]


@njit
def write(
    row: np.ndarray, values: np.ndarray, books: np.ndarray, a: int, has_book: bool, wide: np.ndarray, to: int
) -> None:
    """Write the 25 columns of the closing row and start the sums of the next one."""
    for i in range(COLUMNS):
        wide[to + i] = 0.0
    if has_book:
        _book(row, values, books, wide, to)
    volume = values[a + VOLUME]
    wide[to + 3] = volume
    if volume > 0.0:
        wide[to + 4] = values[a + NOTIONAL] / volume
    wide[to + 5] = row[I_BIN_TRADES]
    wide[to + 6] = values[a + LIQ_NOTIONAL]
    wide[to + 7] = row[I_BIN_LIQUIDATIONS]
    if values[a + LIQ_NOTIONAL] > 0.0:
        wide[to + 8] = (values[a + LIQ_LONG] - values[a + LIQ_SHORT]) / values[a + LIQ_NOTIONAL]
    if row[I_FUNDING_TS] != 0:
        _funding(row, values, wide, to)
    if row[I_INTEREST_TS] != 0:
        _interest(row, values, wide, to)
    wide[to + 15] = values[a + NOTIONAL]
    wide[to + 16] = values[a + BUY_VOLUME]
    wide[to + 17] = values[a + BUY_NOTIONAL]
    wide[to + 18] = values[a + BUY_COUNT]
    wide[to + 19] = values[a + SELL_VOLUME]
    wide[to + 20] = values[a + SELL_NOTIONAL]
    wide[to + 21] = values[a + SELL_COUNT]
    wide[to + 22] = _balance(values[a + BUY_VOLUME], values[a + SELL_VOLUME])
    wide[to + 23] = values[a + PRICE_FIRST]
    wide[to + 24] = values[a + PRICE_LAST]
    for i in range(GROUP_A_SLAB):
        values[a + i] = 0.0
