"""Each rule of the grid, G1 to G21, by its number. Grid 100 and hold-back 0 unless said otherwise."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ringcollect.errors import ConfigError
from ringcollect.records import Flag, Kind
from ringcollect.sync.rows import RowFlag
from ringcollect.sync.settings import Parameters

from .streams import NAN, Stream, engine, flags, run, stamps


@pytest.mark.parametrize("grid", [1, 3, 100, 7_000_000_000])
def test_g1_every_stamp_is_a_multiple_of_the_grid(grid: int) -> None:
    stream = Stream().trade(11 * grid - 1).trade(14 * grid)
    rows = run(engine(grid=grid, mode="trade"), stream.array())
    assert stamps(rows) == [k * grid for k in (11, 12, 13, 14, 15)]


def test_g1_a_grid_of_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match="grid_ns"):
        engine(grid=0)


def test_g2_a_row_owns_its_closing_boundary_exclusively() -> None:
    stream = Stream().trade(1000).trade(1099, price=1.0).trade(1100, price=2.0).trade(1200)
    rows = run(engine(mode="trade"), stream.array(), finalize=False)
    assert [(int(r["ts_ns"]), r["trade_px_last"]) for r in rows] == [(1100, 1.0), (1200, 2.0)]


def test_g3_membership_is_the_events_own_time_also_for_the_event_that_moves_the_clock() -> None:
    stream = Stream().trade(1010, price=1.0).trade(1250, price=2.0).trade(1190, price=3.0).trade(1300)
    rows = run(engine(mode="trade"), stream.array(), finalize=False)
    assert [(int(r["ts_ns"]), r["trade_notional"]) for r in rows] == [(1100, 1.0), (1200, 0.0), (1300, 2.0)]


def test_g4_the_first_driving_event_anchors_and_emits_nothing() -> None:
    made = engine(mode="trade")
    assert len(made.collect(Stream().trade(123_456).array())) == 0
    rows = run(made, Stream().trade(123_399).trade(123_500).array(), finalize=False)
    assert stamps(rows) == [123_500]
    assert made.counters()["late_events_dropped"] == 1  # 123_399 lies before the anchor's period


def test_g5_one_row_per_period_also_empty_ones_and_never_backwards() -> None:
    made = engine(mode="trade")
    assert stamps(run(made, Stream().trade(1000).trade(1350).array(), finalize=False)) == [1100, 1200, 1300]
    assert len(made.collect(Stream().trade(1010).trade(1340).array())) == 0
    assert stamps(made.collect(Stream().trade(1400).array())) == [1400]


@pytest.mark.parametrize("mode", ["orderbook", "trade", "liquidation", "external"])
def test_g5_each_mode_is_driven_by_its_own_records_and_by_nothing_else(mode: str) -> None:
    def add(stream: Stream, kind: str, ts: int) -> Stream:
        if kind == "orderbook":
            return stream.book(ts, (1, 10.0, 1.0), (-1, 12.0, 1.0), recv=1000)
        if kind == "trade":
            return stream.trade(ts, recv=1000)
        if kind == "liquidation":
            return stream.liquidation(ts, recv=1000)
        return stream.time(ts)

    kinds = ("orderbook", "trade", "liquidation", "external")
    for kind in kinds:
        made = engine(mode=mode, max_future_skew_ns=0)
        stream = add(Stream().trade(1001, recv=1000), mode, 1000)
        made.collect(add(stream, kind, 1350).array())
        assert made.rows_total == (3 if kind == mode else 0), kind
    for passive in (Kind.FUNDING, Kind.OPEN_INTEREST, Kind.MARK_PRICE, Kind.INDEX_PRICE, Kind.BBO, Kind.TICKER):
        made = engine(mode=mode, max_future_skew_ns=0)
        stream = add(Stream(), mode, 1000).add(passive, ts=1350, recv=1000, price=1.0, size=1.0)
        assert len(made.collect(stream.array())) == 0, passive


def test_g6_a_step_emits_at_most_ten_thousand_rows_and_the_clock_still_jumps() -> None:
    made = engine(mode="trade")
    stream = Stream().trade(50).trade(100 * 50_000)
    rows = run(made, stream.array(), finalize=False)
    assert stamps(rows) == [100 * k for k in range(1, 10_001)]
    assert made.counters()["skipped_rows"] == 40_000 - 1 + 1
    after = made.collect(Stream().trade(100 * 50_001).array())
    assert stamps(after) == [100 * 50_001]
    assert flags(after[0]) & RowFlag.CLOCK_JUMP


def test_g6_events_of_skipped_rows_count_as_late() -> None:
    made = engine(mode="trade", max_gap_fill=3)
    stream = Stream().trade(50).liquidation(950).trade(2000).trade(2100)
    rows = run(made, stream.array(), finalize=False)
    assert stamps(rows) == [100, 200, 300, 2100]
    assert rows["liq_count"].sum() == 0
    assert made.counters()["late_events_dropped"] == 1


def test_g6_a_state_and_a_book_of_skipped_rows_are_carried_none_the_less() -> None:
    stream = Stream().trade(50).book(950, (1, 10.0, 1.0), (-1, 12.0, 1.0))
    stream.add(Kind.FUNDING, ts=960, price=0.5, size=NAN).trade(2000).trade(2100)
    rows = run(engine(mode="trade", max_gap_fill=3), stream.array(), finalize=False)
    assert [(int(r["ts_ns"]), int(r["ts_book_ns"]), r["fr_rate"]) for r in rows] == [
        (100, 0, 0), (200, 0, 0), (300, 0, 0), (2100, 950, 0.5),
    ]  # fmt: skip


def test_g7_a_late_event_is_dropped_counted_and_put_into_no_other_row() -> None:
    made = engine(mode="trade")
    rows = run(made, Stream().trade(1000).trade(1100).liquidation(1050).trade(1200).array(), finalize=False)
    assert rows["liq_count"].sum() == 0
    assert made.counters()["late_events_dropped"] == 1
    assert made.late_events()[0] == 1


def test_g8_an_early_event_waits_for_its_row() -> None:
    stream = Stream().trade(1000).liquidation(1350).trade(1100).trade(1400)
    rows = run(engine(mode="trade"), stream.array(), finalize=False)
    assert [(int(r["ts_ns"]), r["liq_count"]) for r in rows] == [(1100, 0), (1200, 0), (1300, 0), (1400, 1)]


def test_g8_an_early_state_and_an_early_book_wait_as_well() -> None:
    stream = Stream().trade(1000).book(1250, (1, 10.0, 1.0), (-1, 12.0, 1.0))
    stream.add(Kind.OPEN_INTEREST, ts=1150, price=NAN, size=7.0).trade(1400)
    rows = run(engine(mode="trade"), stream.array(), finalize=False)
    assert [(int(r["ts_book_ns"]), r["oi_contracts"]) for r in rows] == [(0, 0), (0, 7), (1250, 7), (1250, 7)]


def test_g9_the_book_is_as_of_the_close_carried_with_its_true_stamp_and_never_from_the_open_period() -> None:
    stream = Stream().trade(1000).book(1150, (1, 10.0, 1.0), (-1, 12.0, 1.0)).trade(1110)
    stream.book(1200, (1, 11.0, 1.0)).trade(1420)
    rows = run(engine(mode="trade"), stream.array(), finalize=False)
    found = [(int(r["ts_ns"]), int(r["ts_book_ns"]), r["ob_mid_price"]) for r in rows]
    assert found == [(1100, 0, 0.0), (1200, 1150, 11.0), (1300, 1200, 11.5), (1400, 1200, 11.5)]
    assert [bool(flags(r) & RowFlag.HAS_BOOK) for r in rows] == [False, True, True, True]
    assert [bool(flags(r) & RowFlag.BOOK_CARRIED) for r in rows] == [False, False, False, True]


def test_g10_the_last_book_is_the_last_in_ring_order_at_the_greatest_time_reached() -> None:
    """A delta that is stamped before one already applied is applied in ring order; the book's time does not go back."""
    stream = Stream().trade(1000).book(1050, (1, 10.0, 1.0), (-1, 12.0, 1.0)).book(1040, (1, 10.5, 1.0)).trade(1100)
    row = run(engine(mode="trade"), stream.array(), finalize=False)[0]
    assert (int(row["ts_book_ns"]), row["ob_mid_price"]) == (1050, 11.25)


