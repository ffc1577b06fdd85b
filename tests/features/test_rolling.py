"""Windows over rows against numpy over the same rows, however they were reached."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.sync.features import rolling, series
from ringcollect.sync.layout import P_SELECT, P_SERIES

ROWS, FIRST = 12, 1_000_003
VALUES = st.one_of(st.just(math.nan), st.just(0.0), st.floats(-1e6, 1e6), st.floats(60_000.0, 60_001.0))


def params() -> np.ndarray:
    words = np.zeros(P_SELECT, np.int64)
    words[P_SERIES : P_SERIES + 4] = (100, ROWS, 200, ROWS)
    return words


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=60), st.integers(1, 10), st.integers(0, 1))
def test_sums_moments_and_pairs_are_those_of_the_window(pairs: list[tuple[float, float]], n: int, lag: int) -> None:
    words = params()
    values = np.full(300, math.nan)
    values[:100] = 0.0
    lag = min(lag, n - 1)
    for i, (x, y) in enumerate(pairs):
        k = FIRST + i
        series.push(values, words, 0, k, x)
        series.push(values, words, 1, k, y)
        total = rolling.roll_sum(values, words, 0, 0, k, n, int(i == 0))
        rolling.roll_moments(values, words, 10, 0, k, n, int(i == 0))
        rolling.roll_pairs(values, words, 20, 0, 1, k, n, lag, int(i == 0))
        window = np.array([p[0] for p in pairs[max(0, i - n + 1) : i + 1]])
        there = window[~np.isnan(window)]
        seen = np.array([p[0] for p in pairs[: i + 1]])
        scale = max([1.0, *np.abs(seen[~np.isnan(seen)])])  # what left the window may leave rounding behind
        assert math.isclose(total, math.fsum(there), rel_tol=1e-9, abs_tol=1e-9 * scale)
        if not there.any():
            assert total == 0.0
        assert values[10] == len(there)
        if len(there) >= 2:
            squares = float(np.var(there)) * len(there)
            assert math.isclose(values[10 + rolling.M_SQUARES], squares, rel_tol=1e-6, abs_tol=1e-12 * scale**2)
            deviation = math.sqrt(max(values[10 + rolling.M_SQUARES], 0.0) / (len(there) - 1))
            assert rolling.deviation_of(values, 10) == deviation
            assert math.isclose(rolling.mean_of(values, 10), float(np.mean(there)), rel_tol=1e-9, abs_tol=1e-9 * scale)
        rows = [(pairs[j][0], pairs[j - lag][1]) for j in range(max(lag, i - n + 1 + lag), i + 1)]
        both = [(x, y) for x, y in rows if not math.isnan(x) and not math.isnan(y)]
        assert values[20] == len(both)
        products = math.fsum(x * y for x, y in both)
        assert math.isclose(values[20 + rolling.Q_XY], products, rel_tol=1e-6, abs_tol=1e-9 * scale * 1e6)


def test_a_window_of_a_multiple_of_its_length_does_not_know_its_history() -> None:
    words = params()
    rng = np.random.default_rng(7)
    n = 5
    ends = []
    for history in (0, 17):
        values = np.full(300, math.nan)
        values[:100] = 0.0
        tail = np.random.default_rng(3).normal(60_000, 1, n)
        stream = np.concatenate((rng.normal(0, 1e6, history), tail))
        start = FIRST + (-(FIRST + len(stream) - 1)) % n  # so that the last row is a multiple of n
        for i, x in enumerate(stream):
            series.push(values, words, 0, start + i, x)
            rolling.roll_sum(values, words, 0, 0, start + i, n, 0)
            rolling.roll_moments(values, words, 10, 0, start + i, n, 0)
        ends.append(values[[2, 11, 12]].tobytes())
    assert ends[0] == ends[1]


def test_rows_that_were_never_written_are_nan_in_every_series() -> None:
    words = params()
    values = np.zeros(300)
    for k in range(FIRST, FIRST + ROWS):
        series.push(values, words, 0, k, 1.0)
    series.forget_rows(values, words, FIRST + ROWS, FIRST + ROWS + 2)
    kept = [series.value_of(values, words, 0, k) for k in range(FIRST + 3, FIRST + ROWS + 3)]
    assert kept[:9] == [1.0] * 9 and all(math.isnan(x) for x in kept[9:])
    series.forget_rows(values, words, 0, FIRST + 10**6)
    assert all(math.isnan(x) for x in values[100:112])
