"""Group K: the published vectors, and on a capture and an invented market against numpy."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from ringcollect.sync import catalogue
from ringcollect.sync.catalogue import Options
from ringcollect.sync.features.liquidity import roll_spread
from ringcollect.sync.features.regression import correlation_of, slope_of
from ringcollect.sync.features.rolling import PAIRS, add_pair

from ..sync.streams import NAN, Stream, engine, instrument, run
from .comparing import GRID, assert_equal_columns, rows_of
from .invented import SECOND, invented
from .plain import Book, Row, plain_rows
from .test_order_flow import flow
from .vectors import B0
from .windows import slow_rows, window

COLUMNS = tuple(f.name for f in catalogue.FEATURES if f.group == "K")


def test_published_vector_of_the_effective_spread() -> None:
    stream = Stream().book(5, *B0).trade(10, 100.2, 0.5, 1).trade(20, 100.2, 0.1, 1).trade(30, 100.0, 0.3, -1)
    row = slow_rows(stream.trade(10**6), COLUMNS, max_gap_fill=1)[0]
    assert row["effective_spread_bps"] == pytest.approx(19.98001998, rel=1e-9)


def test_published_vectors_of_kyle_and_roll_without_their_least_samples() -> None:
    mids = (100, 100.1, 100.05, 100.05, 100.2, 100.15)
    sums = np.zeros(PAIRS)
    for (before, after), ofi in zip(pairwise(mids), (1, -0.5, 0.2, 2, -1), strict=True):
        add_pair(sums, 0, float(ofi), math.log(after / before), 1.0)
    assert slope_of(sums, 0, 2.0) == pytest.approx(7.414350276e-04, rel=1e-9)
    assert correlation_of(sums, 0, 2.0) ** 2 == pytest.approx(0.9536020724, rel=1e-9)
    changes = np.diff([100.2, 100.0, 100.2, 100.2, 100.0, 100.1])
    x, y = changes[1:], changes[:-1]
    assert roll_spread(4.0, x.sum(), y.sum(), (x * y).sum()) == pytest.approx(0.2345207880, rel=1e-9)
    assert roll_spread(4.0, 0.0, 0.0, 1.0) == 0.0


def test_without_trades_or_with_too_few_rows_nothing_is_defined() -> None:
    stream = Stream().book(10, *B0).book(GRID, (1, 100.1, 1.0)).book(20 * GRID)
    rows = run(engine(grid=GRID, columns=COLUMNS), stream.array(), finalize=False)
    assert all(np.isnan(rows[name]).all() for name in COLUMNS if name != "turnover_ratio_60s")
    assert (rows["turnover_ratio_60s"] == 0.0).all()
    rows = run(engine(grid=GRID, columns=COLUMNS, mode="trade"), Stream().trade(10).trade(20).trade(GRID).array())
    assert all(np.isnan(rows[name]).all() for name in COLUMNS)


def test_flow_that_is_always_zero_has_no_slope() -> None:
    stream = Stream().book(10, *B0, (1, 100.1, 1.0)).book(SECOND + 5, (1, 100.1, 5.0))
    for i in range(400):
        stream.book((i + 1) * SECOND + 10, (1, 90.0, 1.0 + i % 2))  # far below the best
    rows = run(engine(grid=SECOND, columns=("kyle_lambda", "kyle_lambda_r2", "hasbrouck_lambda")), stream.array())
    assert all(np.isnan(rows[name]).all() for name in ("kyle_lambda_r2", "hasbrouck_lambda"))
    assert rows["kyle_lambda"][100] == pytest.approx(0.0)  # one row with flow, no return
    assert np.isnan(rows["kyle_lambda"][320:]).all()


def test_rows_the_gap_cap_skipped_have_no_bin_to_look_back_at() -> None:
    stream = Stream().book(5, *B0).trade(10, 100.2, 0.5, 1).book(8 * SECOND).book(8 * SECOND + 5).book(9 * SECOND)
    names = ("realized_spread_5s_bps", "price_impact_5s_bps")
    rows = run(engine(grid=SECOND, columns=names), stream.array(), finalize=False)
    assert np.isnan(rows[names[0]]).tolist() == [True] * 5 + [False] + [True] * 3
    assert rows[names[0]][5] == pytest.approx(19.98001998, rel=1e-9) and rows[names[1]][5] == pytest.approx(0, abs=1e-9)
    rows = run(engine(grid=SECOND, columns=names, max_gap_fill=2), stream.array(), finalize=False)
    assert np.isnan(rows[names[0]]).all()


# --- the reference ----------------------------------------------------------------------------------------------------


def near_notional(book: Book) -> float:
    """Notional within 10 bps of the mid."""
    m = book.mid
    return sum(p * q for p, q in book.bids + book.asks if abs(p - m) / m * 1e4 < 10)


def pairs_of(x: list[float], y: list[float], i: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    both = [(a, b) for a, b in zip(x[max(0, i - n + 1) : i + 1], y[max(0, i - n + 1) : i + 1], strict=True)
            if a == a and b == b]  # fmt: skip
    return np.array([a for a, _ in both]), np.array([b for _, b in both])


def slope(x: np.ndarray, y: np.ndarray) -> float:
    if len(x) < 30 or np.var(x) <= 1e-12 * np.mean(x**2):
        return NAN
    return float(np.sum((x - x.mean()) * (y - y.mean())) / np.sum((x - x.mean()) ** 2))


def correlation(x: np.ndarray, y: np.ndarray) -> float:
    if len(x) < 30 or not np.var(x) > 1e-12 * np.mean(x**2) or not np.var(y) > 1e-12 * np.mean(y**2):
        return NAN
    return float(np.corrcoef(x, y)[0, 1])


def flows(rows: list[Row], first: int) -> list[float]:
    """ofi of every row from ``first`` on."""
    out, before = [], None
    for row in rows:
        total = 0.0
        for update in row.updates:
            if before is not None and before.valid and update.book.valid and update.news and not update.fresh:
                total += sum(flow(before, update.book, 0))
            before = update.book
        if row.number >= first:
            out.append(total)
    return out


def expected(every: list[Row], first: int, grid: int, options: Options) -> dict[str, list[float]]:
    """Every column from row ``first`` on, before which nothing but the book is known."""
    out: dict[str, list[float]] = {name: [] for name in COLUMNS}
    ofi, rows = flows(every, first), [row for row in every if row.number >= first]
    mid = [row.mid for row in rows]
    steps = [NAN] + [math.log(b / a) for a, b in pairwise(mid)]
    moves = [NAN] + [b - a for a, b in pairwise(mid)]
    near = [near_notional(row.book) if row.book is not None and row.book.valid else NAN for row in rows]
    notional = [sum(t.price * t.size for t in row.trades) for row in rows]
    signed = [sum(t.side * t.price * t.size for t in row.trades) for row in rows]
    signed_volume = [sum(t.side * t.size for t in row.trades) for row in rows]
    roots = [math.copysign(math.sqrt(abs(x)), x) for x in signed]
    amihud = [abs(r) / v if v else NAN for r, v in zip(steps, notional, strict=True)]
    prices = [t.price for row in rows for t in row.trades]
    neighbours: list[list[tuple[float, float]]] = []
    done = 0
    for row in rows:
        here = range(max(done, 2), done + len(row.trades))
        neighbours.append([(prices[j] - prices[j - 1], prices[j - 1] - prices[j - 2]) for j in here])
        done += len(row.trades)
    minute, five, long = (s * SECOND // grid for s in (60, 5, 300))
    chosen = options.kyle_lambda_window_ns // grid

    def weighted(row: Row, against: float | None) -> float:
        """Notional-weighted 2s(p - against)/m in bps; ``against`` the mid before each trade if it is None."""
        them = [t for t in row.trades if t.side and t.mid_before == t.mid_before]
        total = sum(t.price * t.size for t in them)
        parts = [
            t.price * t.size * 2 * t.side * (t.price - (t.mid_before if against is None else against)) / t.mid_before
            for t in them
        ]
        return 1e4 * sum(parts) / total if total else NAN

    for i, row in enumerate(rows):
        both = [p for some in neighbours[max(0, i - minute + 1) : i + 1] for p in some]
        roll = NAN
        if len(both) >= 10:
            x, y = np.array(both).T
            roll = 2 * math.sqrt(max(0.0, -float(np.mean((x - x.mean()) * (y - y.mean())))))
        g, r = pairs_of(roots, steps, i, long)
        lagged = rows[i - five] if i >= five else None
        realized = weighted(lagged, mid[i]) if lagged is not None else NAN
        returns = np.array(window(steps, i, minute))
        variance = np.sum(returns**2) if len(returns) >= max(2, minute / 2) else NAN
        depths = window(near, i, minute)
        book = row.book
        spread = book.asks[0][0] - book.bids[0][0] if book is not None and book.valid else NAN
        values = {
            "kyle_lambda": slope(*pairs_of(ofi, steps, i, chosen)),
            "kyle_lambda_r2": correlation(*pairs_of(ofi, steps, i, chosen)) ** 2,
            "kyle_lambda_trade": slope(*pairs_of(signed_volume, moves, i, chosen)),
            "hasbrouck_lambda": np.sum(g * r) / np.sum(g**2) if len(g) >= 30 and np.any(g) else NAN,
            "roll_spread_60s": roll, "roll_spread_60s_bps": 1e4 * roll / mid[i],
            "effective_spread_bps": weighted(row, None), "realized_spread_5s_bps": realized,
            "price_impact_5s_bps": weighted(lagged, None) - realized if lagged is not None else NAN,
            "turnover_ratio_60s": sum(window(notional, i, minute)) / np.mean(depths) if any(depths) else NAN,
            "spread_vol_ratio": spread / mid[i] / math.sqrt(variance / 60),
            "depth_ar1_60s": correlation(*pairs_of(near[1:], near[:-1], i - 1, minute - 1)) if i else NAN,
        }  # fmt: skip
        for seconds in (60, 300):
            there = window(amihud, i, seconds * SECOND // grid)
            values[f"amihud_{seconds}s"] = 1e6 * sum(there) / len(there) if there else NAN
        for name in COLUMNS:
            out[name].append(float(values[name]))
    return out


SMALL = {"kyle_lambda": 1e-14, "hasbrouck_lambda": 1e-14, "kyle_lambda_trade": 1e-10}
"""Returns are near 1e-5: slopes on flows of a few units are that small."""


def test_every_column_on_a_real_capture(spot_records: np.ndarray) -> None:
    made = rows_of(spot_records, COLUMNS)
    for number in (0, 1):
        first, last = (int(made[number]["ts_ns"][i]) // GRID for i in (0, -10))
        rows = plain_rows(spot_records, instrument(number), GRID, first - 20, last)
        deep = expected(rows, first, GRID, Options())
        for name in ("turnover_ratio_60s", "depth_ar1_60s"):
            del deep[name]  # the reference knows 50 levels a side, fewer than lie within 10 bps here
        assert_equal_columns(made[number], rows[20:], deep, atol=SMALL)


@pytest.mark.parametrize("options", [Options(), Options(kyle_lambda_window_ns=40 * SECOND)])
def test_every_column_and_another_window_while_windows_move_on(options: Options) -> None:
    records = invented(340, updates_each=2, trades_each=2)
    made = run(
        engine(grid=SECOND, hold_back=SECOND // 4, max_future_skew_ns=0, columns=COLUMNS, options=options), records
    )
    first = int(made["ts_ns"][0]) // SECOND
    rows = plain_rows(records, instrument(0), SECOND, first, int(made["ts_ns"][-1]) // SECOND)
    assert_equal_columns(made, rows, expected(rows, first, SECOND, options), atol=SMALL)