def test_g10_of_two_states_the_greater_time_counts_and_then_the_greater_sequence() -> None:
    stream = Stream().trade(1000)
    for ts, rate in ((1050, 0.5), (1040, 0.4), (1050, 0.6)):
        stream.add(Kind.FUNDING, ts=ts, price=rate, size=NAN)
    row = run(engine(mode="trade"), stream.trade(1100).array(), finalize=False)[0]
    assert row["fr_rate"] == 0.6


def test_g11_trades_and_liquidations_belong_to_one_row_and_an_empty_row_has_zeros() -> None:
    stream = Stream().trade(1000, price=7.0).liquidation(1010, price=3.0).trade(1250)
    rows = run(engine(mode="trade"), stream.array(), finalize=False)
    assert [(r["trade_count"], r["liq_count"]) for r in rows] == [(1, 1), (0, 0)]
    empty = np.array([rows[1][name] for name in rows.dtype.names[7:]])
    assert not empty.any()


def test_g12_funding_interest_and_mark_are_carried_and_drive_no_clock() -> None:
    stream = Stream().trade(1000)
    stream.add(Kind.FUNDING, ts=1090, price=0.001, size=NAN, aux=5000)
    stream.add(Kind.OPEN_INTEREST, ts=1110, price=NAN, size=50.0)
    stream.add(Kind.MARK_PRICE, ts=1120, price=4.0, size=NAN)
    made = engine(mode="trade")
    assert len(made.collect(stream.array())) == 0
    rows = made.collect(Stream().trade(1450).array())
    assert [r["fr_rate"] for r in rows] == [0.001] * 4
    assert [r["fr_next_settlement_delta"] for r in rows] == [5000 - 1090] * 4  # against the record's own stamp
    assert [r["oi_contracts"] for r in rows] == [0, 50, 50, 50]
    assert [r["oi_value"] for r in rows] == [0, 200, 200, 200]
    has = [(bool(flags(r) & RowFlag.HAS_FUNDING), bool(flags(r) & RowFlag.HAS_OI)) for r in rows]
    assert has == [(True, False), (True, True), (True, True), (True, True)]


