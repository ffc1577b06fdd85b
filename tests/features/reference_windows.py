"""Windows over the rows of a reference: lists, made anew for every row."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .plain import Row


def windows(rows: Sequence[Row], values: Sequence[float], n: int, reset: int) -> list[list[float]]:
    """For each row k the values of rows k-n+1 .. k that are not NaN.

    A row that is not in ``rows`` has none, and after more than ``reset`` rows without a valid book all begin anew.
    """
    found: list[list[float]] = []
    known: dict[int, float] = {}
    seen = None
    for row, value in zip(rows, values, strict=True):
        if row.book is not None and row.book.valid:
            if seen is not None and row.number - seen > reset:
                known = {}
            seen = row.number
        known[row.number] = value
        window = [known.get(k, math.nan) for k in range(row.number - n + 1, row.number + 1)]
        found.append([x for x in window if not math.isnan(x)])
    return found


def mean(window: Sequence[float]) -> float:
    """The mean, NaN of nothing."""
    return math.fsum(window) / len(window) if window else math.nan


def deviation(window: Sequence[float]) -> float:
    """The sample standard deviation, NaN below two values."""
    return float(np.std(window, ddof=1)) if len(window) > 1 else math.nan


def score(x: float, window: Sequence[float], least: int = 2) -> float:
    """Standard deviations above the mean; NaN where the window is short or stands still (features.md 0.3)."""
    n, one, two = len(window), math.fsum(window), math.fsum(v * v for v in window)
    if n < least or n * two - one * one <= 1e-12 * n * two:
        return math.nan
    return (x - mean(window)) / deviation(window)
