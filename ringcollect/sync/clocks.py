"""Which records may move an instrument's clock (sync-rules of the four modes; G18, G20)."""

from __future__ import annotations

import numpy as np

from ringcollect.jit import njit
from ringcollect.records import W_TAIL
from ringcollect.sync.layout import (
    K_DELTA,
    K_LIQUIDATION,
    K_SNAPSHOT,
    K_TRADE,
    MODE_LIQUIDATION,
    MODE_ORDERBOOK,
    MODE_TRADE,
    NO_CLOCK,
    NO_FLOW,
    P_MODE,
    T_ADL,
    T_AGGREGATED,
    T_BLOCK,
)


@njit
def is_flow(kind: int, sub: int, flags: int) -> bool:
    """Whether a trade or liquidation record counts as flow.

    Re-sent history (G20), replayed and doubled records do not. Neither do block and ADL/insurance prints: they are
    negotiated or assigned, not orders that met the book.
    """
    if flags & NO_FLOW:
        return False
    if kind == K_TRADE:
        code = sub & ~T_AGGREGATED
        return code != T_BLOCK and code != T_ADL
    return kind == K_LIQUIDATION


@njit
def drives(record: np.ndarray, params: np.ndarray) -> bool:
    """Whether ``record`` is of the kind that drives its instrument's clock in this mode (ExternalClock: none)."""
    tail = record[W_TAIL]
    kind = (tail >> 32) & 0xFF
    sub = (tail >> 24) & 0xFF
    flags = (tail >> 48) & 0xFFFF
    if flags & NO_CLOCK:
        return False
    mode = params[P_MODE]
    if mode == MODE_ORDERBOOK:
        return (kind in (K_DELTA, K_SNAPSHOT)) and sub == 0
    if mode == MODE_TRADE:
        return kind == K_TRADE and is_flow(kind, sub, flags)
    if mode == MODE_LIQUIDATION:
        return kind == K_LIQUIDATION
    return False
