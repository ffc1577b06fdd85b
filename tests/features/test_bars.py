"""Bars on a real capture against plain Python, and what closes, what is not written, what is cut."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.bar_kinds import TIME, Bar, bar_of_size, bar_of_time, bars_problem, parse_bar
from ringcollect.records import Flag
from ringcollect.sync.bar_record import BAR, COLUMNS
from ringcollect.sync.catalogue.plan import BAR_STATE
from ringcollect.sync.engine import Engine
from ringcollect.sync.features import bar_writing
from ringcollect.sync.rows import RowFlag

from ..sync.streams import NAN, Stream, engine
from .plain import Book, Row, Trade, Update

SECOND = 10**9
GRID = 100_000_000


def bars_of(made: Engine, records: np.ndarray, chunk: int | None = None, finalize: bool = True) -> np.ndarray:
    parts: list[np.ndarray] = [np.zeros(0, BAR)]
    for i in range(0, len(records), chunk or len(records)):
        piece = records[i : i + (chunk or len(records))]
        made.feed(piece, lambda rows: None, None, lambda bars: parts.append(bars.copy()))
    if finalize:
        made.finalize(lambda rows: None, None, lambda bars: parts.append(bars.copy()))
    return np.concatenate(parts)


def flow(book: Book, before: Book, level: int) -> float:
    total = 0.0
    if level < min(len(book.bids), len(before.bids)):
        (p, q), (p0, q0) = book.bids[level], before.bids[level]
        total += (q if p >= p0 else 0.0) - (q0 if p <= p0 else 0.0)
    if level < min(len(book.asks), len(before.asks)):
        (p, q), (p0, q0) = book.asks[level], before.asks[level]
        total += (q0 if p >= p0 else 0.0) - (q if p <= p0 else 0.0)
    return total


def summary(updates: Sequence[tuple[Update, Book]], trades: Sequence[Trade], returns: Sequence[float]) -> dict:
    """The columns of one bar from its updates (with the book before each), trades and row returns."""
    mids = [u.book.mid for u, _ in updates]
    spreads = [u.book.asks[0][0] - u.book.bids[0][0] for u, _ in updates]
    best = [(u.book.bids[0][1], u.book.asks[0][1]) for u, _ in updates]
    prices, volume = [t.price for t in trades], math.fsum(t.size for t in trades)
    some, traded = bool(updates), bool(trades)
    return {
        "open": mids[0] if some else NAN, "high": max(mids, default=NAN), "low": min(mids, default=NAN),
        "close": mids[-1] if some else NAN, "mean_spread": np.mean(spreads) if some else NAN,
        "mean_relative_spread": np.mean([s / m for s, m in zip(spreads, mids, strict=True)]) if some else NAN,
        "min_spread": min(spreads, default=NAN), "max_spread": max(spreads, default=NAN),
        "mean_l1_imbalance": np.mean([(b - a) / (b + a) for b, a in best]) if some else NAN,
        "sum_ofi": math.fsum(flow(u.book, b, 0) for u, b in updates),
        "sum_mlofi_decay": math.fsum(math.exp(-0.5 * i) * flow(u.book, b, i) for u, b in updates for i in range(10)),
        "realized_variance": math.fsum(r * r for r in returns) if returns else NAN,
        "log_return_var": np.var(returns, ddof=1) if len(returns) > 1 else NAN, "count": len(updates),
        "trade_open": prices[0] if traded else NAN, "trade_high": max(prices, default=NAN),
        "trade_low": min(prices, default=NAN), "trade_close": prices[-1] if traded else NAN, "volume": volume,
        "bar_buy_volume": math.fsum(t.size for t in trades if t.side > 0),
        "bar_sell_volume": math.fsum(t.size for t in trades if t.side < 0), "bar_trade_count": len(trades),
        "vwap": math.fsum(t.price * t.size for t in trades) / volume if volume else NAN,
    }  # fmt: skip


def assert_equal_bar(bar: np.void, expected: dict) -> None:
    for name, value in expected.items():
        # sums of flows of either sign: 1e-9 of a base unit
        np.testing.assert_allclose(bar[name], value, rtol=1e-8, atol=1e-9 if "of" in name else 1e-15, err_msg=name)


@pytest.mark.parametrize("seconds", [1, 5])
def test_bars_of_time_on_a_real_capture(spot_records: np.ndarray, spot_rows: list[list[Row]], seconds: int) -> None:
    made = engine(
        grid=GRID, hold_back=250_000_000, max_future_skew_ns=0, bars=(Bar(TIME, 30e9), Bar(TIME, seconds * 1e9))
    )
    bars = bars_of(made, spot_records)
    per = seconds * SECOND // GRID
    for number, rows in enumerate(spot_rows):
        own = bars[(bars["instrument"] == number) & (bars["bar"] == 1)]
        at = {int(bar["ts_open_ns"]): bar for bar in own}
        books = [row.book for row in rows]
        compared = 0
        start = -(-rows[1].number // per) * per + 1  # first row of the first whole bar
        for first in range(start - rows[0].number, len(rows) - per, per):
            part = rows[first : first + per]
            before, updates = books[first - 1], []
            for row in part:
                for update in row.updates:
                    updates.append((update, before))
                    before = update.book
            mids = [rows[first - 1].mid, *(row.mid for row in part)]
            returns = [math.log(b / a) for a, b in itertools.pairwise(mids)]
            bar = at[part[0].close - GRID]
            assert (bar["ts_close_ns"] - bar["ts_open_ns"], bar["duration_s"]) == (seconds * SECOND, seconds)
            trades = [t for row in part for t in row.trades]  # as they came
            assert_equal_bar(bar, summary(updates, trades, returns))
            compared += 1
        assert compared > 5


def full_at(unit: str, size: float) -> Callable[[list[Trade]], bool]:
    total: dict[str, Callable[[list[Trade]], float]] = {
        "ticks": len,
        "base": lambda trades: sum(t.size for t in trades),
        "quote": lambda trades: sum(t.price * t.size for t in trades),
    }
    return lambda trades: total[unit](trades) >= size


@pytest.mark.parametrize("text", ["50ticks", "2base", "100000quote"])
def test_bars_of_trades_end_with_the_trade_that_fills_them(spot_records: np.ndarray, text: str) -> None:
    wanted = parse_bar(text)
    hold_back = 250_000_000
    records = spot_records[spot_records["kind"] == 4]
    made = engine(grid=GRID, hold_back=hold_back, max_future_skew_ns=0, mode="trade", bars=(wanted,))
    bars = bars_of(made, records)
    for number in (0, 1):
        own = bars[bars["instrument"] == number]
        told = [
            Trade(int(r["ts_event"]), 0, float(r["price"]), float(r["size"]), int(r["side"]))
            for r in records[records["instrument"] == number]
        ]
        anchor = (told[0].time - hold_back) // GRID * GRID
        told = sorted((t for t in told if t.time >= anchor), key=lambda t: t.time // GRID)  # in a row as they came
        full, current, expected = full_at(text.lstrip("0123456789"), wanted.size), [], []
        for trade in told:
            current.append(trade)
            if full(current):
                expected.append(current)
                current = []
        assert len(own) == len(expected) + bool(current) and len(expected) > 2
        for bar, trades in zip(own, expected, strict=False):
            assert (bar["ts_open_ns"], bar["ts_close_ns"]) == (trades[0].time, trades[-1].time)
            assert_equal_bar(bar, {name: x for name, x in summary([], trades, []).items() if "var" not in name})


def test_chunks_and_resumption_give_the_same_bars(spot_records: np.ndarray) -> None:
    wanted = tuple(parse_bar(text) for text in ("1s", "5s", "20ticks", "50000quote"))
    settings = {"grid": GRID, "hold_back": 250_000_000, "max_future_skew_ns": 0, "bars": wanted}
    records = spot_records[:4000]
    whole = bars_of(engine(**settings), records)
    assert whole.tobytes() == bars_of(engine(**settings), records, chunk=7).tobytes()
    first, second = engine(**settings), engine(**settings)
    head = bars_of(first, records[:1777], finalize=False)
    assert second.load({name: array.copy() for name, array in first.dump().items()})
    assert np.concatenate([head, bars_of(second, records[1777:])]).tobytes() == whole.tobytes()
    for kind in range(len(wanted)):
        assert list(whole["seq"][whole["bar"] == kind]) == list(range(int((whole["bar"] == kind).sum())))


def test_an_empty_bar_is_not_written_and_a_skipped_one_is_closed_behind_the_gap() -> None:
    stream = Stream().trade(SECOND // 2).trade(SECOND + 1).trade(5 * SECOND + 1).trade(60 * SECOND).trade(61 * SECOND)
    made = engine(grid=SECOND // 10, mode="trade", max_gap_fill=100, bars=(Bar(TIME, 1e9),))
    bars = bars_of(made, stream.array())
    assert [int(b["ts_open_ns"]) // SECOND for b in bars] == [0, 1, 5, 60, 61]
    assert list(bars["bar_trade_count"]) == [1, 1, 1, 1, 1]
    # the clock began at 0.2 s, and the stream ended in the last; nothing came while it was silent
    assert [bool(f & RowFlag.PARTIAL) for f in bars["row_flags"]] == [True, False, False, False, True]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1_500_000_000), st.sampled_from([99.5, 100.0, 101.25]), st.integers(1, 8),
            st.sampled_from([-1, 1]),
        ),
        min_size=1, max_size=60,
    ),
    st.integers(1, 9),
    st.integers(1, 30),
)  # fmt: skip
def test_bars_of_any_trades_are_those_of_a_list_of_them(
    steps: list[tuple[int, float, int, int]], chunk: int, quote: int
) -> None:
    stream, trades, now = Stream(), [], SECOND
    for step, price, size, side in steps:
        now += step
        stream.trade(now, price, float(size), side)
        trades.append(Trade(now, 0, price, float(size), side))
    wanted = ("1s", "2s", "3ticks", "9base", f"{100 * quote}quote")
    bars = bars_of(engine(grid=GRID, mode="trade", bars=tuple(map(parse_bar, wanted))), stream.array(), chunk)
    for kind, name in enumerate(wanted):
        own = bars[bars["bar"] == kind]
        groups: list[list[Trade]] = []
        for trade in trades:
            if name.endswith("s") and not name.endswith("ticks"):
                length = int(name[:-1]) * SECOND
                new = not groups or groups[-1][0].time // length != trade.time // length
            else:
                new = not groups or full_at(name.lstrip("0123456789"), parse_bar(name).size)(groups[-1])
            groups.append([]) if new else None
            groups[-1].append(trade)
        assert list(own["seq"]) == list(range(len(groups)))
        for bar, group in zip(own, groups, strict=True):
            assert (bar["trade_open"], bar["trade_close"]) == (group[0].price, group[-1].price)
            assert bar["trade_high"] == max(t.price for t in group) and bar["trade_low"] == min(t.price for t in group)
            assert (bar["volume"], bar["bar_trade_count"]) == (sum(t.size for t in group), len(group))
            assert bar["bar_buy_volume"] - bar["bar_sell_volume"] == sum(t.size * t.side for t in group)
            assert bar["ts_open_ns"] <= group[0].time and group[-1].time <= bar["ts_close_ns"]


def test_bars_of_a_time_of_which_records_are_lost_say_so() -> None:
    before, after = Stream(), Stream()
    for half in range(1, 20):
        (before if half < 10 else after).trade(half * SECOND // 2)
    made = engine(grid=GRID, mode="trade", bars=(Bar(TIME, 1e9), parse_bar("7ticks")))
    parts: list[np.ndarray] = []

    def take(bars: np.ndarray) -> None:
        parts.append(bars.copy())

    made.feed(before.array(), lambda rows: None, None, take)
    made.lost(3)
    made.feed(after.array(), lambda rows: None, None, take)
    made.finalize(lambda rows: None, None, take)
    bars = np.concatenate(parts)
    lost = (bars["row_flags"] & RowFlag.LOST) != 0
    seconds = bars["bar"] == 0
    assert set((bars["ts_open_ns"][seconds & lost] // SECOND).tolist()) == {4, 5}  # between the 4.5 s and the 5 s trade
    assert lost[~seconds].tolist() == [False, True, False]


def test_corwin_schultz_needs_two_neighbours_and_is_never_negative() -> None:
    stream = Stream()
    highs = [(102.0, 100.0), (103.0, 101.0), (100.5, 100.4), (110.0, 109.9)]
    for k, extremes in enumerate(highs):
        for j, mid in enumerate(extremes):
            stream.book(k * SECOND + 1 + j, (1, mid - 0.5, 1.0), (-1, mid + 0.5, 1.0), flags=Flag.CLEAR)
    stream.book(5 * SECOND)
    bars = bars_of(engine(grid=SECOND, bars=(Bar(TIME, 1e9),)), stream.array(), finalize=False)
    assert len(bars) == 4
    shape = 3 - 2 * math.sqrt(2)
    assert math.isnan(bars["corwin_schultz_spread"][0])
    for bar, (h1, l1), (h0, l0) in zip(bars[1:], highs[1:], highs, strict=False):
        beta = math.log(h1 / l1) ** 2 + math.log(h0 / l0) ** 2
        gamma = math.log(max(h1, h0) / min(l1, l0)) ** 2
        alpha = (math.sqrt(2 * beta) - math.sqrt(beta)) / shape - math.sqrt(gamma / shape)
        expected = max(0.0, 2 * (math.exp(alpha) - 1) / (1 + math.exp(alpha)))
        assert bar["corwin_schultz_spread"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("text", ["0s", "5", "1.5ticks", "0base", "-1quote", "1lots", "", "1e3quote", "ticks"])
def test_what_is_no_bar_is_refused(text: str) -> None:
    for parse in (parse_bar, bar_of_size, bar_of_time):
        with pytest.raises(ValueError, match=r"bar|duration"):
            parse(text)


def test_bars_have_names_columns_and_state_of_the_catalogue() -> None:
    names = ["1s", "100ms", "50ticks", "2.5base", "1000000quote", "0.00001base", "100000000000000quote"]
    assert [parse_bar(text).name for text in names] == names
    assert parse_bar("60s").name == "1m" and parse_bar("0500.10quote").name == "500.1quote"
    assert len(COLUMNS) == 25 and COLUMNS[0] == "duration_s" and COLUMNS[-1] == "corwin_schultz_spread"
    assert bar_writing.STATE == BAR_STATE


def test_a_grid_makes_bars_of_its_multiples_only_each_kind_once_and_sixteen_at_most() -> None:
    assert bars_problem([parse_bar("1s"), parse_bar("3ticks")], GRID) == ""
    assert bars_problem([parse_bar("150ms")], GRID) == "150ms is no multiple of the grid they are made on, 100ms"
    assert bars_problem([parse_bar("1m"), parse_bar("60s")], GRID) == "1m is there twice"
    assert "at most 16" in bars_problem([parse_bar(f"{n}ticks") for n in range(1, 18)], GRID)