def test_g13_the_hold_back_delays_rows_and_moves_no_membership() -> None:
    made = engine(mode="trade", hold_back=50)
    assert len(made.collect(Stream().trade(1060).trade(1100).trade(1149).array())) == 0
    rows = made.collect(Stream().trade(1150).array())
    assert [(int(r["ts_ns"]), r["trade_count"]) for r in rows] == [(1100, 1)]
    late = made.collect(Stream().trade(1160).trade(1199).trade(1250).array())
    assert [(int(r["ts_ns"]), r["trade_count"]) for r in late] == [(1200, 5)]


def test_g13_the_hold_back_saturates_at_zero() -> None:
    rows = run(engine(mode="trade", hold_back=1000), Stream().trade(5).trade(1100).array(), finalize=False)
    assert stamps(rows) == [100]


def test_g14_finalize_closes_once_and_what_comes_after_is_counted() -> None:
    made = engine(mode="trade")
    made.collect(Stream().trade(1010).array())
    assert stamps(made.collect_rest()) == [1100]
    assert len(made.collect_rest()) == 0
    assert len(made.collect(Stream().trade(5000).array())) == 0
    assert made.counters()["after_finalize"] == 1


def test_g14_a_clock_that_was_never_anchored_emits_nothing() -> None:
    assert len(run(engine(mode="liquidation"), Stream().trade(1010).book(1020, (1, 1.0, 1.0)).array())) == 0


def test_g15_finalize_emits_every_row_up_to_the_highest_waiting_one_all_partial() -> None:
    stream = Stream().trade(1000).liquidation(1350).book(1250, (1, 10.0, 1.0), (-1, 12.0, 1.0))
    rows = run(engine(mode="trade"), stream.array())
    assert stamps(rows) == [1100, 1200, 1300, 1400]
    assert [(int(r["ts_book_ns"]), r["liq_count"]) for r in rows] == [(0, 0), (0, 0), (1250, 0), (1250, 1)]
    assert all(flags(r) & RowFlag.PARTIAL for r in rows)


@pytest.mark.parametrize("mode", ["orderbook", "trade", "liquidation"])
def test_g16_every_instrument_has_a_clock_of_its_own(mode: str) -> None:
    stream = Stream()
    for number, ts in ((0, 1000), (1, 5000), (0, 1100), (1, 5300)):
        if mode == "orderbook":
            stream.book(ts, (1, 1.0, 1.0), instrument=number)
        elif mode == "trade":
            stream.trade(ts, instrument=number)
        else:
            stream.liquidation(ts, instrument=number)
    rows = run(engine(mode=mode), stream.array(), finalize=False)
    assert [(int(r["instrument"]), int(r["ts_ns"])) for r in rows] == [(0, 1100), (1, 5100), (1, 5200), (1, 5300)]


def test_g16_in_external_clock_all_share_the_ticks_but_nothing_else() -> None:
    stream = Stream().time(1000)
    stream.recv = 1000
    stream.trade(1010, instrument=1, recv=1000).trade(1020, instrument=0, recv=1000).time(1100)
    stream.trade(1150, instrument=2, recv=1100).time(1200)
    rows = run(engine(mode="external"), stream.array(), finalize=False)
    found = [(int(r["ts_ns"]), int(r["instrument"]), r["trade_count"]) for r in rows]
    assert found == [(1100, 0, 1), (1100, 1, 1), (1200, 0, 0), (1200, 1, 0), (1200, 2, 1)]


