"""When something was not there, and why: told from the status records alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringcollect.feed.books import Cause
from ringcollect.feed.ledger import Reason
from ringcollect.records import Channel, Status
from ringcollect.store.quality.day import days_of
from ringcollect.store.selection import Selection
from tests.quality.days import DATE, DAY_NS, TODAY, Script, facts, make_lake, ns, spans, stream_of

TRADES, BOOK = (0, Channel.TRADE), (0, Channel.BOOK)


def test_a_disconnection_is_a_gap_from_the_last_data_to_the_first_again(tmp_path: Path) -> None:
    def write(s: Script) -> None:
        s.begin(0, TRADES)
        s.trade(100)
        s.status(105, Status.DISCONNECTED, stream=TRADES, last=100)
        s.status(130, Status.FLOWING, stream=TRADES)
        s.trade(130)

    day = facts(tmp_path, write, now=1000)
    trades = stream_of(day, "trade")
    assert spans(trades.gaps) == [(100, 130, "disconnected")]
    assert (trades.wanted_s, trades.covered_s, trades.coverage) == (1000, 970, 0.97)
    assert not day.is_whole


def test_a_silent_stream_says_what_the_ledger_knew(tmp_path: Path) -> None:
    def write(s: Script) -> None:
        s.begin(0, TRADES)
        s.status(50, Status.STALE, stream=TRADES, last=20, number=float(Reason.SILENT))
        s.status(60, Status.FLOWING, stream=TRADES)

    assert spans(stream_of(facts(tmp_path, write, now=100), "trade").gaps) == [(20, 60, "flowed, then stopped")]


def test_a_rare_channel_is_covered_from_its_answer_on(tmp_path: Path) -> None:
    def write(s: Script) -> None:
        s.status(0, Status.START)
        s.status(0, Status.CONNECTED)
        s.status(10, Status.REQUESTED, stream=(0, Channel.LIQUIDATION))
        s.status(12, Status.ACKED, stream=(0, Channel.LIQUIDATION))

    rare = stream_of(facts(tmp_path, write, now=110), "liquidation")
    assert spans(rare.gaps) == [(10, 12, "subscribing")]
    assert rare.coverage == pytest.approx(0.98)


def test_a_book_without_a_base_is_a_gap_with_the_cause_of_its_resync(tmp_path: Path) -> None:
    def write(s: Script) -> None:
        s.begin(0, BOOK)
        s.status(10, Status.SEQ_GAP, stream=BOOK, last=9, start=500, end=507)
        s.status(10, Status.RESYNC_BEGIN, stream=BOOK, number=float(Cause.GAP))
        s.status(12, Status.DISCONNECTED, stream=BOOK, last=12)
        s.status(14, Status.FLOWING, stream=BOOK)
        s.status(15, Status.RESYNC_DONE, stream=BOOK)

    book = stream_of(facts(tmp_path, write, now=100), "book")
    assert spans(book.sequence_gaps) == [(9, 10, "ids 500 to 506 missing")]
    assert spans(book.gaps) == [(10, 15, "book resync: gap"), (12, 14, "disconnected")]
    assert book.covered_s == 95, "what overlaps counts once"


def test_a_stop_in_order_is_an_offline_window_with_that_cause(tmp_path: Path) -> None:
    def write(s: Script) -> None:
        s.begin(0, TRADES)
        s.status(100, Status.STOP)
        s.begin(160, TRADES)

    day = facts(tmp_path, write, now=200)
    assert spans(day.offline) == [(100, 160, "stop")]
    assert day.offline_s["stop"] == 60
    trades = stream_of(day, "trade")
    assert (trades.gap_count, trades.coverage) == (0, 0.7), "the collector's absence is not listed for every stream"


def test_a_start_without_a_stop_in_the_same_ring_is_a_crash_from_the_last_record_of_any_table(tmp_path: Path) -> None:
    def write(s: Script) -> None:
        s.begin(0, TRADES)
        s.trade(40)
        s.trade(50, instrument=1)
        s.begin(65, TRADES)
        s.trade(70)

    day = facts(tmp_path, write, now=100)
    assert (50, 65, "crash") in spans(day.offline)
    assert stream_of(day, "trade").covered_s == 85


def test_a_start_in_a_new_ring_without_a_stop_is_a_reboot(tmp_path: Path) -> None:
    before, after = Script(), Script()
    before.begin(0, TRADES)
    before.trade(40)
    after.begin(300, TRADES)
    after.trade(310)
    (day,) = days_of(make_lake(tmp_path, before, after), Selection(), ns(400))
    assert (40, 300, "reboot") in spans(day.offline)
    assert day.offline_s["reboot"] == 260


def test_without_any_connection_the_collector_is_offline_while_it_runs(tmp_path: Path) -> None:
    def write(s: Script) -> None:
        s.begin(0, TRADES)
        s.status(5, Status.CONNECTED, conn=1)
        s.status(10, Status.DISCONNECTED, conn=0)
        s.status(20, Status.DISCONNECTED, conn=1)
        s.status(25, Status.CONNECTED, conn=2)

    assert spans(facts(tmp_path, write, now=100).offline) == [(20, 25, "no connection")]


def test_what_is_open_at_midnight_goes_on_in_the_next_day_and_is_told_in_both(tmp_path: Path) -> None:
    script = Script()
    script.begin(-100, TRADES)
    script.trade(-90)
    script.status(-50, Status.DISCONNECTED, stream=TRADES, last=-60)
    script.status(30, Status.FLOWING, stream=TRADES)
    lake = make_lake(tmp_path, script)
    first, second = days_of(lake, Selection(), ns(100))
    assert spans(stream_of(first, "trade").gaps)[-1] == (-60, 0, "disconnected")
    assert spans(stream_of(second, "trade").gaps) == [(0, 30, "disconnected")]
    (alone,) = days_of(lake, Selection(start_ns=TODAY, end_ns=TODAY + DAY_NS), ns(100))
    assert alone == second, "asked for alone, a day looks back how it began"


def test_a_lake_whose_beginning_was_removed_takes_what_flows_for_flowing(tmp_path: Path) -> None:
    def write(s: Script) -> None:
        s.trade(100)
        s.trade(200, instrument=1)
        s.status(300, Status.DISCONNECTED, stream=TRADES, last=290)

    day = facts(tmp_path, write, now=1000)
    assert spans(stream_of(day, "trade").gaps) == [(290, 1000, "disconnected")]
    assert stream_of(day, "trade").wanted_s == 1000
    assert stream_of(day, "trade", "ETHUSDT").coverage == 1


def test_a_stream_nobody_wants_any_more_is_not_missing(tmp_path: Path) -> None:
    def write(s: Script) -> None:
        s.begin(0, TRADES, BOOK)
        s.status(100, Status.CLOSED, stream=TRADES)
        s.begin(200, BOOK)

    day = facts(tmp_path, write, now=400)
    assert (stream_of(day, "trade").wanted_s, stream_of(day, "trade").coverage) == (100, 1)
    assert stream_of(day, "book").coverage is not None


def test_a_part_of_a_day_is_judged_alone(tmp_path: Path) -> None:
    def write(s: Script) -> None:
        s.begin(0, TRADES)
        s.trade(5)
        s.status(50, Status.DISCONNECTED, stream=TRADES, last=40)
        s.status(60, Status.FLOWING, stream=TRADES)

    part = facts(tmp_path, write, selection=Selection(start_ns=ns(50), end_ns=ns(150)))
    assert (part.date, part.from_ns, part.until_ns) == (DATE, ns(50), ns(150))
    assert spans(stream_of(part, "trade").gaps) == [(50, 60, "disconnected")]
    assert stream_of(part, "trade").coverage == 0.9
