"""24 h volumes as all exchanges list them: amounts in texts or bare numbers, empty where nothing was traded."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ringcollect.exchanges.numbers import Number


def quote_volumes(rows: Iterable[tuple[str, Number, Number]]) -> dict[str, float]:
    """Symbol -> amount x price of (symbol, amount, price); an amount of quote currency has price 1.

    What is no number counts as nothing traded: a ranking is no reason to reject a whole list.
    """
    return {symbol: _number(amount) * _number(price) for symbol, amount, price in rows}


def _number(value: Number) -> float:
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return 0.0
    return number if math.isfinite(number) and number > 0 else 0.0