def test_external_rows_due_come_before_the_record_that_brings_them() -> None:
    """A record received at 1200 ripens row 1200; its own trade, stamped 1150, is then late."""
    stream = Stream().time(1000).trade(1150, recv=1200).time(1300)
    made = engine(mode="external")
    rows = run(made, stream.array(), finalize=False)
    assert [(int(r["ts_ns"]), r["trade_count"]) for r in rows] == [(1300, 0)]
    assert made.counters()["late_events_dropped"] == 1


def test_g17_rows_of_two_rings_line_up_because_both_grids_start_at_the_epoch() -> None:
    one = run(engine(mode="trade"), Stream().trade(1034).trade(1190).trade(1210).array(), finalize=False)
    two = run(engine(mode="trade"), Stream().trade(1001).trade(1100).trade(1299).array(), finalize=False)
    assert set(stamps(one)) & set(stamps(two)) == {1100, 1200}


def test_g18_a_stamp_too_far_ahead_of_its_receive_time_moves_no_clock() -> None:
    second = 1_000_000_000
    made = engine(grid=second, mode="trade")
    stream = Stream().trade(100 * second, recv=100 * second).trade(131 * second, recv=100 * second)
    stream.trade(130 * second, recv=100 * second)
    rows = run(made, stream.array(), finalize=False)
    assert stamps(rows) == [k * second for k in range(101, 131)]
    assert made.counters()["clock_outliers"] == 1
    assert rows[0]["trade_count"] == 2  # the refused one counts where it was received
    assert flags(rows[0]) & RowFlag.RECV_TIME_USED


def test_g18_one_bad_book_stamp_does_not_hold_back_the_books_after_it() -> None:
    second = 1_000_000_000
    made = engine(grid=second, mode="orderbook")
    stream = Stream().book(100 * second, (1, 10.0, 1.0), (-1, 12.0, 1.0), recv=100 * second)
    stream.book(900 * second, (1, 11.0, 1.0), recv=100 * second + 1).book(
        102 * second, (1, 11.5, 1.0), recv=102 * second
    )
    rows = run(made, stream.array())
    assert [int(r["ts_book_ns"]) for r in rows] == [100 * second + 1, 100 * second + 1, 102 * second]
    assert made.counters()["clock_outliers"] == 1


@pytest.mark.parametrize("mode", ["orderbook", "liquidation", "external"])
def test_g18_in_every_mode_an_unbelievable_stamp_makes_nothing_after_it_late(mode: str) -> None:
    second = 1_000_000_000
    made = engine(grid=second, mode=mode)
    stream = Stream().time(100 * second)
    for at, ts in ((101, 101), (102, 9000), (103, 103), (104, 104)):
        stream.book(ts * second, (1, 10.0, 1.0), (-1, 12.0, 1.0), recv=at * second)
        stream.liquidation(ts * second, recv=at * second)
    rows = run(made, stream.array())
    assert rows["ts_ns"].max() <= 106 * second
    assert rows["liq_count"].sum() == {"orderbook": 4, "liquidation": 4, "external": 4}[mode]
    assert made.counters()["late_events_dropped"] == 0


def test_g18_the_guard_is_thirty_seconds_unless_told_otherwise() -> None:
    assert Parameters().max_future_skew_ns == 30 * 10**9


def test_g19_without_exchange_time_the_receive_time_decides_and_the_row_says_so() -> None:
    stream = (
        Stream()
        .book(1000, (1, 1.0, 1.0))
        .trade(0, price=5.0, recv=1110)
        .book(1120, (1, 1.0, 2.0))
        .book(1300, (1, 1.0, 3.0))
    )
    rows = run(engine(), stream.array(), finalize=False)
    assert [(int(r["ts_ns"]), r["trade_count"]) for r in rows] == [(1100, 0), (1200, 1), (1300, 0)]
    assert [bool(flags(r) & RowFlag.RECV_TIME_USED) for r in rows] == [False, True, False]


@pytest.mark.parametrize("flag", [Flag.SNAPSHOT, Flag.REPLAYED, Flag.UNSYNCED, Flag.DUPLICATE])
def test_g20_history_sent_on_subscribe_drives_nothing_and_enters_no_flow(flag: Flag) -> None:
    made = engine(mode="trade")
    stream = Stream().trade(10, flags=Flag.LAST | flag).trade(1_000_000).trade(1_000_050, flags=Flag.LAST | flag)
    stream.trade(1_000_100)
    rows = run(made, stream.array(), finalize=False)
    assert [(int(r["ts_ns"]), r["trade_count"]) for r in rows] == [(1_000_100, 1)]
    assert made.counters()["late_events_dropped"] == 0


