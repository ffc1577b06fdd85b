"""Group I: the published vectors, and on a capture and an invented market against numpy."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from ringcollect.sync import catalogue
from ringcollect.sync.catalogue import Options

from ..sync.streams import NAN, Stream, engine, instrument, run
from .comparing import GRID, assert_equal_columns, rows_of
from .invented import SECOND, invented
from .plain import Row, plain_rows
from .windows import window

COLUMNS = tuple(f.name for f in catalogue.FEATURES if f.group == "I")


def mids(*values: float, grid: int, crossed: tuple[int, ...] = ()) -> Stream:
    """One book with each mid, one a row; ``crossed`` rows have none."""
    stream, held = Stream(), ()
    for i, mid in enumerate(values):
        ask = mid + (-0.5 if i in crossed else 0.5)
        bid = mid - (-0.5 if i in crossed else 0.5)
        gone = [(side, price, 0.0) for side, price in held if (side, price) not in ((1, bid), (-1, ask))]
        stream.book(i * grid + 10, *gone, (1, bid, 1.0), (-1, ask, 1.0))
        held = ((1, bid), (-1, ask))
    return stream


def test_published_vectors() -> None:
    stream = Stream().book(1, (1, 99.5, 1.0), (-1, 100.5, 1.0))
    grid = 12 * SECOND  # five rows in 60 s
    stream.book(grid + 1, (1, 99.5, 2.0))  # a first update of the next row leaves its mid at 100
    before = 100.0
    for i, mid in enumerate((100.1, 100.05, 100.05, 100.2, 100.15)):
        gone = [(1, round(before - 0.5, 2), 0.0), (-1, round(before + 0.5, 2), 0.0)] if mid != before else []
        stream.book((i + 1) * grid + 2, *gone, (1, round(mid - 0.5, 2), 1.0), (-1, round(mid + 0.5, 2), 1.0))
        before = mid
    options = Options(horizons_ns=(60 * SECOND,))
    names = tuple(f.name for f in catalogue.features_with(options) if f.group == "I")
    row = run(engine(grid=grid, columns=names, options=options), stream.book(7 * grid).array(), finalize=False)[5]
    for name, value in (
        ("realized_variance_60s", 3.742140018e-06), ("realized_volatility_60s", 1.934461170e-03),
        ("rv_60s", 9.073056392e-04), ("bipower_variation_60s", 2.448735795e-06),
        ("jump_variation_60s", 1.293404223e-06), ("semivariance_up_60s", 3.243387285e-06),
        ("semivariance_down_60s", 4.987527337e-07), ("parkinson_var_60s", 1.439814931e-06),
        ("garman_klass_var_60s", 1.128146961e-06), ("rogers_satchell_var_60s", 9.972561538e-07),
    ):  # fmt: skip
        assert row[name] == pytest.approx(value, rel=1e-9), name
    assert math.isnan(row["variance_ratio_60s"]) and math.isnan(row["bipower_variation_30s"])  # not on this grid


def test_before_a_book_and_with_one_return_nothing_is_defined() -> None:
    none = run(engine(grid=GRID, columns=COLUMNS, mode="trade"), Stream().trade(10).trade(3 * GRID).array())
    assert all(np.isnan(none[name]).all() for name in COLUMNS)
    options = Options(horizons_ns=(2 * GRID,))
    names = ("log_return_step", "realized_variance_200ms", "rv_200ms", "ewma_volatility")
    rows = run(engine(grid=GRID, columns=names, options=options), mids(100.0, 101.0, 102.0, grid=GRID).array())
    r = [math.log(101 / 100), math.log(102 / 101)]
    assert np.isnan([rows["log_return_step"][0], *rows["realized_variance_200ms"][:2], *rows["rv_200ms"][:2]]).all()
    assert rows["realized_variance_200ms"][2] == pytest.approx(r[0] ** 2 + r[1] ** 2, rel=1e-12)
    assert rows["rv_200ms"][2] == pytest.approx(abs(r[0] - r[1]) / math.sqrt(2), rel=1e-9)
    assert rows["ewma_volatility"][1] == pytest.approx(r[0], rel=1e-12)  # the first return starts it


def test_a_crossed_book_leaves_its_returns_out_and_the_decaying_variance_as_it_was() -> None:
    stream = mids(100.0, 101.0, 102.0, 102.0, 103.0, 104.0, grid=GRID, crossed=(3,))
    names = ("log_return_step", "ewma_volatility", "realized_variance_1s")
    rows = run(engine(grid=GRID, columns=names), stream.array())
    assert np.isnan(rows["log_return_step"]).tolist() == [True, False, False, True, True, False]
    assert rows["ewma_volatility"][3] == rows["ewma_volatility"][2] == rows["ewma_volatility"][4]
    assert np.isnan(rows["realized_variance_1s"]).all()  # never five of ten


def test_a_price_that_stands_still_has_volatility_zero_and_no_ratios() -> None:
    moving = [100.0 + 0.1 * math.sin(i) for i in range(40)]
    stream = mids(*moving, *([100.0] * 1000), grid=GRID)
    row = run(engine(grid=GRID, columns=COLUMNS), stream.array())[-100]
    for name in ("realized_variance_60s", "rv_30s", "realized_volatility_5s", "jump_variation_60s", "rv_ac1_60s",
                 "semivariance_up_60s", "semivariance_down_60s", "quarticity_60s", "parkinson_var_60s"):  # fmt: skip
        assert row[name] == 0.0, name
    for name in ("jump_ratio_60s", "vol_ratio_5s_60s", "return_autocorr_60s", "variance_ratio_60s"):
        assert math.isnan(row[name]), name


def test_after_five_minutes_without_a_book_everything_begins_anew() -> None:
    stream = mids(100.0, 101.0, 102.0, grid=SECOND)
    stream.book(3 * SECOND + 10, (1, 101.5, 0.0), (-1, 102.5, 0.0))
    stream.book(400 * SECOND + 10, (1, 109.5, 1.0), (-1, 110.5, 1.0)).book(401 * SECOND + 10, (1, 109.5, 0.0))
    rows = run(engine(grid=SECOND, columns=("ewma_volatility", "log_return_60s", "rv_60s")), stream.array())
    assert rows["ewma_volatility"][299] > 0.0
    assert np.isnan(rows["ewma_volatility"][400])


def test_rows_the_gap_cap_skipped_are_in_no_window() -> None:
    options = Options(horizons_ns=(4 * SECOND,))
    stream = Stream().book(10, (1, 99.0, 1.0), (-1, 101.0, 1.0)).book(100 * SECOND, (1, 100.0, 1.0))
    stream.book(101 * SECOND, (-1, 102.0, 1.0), (-1, 101.0, 0.0)).book(103 * SECOND)
    names = ("log_return_step", "realized_variance_4s", "mid_range_bps_5s")
    rows = run(engine(grid=SECOND, max_gap_fill=3, columns=names, options=options), stream.array(), finalize=False)
    assert [int(t) // SECOND for t in rows["ts_ns"]] == [1, 2, 3, 101, 102, 103]
    expected = [math.log(101 / 100.5), 0.0]
    assert np.isnan(rows["log_return_step"][3]) and rows["log_return_step"][4:].tolist() == pytest.approx(expected)
    assert rows["realized_variance_4s"][5] == pytest.approx(expected[0] ** 2)


# --- the reference ----------------------------------------------------------------------------------------------------


def extremes(row: Row, before: float) -> tuple[float, float]:
    """Highest and lowest mid of the row's updates, the mid at the last close where there is none."""
    found = [u.book.mid for u in row.updates if u.book.valid] or [before]
    return max(found), min(found)


