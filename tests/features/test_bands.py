"""Group D: the published vectors, and on a real capture and a seeded market against plain Python."""

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
from .reference_windows import deviation, windows
from .vectors import B0

COLUMNS = tuple(f.name for f in catalogue.FEATURES if f.group == "D")


def test_published_vectors_of_the_book() -> None:
    row = book_row(COLUMNS, *B0)
    for name, value in (
        ("depth_0_5bps", 0), ("depth_5_10bps", 3), ("depth_10_25bps", 3), ("depth_25_50bps", 4),
        ("depth_50_100bps", 9), ("imb_band_5_10bps", 0.3333333333), ("imb_band_25_50bps", 0.5),
        ("imb_band_0_5bps", 0), ("band_coverage_bps", 100),
    ):  # fmt: skip
        assert row[name] == pytest.approx(value, rel=1e-9), name


@pytest.mark.parametrize("book", [(), ((1, 101.0, 1.0), (-1, 100.0, 1.0)), ((-1, 100.0, 1.0),)])
def test_without_a_valid_book_nothing_is_covered_and_nothing_is_known(book: tuple) -> None:
    row = book_row(COLUMNS, *book)
    assert row["band_coverage_bps"] == 0
    assert all(math.isnan(row[name]) for name in COLUMNS if name != "band_coverage_bps")


def test_a_level_on_an_edge_is_in_the_farther_band_and_bands_are_covered_as_far_as_both_sides_reach() -> None:
    # mid 1000: 999.5 and 1000.5 are 5 bps away, 1001 is 10, 997.5 is 25
    row = book_row(COLUMNS, (1, 999.5, 1.0), (1, 997.5, 2.0), (-1, 1000.5, 4.0), (-1, 1001.0, 8.0))
    assert (row["bid_vol_band_0_5bps"], row["bid_vol_band_5_10bps"], row["bid_vol_band_25_50bps"]) == (0, 1, 2)
    assert (row["ask_vol_band_5_10bps"], row["ask_vol_band_10_25bps"], row["ask_depth_10bps"]) == (4, 8, 4)
    assert row["band_coverage_bps"] == 10


def test_more_levels_than_a_row_looks_at_one_by_one_are_all_in_their_band() -> None:
    bids = [(1, 1000.0 - 0.01 * i, 1.0) for i in range(1, 400)]
    row = book_row(COLUMNS, *bids, (-1, 1000.01, 1.0))
    mid = 1000.0
    assert row["bid_depth_25bps"] == sum((mid - p) / mid * 1e4 < 25 for _, p, _ in bids) > 200


def expected(rows: list[Row], grid: int, options: Options | None = None) -> dict[str, list[float]]:
    """Every column of the group from the second row on."""
    options = options or Options()
    names = [f.name for f in features_with(options) if f.group == "D"]
    out: dict[str, list[float]] = {name: [] for name in names}
    first = []
    for row in rows:
        book = row.book
        valid = book is not None and book.valid
        first.append(sum(q for side in (1, -1) for _, q in book.near(5, side)) if valid else math.nan)
    over = windows(rows, first, 300 * 10**9 // grid, 300 * 10**9 // grid)
    for i, row in enumerate(rows[1:], 1):
        values = dict.fromkeys(names, math.nan) | {"band_coverage_bps": 0.0}
        book = row.book
        if book is not None and book.valid:
            away = {
                side: [(abs(p - book.mid) / book.mid * 1e4, q) for p, q in book.near(options.bands_bps[-1], side)]
                for side in (1, -1)
            }
            for a, b in pairwise(options.bands_bps):
                bid, ask = (sum(q for d, q in away[side] if a <= d < b) for side in (1, -1))
                values[f"bid_vol_band_{a:g}_{b:g}bps"], values[f"ask_vol_band_{a:g}_{b:g}bps"] = bid, ask
                values[f"imb_band_{a:g}_{b:g}bps"] = (bid - ask) / (bid + ask) if bid + ask else 0.0
                values[f"depth_{a:g}_{b:g}bps"] = bid + ask
                bid, ask = (sum(q for d, q in away[side] if d < b) for side in (1, -1))
                values[f"bid_depth_{b:g}bps"], values[f"ask_depth_{b:g}bps"] = bid, ask
                values[f"imb_{b:g}bps"] = (bid - ask) / (bid + ask) if bid + ask else 0.0
            values["depth_notional_10bps"] = sum(p * q for side in (1, -1) for p, q in book.near(10, side))
            reach = min(1e4 * (book.mid - book.deepest_bid), 1e4 * (book.deepest_ask - book.mid)) / book.mid
            values["band_coverage_bps"] = max(edge for edge in options.bands_bps if edge <= reach)
        values["depth_0_5bps_sigma"] = deviation(over[i])
        for name in names:
            out[name].append(values[name])
    return out


def test_every_column_on_a_real_capture(spot_records: np.ndarray, spot_rows: list[list[Row]]) -> None:
    made = rows_of(spot_records, COLUMNS, instruments={n: instrument(n, tick_size=0.01) for n in (0, 1)})
    for number, rows in enumerate(spot_rows):
        assert rows[-1].book is not None and len(rows[-1].book.near(50, 1)) > 50
        # the kernel's window has seen the rows before the reference's first: its deviation is compared below
        ours = {name: v for name, v in expected(rows[::20], 100_000_000).items() if name != "depth_0_5bps_sigma"}
        assert_equal_columns(made[number], rows[::20][1:], ours, least=15)


def test_every_column_on_a_seeded_market(wandering_records: np.ndarray, wandering_seconds: list[Row]) -> None:
    made = seconds_of(wandering_records, COLUMNS)
    assert_equal_columns(made, wandering_seconds[1:], expected(wandering_seconds, 10**9))


def test_bands_follow_the_options(wandering_records: np.ndarray, wandering_seconds: list[Row]) -> None:
    for bands in ((0.0, 2.5), (0.0, 7.0, 30.0, 400.0)):
        options = Options(bands_bps=bands)
        names = tuple(f.name for f in features_with(options) if f.group == "D")
        assert f"imb_{bands[1]:g}bps" in names and "imb_band_0_5bps" not in names
        rows = wandering_seconds[:200]
        made = seconds_of(wandering_records, names, options=options)
        assert_equal_columns(made, rows[1:], expected(rows, 10**9, options))
