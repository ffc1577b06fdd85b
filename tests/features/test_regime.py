"""Group J: the published vector, and on a real capture and a seeded market against plain Python."""

from __future__ import annotations

import calendar
import math
from datetime import UTC, datetime

import numpy as np

from ringcollect.sync import catalogue
from ringcollect.sync.catalogue import Options

from ..sync.streams import Stream, engine
from .comparing import assert_equal_columns, rows_of, seconds_of
from .plain import Row
from .reference_windows import score, windows

COLUMNS = tuple(f.name for f in catalogue.FEATURES if f.group == "J")
CLOCK = COLUMNS[8:]
RANKS = ("vol_percentile", "activity_percentile")
SECOND = 10**9


def rows_of_mids(mids: list[float], grid: int) -> np.ndarray:
    """Rows that close on a book one wide around each of ``mids``."""
    stream = Stream()
    held: tuple[float, float] | None = None
    for k, mid in enumerate([*mids, mids[-1]], 100):
        sides = (mid - 0.5, mid + 0.5)
        gone = [(s, old, 0.0) for s, old, new in zip((1, -1), held or (), sides, strict=False) if old != new]
        stream.book(k * grid, *gone, (1, sides[0], 1.0), (-1, sides[1], 1.0))
        held = sides
    return engine(grid=grid, columns=COLUMNS).collect(stream.array())


def test_published_vector_of_the_efficiency_ratio() -> None:
    made = rows_of_mids([100, 100.1, 100.05, 100.05, 100.2, 100.15], 12 * SECOND)  # a minute has five rows
    assert len(made) == 6
    assert math.isclose(made["efficiency_ratio_60s"][-1], 0.4285714286, rel_tol=1e-9)
    assert np.isnan(made["efficiency_ratio_60s"][:-1]).all()
    assert np.isnan(made["activity_percentile"]).all()  # five seconds are no multiple of twelve


def test_a_mid_that_stands_still_has_no_efficiency_and_no_score_and_a_spread_that_does_is_normal() -> None:
    made = rows_of_mids([100.0, 101.0, *[100.1] * 20], 12 * SECOND)
    for name, first in (("efficiency_ratio_60s", 7), ("mid_zscore_60s", 6)):
        assert np.isnan(made[name][first:]).all() and not np.isnan(made[name][5:first]).any()
    still = rows_of_mids([100.1] * 20, 12 * SECOND)
    assert (still["spread_percentile"] == 0).all() and (still["spread_regime"] == 1).all()
    assert (still["spread_regime_tight_frac"] == 0).all() and (still["spread_regime_wide_frac"] == 0).all()


def test_before_the_first_book_the_regime_is_unknown_and_the_clock_known() -> None:
    start = calendar.timegm((2024, 2, 25, 23, 59, 59)) * SECOND  # a Sunday
    stream = Stream().trade(start).trade(start + SECOND).trade(start + 2 * SECOND)
    made = engine(grid=SECOND, mode="trade", columns=COLUMNS).collect(stream.array())
    assert [tuple(row[list(CLOCK)]) for row in made] == [(23, 59, 6, 1), (0, 0, 0, 0)]
    assert (made["spread_regime"] == 255).all()
    for name in (*COLUMNS[2:5], "spread_percentile", "efficiency_ratio_60s", "mid_zscore_60s"):
        assert np.isnan(made[name]).all(), name


def regimes(spreads: list[float], over: list[list[float]], options: Options) -> tuple[list[float], list[float]]:
    """Share of the window below the spread, and the regime, NaN where not known."""
    shares, found = [], []
    for spread, window in zip(spreads, over, strict=True):
        share = sum(x < spread for x in window) / len(window) if not math.isnan(spread) else math.nan
        shares.append(share)
        if math.isnan(spread):
            found.append(math.nan)
        elif not options.dynamic_spread_regime:
            found.append(0.0 if spread <= options.tight_spread_threshold else 1.0)
        elif min(window) == max(window):
            found.append(1.0)
        else:
            found.append(0.0 if share <= options.tight_percentile else 2.0 if share >= options.wide_percentile else 1.0)
    return shares, found


def steps(rows: list[Row]) -> tuple[list[float], list[float]]:
    """Change of the mid and log return from the row before, NaN where one of the mids is missing."""
    mids = {row.number: row.mid for row in rows}
    before = [mids.get(row.number - 1, math.nan) for row in rows]
    return (
        [row.mid - b for row, b in zip(rows, before, strict=True)],
        [math.log(row.mid / b) if row.mid > 0 and b > 0 else math.nan for row, b in zip(rows, before, strict=True)],
    )