def test_a_state_that_was_sent_twice_does_not_undo_a_newer_one() -> None:
    stream = Stream().trade(1000)
    for ts, rate, flag in ((1010, 1e-4, Flag.LAST), (1020, 2e-4, Flag.LAST), (1030, 1e-4, Flag.LAST | Flag.DUPLICATE)):
        stream.add(Kind.FUNDING, ts=ts, price=rate, flags=flag)
    rows = run(engine(mode="trade"), stream.trade(1100).array(), finalize=False)
    assert [r["fr_rate"] for r in rows] == [2e-4]


@pytest.mark.parametrize("flag", [Flag.SNAPSHOT, Flag.REPLAYED, Flag.UNSYNCED])
def test_g20_book_records_that_are_no_news_drive_no_clock(flag: Flag) -> None:
    stream = Stream().book(1000, (1, 10.0, 1.0), (-1, 12.0, 1.0)).book(1400, (1, 11.0, 1.0), flags=flag)
    made = engine()
    assert len(made.collect(stream.array())) == 0
    rows = made.collect(stream.book(1500, (1, 10.0, 2.0)).array()[-1:])
    assert stamps(rows) == [1100, 1200, 1300, 1400, 1500]
    mids = [r["ob_mid_price"] for r in rows]
    assert mids == ([11.0] * 5 if flag == Flag.UNSYNCED else [11.0] * 4 + [11.5])


def test_g21_stream_time_releases_the_rows_a_silent_driver_holds() -> None:
    made = engine(mode="trade", max_row_latency_ns=200)
    stream = Stream().trade(1000, recv=1000).liquidation(1050, recv=1060)
    assert len(made.collect(stream.array())) == 0
    assert stamps(made.collect(Stream().time(1299).array())) == []
    assert stamps(made.collect(Stream().time(1300).array())) == [1100]
    assert stamps(made.collect(Stream().time(1520).array())) == [1200, 1300]


def test_g21_what_comes_for_a_released_row_is_late() -> None:
    made = engine(mode="trade", max_row_latency_ns=200)
    made.collect(Stream().trade(1000, recv=1000).time(1300).array())
    rows = made.collect(Stream().trade(1090, recv=1310).trade(1110, recv=1320).trade(1200, recv=1330).array())
    assert [(int(r["ts_ns"]), r["trade_count"]) for r in rows] == [(1200, 1)]
    assert made.counters()["late_events_dropped"] == 1


def test_g21_has_no_say_where_stream_time_drives_anyway() -> None:
    stream = Stream().time(1000).trade(1010, recv=1010).time(1400)
    plain = run(engine(mode="external", hold_back=200), stream.array())
    assert (
        run(engine(mode="external", hold_back=200, max_row_latency_ns=1), stream.array()).tobytes() == plain.tobytes()
    )


def test_g21_is_off_by_default() -> None:
    assert len(run(engine(mode="trade"), Stream().trade(1000).time(99_999).array(), finalize=False)) == 0


def test_the_hold_back_queue_is_bounded_and_an_early_row_says_overrun() -> None:
    made = engine(mode="trade", hold_back_records=5)
    stream = Stream().trade(1000)
    for i in range(20):
        stream.book(1010 + 20 * i, (1, 10.0, 1.0 + i))
    rows = made.collect(stream.array())
    assert len(rows) and all(flags(r) & RowFlag.OVERRUN for r in rows)
    assert stamps(rows) == [1100 + 100 * i for i in range(len(rows))]
    assert made.counters()["overruns"] == len(rows)
    assert all(r["ts_book_ns"] < r["ts_ns"] for r in rows)  # early, but no look-ahead
    assert run(made, Stream().trade(1050).trade(1500).array())["trade_count"].sum() == 1
    assert made.counters()["late_events_dropped"] == 1


def test_negotiated_and_assigned_prints_are_no_flow() -> None:
    stream = Stream().trade(1000, sub=0)
    for code in (1, 2, 3, 4, 16, 18, 20):
        stream.trade(1010, sub=code, price=float(code))
    row = run(engine(mode="trade"), stream.trade(1100).array(), finalize=False)[0]
    assert row["trade_notional"] == 100 + 1 + 3 + 16


def test_every_rule_has_a_test_of_its_number() -> None:
    tested = {int(found[1]) for name in globals() if (found := re.match(r"test_g(\d+)_", name))}
    assert tested == set(range(1, 22))
