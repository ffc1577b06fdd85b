"""How far a level is from the mid."""

from __future__ import annotations

from ringcollect.jit import njit


@njit
def distance(price: float, mid: float) -> float:
    """How far a level is from the mid, in bps."""
    return abs(price - mid) / mid * 1e4
