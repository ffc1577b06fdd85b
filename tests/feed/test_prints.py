"""Trades and best prices: exact gaps, second copies kept or dropped by who sent them, ids that never go back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ringcollect.feed.dense_ids import DenseIds, Seen
from ringcollect.records import Channel, Flag, Kind, Status
from tests.feed.script import MS, T0, ticker, trade

A, B = "AAAUSDT", "BBBUSDT"


def trades(s, symbol: str = A) -> list[tuple[int, Flag]]:
    return [(int(r["id"]), Flag(int(r["flags"])) & ~Flag.LAST) for r in s.data(symbol, Kind.TRADE)]


def test_missing_trade_ids_are_counted_exactly_and_flagged_on_the_next_trade_only(stage):
    s = stage()
    s.up()
    for number in (10, 11, 15, 16, 20):
        s.frame(trade(A, number))
    assert trades(s) == [(10, Flag(0)), (11, Flag(0)), (15, Flag.GAP), (16, Flag(0)), (20, Flag.GAP)]
    assert (s.counter("trade_gaps"), s.counter("trade_ids_missing")) == (2, 3 + 3)
    gaps = s.statuses(Status.SEQ_GAP)
    assert [(int(g["id"]), int(g["aux"]), g["side"]) for g in gaps] == [
        (12, 15, Channel.TRADE),
        (17, 20, Channel.TRADE),
    ]
    assert s.ledger(A, Channel.TRADE)["gaps"] == 2 and s.ledger(B, Channel.TRADE)["gaps"] == 0


def test_a_trade_sent_twice_on_one_connection_is_kept_once_more_as_duplicate(stage):
    s = stage()
    s.up()
    for number in (1, 2, 2, 1, 3):
        s.frame(trade(A, number))
    assert trades(s) == [(1, Flag(0)), (2, Flag(0)), (2, Flag.DUPLICATE), (1, Flag.DUPLICATE), (3, Flag(0))]
    assert s.counter("duplicates") == 2 and s.counter("trade_gaps") == 0
    assert s.ledger(A, Channel.TRADE)["duplicates"] == 2


def test_trades_that_arrive_in_the_wrong_order_are_no_duplicates(stage):
    s = stage()
    s.up()
    for number in (1, 4, 2, 3, 3, 5):
        s.frame(trade(A, number))
    assert trades(s) == [
        (1, Flag(0)), (4, Flag.GAP), (2, Flag(0)), (3, Flag(0)), (3, Flag.DUPLICATE), (5, Flag(0)),
    ]  # fmt: skip
    assert (s.counter("out_of_order"), s.counter("duplicates"), s.counter("trade_gaps")) == (2, 1, 1)


def test_trade_ids_go_on_over_a_reconnect_so_that_what_was_missed_is_known(stage):
    s = stage()
    s.up()
    s.frame(trade(A, 1))
    s.session.close(0, 1006, "cut", s.now)
    s._collect()
    s.advance(3)
    s.open_sockets()
    s.ack()
    conn = int(s.ledger(A, Channel.TRADE)["conn"])
    assert conn != 0
    s.frame(trade(A, 1), conn)  # the venue's greeting: seen on the old connection, dropped
    s.frame(trade(A, 5), conn)
    assert trades(s) == [(1, Flag(0)), (5, Flag.GAP)]
    assert s.counter("dropped_duplicates") == 1 and s.counter("trade_ids_missing") == 3


def test_best_prices_after_a_reconnect_say_that_something_may_be_missing(stage):
    s = stage()
    s.up()
    s.frame(ticker(A, 7))
    s.session.close(0, 1006, "cut", s.now)
    s._collect()
    s.advance(3)
    s.open_sockets()
    s.ack()
    conn = int(s.ledger(A, Channel.BBO)["conn"])
    s.frame(ticker(A, 9), conn)
    s.frame(ticker(A, 10), conn)
    flags = [Flag(int(f)) for f in s.data(A, Kind.BBO)["flags"]]
    assert [bool(f & Flag.GAP) for f in flags] == [False, False, True, True, False, False], (
        "both sides of one best price"
    )
    assert [bool(f & Flag.LAST) for f in flags] == [False, True] * 3


def test_a_print_that_is_no_trade_is_not_recorded_but_its_id_is_not_missing(stage):
    s = stage(market="linear")
    s.up()
    s.frame(trade(A, 1, X="MARKET"))
    s.frame(trade(A, 2, X="NA"))
    s.frame(trade(A, 3, X="MARKET"))
    assert trades(s) == [(1, Flag(0)), (3, Flag(0))]
    assert s.counter("trade_gaps") == 0
    s.invariant()


def test_an_unbelievable_event_time_is_flagged_and_recorded_as_sent(stage):
    s = stage(max_future_skew_ns=30 * 10**9)
    s.up()
    base = T0 // MS
    for number, ms in enumerate((base, base + 29_000, base + 40_000, base - 90_000_000), 1):
        s.frame(trade(A, number, T=ms, E=ms))
    records = s.data(A, Kind.TRADE)
    assert [bool(f & Flag.BAD_TS) for f in records["flags"]] == [False, False, True, True]
    assert list(records["ts_event"]) == [
        base * MS,
        (base + 29_000) * MS,
        (base + 40_000) * MS,
        (base - 90_000_000) * MS,
    ]


def test_frames_of_one_socket_read_share_its_stamp(stage):
    s = stage()
    s.up()
    s.advance(0.5)
    for number in range(1, 6):
        s.session.frame(0, json.dumps(trade(A, number)).encode(), s.now)
    assert set(s.data(A, Kind.TRADE)["ts_recv"]) == {s.now}


def test_dense_ids_agree_with_a_set_of_everything_seen():
    rng = np.random.default_rng(5)
    for _ in range(300):
        tracker, seen, newest = DenseIds(), set(), None
        first = None
        for number in rng.integers(100, 140, 60).tolist():
            what, missing = tracker.arrive(number, number)
            if newest is None:
                assert what is Seen.FIRST
                newest = first = number
            elif number > newest:
                assert (what, missing) == (
                    (Seen.NEXT, 0) if number == newest + 1 else (Seen.AHEAD, number - newest - 1)
                )
                newest = number
            elif number in seen or number < first:
                assert what is Seen.AGAIN
            else:
                assert what is Seen.LATE
            seen.add(number)
            assert tracker.newest == newest


def test_dense_ids_forget_old_holes_and_then_take_no_old_copy_for_news():
    tracker = DenseIds(max_holes=2)
    for number in (1, 3, 5, 7):
        tracker.arrive(number, number)
    assert tracker.arrive(2, 2)[0] is Seen.AGAIN  # its hole was forgotten
    assert tracker.arrive(4, 4)[0] is Seen.LATE
    assert len(tracker.holes) <= 2


def test_a_merged_print_covers_a_range_of_ids():
    tracker = DenseIds()
    assert tracker.arrive(10, 14) == (Seen.FIRST, 0)
    assert tracker.arrive(15, 15) == (Seen.NEXT, 0)
    assert tracker.arrive(20, 25) == (Seen.AHEAD, 4)
    assert tracker.arrive(16, 17)[0] is Seen.LATE
    assert tracker.arrive(16, 17)[0] is Seen.AGAIN
    assert tracker.arrive(18, 19)[0] is Seen.LATE
    assert tracker.holes == []


@pytest.mark.parametrize("exchange", ["binance"], indirect=True)  # the plain decoder knows no aggregated prints
def test_raw_and_aggregated_prints_of_one_instrument_count_their_ids_apart(stage):
    s = stage()
    s.up()
    for number in (100, 101, 102):
        s.frame(trade(A, number))
        aggregated = trade(A, number, e="aggTrade", a=number - 95, f=number, l=number)
        del aggregated["data"]["t"]
        s.frame(aggregated | {"stream": f"{A.lower()}@aggTrade"})
    s.frame(trade(A, 104))
    assert (s.counter("duplicates"), s.counter("out_of_order"), s.counter("trade_gaps")) == (0, 0, 1)
    assert [(int(r["id"]), int(r["sub"]), bool(r["flags"] & Flag.GAP)) for r in s.data(A, Kind.TRADE)] == [
        (100, 0, False), (100, 16, False), (101, 0, False), (101, 16, False), (102, 0, False), (102, 16, False),
        (104, 0, True),
    ]  # fmt: skip


def quote(number: int, ms: int) -> dict:
    """A best price that has a time: ``ms`` after the stage's first instant."""
    at = T0 // MS + ms
    data = {"e": "bookTicker", "u": number, "s": A, "b": "9.99", "B": "1", "a": "10.01", "A": "2", "T": at, "E": at}
    return {"stream": f"{A.lower()}@bookTicker", "data": data}


