"""Group C: the published vectors, and on a real capture and a seeded market against plain Python."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from ringcollect.sync import catalogue
from ringcollect.sync.catalogue import Options, features_with

from ..sync.streams import instrument
from .comparing import assert_equal_columns, book_row, rows_of, seconds_of
from .plain import Row
from .reference_windows import score, windows
from .vectors import B0

COLUMNS = tuple(f.name for f in catalogue.FEATURES if f.group == "C")
COUNTS = ("bid_levels", "ask_levels")


def test_published_vectors_of_the_book() -> None:
    row = book_row(COLUMNS, *B0)
    for name, value in (
        ("imbalance_L1", 0.3333333333), ("imbalance_L3", 0.2), ("imbalance_L5", 0.0810810811), ("bbo_size_ratio", 0.5),
        ("log_size_ratio", 0.6931471806), ("total_bid_volume", 20), ("total_ask_volume", 17),
        ("bid_reach_bps", 109.8901099), ("ask_reach_bps", 139.8601399), ("bid_levels", 5), ("ask_levels", 5),
        ("bid_price_L0", 100.0), ("ask_price_L4", 101.5), ("bid_size_L4", 10.0), ("ask_size_L1", 2.0),
    ):  # fmt: skip
        assert row[name] == pytest.approx(value, rel=1e-9), name


def test_a_missing_level_has_size_0_and_no_price() -> None:
    row = book_row(COLUMNS, (1, 100.0, 2.0), (-1, 101.0, 1.0))
    assert row["bid_size_L1"] == row["ask_size_L9"] == 0.0
    assert math.isnan(row["bid_price_L1"]) and math.isnan(row["ask_gap_L1_bps"])
    assert row["imbalance_L10"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("book", [(), ((1, 101.0, 1.0), (-1, 100.0, 1.0)), ((1, 100.0, 1.0),)])
def test_without_a_valid_book_levels_are_0_and_the_rest_is_undefined(book: tuple) -> None:
    row = book_row(COLUMNS, *book)
    assert all(row[name] == 0 for name in COUNTS)
    assert all(math.isnan(row[name]) for name in COLUMNS if name not in COUNTS)


def held(row: Row, before: Row, grid: int) -> float:
    """Mean imbalance of the best level over the time with a valid book."""
    pieces = [(row.close - grid, before.book)] + [(u.time, u.book) for u in row.updates] + [(row.close, None)]
    found = total = 0.0
    for (start, book), (end, _) in pairwise(pieces):
        if book is not None and book.valid:
            qb, qa = book.bids[0][1], book.asks[0][1]
            found += (end - start) * (qb - qa) / (qb + qa)
            total += end - start
    return found / total if total else math.nan


def at_close(row: Row, stored: int, n: int) -> dict[str, float]:
    """The columns of a valid book."""
    book = row.book
    assert book is not None
    bids, asks, mid = book.bids, book.asks, book.mid
    out: dict[str, float] = {}
    for i in range(stored):
        out[f"bid_price_L{i}"], out[f"bid_size_L{i}"] = bids[i] if i < len(bids) else (math.nan, 0.0)
        out[f"ask_price_L{i}"], out[f"ask_size_L{i}"] = asks[i] if i < len(asks) else (math.nan, 0.0)
    for levels in (1, 3, 5, 10):
        plus, minus = (sum(q for _, q in side[:levels]) for side in (bids, asks))
        out[f"imbalance_L{levels}"] = (plus - minus) / (plus + minus)
    qb, qa = bids[0][1], asks[0][1]
    out["bbo_size_ratio"], out["log_size_ratio"] = min(qb, qa) / max(qb, qa), math.log(qb / qa)
    for name, side in (("bid", bids[:n]), ("ask", asks[:n])):
        out[f"total_{name}_volume"] = sum(q for _, q in side)
        out[f"total_{name}_notional"] = sum(p * q for p, q in side)
    plus, minus = out["total_bid_volume"], out["total_ask_volume"]
    out["book_pressure"] = (plus - minus) / (plus + minus)
    out["bid_levels"], out["ask_levels"] = book.bid_count, book.ask_count
    out["bid_reach_bps"] = 1e4 * (mid - book.deepest_bid) / mid
    out["ask_reach_bps"] = 1e4 * (book.deepest_ask - mid) / mid
    out["bid_gap_L1_bps"] = 1e4 * (bids[0][0] - bids[1][0]) / mid if len(bids) > 1 else math.nan
    out["ask_gap_L1_bps"] = 1e4 * (asks[1][0] - asks[0][0]) / mid if len(asks) > 1 else math.nan
    return out


def expected(rows: list[Row], grid: int, options: Options | None = None) -> dict[str, list[float]]:
    """Every column of the group from the second row on."""
    options = options or Options()
    names = [f.name for f in features_with(options) if f.group == "C"]
    out: dict[str, list[float]] = {name: [] for name in names}
    near = []
    for row in rows:
        valid = row.book is not None and row.book.valid
        near.append(
            sum(q for _, q in row.book.near(10, 1)) - sum(q for _, q in row.book.near(10, -1)) if valid else math.nan
        )
    over = windows(rows, near, 300 * 10**9 // grid, 300 * 10**9 // grid)
    for i, (before, row) in enumerate(pairwise(rows), 1):
        values = dict.fromkeys(names, math.nan) | dict.fromkeys(COUNTS, 0.0)
        if row.book is not None and row.book.valid:
            values |= at_close(row, options.price_levels, options.max_levels)
        values["tw_imbalance_L1"] = held(row, before, grid)
        values["obi_z_300s"] = score(near[i], over[i], 30)
        for name in names:
            out[name].append(values[name])
    return out


def test_every_column_on_a_real_capture(spot_records: np.ndarray, spot_rows: list[list[Row]]) -> None:
    made = rows_of(spot_records, COLUMNS, instruments={n: instrument(n, tick_size=0.01) for n in (0, 1)})
    for number, rows in enumerate(spot_rows):
        assert rows[-1].book is not None and rows[-1].book.bid_count > 50
        # the window of the kernel has seen the rows before the reference's first: the score is compared below
        ours = {name: values for name, values in expected(rows, 100_000_000).items() if name != "obi_z_300s"}
        assert_equal_columns(made[number], rows[1:], ours)


def test_every_column_on_a_seeded_market(wandering_records: np.ndarray, wandering_seconds: list[Row]) -> None:
    made = seconds_of(wandering_records, COLUMNS)
    ours = expected(wandering_seconds, 10**9)
    assert sum(not math.isnan(x) for x in ours["obi_z_300s"]) > 800
    assert_equal_columns(made, wandering_seconds[1:], ours)


def test_stored_and_summed_levels_follow_the_options(
    wandering_records: np.ndarray, wandering_seconds: list[Row]
) -> None:
    options = Options(price_levels=3, max_levels=7)
    names = tuple(f.name for f in features_with(options) if f.group == "C")
    assert "bid_price_L2" in names and "bid_price_L3" not in names
    rows = wandering_seconds[:200]
    made = seconds_of(wandering_records, names, options=options)
    assert_equal_columns(made, rows[1:], expected(rows, 10**9, options))
