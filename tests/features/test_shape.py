"""Group E: the published vectors, and on a real capture and a seeded market against plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ringcollect.sync import catalogue
from ringcollect.sync.catalogue import Options

from ..sync.streams import instrument
from .comparing import assert_equal_columns, book_row, rows_of, seconds_of
from .plain import Book, Levels, Row
from .reference_windows import deviation, mean, windows
from .vectors import B0

COLUMNS = tuple(f.name for f in catalogue.FEATURES if f.group == "E")
WINDOWED = tuple(name for name in COLUMNS if name.endswith("_60s"))


def test_published_vectors_of_the_book() -> None:
    row = book_row(COLUMNS, *B0)
    for name, value in (
        ("bid_50pct_depth", 3), ("ask_50pct_depth", 3), ("bid_concentration", 0.325),
        ("ask_concentration", 0.3287197232), ("concentration", 0.3268598616), ("bid_entropy", 0.8282856289),
        ("ask_entropy", 0.8075749860), ("bid_slope_simple", 0.05), ("ask_slope_simple", 0.0764705882),
        ("bid_slope_regression", 0.180241411), ("ask_slope_regression", 0.120510461),
        ("slope_asymmetry", 1.495649503), ("book_convexity", 0), ("bid_depth_decay_5", 5), ("ask_depth_decay_5", 8),
        ("avg_depth_decay_5", 6.5), ("center_of_gravity", 100.1378378378), ("cog_vs_mid", 3.78000378),
    ):  # fmt: skip
        assert row[name] == pytest.approx(value, rel=2e-9), name


@pytest.mark.parametrize("book", [(), ((1, 101.0, 1.0), (-1, 100.0, 1.0)), ((1, 100.0, 1.0),)])
def test_without_a_valid_book_nothing_is_known(book: tuple) -> None:
    row = book_row(COLUMNS, *book)
    assert all(math.isnan(row[name]) for name in COLUMNS)


def test_what_needs_more_levels_than_there_are_is_undefined() -> None:
    row = book_row(COLUMNS, (1, 100.0, 1.0), (-1, 103.0, 3.0), (-1, 104.0, 1.0))
    for name in (
        "bid_entropy", "bid_slope_simple", "ask_slope_simple", "bid_slope_regression", "slope_asymmetry",
        "ask_depth_decay_5", "avg_depth_decay_5", "book_convexity", "book_slope_ns", "bid_slope_mean_60s",
        "cog_momentum_std_60s",
    ):  # fmt: skip
        assert math.isnan(row[name]), name
    assert row["bid_concentration"] == 1.0 and row["cog_momentum_mean_60s"] == row["cog_vs_mid"]


def steepness(levels: Levels, mid: float, lot: float) -> float:
    """Naes and Skjeltorp's slope of a side from its definition: a mean of quotients of relative steps."""
    prices = [mid] + [p for p, _ in levels]
    volumes = [math.log(sum(q for _, q in levels[: i + 1]) / lot) for i in range(len(levels))]
    terms = [volumes[0] / abs(prices[1] / prices[0] - 1)]
    for i in range(1, len(levels)):
        terms.append((volumes[i] / volumes[i - 1] - 1) / abs(prices[i + 1] / prices[i] - 1))
    return sum(terms) / len(terms)


def test_the_slope_in_lots_needs_the_lot_and_a_contract_is_as_many_base_units() -> None:
    lots = {
        "base": instrument(0, lot_size=0.01),
        "contract": instrument(0, size_unit="contract", multiplier=0.1, lot_size=1.0),
        "unknown": instrument(0),
    }
    for name, scale, lot in (("base", 1.0, 0.01), ("contract", 10.0, 0.1), ("unknown", 1.0, math.nan)):
        book = [(side, price, size * scale) for side, price, size in B0]
        row = book_row(COLUMNS, *book, instruments={0: lots[name]})
        sides = [[(p, q) for side, p, q in B0 if side == which] for which in (1, -1)]
        wanted = sum(steepness(side, 100.1, lot) for side in sides) / 2
        assert row["book_slope_ns"] == pytest.approx(wanted, rel=1e-9, nan_ok=True), name