def quotes(s) -> list[int]:
    return s.data(A, Kind.BBO)["id"][::2].tolist()


def test_best_prices_counted_anew_from_a_lower_id_are_in_order_again(stage):
    """OKX goes on from a lower number after maintenance; what is older than the newest by id and by time is late."""
    s = stage(market="linear")
    s.up()
    for number, ms in ((900, 1), (901, 2), (899, 1), (5, 3), (6, 4), (4, 3), (7, 5)):
        s.frame(quote(number, ms))
    assert quotes(s) == [900, 901, 899, 5, 6, 4, 7]
    assert s.counter("out_of_order") == 2, "899 and 4"
    assert not (s.data(A, Kind.BBO)["flags"] & Flag.SNAPSHOT).any()


def test_best_prices_counted_anew_when_the_first_of_two_connections_ends_are_no_copies(stage):
    s = stage(market="linear", redundancy=2)
    s.up()
    for number, conn in ((899, 0), (899, 2), (900, 0)):
        s.frame(quote(number, number), conn)
    s.session.close(0, 1006, "maintenance", s.now)
    s._collect()
    for number, ms in ((900, 900), (5, 904), (6, 905)):
        s.frame(quote(number, ms), 2)
    assert quotes(s) == [899, 900, 5, 6]
    assert (s.counter("dropped_duplicates"), s.counter("out_of_order")) == (2, 0)


@pytest.mark.parametrize("ahead", [0, 2])
def test_best_prices_counted_anew_come_once_by_two_connections(stage, ahead):
    s = stage(market="linear", redundancy=2)
    s.up()
    behind = 2 - ahead
    numbers = [(900, 1), (901, 2), (5, 3), (6, 4), (7, 5)]
    for at, one in enumerate(numbers):  # the second one lags by one frame
        s.frame(quote(*one), ahead)
        if at:
            s.frame(quote(*numbers[at - 1]), behind)
    s.frame(quote(*numbers[-1]), behind)
    assert quotes(s) == [900, 901, 5, 6, 7]
    assert (s.counter("dropped_duplicates"), s.counter("out_of_order")) == (5, 0)
