"""Group F: the published vectors, and on a real capture and a seeded market against plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ringcollect.sync import catalogue

from ..sync.streams import instrument
from .comparing import assert_equal_columns, book_row, rows_of, seconds_of
from .plain import Levels, Row
from .vectors import B0

COLUMNS = tuple(f.name for f in catalogue.FEATURES if f.group == "F")
SMALL = {"lambda_like": 0.0, "amihud_like": 0.0}


def test_published_vectors_of_the_book() -> None:
    row = book_row(COLUMNS, *B0)
    for name, value in (
        ("vwap_bid_5", 99.365), ("vwap_ask_5", 101.0470588235), ("vwap_spread", 1.6820588235),
        ("smart_bid_depth", 10.38080436), ("smart_ask_depth", 7.437282307), ("smart_depth", 17.81808667),
        ("smart_depth_imbalance", 0.1651985483), ("lambda_like", math.nan), ("amihud_like", 0.0666666667),
    ):  # fmt: skip
        assert row[name] == pytest.approx(value, rel=1e-9, nan_ok=True), name


def test_published_vectors_of_impacts() -> None:
    # taking 500 from B0 costs what taking 10,000 costs from twenty times B0
    for times, name, buy, sell in (
        (20, "10k", 33.76476201, 19.99001999),
        (100_000 / 1500, "100k", 88.07468979, 61.52285445),
    ):
        row = book_row(COLUMNS, *((side, price, size * times) for side, price, size in B0))
        assert row[f"buy_impact_{name}_bps"] == pytest.approx(buy, rel=1e-9)
        assert row[f"sell_impact_{name}_bps"] == pytest.approx(sell, rel=1e-9)
        assert row[f"roundtrip_cost_{name}_bps"] == pytest.approx(buy + sell, rel=1e-9)


@pytest.mark.parametrize("book", [(), ((1, 101.0, 1.0), (-1, 100.0, 1.0)), ((1, 100.0, 1.0),)])
def test_without_a_valid_book_nothing_is_known(book: tuple) -> None:
    row = book_row(COLUMNS, *book)
    assert all(math.isnan(row[name]) for name in COLUMNS)


def test_a_book_too_small_has_no_impact_on_that_side() -> None:
    row = book_row(COLUMNS, (1, 100.0, 100.0), (1, 99.0, 1000.0), (-1, 101.0, 98.0))
    assert row["sell_impact_10k_bps"] == pytest.approx(1e4 * (1 - 100.0 / 100.5))
    assert row["sell_impact_100k_bps"] > row["sell_impact_10k_bps"]
    undefined = ("buy_impact_10k_bps", "buy_impact_100k_bps", "roundtrip_cost_10k_bps", "roundtrip_cost_100k_bps")
    assert all(math.isnan(row[name]) for name in undefined)  # 101 * 98 is less than 10,000


def test_impact_is_found_beyond_the_levels_a_row_looks_at_one_by_one_and_off_the_grid_of_ticks() -> None:
    asks = [(-1, 100.0 + 0.1 * i, 5.0) for i in range(1, 300)]
    asks[7] = (-1, 100.777, 5.0)
    for table in (None, {0: instrument(0, tick_size=0.1)}):
        row = book_row(COLUMNS, (1, 100.0, 1.0), *asks, instruments=table)
        mid = 100.05
        average = taken([(p, q) for _, p, q in asks], 100_000)
        assert row["buy_impact_100k_bps"] == pytest.approx(1e4 * (average / mid - 1), rel=1e-9)


def taken(levels: Levels, notional: float) -> float:
    """The average price of ``notional`` taken from the levels in order; NaN if they hold less."""
    left, got = notional, 0.0
    for price, size in levels:
        part = min(left, price * size)
        got += part / price
        left -= part
        if left <= 0:
            return notional / got
    return math.nan


def expected(rows: list[Row]) -> dict[str, list[float]]:
    """Every column of the group."""
    out: dict[str, list[float]] = {name: [] for name in COLUMNS}
    for row in rows:
        values = dict.fromkeys(COLUMNS, math.nan)
        book = row.book
        if book is not None and book.valid:
            mid, spread = book.mid, book.asks[0][0] - book.bids[0][0]
            for name, side in (("bid", book.bids), ("ask", book.asks)):
                values[f"vwap_{name}_5"] = sum(p * q for p, q in side[:5]) / sum(q for _, q in side[:5])
                values[f"smart_{name}_depth"] = sum(q * math.exp(-100 * abs(p - mid) / mid) for p, q in side[:50])
            bid, ask = values["smart_bid_depth"], values["smart_ask_depth"]
            values["vwap_spread"] = values["vwap_ask_5"] - values["vwap_bid_5"]
            values["smart_depth"], values["smart_depth_imbalance"] = bid + ask, (bid - ask) / (bid + ask)
            for name, bps in (("lambda_like", 5), ("amihud_like", 10)):
                depth = sum(q for side in (1, -1) for _, q in book.near(bps, side))
                values[name] = spread / depth if depth else math.nan
            for name, notional in (("10k", 10_000), ("100k", 100_000)):
                buy = 1e4 * (taken(book.near(1e9, -1), notional) / mid - 1)
                sell = 1e4 * (1 - taken(book.near(1e9, 1), notional) / mid)
                values[f"buy_impact_{name}_bps"], values[f"sell_impact_{name}_bps"] = buy, sell
                values[f"roundtrip_cost_{name}_bps"] = buy + sell
        for name in COLUMNS:
            out[name].append(values[name])
    return out


def test_every_column_on_a_real_capture(spot_records: np.ndarray, spot_rows: list[list[Row]]) -> None:
    made = rows_of(spot_records, COLUMNS)
    for number, rows in enumerate(spot_rows):
        ours = expected(rows[::20])
        assert not any(math.isnan(x) for x in ours["roundtrip_cost_100k_bps"])
        assert_equal_columns(made[number], rows[::20], ours, least=15, atol=SMALL)


def test_every_column_on_a_seeded_market(wandering_records: np.ndarray, wandering_seconds: list[Row]) -> None:
    made = seconds_of(wandering_records, COLUMNS)
    ours = expected(wandering_seconds[1:])
    assert any(math.isnan(x) for x in ours["lambda_like"]) and any(x > 0 for x in ours["lambda_like"])
    assert_equal_columns(made, wandering_seconds[1:], ours, atol=SMALL)
