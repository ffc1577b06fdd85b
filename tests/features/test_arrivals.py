"""Group M: the published vector, and on a capture and an invented market against numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ringcollect.records import Flag, Kind
from ringcollect.sync import catalogue
from ringcollect.sync.catalogue import Options

from ..sync.streams import NAN, Stream, engine, instrument, run
from .comparing import GRID, assert_equal_columns, rows_of
from .invented import SECOND, START, invented
from .plain import Book, Row, plain_rows
from .vectors import B0
from .windows import slow_rows, window

COLUMNS = tuple(f.name for f in catalogue.FEATURES if f.group == "M")
BETA = math.log(2)


def test_published_vector_of_hawkes() -> None:
    stream = Stream()
    for side, start in ((1, START), (-1, START + 10 * SECOND)):
        for ms in (0, 500, 900):
            stream.trade(start + ms * 10**6, 9.0, 1.0, side)
    names = ("hawkes_buy", "hawkes_sell", "hawkes_imbalance")
    rows = run(engine(grid=SECOND, mode="trade", columns=names), stream.trade(START + 11 * SECOND).array())
    assert rows["hawkes_buy"][0] == pytest.approx(1.4834318495, rel=1e-9)
    assert rows["hawkes_sell"][10] == pytest.approx(1.4834318495, rel=1e-9)
    assert rows["hawkes_imbalance"][0] == 1.0
    assert rows["hawkes_buy"][10] == pytest.approx(1.4834318495 / 2**10, rel=1e-9)


def test_a_trade_that_comes_after_a_later_one_weighs_as_much_as_if_it_had_come_in_time() -> None:
    sums = []
    for order in ((0, 500, 900), (900, 0, 500), (500, 900, 0)):
        stream = Stream()
        for ms in order:
            stream.trade(START + ms * 10**6, 9.0, 1.0, 1)
        made = engine(grid=SECOND, mode="trade", columns=("hawkes_buy",))
        sums.append(run(made, stream.trade(START + SECOND).array())["hawkes_buy"][0])
    assert sums == pytest.approx([1.4834318495] * 3, rel=1e-9)


def test_nothing_that_happens_is_counted_as_zero() -> None:
    stream = Stream().book(10, *B0).book(GRID).book(2 * GRID)
    row = run(engine(grid=GRID, columns=COLUMNS), stream.array(), finalize=False)[1]
    undefined = {name for name in COLUMNS if "inter" in name or name.split("_")[0] in ("burstiness", "fano")}
    undefined |= {"branching_ratio_300s", "order_to_trade_60s"}
    for name in COLUMNS:
        if name == "book_interarrival_mean_ms":
            assert row[name] == pytest.approx((GRID - 10) / 1e6)
        elif name in ("book_update_count", "msg_count"):
            assert row[name] == 1.0
        else:
            np.testing.assert_equal(row[name], NAN if name in undefined else 0.0, name)


def test_updates_are_counted_once_however_many_levels_and_only_news() -> None:
    stream = Stream().trade(5).book(10, *B0)
    stream.book(20, (1, 100.1, 1.0), (-1, 100.3, 9.0))  # the best bid and the mid go up
    stream.book(30, (-1, 100.2, 0.0))  # the best ask and the mid go up
    stream.book(40, (-1, 100.4, 1.0))  # behind the best
    stream.book(50, (1, 100.1, 2.0))  # the best bid's size
    stream.book(60, (1, 100.1, 3.0), flags=Flag.REPLAYED)
    stream.book(70, B0[0], B0[-1], kind=Kind.BOOK_SNAPSHOT, flags=Flag.CLEAR | Flag.SNAPSHOT, aux=-1)
    stream.book(80, (1, 100.0, 0.0), (1, 99.9, 1.0))  # the best bid goes down
    stream.book(90, (-1, 99.0, 1.0))  # crossed: only counted; 21 levels and a trade make 22 records
    row = slow_rows(stream.trade(10**6), COLUMNS, max_gap_fill=1)[0]
    for name, count in (
        ("book_update_count", 7), ("bbo_update_count", 4), ("mid_change_count", 3), ("bid_up_count", 1),
        ("bid_down_count", 1), ("ask_up_count", 1), ("ask_down_count", 0), ("msg_count", 22),
    ):  # fmt: skip
        assert row[name] == count, name


def test_rows_the_gap_cap_skipped_are_in_no_window() -> None:
    stream = Stream()
    for i in range(3):
        stream.trade(i * SECOND + 10)
    stream.trade(200 * SECOND).trade(200 * SECOND + 10).trade(201 * SECOND)
    made = engine(grid=SECOND, mode="trade", max_gap_fill=4, columns=("trade_rate_60s", "fano_factor_60s"))
    rows = run(made, stream.array(), finalize=False)
    assert [int(t) // SECOND for t in rows["ts_ns"]] == [1, 2, 3, 4, 5, 6, 201]
    assert rows["trade_rate_60s"].tolist() == pytest.approx([1 / 60, 2 / 60] + [3 / 60] * 4 + [2 / 60])
    counts = np.array([1, 1, 1, 0, 0, 0])
    assert rows["fano_factor_60s"][5] == pytest.approx(np.var(counts, ddof=1) / np.mean(counts))
    assert math.isnan(rows["fano_factor_60s"][6])


# --- the reference ----------------------------------------------------------------------------------------------------


def gaps_of(times: list[list[int]], first_from: int = 0) -> list[list[float]]:
    """Seconds since the event before, in the row of the later one; times that fall back count as the latest."""
    out, last = [], first_from
    for row in times:
        here = []
        for time in row:
            if last:
                here.append(max(time - last, 0) / 1e9)
            last = max(last, time)
        out.append(here)
    return out


def changes(rows: list[Row]) -> list[dict[str, int]]:
    """Per row, what the updates that can be compared with the book before them did to the best levels."""
    out = []
    before: Book | None = None
    for row in rows:
        found = dict.fromkeys(("bbo", "mid", "bid_up", "bid_down", "ask_up", "ask_down"), 0)
        for update in row.updates:
            book, old = update.book, before
            before = book
            if not (update.news and book.valid and old is not None and old.valid) or update.fresh:
                continue
            found["bbo"] += (old.bids[0], old.asks[0]) != (book.bids[0], book.asks[0])
            found["mid"] += old.mid != book.mid
            found["bid_up"] += book.bids[0][0] > old.bids[0][0]
            found["bid_down"] += book.bids[0][0] < old.bids[0][0]
            found["ask_up"] += book.asks[0][0] > old.asks[0][0]
            found["ask_down"] += book.asks[0][0] < old.asks[0][0]
        out.append(found)
    return out


def messages(records: np.ndarray, number: int, rows: list[Row], grid: int) -> list[float]:
    """Records per row of an instrument's books and trades, books by the running maximum of their times."""
    own = records[(records["instrument"] == number) & ((records["flags"] & Flag.UNSYNCED) == 0)]
    times = np.where(own["ts_event"] > 0, own["ts_event"], own["ts_recv"])
    is_book = np.isin(own["kind"], (Kind.BOOK_DELTA, Kind.BOOK_SNAPSHOT))
    times[is_book] = np.maximum.accumulate(times[is_book])
    found = dict(zip(*np.unique(times // grid + 1, return_counts=True), strict=True))
    return [float(found.get(row.number, 0)) for row in rows]


def expected(every: list[Row], first: int, grid: int, options: Options) -> dict[str, list[float]]:
    """Every column but msg_count from row ``first`` on, before which nothing but the book is known."""
    names = [f.name for f in catalogue.features_with(options) if f.group == "M" and f.name != "msg_count"]
    out: dict[str, list[float]] = {name: [] for name in names}
    rows = [row for row in every if row.number >= first]
    best = changes(every)[len(every) - len(rows) :]
    updates = [[u.time for u in row.updates if u.news] for row in rows]
    trades = [[t.time for t in row.trades] for row in rows]
    update_gaps, trade_gaps = gaps_of(updates), gaps_of(trades)
    count = [float(len(row.trades)) for row in rows]
    update_count = [float(len(times)) for times in updates]
    minute, long = (s * SECOND // grid for s in (60, 300))
    before = {1: [], -1: []}
    for i, row in enumerate(rows):
        for trade in row.trades:
            if trade.side:
                before[trade.side].append(trade.time)
        ages = {side: (row.close - np.array(times, np.int64)) / 1e9 for side, times in before.items()}
        buy, sell = (BETA * float(np.exp(-BETA * ages[side]).sum()) for side in (1, -1))
        gaps = np.array([g for some in trade_gaps[max(0, i - minute + 1) : i + 1] for g in some])
        deviation = np.std(gaps, ddof=1) if len(gaps) >= 10 else NAN
        mean = gaps.mean() if len(gaps) else NAN
        near, far = window(count, i, minute), window(count, i, long)
        wide = np.var(far, ddof=1) if len(far) > 1 else NAN
        values = {
            "book_update_count": update_count[i], "bbo_update_count": best[i]["bbo"],
            "mid_change_count": best[i]["mid"],
            **{f"{name}_count": best[i][name] for name in ("bid_up", "bid_down", "ask_up", "ask_down")},
            "book_interarrival_mean_ms": 1e3 * np.mean(update_gaps[i]) if update_gaps[i] else NAN,
            "trade_interarrival_mean_ms": 1e3 * np.mean(trade_gaps[i]) if trade_gaps[i] else NAN,
            "trade_interarrival_cv_60s": deviation / mean, "burstiness_60s": (deviation - mean) / (deviation + mean),
            "hawkes_buy": buy, "hawkes_sell": sell,
            "hawkes_imbalance": (buy - sell) / (buy + sell) if buy + sell >= 1e-12 else 0.0,
            "branching_ratio_300s": max(1 - math.sqrt(np.mean(far) / wide), 0.0) if wide > 0 else NAN,
            "fano_factor_60s": np.var(near, ddof=1) / np.mean(near) if len(near) > 1 and sum(near) else NAN,
            "order_to_trade_60s": sum(window(update_count, i, minute)) / sum(near) if sum(near) else NAN,
        }  # fmt: skip
        for ns in options.horizons_ns:
            values[f"trade_rate_{ns // SECOND}s"] = sum(window(count, i, ns // grid)) / (ns / 1e9)
        for name in names:
            out[name].append(float(values[name]))
    return out


def test_every_column_on_a_real_capture(spot_records: np.ndarray) -> None:
    made = rows_of(spot_records, COLUMNS)
    for number in (0, 1):
        first, last = (int(made[number]["ts_ns"][i]) // GRID for i in (0, -10))
        rows = plain_rows(spot_records, instrument(number), GRID, first - 20, last)
        values = expected(rows, first, GRID, Options())
        values["msg_count"] = messages(spot_records, number, rows[20:], GRID)
        # the first row also takes in what came before it: the book's levels as records, no news
        assert_equal_columns(made[number], rows[20:], {"msg_count": values.pop("msg_count")}, skip=1)
        assert_equal_columns(made[number], rows[20:], values)


def test_every_column_and_other_horizons_while_windows_move_on() -> None:
    options = Options(horizons_ns=(2 * SECOND, 100 * SECOND))
    names = tuple(f.name for f in catalogue.features_with(options) if f.group == "M")
    records = invented(380, updates_each=2, trades_each=2)
    # trades of some seconds are dropped, so that their number varies
    keep = (records["kind"] != Kind.TRADE) | (records["ts_event"] // SECOND % 7 < 4)
    records = records[keep]
    made = run(
        engine(grid=SECOND, hold_back=SECOND // 4, max_future_skew_ns=0, columns=names, options=options), records
    )
    first = int(made["ts_ns"][0]) // SECOND
    rows = plain_rows(records, instrument(0), SECOND, first, int(made["ts_ns"][-1]) // SECOND)
    values = expected(rows, first, SECOND, options)
    values["msg_count"] = messages(records, 0, rows, SECOND)
    assert max(v for v in values["branching_ratio_300s"] if v == v) > 0
    assert_equal_columns(made, rows, values)
