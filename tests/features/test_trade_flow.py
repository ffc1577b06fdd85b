"""Group H: the published vectors, and on a capture and an invented market against plain Python."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from ringcollect.errors import ConfigError
from ringcollect.sync import catalogue
from ringcollect.sync.catalogue import Options

from ..sync.streams import NAN, Stream, engine, instrument, run
from .comparing import GRID, assert_equal_columns, rows_of
from .invented import SECOND, invented
from .plain import Row, Trade, plain_rows
from .windows import assert_pieces_give_the_same, slow_rows, window

COLUMNS = tuple(f.name for f in catalogue.FEATURES if f.group == "H")
HOUR = 3600 * SECOND
DAY = 24 * HOUR


def test_published_vectors() -> None:
    stream = Stream().trade(10, 100.2, 0.5, 1).trade(20, 100.2, 0.1, 1).trade(30, 100.0, 0.3, -1).trade(10**6)
    row = slow_rows(stream, COLUMNS, max_gap_fill=1)[0]
    for name, value in (
        ("buy_volume", 0.6), ("sell_volume", 0.3), ("trade_flow_imbalance", 0.3333333333), ("signed_volume", 0.3),
        ("signed_notional", 30.12), ("avg_trade_size", 0.3), ("max_trade_size", 0.5), ("trade_px_high", 100.2),
        ("trade_px_low", 100.0), ("vwap_60s", 100.1333333333), ("tfi_1s", 0.3333333333), ("trade_count_60s", 3),
        ("trade_run_length", -1),
    ):  # fmt: skip
        assert row[name] == pytest.approx(value, rel=1e-9), name


def test_without_a_trade_flows_are_zero_and_prices_undefined() -> None:
    row = run(engine(grid=GRID, columns=COLUMNS), Stream().book(10, (1, 9.0, 1.0)).book(GRID).array())[0]
    undefined = {"vwap_60s", "vwap_60s_dev_bps", "avg_trade_size", "trade_px_high", "trade_px_low",
                 "trade_sign_autocorr_60s", "vpin"}  # fmt: skip
    for name in COLUMNS:
        np.testing.assert_equal(row[name], NAN if name in undefined else 0.0, name)


def test_a_trade_is_large_against_the_rows_before_its_own() -> None:
    stream = Stream().trade(10, 9.0, 500.0).trade(20, 9.0, 1.0).trade(110, 9.0, 1.0).trade(210, 9.0, 1.0)
    stream.trade(220, 9.0, 1258.0).trade(230, 9.0, 1255.0).trade(310)
    rows = slow_rows(stream, ("large_trade_count",))
    # mean of 500, 1, 1 is 167.33: nothing before the first row, and 1258 and 1255 below ten times that
    assert rows["large_trade_count"].tolist() == [0, 0, 0]
    stream = Stream().trade(10, 9.0, 1.0).trade(110, 9.0, 10.0).trade(120, 9.0, 10.1).trade(210)
    assert slow_rows(stream, ("large_trade_count",))["large_trade_count"].tolist() == [0, 1]


@pytest.mark.parametrize(("gap", "large"), [(100, 1), (299, 1), (302, 0)])
def test_rows_the_gap_cap_skipped_leave_what_is_large_to_those_of_300_seconds(gap: int, large: int) -> None:
    stream = Stream().trade(10, 9.0, 1.0).trade(SECOND + 10, 9.0, 3.0).trade((gap + 1) * SECOND + 10, 9.0, 30.0)
    stream.trade((gap + 2) * SECOND + 10)
    made = engine(grid=SECOND, mode="trade", max_gap_fill=2, columns=("large_trade_count", "trade_vol_60s"))
    rows = run(made, stream.array(), finalize=False)
    assert int(rows["ts_ns"][-1]) == (gap + 2) * SECOND
    assert rows["large_trade_count"].tolist() == [0, 0, 0, large]
    assert rows["trade_vol_60s"].tolist() == [1.0, 4.0, 4.0, 30.0]


def test_a_run_counts_neighbours_of_one_side_and_skips_those_without() -> None:
    stream = Stream().trade(5, 9.0, 1.0, 0).trade(6, 9.0, 1.0, -1).trade(7, 9.0, 1.0, -1).trade(110, 9.0, 1.0, -1)
    stream.trade(210, 9.0, 1.0, 1).trade(310)
    assert slow_rows(stream, ("trade_run_length",))["trade_run_length"].tolist() == [-2, -3, 1]


def test_vpin_takes_the_volume_of_the_day_before() -> None:
    start = 19_675 * DAY + 12 * HOUR
    options = Options(horizons_ns=(60 * SECOND,), vpin_bucket_count=4, vpin_window_buckets=2)
    stream = Stream()
    for hour in range(12):  # 12 in half a day: a day of 24, a bucket of 6
        stream.trade(start + hour * HOUR, 9.0, 1.0, 1)
    midnight = start + 12 * HOUR
    stream.trade(midnight, 9.0, 5.0, 1).trade(midnight + HOUR, 9.0, 4.0, -1).trade(midnight + 2 * HOUR, 9.0, 3.0, -1)
    rows = run(engine(grid=SECOND * 60, mode="trade", columns=("vpin",), options=options, max_future_skew_ns=0),
               stream.trade(midnight + 3 * HOUR).array(), finalize=False)["vpin"]  # fmt: skip
    # +5 -1 and -3 -3: |4|/6 and |-6|/6
    assert np.isnan(rows[: 14 * 60 - 1]).all() and rows[-1] == pytest.approx((4 / 6 + 1) / 2, rel=1e-12)


def test_vpin_of_a_trade_of_a_billion_buckets_is_one() -> None:
    options = Options(vpin_bucket_volume=1e-9)
    stream = Stream().trade(10, 9.0, 7.0).trade(110)
    assert slow_rows(stream, ("vpin",), options=options)["vpin"][0] == 1.0


def test_more_buckets_than_an_instrument_keeps_are_refused() -> None:
    with pytest.raises(ConfigError, match="vpin_window_buckets"):
        Options(vpin_window_buckets=257).check()


# --- the reference ----------------------------------------------------------------------------------------------------


def buckets_after(trades: list[Trade], size: float) -> list[float]:
    """|Vb - Vs| / V of every full bucket, by laying the trades end to end."""
    ends = np.cumsum([t.size for t in trades])
    signed = np.cumsum([t.size * t.side for t in trades])

    def at(volume: float) -> float:
        """Signed volume of the first ``volume`` traded."""
        return float(np.interp(volume, np.concatenate([[0.0], ends]), np.concatenate([[0.0], signed])))

    count = int(ends[-1] / size + 1e-9) if len(ends) else 0
    return [abs(at((b + 1) * size) - at(b * size)) / size for b in range(count)]


def imbalance(bought: float, sold: float) -> float:
    return (bought - sold) / (bought + sold) if bought + sold else 0.0


def expected(rows: list[Row], grid: int, options: Options) -> dict[str, list[float]]:
    """Every column, nothing being known before the first row."""
    names = [f.name for f in catalogue.features_with(options) if f.group == "H"]
    out: dict[str, list[float]] = {name: [] for name in names}
    bought = [sum(t.size for t in row.trades if t.side > 0) for row in rows]
    sold = [sum(t.size for t in row.trades if t.side < 0) for row in rows]
    volume = [sum(t.size for t in row.trades) for row in rows]
    notional = [sum(t.price * t.size for t in row.trades) for row in rows]
    count = [float(len(row.trades)) for row in rows]
    every = [t for row in rows for t in row.trades]
    full = buckets_after(every, options.vpin_bucket_volume)
    traded = np.cumsum(volume)
    signs = [[t.side for t in row.trades if t.side] for row in rows]
    products, pairs, last, run_length = [], [], 0, []
    seen: list[int] = []
    for row_signs in signs:
        chain = ([last] if last else []) + row_signs
        products.append(float(sum(a * b for a, b in pairwise(chain))))
        pairs.append(float(max(len(chain) - 1, 0)))
        last = chain[-1] if chain else 0
        seen += row_signs
        length = 0
        while length < len(seen) and seen[-1 - length] == seen[-1]:
            length += 1
        run_length.append(length * seen[-1] if seen else 0)
    minute, long = 60 * SECOND // grid, 300 * SECOND // grid
    for i, row in enumerate(rows):
        sizes = [t.size for t in row.trades]
        before = sum(window(count, i - 1, long)) if i else 0.0
        mean = sum(window(volume, i - 1, long)) / before if before else NAN
        of_minute = sum(window(volume, i, minute))
        vwap = sum(window(notional, i, minute)) / of_minute if of_minute else NAN
        done = full[: int(traded[i] / options.vpin_bucket_volume + 1e-9)][-options.vpin_window_buckets :]
        some = sum(window(pairs, i, minute))
        values = {
            "buy_volume": bought[i], "sell_volume": sold[i], "trade_flow_imbalance": imbalance(bought[i], sold[i]),
            "signed_volume": bought[i] - sold[i], "signed_notional": sum(t.side * t.price * t.size for t in row.trades),
            "vwap_60s": vwap, "vwap_60s_dev_bps": 1e4 * (row.mid - vwap) / vwap,
            "avg_trade_size": volume[i] / len(sizes) if sizes else NAN, "max_trade_size": max(sizes, default=0.0),
            "large_trade_count": sum(s > 10 * mean for s in sizes),
            "trade_px_high": max((t.price for t in row.trades), default=NAN),
            "trade_px_low": min((t.price for t in row.trades), default=NAN), "trade_run_length": run_length[i],
            "trade_sign_autocorr_60s": sum(window(products, i, minute)) / some if some >= 10 else NAN,
            "vpin": sum(done) / len(done) if len(done) == options.vpin_window_buckets else NAN,
        }  # fmt: skip
        for ns in options.horizons_ns:
            n, name = ns // grid, f"{ns // SECOND}s"
            b, s = sum(window(bought, i, n)), sum(window(sold, i, n))
            values |= {
                f"buy_volume_{name}": b, f"sell_volume_{name}": s, f"trade_vol_{name}": b + s,
                f"tfi_{name}": imbalance(b, s), f"trade_count_{name}": sum(window(count, i, n)),
            }  # fmt: skip
        for name in names:
            out[name].append(float(values[name]))
    return out


def test_every_column_on_a_real_capture(spot_records: np.ndarray) -> None:
    options = Options(vpin_bucket_volume=0.25)
    made = rows_of(spot_records, COLUMNS, options=options)
    for number in (0, 1):
        first, last = (int(made[number]["ts_ns"][i]) // GRID for i in (0, -10))
        rows = plain_rows(spot_records, instrument(number), GRID, first, last)
        values = expected(rows, GRID, options)
        assert not math.isnan(values["vpin"][-1])
        assert_equal_columns(made[number], rows, values)


def test_every_column_and_other_options_while_windows_move_on() -> None:
    options = Options(horizons_ns=(3 * SECOND, 120 * SECOND), vpin_bucket_volume=1.7, vpin_window_buckets=7)
    names = tuple(f.name for f in catalogue.features_with(options) if f.group == "H")
    records = invented(400, updates_each=1)
    made = run(
        engine(grid=SECOND, hold_back=SECOND // 4, max_future_skew_ns=0, columns=names, options=options), records
    )
    first = int(made["ts_ns"][0]) // SECOND
    rows = plain_rows(records, instrument(0), SECOND, first, int(made["ts_ns"][-1]) // SECOND)
    values = expected(rows, SECOND, options)
    assert sum(values["large_trade_count"]) > 0
    assert_equal_columns(made, rows, values)


def test_pieces_and_resumed_dumps_give_the_same_rows() -> None:
    assert_pieces_give_the_same(invented(20), COLUMNS, mode="trade", options=Options(vpin_bucket_volume=0.5))
