"""After a reconnect: one REST read says how far the venue is, and leaves no trace; what was missed can be fetched."""

from __future__ import annotations

import json

import pytest

from ringcollect.feed.recording import apply
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.records import Channel, Flag, Kind, Status
from ringcollect.ring.frames import Direction
from tests.feed.script import T0, Stage, trade

A, B = "AAAUSDT", "BBBUSDT"
MS = 10**6


def rows(*ids: int) -> list[dict]:
    """Trades as REST lists them."""
    return [
        {
            "id": n, "price": "10.00", "qty": "1.5", "quoteQty": "15.0", "time": T0 // MS + n,
            "isBuyerMaker": n % 2 == 0, "isBestMatch": True,
        }
        for n in ids
    ]  # fmt: skip


def newest(number: int) -> list[dict]:
    return [{"a": 7, "p": "10.00", "q": "1.5", "f": number, "l": number, "T": T0 // MS, "m": True, "M": True}]


def reconnect(s: Stage) -> int:
    """The line is cut and comes back; returns its new number."""
    [conn] = s.session.connections.sockets
    s.session.close(conn, 1006, "cut", s.now)
    s._collect()
    s.advance(3)
    s.open_sockets()
    s.ack()
    [conn] = s.session.connections.sockets
    return conn


def cut_after(s: Stage, *ids: int) -> int:
    s.up()
    for number in ids:
        s.frame(trade(A, number))
    return reconnect(s)


def stage_of(stage, **options) -> Stage:
    return stage(symbols=(A,), channels=("trade",), **options)


def trades(s: Stage) -> list[tuple[int, Flag]]:
    return [(int(r["id"]), Flag(int(r["flags"])) & ~Flag.LAST) for r in s.data(A, Kind.TRADE)]


def row(s: Stage, name: str) -> int:
    return int(s.ledger(A, Channel.TRADE)[name])


# alignment


def test_one_read_after_a_reconnect_tells_how_far_we_are_behind_and_changes_no_record(stage) -> None:
    s = stage_of(stage)
    conn = cut_after(s, 1, 2)
    [read] = s.open_rests("last_trade")
    before = s.records().tobytes()
    s.answer(read, 200, newest(9))
    assert s.records().tobytes() == before
    assert (row(s, "behind"), row(s, "gaps")) == (7, 0)
    assert (s.counter("snapshot_fetches"), s.counter("alignment_corrections")) == (1, 1)
    s.frame(trade(A, 10), conn)
    assert trades(s) == [(1, Flag(0)), (2, Flag(0)), (10, Flag.GAP)], "what is missing, the stream itself says"
    assert (row(s, "behind"), row(s, "gaps"), row(s, "missing")) == (0, 1, 7)
    s.advance(5)
    assert s.open_rests("last_trade") == []


def test_an_answer_that_shows_nothing_new_corrects_nothing(stage) -> None:
    for body in (newest(2), newest(1), [], b"garbage"):
        s = stage_of(stage)
        cut_after(s, 1, 2)
        [read] = s.open_rests("last_trade")
        s.answer(read, 200, body)
        assert (row(s, "behind"), s.counter("alignment_corrections")) == (0, 0)


def test_an_answer_that_trades_have_overtaken_is_forgotten(stage) -> None:
    s = stage_of(stage)
    conn = cut_after(s, 1, 2)
    [read] = s.open_rests("last_trade")
    s.frame(trade(A, 6), conn)
    s.answer(read, 200, newest(9))
    assert (row(s, "behind"), s.counter("alignment_corrections"), row(s, "missing")) == (0, 0, 3)


def test_nothing_is_asked_at_the_start_of_streams_that_never_traded_or_where_it_is_switched_off(stage) -> None:
    s = stage_of(stage)
    s.up()
    assert s.open_rests("last_trade") == []
    reconnect(s)
    assert s.open_rests("last_trade") == []
    off = stage_of(stage, align=False)
    cut_after(off, 1)
    assert off.open_rests("last_trade") == [] and off.counter("snapshot_fetches") == 0


def test_a_recording_says_that_there_was_an_answer_and_nothing_of_it(stage, exchange) -> None:
    s = stage_of(stage, record_frames=True)
    conn = cut_after(s, 1, 2)
    [read] = s.open_rests("last_trade")
    s.answer(read, 200, newest(987_654_321))
    s.frame(trade(A, 5), conn)
    entries = s.entries()
    assert not any(b"987654321" in entry.payload for entry in entries)
    again = stage(symbols=(A,), channels=("trade",), start=False)
    again.session = Session(s.plan, exchange, Registry(None, "binance"), again.ring, None)
    for entry in entries:
        if entry.direction is not Direction.OUT:
            apply(again.session, entry)
    assert again.records().tobytes() == s.records().tobytes()


# backfill


def filled(stage, **options) -> tuple[Stage, int]:
    s = stage_of(stage, backfill=True, align=False, **options)
    return s, cut_after(s, 1, 2)


def test_what_a_reconnect_missed_is_fetched_by_its_ids_with_its_own_time(stage) -> None:
    s, conn = filled(stage)
    s.frame(trade(A, 6), conn)
    [read] = s.open_rests("trades")
    assert "fromId=3" in read.url and f"symbol={A}" in read.url
    s.advance(1)
    s.answer(read, 200, rows(3, 4, 5, 6, 7))
    flags = Flag.REST | Flag.BACKFILLED
    assert trades(s) == [
        (1, Flag(0)), (2, Flag(0)), (6, Flag.GAP), (3, flags), (4, flags), (5, flags),
    ]  # fmt: skip
    late = s.data(A, Kind.TRADE)[-3:]
    assert set(late["ts_recv"]) == {s.now} and set(late["conn"]) == {255}
    assert late["ts_event"].tolist() == [T0 + n * MS for n in (3, 4, 5)]
    assert late["side"].tolist() == [1, -1, 1] and [bool(f & Flag.LAST) for f in late["flags"]] == [False, False, True]
    assert (row(s, "gaps"), row(s, "missing"), row(s, "backfilled")) == (1, 3, 3)
    assert (s.counter("trade_ids_backfilled"), s.counter("backfill_fetches")) == (3, 1)
    assert len(s.statuses(Status.SEQ_GAP)) == 1
    s.frame(trade(A, 7), conn)
    assert trades(s)[-1] == (7, Flag(0))
    assert s.open_rests("trades") == []


def test_a_long_hole_is_fetched_page_by_page_and_not_for_ever(stage) -> None:
    s, conn = filled(stage, backfill_pages=3)
    s.frame(trade(A, 5003), conn)
    asked = []
    while reads := s.open_rests("trades"):
        [read] = reads
        asked.append(int(read.url.partition("fromId=")[2].partition("&")[0]))
        s.answer(read, 200, rows(*range(asked[-1], asked[-1] + 1000)))
    assert asked == [3, 1003, 2003]
    assert (row(s, "missing"), row(s, "backfilled")) == (5000, 3000)


@pytest.mark.parametrize("body", [[], rows(1, 2), rows(6, 7)])
def test_an_exchange_that_does_not_have_them_is_asked_once(stage, body: list) -> None:
    s, conn = filled(stage)
    s.frame(trade(A, 6), conn)
    [read] = s.open_rests("trades")
    s.answer(read, 200, body)
    assert s.open_rests("trades") == [] and row(s, "backfilled") == 0


def test_an_error_costs_one_of_the_pages(stage) -> None:
    s, conn = filled(stage, backfill_pages=2)
    s.frame(trade(A, 6), conn)
    for _ in range(2):
        [read] = s.open_rests("trades")
        s.answer(read, 500, b"oops")
    assert s.open_rests("trades") == [] and s.counter("backfill_fetches") == 2


def test_a_trade_that_came_late_by_the_stream_is_not_filled_in_again(stage) -> None:
    s, conn = filled(stage)
    s.frame(trade(A, 6), conn)
    [read] = s.open_rests("trades")
    s.frame(trade(A, 4), conn)
    s.answer(read, 200, rows(5, 4, 3, 3))
    assert [number for number, _ in trades(s)] == [1, 2, 6, 4, 3, 5]
    assert row(s, "backfilled") == 2


def test_a_hole_without_a_reconnect_and_a_reconnect_without_a_hole_fetch_nothing(stage) -> None:
    s, conn = filled(stage)
    for number in (3, 4, 9):
        s.frame(trade(A, number), conn)
    assert s.open_rests("trades") == [] and row(s, "missing") == 4


def test_it_is_off_unless_configured(stage) -> None:
    s = stage_of(stage)
    conn = cut_after(s, 1, 2)
    s.frame(trade(A, 9), conn)
    assert s.open_rests("trades") == []


def test_the_reads_wait_for_the_weight_budget_behind_what_is_needed_more(stage) -> None:
    s = stage(symbols=(A,), channels=("book", "trade"), backfill=True, rest_in_flight=1)
    s.up()
    s.frame(trade(A, 1))
    conn = reconnect(s)
    s.frame(trade(A, 5), conn)
    purposes = [a.purpose for a in s.log if hasattr(a, "purpose")]
    assert purposes == ["snapshot"], "the book first"


def test_a_recorded_backfill_replays_byte_for_byte(stage, exchange) -> None:
    s, conn = filled(stage, record_frames=True)
    s.frame(trade(A, 6), conn)
    [read] = s.open_rests("trades")
    s.answer(read, 200, rows(3, 4, 5))
    s.frame(trade(A, 7), conn)
    again = stage(symbols=(A,), channels=("trade",), start=False)
    again.session = Session(s.plan, exchange, Registry(None, "binance"), again.ring, None)
    for entry in s.entries():
        if entry.direction is not Direction.OUT:
            apply(again.session, entry)
    assert again.records().tobytes() == s.records().tobytes()
    assert any(json.dumps(rows(3, 4, 5)).encode() == entry.payload for entry in s.entries())