def expected(rows: list[Row], grid: int, options: Options | None = None) -> dict[str, list[float]]:
    """Every column but the ranks of volatility and activity."""
    options = options or Options()
    reset, minute = 300 * SECOND // grid, 60 * SECOND // grid
    wide = options.spread_regime_window_ns // grid
    spreads = [
        (row.book.asks[0][0] - row.book.bids[0][0]) / row.mid if row.book is not None and row.book.valid else math.nan
        for row in rows
    ]
    shares, kinds = regimes(spreads, windows(rows, spreads, wide, reset), options)
    mids = {row.number: row.mid for row in rows}
    ways = [abs(row.mid - mids.get(row.number - minute, math.nan)) for row in rows]
    paths = [math.fsum(w) for w in windows(rows, [abs(x) for x in steps(rows)[0]], minute, reset)]
    out: dict[str, list[float]] = {
        "spread_percentile": shares,
        "spread_regime": [255.0 if math.isnan(x) else x for x in kinds],
        "efficiency_ratio_60s": [way / path if path else math.nan for way, path in zip(ways, paths, strict=True)],
        "mid_zscore_60s": [
            score(row.mid, window)
            for row, window in zip(rows, windows(rows, [row.mid for row in rows], minute, reset), strict=True)
        ],
    }
    for name, kind in (("tight", 0.0), ("wide", 2.0)):
        out[f"spread_regime_{name}_frac"] = [
            sum(x == kind for x in w) / len(w) if w else math.nan for w in windows(rows, kinds, wide, reset)
        ]
    return out | clock(rows, grid)


def clock(rows: list[Row], grid: int) -> dict[str, list[float]]:
    """The columns that only the time decides."""
    out: dict[str, list[float]] = {}
    starts = [datetime.fromtimestamp((row.close - grid) / 1e9, UTC) for row in rows]
    out["hour_of_day"] = [float(t.hour) for t in starts]
    out["minute_of_hour"] = [float(t.minute) for t in starts]
    out["day_of_week"] = [float(t.weekday()) for t in starts]
    out["is_weekend"] = [float(t.weekday() >= 5) for t in starts]
    return out


def assert_ranks(made: np.ndarray, rows: list[Row], name: str, values: list[float], n: int, reset: int) -> None:
    """The rank of each row's value in its window; values closer than rounding may stand in either order."""
    own = made[np.searchsorted(made["ts_ns"], [row.close for row in rows])][name]
    seen = 0
    for rank, value, window in zip(own, values, windows(rows, values, n, reset), strict=True):
        if math.isnan(value):
            assert math.isnan(rank)
            continue
        least = sum(x < value * (1 - 1e-9) for x in window) / len(window)
        most = sum(x < value * (1 + 1e-9) for x in window) / len(window)
        assert least - 1e-12 <= rank <= most + 1e-12
        seen += 1
    assert seen > 300


def test_every_column_on_a_seeded_market(wandering_records: np.ndarray, wandering_seconds: list[Row]) -> None:
    rows = wandering_seconds
    made = seconds_of(wandering_records, COLUMNS)
    ours = expected(rows, SECOND)
    assert {*ours, *RANKS} == set(COLUMNS) and {0.0, 1.0, 2.0, 255.0} <= set(ours["spread_regime"])
    assert_equal_columns(made, rows, ours)
    squares = windows(rows, [r * r for r in steps(rows)[1]], 60, 300)
    volatility = [math.sqrt(math.fsum(w)) if len(w) >= 30 else math.nan for w in squares]
    assert_ranks(made, rows, "vol_percentile", volatility, 900, 300)
    trades = [sum(w) for w in windows(rows, [float(len(row.trades)) for row in rows], 5, 300)]
    assert_ranks(made, rows, "activity_percentile", trades, 900, 300)


def test_every_column_on_a_real_capture(spot_records: np.ndarray, spot_rows: list[list[Row]]) -> None:
    made = rows_of(spot_records, COLUMNS)
    for number, rows in enumerate(spot_rows):
        # windows reach back to rows before the reference's first: those columns are compared above
        assert_equal_columns(made[number], rows, clock(rows, 10**8))
        relative = (made[number]["spread_percentile"] >= 0) & (made[number]["spread_percentile"] < 1)
        assert relative[30:].all() and set(made[number]["spread_regime"][30:]) <= {0.0, 1.0, 2.0}


def test_the_regime_follows_the_options(wandering_records: np.ndarray, wandering_seconds: list[Row]) -> None:
    rows = wandering_seconds[:300]
    for options in (
        Options(spread_regime_window_ns=30 * SECOND, tight_percentile=0.5, wide_percentile=0.6),
        Options(dynamic_spread_regime=False, tight_spread_threshold=2.5e-4),
    ):
        made = seconds_of(wandering_records, COLUMNS, options=options)
        ours = expected(rows, SECOND, options)
        assert len(set(ours["spread_regime"])) > 1
        assert_equal_columns(made, rows, ours)
