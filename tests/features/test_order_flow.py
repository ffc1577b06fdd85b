"""Group G: the published vectors, and on a capture and an invented market against plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from ringcollect.records import Flag, Kind
from ringcollect.sync import catalogue
from ringcollect.sync.catalogue import Options

from ..sync.streams import NAN, Stream, engine, instrument, run
from .comparing import GRID, assert_equal_columns, rows_of
from .invented import SECOND, invented
from .plain import Book, Row, plain_rows
from .vectors import B0
from .windows import slow_rows, window

COLUMNS = tuple(f.name for f in catalogue.FEATURES if f.group == "G")
B1 = [(1, 100.1, 1.5), (1, 99.0, 0.0), (-1, 100.2, 0.4)]
"""From B0 to B1."""
B2 = [(1, 100.1, 0.0), (1, 100.0, 0.0), (-1, 100.2, 0.0)]
"""From B1 on: best bid 99.9 x 1, best ask 100.3 x 2."""


def one_row(stream: Stream, columns: Sequence[str] = COLUMNS, **settings: object) -> np.void:
    """The row of the first 100 units of a stream."""
    stream.trade(10**6)
    return slow_rows(stream, columns, max_gap_fill=1, **settings)[0]


def test_published_vectors() -> None:
    options = Options(ofi_levels=5)
    names = tuple(f.name for f in catalogue.features_with(options) if f.group == "G")
    row = one_row(Stream().trade(10).book(20, *B0).book(30, *B1), names, options=options)
    for name, value in (
        ("bid_ofi", 1.5), ("ask_ofi", 0.6), ("ofi", 2.1), ("mlofi_L0", 2.1), ("mlofi_L1", 2.0), ("mlofi_L2", 1.0),
        ("mlofi_L3", 3.0), ("mlofi_L4", 4.0), ("ofi_multi", 12.1), ("mlofi_decay", 4.8916723740),
    ):  # fmt: skip
        assert row[name] == pytest.approx(value, rel=1e-9), name
    first = Stream().trade(10).book(20, *B0).book(30, *B1).trade(110).book(120, *B2)
    row = slow_rows(first.trade(210), COLUMNS)[1]
    for name, value in (("bid_ofi", -1.5), ("ask_ofi", 0.4), ("ofi", -1.1)):
        assert row[name] == pytest.approx(value, rel=1e-9), name


def test_without_a_valid_book_flows_are_zero_and_normalised_ones_undefined() -> None:
    crossed = Stream().trade(10, 7.0).book(20, (1, 101.0, 1.0), (-1, 100.0, 1.0)).book(30, (1, 101.0, 5.0))
    for stream in (Stream().trade(10), crossed):
        row = one_row(stream)
        for name in COLUMNS:
            np.testing.assert_equal(row[name], NAN if "norm" in name or "integrated" in name else 0.0, name)


def test_the_first_update_after_a_resync_and_what_is_no_news_are_no_flow() -> None:
    for news, ofi in (((), 0.0), ((1, 100.1, 10.0), 1.0)):
        stream = Stream().trade(5).book(10, *B0)
        stream.book(30, B0[0], B0[-1], kind=Kind.BOOK_SNAPSHOT, flags=Flag.CLEAR | Flag.SNAPSHOT, aux=-1)
        stream.book(40, (1, 100.1, 9.0), flags=Flag.REPLAYED)
        if news:
            stream.book(60, news)  # against the 9 of the replayed one
        assert one_row(stream)["ofi"] == ofi


def test_a_carried_book_has_a_depth_and_no_flow() -> None:
    stream = Stream().trade(5).book(10, *B0).trade(110).trade(210)
    row = slow_rows(stream, COLUMNS)[1]
    assert (row["ofi"], row["ofi_norm"], row["mlofi_norm"], row["ofi_integrated"]) == (0.0, 0.0, 0.0, 0.0)


def test_a_grid_that_does_not_divide_five_seconds_has_no_flow_normalised_over_them() -> None:
    stream = Stream().book(10, *B0).book(3 * SECOND, *B1).book(7 * SECOND)
    options = Options(horizons_ns=(3 * SECOND,))
    rows = run(engine(grid=3 * SECOND, columns=("ofi_sum_3s", "ofi_norm_5s", "ofi_norm_60s"), options=options),
               stream.array())  # fmt: skip
    assert np.isnan(rows["ofi_norm_5s"]).all()
    assert rows["ofi_sum_3s"][1] == pytest.approx(2.1) and rows["ofi_norm_60s"][1] > 0


# --- the reference ----------------------------------------------------------------------------------------------------


def flow(before: Book, after: Book, level: int) -> tuple[float, float]:
    """e(u) of one level, its bid and its ask part."""
    bid = ask = 0.0
    if level < min(len(before.bids), len(after.bids)):
        (p0, q0), (p1, q1) = before.bids[level], after.bids[level]
        bid = (q1 if p1 >= p0 else 0.0) - (q0 if p1 <= p0 else 0.0)
    if level < min(len(before.asks), len(after.asks)):
        (p0, q0), (p1, q1) = before.asks[level], after.asks[level]
        ask = (-q1 if p1 <= p0 else 0.0) + (q0 if p1 >= p0 else 0.0)
    return bid, ask


def queues(before: Book, after: Book, side: int) -> tuple[float, float, float]:
    """What was added and removed at an unchanged best price, and what left with a best price that moved away."""
    (p0, q0), (p1, q1) = (b.bids[0] if side == 1 else b.asks[0] for b in (before, after))
    if p0 == p1:
        return max(q1 - q0, 0.0), max(q0 - q1, 0.0), 0.0
    return 0.0, 0.0, q0 if (p1 < p0) == (side == 1) else 0.0


def depth(book: Book, level: int) -> float:
    return (book.bids[level][1] + book.asks[level][1]) / 2


def expected(rows: list[Row], first: int, grid: int, options: Options) -> dict[str, list[float]]:
    """Every column from row ``first`` on."""
    names = [f.name for f in catalogue.features_with(options) if f.group == "G"]
    out: dict[str, list[float]] = {name: [] for name in names}
    levels, weights = options.ofi_levels, options.ofi_weights or (1 / options.ofi_levels,) * options.ofi_levels
    series: dict[str, list[float]] = {name: [] for name in ("ofi", "decay", "depth", "count")}
    before: Book | None = None
    for row in rows:
        flows, bid_ofi, ask_ofi = [0.0] * levels, 0.0, 0.0
        best: list[float] = []
        depths: list[float] = []
        queue = {1: [0.0] * 3, -1: [0.0] * 3}
        for update in row.updates:
            after, old = update.book, before
            before = after
            if not update.news or not after.valid:
                continue
            best.append(depth(after, 0))
            depths += [depth(after, i) for i in range(min(levels, len(after.bids), len(after.asks)))]
            if update.fresh or old is None or not old.valid:
                continue
            bid_ofi += flow(old, after, 0)[0]
            ask_ofi += flow(old, after, 0)[1]
            for i in range(levels):
                flows[i] += sum(flow(old, after, i))
            for side in (1, -1):
                queue[side] = [a + b for a, b in zip(queue[side], queues(old, after, side), strict=True)]
        if row.number < first:
            continue
        decay = sum(math.exp(-options.ofi_decay_alpha * i) * f for i, f in enumerate(flows))
        for name, value in (("ofi", flows[0]), ("decay", decay), ("depth", sum(best)), ("count", float(len(best)))):
            series[name].append(value)
        book = row.book
        if not best and book is not None and book.valid:
            best = [depth(book, 0)]
            depths = [depth(book, i) for i in range(min(levels, len(book.bids), len(book.asks)))]
        mean = sum(depths) / len(depths) if depths else NAN
        values = {
            "ofi": flows[0], "bid_ofi": bid_ofi, "ask_ofi": ask_ofi, "ofi_multi": sum(flows), "mlofi_decay": decay,
            "ofi_norm": flows[0] / (sum(best) / len(best)) if best else NAN, "mlofi_norm": sum(flows) / mean,
            "ofi_integrated": sum(w * f for w, f in zip(weights, flows, strict=True)) / mean,
        } | {f"mlofi_L{i}": value for i, value in enumerate(flows)}  # fmt: skip
        i = len(series["ofi"]) - 1
        for horizon in options.horizons_ns:
            n = horizon // grid
            values[f"ofi_sum_{horizon // SECOND}s"] = sum(window(series["ofi"], i, n))
            values[f"mlofi_sum_{horizon // SECOND}s"] = sum(window(series["decay"], i, n))
        for seconds in (5, 60):
            n = seconds * SECOND // grid
            count = sum(window(series["count"], i, n))
            total = sum(window(series["ofi"], i, n))
            values[f"ofi_norm_{seconds}s"] = total / (sum(window(series["depth"], i, n)) / count) if count else NAN
        for side, name, taken in ((1, "bid", -1), (-1, "ask", 1)):
            added, removed, depleted = queue[side]
            opposite = sum(t.size for t in row.trades if t.side == taken)
            values |= {
                f"{name}_add_volume": added, f"{name}_remove_volume": removed, f"{name}_depletion_volume": depleted,
                f"{name}_cancel_est": max(0.0, removed + depleted - opposite),
            }  # fmt: skip
        for name in names:
            out[name].append(values[name])
    return out


def test_every_column_on_a_real_capture(spot_records: np.ndarray) -> None:
    made = rows_of(spot_records, COLUMNS)
    for number in (0, 1):
        first, last = int(made[number]["ts_ns"][0]) // GRID, int(made[number]["ts_ns"][-1]) // GRID - 10
        rows = plain_rows(spot_records, instrument(number), GRID, first - 20, last)
        assert_equal_columns(made[number], rows[20:], expected(rows, first, GRID, Options()))


@pytest.mark.parametrize(
    "options",
    [Options(), Options(horizons_ns=(2 * SECOND, 90 * SECOND), ofi_levels=3, ofi_decay_alpha=0.25,
                        ofi_weights=(0.5, 0.3, 0.2))],
)  # fmt: skip
def test_every_column_and_other_options_on_an_invented_market(options: Options) -> None:
    names = tuple(f.name for f in catalogue.features_with(options) if f.group == "G")
    records = invented(200)
    made = run(
        engine(grid=SECOND, hold_back=SECOND // 4, max_future_skew_ns=0, columns=names, options=options), records
    )
    first = int(made["ts_ns"][0]) // SECOND
    rows = plain_rows(records, instrument(0), SECOND, first, int(made["ts_ns"][-1]) // SECOND)
    assert any(not u.book.valid for row in rows for u in row.updates)
    assert any(u.fresh for row in rows for u in row.updates)
    assert_equal_columns(made, rows, expected(rows, first, SECOND, options))


def test_rows_the_gap_cap_skipped_are_in_no_window() -> None:
    stream = Stream().book(10, *B0).book(20, *B1).book(100 * SECOND, (1, 100.1, 2.5)).book(101 * SECOND)
    rows = run(engine(grid=SECOND, max_gap_fill=5, columns=COLUMNS), stream.array(), finalize=False)
    assert [int(t) // SECOND for t in rows["ts_ns"]] == [1, 2, 3, 4, 5, 101]
    assert rows["ofi_sum_60s"].tolist() == pytest.approx([2.1] * 5 + [1.0])
    assert rows["ofi_sum_1s"].tolist() == pytest.approx([2.1, 0.0, 0.0, 0.0, 0.0, 1.0])