def of_a_side(book: Book, name: str, n: int) -> dict[str, float]:
    """The columns of one side that need not the other."""
    levels = (book.bids if name == "bid" else book.asks)[:n]
    sizes, mid = [q for _, q in levels], book.mid
    whole = sum(sizes)
    half = next(i for i in range(len(sizes)) if sum(sizes[: i + 1]) >= whole / 2)
    wall = sizes.index(max(sizes))
    weights = [q / whole for q in sizes]
    entropy = -sum(w * math.log(w) for w in weights) / math.log(len(sizes)) if len(sizes) > 1 else math.nan
    five = (book.bids if name == "bid" else book.asks)[:5]
    enough = len(five) == 5
    return {
        f"{name}_50pct_depth": half,
        f"{name}_50pct_depth_bps": abs(levels[half][0] - mid) / mid * 1e4,
        f"{name}_concentration": sum(w * w for w in weights),
        f"{name}_entropy": entropy,
        f"{name}_slope_simple": abs(five[4][0] - five[0][0]) / sum(q for _, q in five) if enough else math.nan,
        f"{name}_depth_decay_5": five[4][1] / five[0][1] if enough else math.nan,
        f"{name}_wall_ratio": max(sizes) / (whole / len(sizes)),
        f"{name}_wall_bps": abs(levels[wall][0] - mid) / mid * 1e4,
    }


def regression(book: Book, name: str) -> float:
    """OLS slope of cumulative size on distance."""
    m = min(10, len(book.bids), len(book.asks))
    levels = (book.bids if name == "bid" else book.asks)[:m]
    if m < 3:
        return math.nan
    x = np.array([abs(p - book.mid) / book.mid * 1e4 for p, _ in levels])
    y = np.cumsum([q for _, q in levels])
    return float(np.cov(x, y)[0, 1] / np.var(x, ddof=1))


def at_close(book: Book, n: int, lot: float) -> dict[str, float]:
    """The columns of a valid book that are no windows."""
    values = of_a_side(book, "bid", n) | of_a_side(book, "ask", n)
    m = min(n, len(book.bids), len(book.asks))
    both = book.bids[:m] + book.asks[:m]
    values["concentration"] = (values["bid_concentration"] + values["ask_concentration"]) / 2
    values["center_of_gravity"] = sum(p * q for p, q in both) / sum(q for _, q in both)
    values["cog_vs_mid"] = 1e4 * (values["center_of_gravity"] - book.mid) / book.mid
    values["bid_slope_regression"], values["ask_slope_regression"] = regression(book, "bid"), regression(book, "ask")
    values["slope_asymmetry"] = values["bid_slope_regression"] / values["ask_slope_regression"]
    values["book_slope_ns"] = (steepness(book.bids[:n], book.mid, lot) + steepness(book.asks[:n], book.mid, lot)) / 2
    near, far = (sum(q for side in (1, -1) for _, q in book.near(bps, side)) for bps in (5, 50))
    values["book_convexity"] = near / far if far else math.nan
    values["avg_depth_decay_5"] = (values["bid_depth_decay_5"] + values["ask_depth_decay_5"]) / 2
    return values


def expected(rows: list[Row], lot: float, *, n: int = 20, minute: int = 60) -> dict[str, list[float]]:
    """Every column of the group."""
    each = [dict.fromkeys(COLUMNS, math.nan) for _ in rows]
    for values, row in zip(each, rows, strict=True):
        if row.book is not None and row.book.valid:
            values |= at_close(row.book, n, lot)
    for source, name in (
        ("cog_vs_mid", "cog_momentum"), ("bid_slope_regression", "bid_slope"), ("ask_slope_regression", "ask_slope"),
    ):  # fmt: skip
        over = windows(rows, [values[source] for values in each], minute, 5 * minute)
        for values, window in zip(each, over, strict=True):
            values[f"{name}_mean_60s"], values[f"{name}_std_60s"] = mean(window), deviation(window)
    return {name: [values[name] for values in each] for name in COLUMNS}


def test_every_column_on_a_real_capture(spot_records: np.ndarray, spot_rows: list[list[Row]]) -> None:
    lots = (1e-5, 1e-4)
    made = rows_of(
        spot_records, COLUMNS, instruments={number: instrument(number, lot_size=lot) for number, lot in enumerate(lots)}
    )
    for number, rows in enumerate(spot_rows):
        # the kernel's windows have seen the rows before the reference's first: they are compared below
        ours = {k: v for k, v in expected(rows[::3], lots[number]).items() if k not in WINDOWED}
        assert_equal_columns(made[number], rows[::3], ours, atol={"cog_vs_mid": 1e-7})


def test_every_column_on_a_seeded_market(wandering_records: np.ndarray, wandering_seconds: list[Row]) -> None:
    made = seconds_of(wandering_records, COLUMNS, instruments={0: instrument(0, lot_size=0.0625)})
    small = {"bid_slope_simple": 1e-15, "ask_slope_simple": 1e-15}
    assert_equal_columns(made, wandering_seconds, expected(wandering_seconds, 0.0625), atol=small)


def test_levels_follow_the_options(wandering_records: np.ndarray, wandering_seconds: list[Row]) -> None:
    rows = wandering_seconds[:200]
    made = seconds_of(
        wandering_records, COLUMNS, instruments={0: instrument(0, lot_size=0.0625)}, options=Options(max_levels=4)
    )
    assert_equal_columns(made, rows, expected(rows, 0.0625, n=4))
