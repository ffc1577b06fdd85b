"""What an update of the book added to one side's flow (Cont-Kukanov-Stoikov 2014)."""

from __future__ import annotations

import numpy as np

from ringcollect.jit import njit
from ringcollect.sync.features import places as at


@njit
def side_flow(price: float, size: float, before: float, size_before: float) -> float:
    """e(u) of a side whose better prices are the higher ones; a positive flow is size that came."""
    flow = 0.0
    if price >= before:
        flow += size
    if price <= before:
        flow -= size_before
    return flow


@njit
def level_flow(event: np.ndarray, values: np.ndarray, level: int) -> float:
    """e(u) of both sides at ``level``, which both books have on that side, else that side adds nothing."""
    numbers, words = event.view(np.float64), values.view(np.int64)
    core = event[at.E_CORE]
    flow = 0.0
    if level < min(event[at.E_BIDS], words[core + at.C_BIDS]):
        flow += side_flow(
            numbers[at.E_BID_PRICE + level],
            numbers[at.E_BID_SIZE + level],
            values[core + at.C_BID_PRICE + level],
            values[core + at.C_BID_SIZE + level],
        )
    if level < min(event[at.E_ASKS], words[core + at.C_ASKS]):
        flow -= side_flow(
            -numbers[at.E_ASK_PRICE + level],
            numbers[at.E_ASK_SIZE + level],
            -values[core + at.C_ASK_PRICE + level],
            values[core + at.C_ASK_SIZE + level],
        )
    return flow