@np.errstate(invalid="ignore")  # 0 / 0 is what is undefined
def expected(rows: list[Row], grid: int, options: Options) -> dict[str, list[float]]:
    """Every column, nothing being known before the first row."""
    names = [f.name for f in catalogue.features_with(options) if f.group == "I"]
    out: dict[str, list[float]] = {name: [] for name in names}
    mid = [row.mid for row in rows]
    steps = [NAN] + [math.log(b / a) for a, b in pairwise(mid)]
    spans = [extremes(row, before) for row, before in zip(rows, [NAN, *mid], strict=False)]
    rows_in = {seconds: seconds * SECOND // grid for seconds in (1, 5, 30, 60)}
    decaying = NAN

    def variance(i: int, n: int) -> float:
        r = np.array(window(steps, i, n))
        return float(np.sum(r**2)) if len(r) >= max(2, n / 2) else NAN

    def neighbours(i: int, n: int) -> np.ndarray:
        r = np.array([NAN] * n + steps[: i + 1])[-n:]
        pairs = r[1:] * r[:-1]
        return pairs[~np.isnan(pairs)]

    for i, m in enumerate(mid):
        values = {"log_return_step": steps[i]}
        for ns in options.horizons_ns:
            n, name = ns // grid, f"{ns // SECOND}s"
            r = window(steps, i, n)
            values[f"log_return_{name}"] = math.log(m / mid[i - n]) if i >= n else NAN
            values[f"realized_variance_{name}"] = variance(i, n)
            values[f"realized_volatility_{name}"] = math.sqrt(variance(i, n))
            values[f"rv_{name}"] = float(np.std(r, ddof=1)) if len(r) >= 2 else NAN
        for seconds in (30, 60):
            n = rows_in[seconds]
            count, rv = len(window(steps, i, n)), variance(i, n)
            bv = math.pi / 2 * count / (count - 1) * np.abs(neighbours(i, n)).sum() if rv == rv else NAN
            values[f"bipower_variation_{seconds}s"] = bv
            values[f"jump_variation_{seconds}s"] = max(rv - bv, 0.0) if rv == rv else NAN
        n = rows_in[60]
        r = np.array(window(steps, i, n))
        rv, short = variance(i, n), variance(i, rows_in[5])
        known = 1.0 if rv == rv else NAN
        products = neighbours(i, n).sum()
        high = max((s[0] for s in spans[max(0, i - n + 1) : i + 1] if s[0] == s[0]), default=NAN)
        low = min((s[1] for s in spans[max(0, i - n + 1) : i + 1] if s[1] == s[1]), default=NAN)
        first = mid[i - n] if i >= n else NAN
        five = spans[max(0, i - rows_in[5] + 1) : i + 1]
        near = max((s[0] for s in five if s[0] == s[0]), default=NAN) - min(
            (s[1] for s in five if s[1] == s[1]), default=NAN
        )
        if steps[i] == steps[i]:
            stays = 2 ** (-grid / 60e9)
            decaying = stays * decaying + (1 - stays) * steps[i] ** 2 if decaying == decaying else steps[i] ** 2
        seconds_of = range(max(0, i - n) + rows_in[1], i + 1)
        sums = [math.log(mid[j] / mid[j - rows_in[1]]) for j in seconds_of]
        sums = [x for x in sums if x == x]
        ratio = np.var(sums, ddof=1) / (rows_in[1] * np.var(r, ddof=1)) if len(sums) > 1 and np.any(r) else NAN
        values |= {
            "jump_ratio_60s": values["jump_variation_60s"] / rv, "semivariance_up_60s": np.sum(r[r > 0] ** 2) * known,
            "semivariance_down_60s": np.sum(r[r < 0] ** 2) * known,
            "signed_jump_60s": (np.sum(r[r > 0] ** 2) - np.sum(r[r < 0] ** 2)) * known,
            "quarticity_60s": len(r) / 3 * np.sum(r**4) * known,
            "parkinson_var_60s": math.log(high / low) ** 2 / (4 * math.log(2)) * known,
            "garman_klass_var_60s": math.log(high / low) ** 2 / 2
            - (2 * math.log(2) - 1) * math.log(m / first) ** 2 * known,
            "rogers_satchell_var_60s": math.log(high / m) * math.log(high / first)
            + math.log(low / m) * math.log(low / first),
            "mid_range_bps_5s": 1e4 * near / m if short == short else NAN,
            "mid_range_bps_60s": 1e4 * (high - low) / m * known, "ewma_volatility": math.sqrt(decaying),
            "realized_vol_annualized_60s": math.sqrt(rv * 31_536_000 / 60),
            "vol_ratio_5s_60s": math.sqrt(short / 5) / math.sqrt(rv / 60), "return_autocorr_60s": products / rv,
            "variance_ratio_60s": ratio * known, "noise_variance_60s": -products / (len(r) - 1) * known,
            "rv_ac1_60s": rv + 2 * products,
        }  # fmt: skip
        for name in names:
            out[name].append(float(values[name]))
    return out


SMALL = {f.name: 1e-14 for f in catalogue.FEATURES if f.group == "I" and "var" in f.name} | {
    "quarticity_60s": 1e-24, "semivariance_up_60s": 1e-14, "semivariance_down_60s": 1e-14, "signed_jump_60s": 1e-14,
    "jump_variation_30s": 1e-14, "jump_variation_60s": 1e-14, "rv_ac1_60s": 1e-14, "variance_ratio_60s": 1e-9,
}  # fmt: skip
"""Squares of returns are near 1e-10 a row: a difference of two sums of them keeps that much."""


def test_every_column_on_a_real_capture(spot_records: np.ndarray) -> None:
    made = rows_of(spot_records, COLUMNS)
    for number in (0, 1):
        first, last = (int(made[number]["ts_ns"][i]) // GRID for i in (0, -10))
        rows = plain_rows(spot_records, instrument(number), GRID, first, last)
        assert_equal_columns(made[number], rows, expected(rows, GRID, Options()), atol=SMALL)


def test_every_column_and_other_horizons_while_windows_move_on() -> None:
    options = Options(horizons_ns=(2 * SECOND, 45 * SECOND))
    names = tuple(f.name for f in catalogue.features_with(options) if f.group == "I")
    records = invented(75)
    made = run(engine(grid=GRID, hold_back=SECOND // 4, max_future_skew_ns=0, columns=names, options=options), records)
    first = int(made["ts_ns"][0]) // GRID
    rows = plain_rows(records, instrument(0), GRID, first, int(made["ts_ns"][-1]) // GRID)
    assert len(rows) > 700
    assert_equal_columns(made, rows, expected(rows, GRID, options), atol=SMALL)
