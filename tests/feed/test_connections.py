"""Connections look after themselves: backoff, half-open lines, the parse breaker, handing over before the cut."""

from __future__ import annotations

import itertools
import json
import random

import pytest

from ringcollect.feed.actions import Connect, Send
from ringcollect.feed.backoff import Backoff
from ringcollect.feed.ledger import Reason, State
from ringcollect.records import Channel, Flag, Kind, Status
from tests.feed.script import depth, snapshot, ticker, trade

A, B = "AAAUSDT", "BBBUSDT"
DAY = 24 * 3600


def test_backoff_doubles_to_its_cap_within_the_jitter_and_starts_again_after_a_reset():
    plain = Backoff(1_000, 60_000, 0.0, random.Random(1))
    assert [plain.next_ns() for _ in range(8)] == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]
    plain.reset()
    assert plain.next_ns() == 1_000
    spread = Backoff(1_000_000, 60_000_000, 0.25, random.Random(2))
    delays = []
    for _ in range(2000):
        spread.reset()
        delays.append(spread.next_ns())
    assert min(delays) >= 750_000 and max(delays) <= 1_250_000
    assert min(delays) < 760_000 and max(delays) > 1_240_000


def connect_times(s, count: int) -> list[float]:
    """Refuse every connect; seconds between the attempts."""
    times: list[float] = []
    while len(times) < count:
        for connect in s.take(Connect):
            times.append(s.now / 1e9)
            s.session.close(connect.conn, 1006, "refused", s.now)
            s._collect()
        s.advance(0.01)
    return [round(b - a, 1) for a, b in itertools.pairwise(times)]


def test_a_refused_connection_is_tried_again_ever_more_slowly_and_never_given_up(stage):
    s = stage(jitter=0.0, metadata_ns=10**9)
    s.advance(1)
    assert connect_times(s, 9) == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    row = s.ledger(A, Channel.BOOK)
    assert (row["state"], row["reason"]) == (State.STALE, Reason.CONNECTING)


def test_a_server_that_accepts_and_closes_does_not_reset_the_backoff_but_data_does(stage):
    s = stage(jitter=0.0)
    s.up()
    waits = []
    for data in (False, False, False, True, False):
        conn = next(iter(s.session.connections.sockets))
        if data:
            s.frame(trade(A, 1), conn)
        s.session.close(conn, 1001, "bye", s.now)
        s._collect()
        before = s.now
        while not (connects := s.take(Connect)):
            s.advance(0.1)
        waits.append(round((s.now - before) / 1e9, 1))
        s.session.open(connects[0].conn, connects[0].url, s.now)
        s._collect()
        s.ack()
    assert waits == [1.0, 2.0, 4.0, 1.0, 2.0]


def test_a_lost_connection_is_written_down_per_instrument_and_channel_with_the_time_of_its_last_data(stage):
    s = stage()
    s.up()
    s.frame(trade(A, 1))
    last = s.now
    s.advance(0.5)
    s.session.close(0, 1006, "cut", s.now)
    lost = s.statuses(Status.DISCONNECTED)
    assert sorted((int(r["instrument"]), int(r["side"])) for r in lost) == sorted(
        (s.number(symbol), channel) for symbol in (A, B) for channel in (Channel.BOOK, Channel.TRADE, Channel.BBO)
    )
    times = {(int(r["instrument"]), int(r["side"])): int(r["ts_event"]) for r in lost}
    assert times[s.number(A), Channel.TRADE] == last and times[s.number(B), Channel.TRADE] == 0
    assert s.ledger(A, Channel.TRADE)["reason"] == Reason.DISCONNECTED


def test_a_half_open_line_is_pinged_then_given_up_and_a_pong_keeps_it(stage):
    s = stage(stale_ns=30 * 10**9)
    s.up()
    begin = s.now
    s.advance(16)
    assert s.pings() == [0]
    s.session.alive(0, s.now)
    alive = s.now
    s.advance(29)
    assert s.closes() == []
    while not (closed := s.closes()):
        s.advance(0.1)
    assert closed == [0] and s.counter("half_open") == 1
    assert 30 <= (s.now - alive) / 1e9 < 30.2 and (s.now - begin) / 1e9 > 45
    s.advance(2)
    assert len(s.take(Connect)) == 1


def test_a_connect_without_any_answer_is_given_up(stage):
    s = stage(connect_ns=15 * 10**9, jitter=0.0)
    for rest in s.open_rests("instruments"):
        s.answer(rest, 200, s.exchange_info())
    [first] = s.take(Connect)
    s.advance(15.5)
    assert s.closes() == [first.conn]
    s.advance(1)
    [second] = s.take(Connect)
    assert second.conn != first.conn


def test_when_half_of_a_hundred_frames_are_rejected_the_connection_is_replaced(stage):
    s = stage()
    s.up()
    for i in range(200):
        if s.closes():
            break
        s.frame(trade(A, 1 + i // 2) if i % 2 else b'{"truncated": ')
        s.invariant()
    assert s.counter("breaker_trips") == 1 and 95 <= i <= 105
    assert s.counter("rejected") == len([e for e in s.entries() if e.reason])


def test_long_good_times_do_not_blind_the_breaker(stage):
    s = stage()
    s.up()
    for number in range(1, 2000):
        s.session.frame(0, json.dumps(trade(A, number)).encode(), s.now)
    for _ in range(201):
        if s.closes():
            break
        s.frame(b"not json")
    assert s.counter("breaker_trips") == 1


def test_fewer_rejects_than_half_are_kept_and_change_nothing(stage):
    s = stage()
    s.up()
    for number in range(1, 300):
        s.frame(trade(A, number) if number % 3 else b"{")
    assert s.closes() == [] and s.counter("rejected") == 99
    s.invariant()


@pytest.mark.parametrize(
    "garbage",
    [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b'{"e":"trade"}', b"null", b'"' + b"x" * 1_000_000 + b'"'],
    ids=["empty", "truncated", "bytes", "deep", "fields missing", "null", "long"],
)
def test_garbage_is_rejected_counted_and_kept_with_its_reason(stage, garbage):
    s = stage()
    s.up()
    s.frame(garbage)
    s.frame(trade(A, 1))
    assert s.counter("rejected") == 1
    s.invariant()
    [entry] = [e for e in s.entries() if e.direction.name == "REJECT"]
    assert entry.payload == garbage[:4096] and entry.whole_length == len(garbage) and entry.reason
    assert len(s.data(A, Kind.TRADE)) == 1
    s.advance(1.1)
    [said] = s.statuses(Status.REJECTED)
    assert said["price"] == 1.0


def test_frames_known_and_not_recorded_count_as_ignored(stage):
    s = stage()
    s.up()
    s.frame({"stream": "aaausdt@kline_1m", "data": {"e": "kline", "E": 1, "s": A, "k": {}}})
    assert s.counter("ignored") == 1
    s.invariant()


# handing over


def long_lived(stage, **options):
    """A stage a few minutes before its connection's planned replacement."""
    quiet = {"stale_ns": 2 * DAY * 10**9, "tick_ns": 3600 * 10**9, "counters_ns": DAY * 10**9}
    s = stage(symbols=(A,), rollover_ns=300 * 10**9, **(quiet | options))
    s.up()
    [request] = s.open_rests("snapshot")
    s.answer(request, 200, snapshot(100, [["9.00", "1"]]))
    return s


def until_successor(s) -> Connect:
    for _ in range(DAY):
        s.advance(30)
        s.take(Send)
        connects = s.take(Connect)
        if connects:
            [connect] = connects
            return connect
    raise AssertionError("no successor was opened before the cut")


def test_before_the_24_hour_cut_a_successor_takes_over_without_a_hole_or_a_second_copy(stage):
    s = long_lived(stage)
    opened = s.now
    s.frame(depth(A, 101, 101, [["8.00", "1"]]))
    s.frame(trade(A, 1))
    s.frame(ticker(A, 11))
    connect = until_successor(s)
    assert 270 <= DAY - (s.now - opened) / 1e9 <= 600
    old, new = 0, connect.conn
    assert new != old
    s.session.open(new, connect.url, s.now)
    s._collect()
    head = s.ring.head
    s.ack()
    both = [depth(A, 102, 103, [["8.00", "2"]]), trade(A, 2), ticker(A, 12)]
    for frame in both[:2]:
        s.frame(frame, old)
        s.frame(frame, new)
    assert s.closes() == []  # best prices have not come by the new one yet
    s.frame(both[2], new)
    s.frame(both[2], old) if old in s.session.connections.sockets else None
    assert s.closes() == [old]
    s.frame(depth(A, 104, 104, [["8.00", "3"]]), new)
    s.frame(trade(A, 3), new)
    s.frame(ticker(A, 13), new)
    records = s.records()[head:]
    data = records[records["kind"] != Kind.STATUS]
    assert [(Kind(r["kind"]).name, int(r["id"])) for r in data if r["side"] >= 0 or r["kind"] == Kind.TRADE] == [
        ("BOOK_DELTA", 103), ("TRADE", 2), ("BBO", 12), ("BOOK_DELTA", 104), ("TRADE", 3), ("BBO", 13),
    ]  # fmt: skip
    bad = Flag.GAP | Flag.DUPLICATE | Flag.UNSYNCED
    assert not any(Flag(int(f)) & bad for f in data["flags"])
    assert not {Status.DISCONNECTED, Status.SEQ_GAP, Status.RESYNC_BEGIN} & set(
        records["sub"][records["kind"] == Kind.STATUS]
    )
    assert s.counter("rollovers") == 1 and s.counter("dropped_duplicates") == 2
    assert s.ledger(A, Channel.BOOK)["conn"] == new and s.ledger(A, Channel.BOOK)["state"] == State.FLOWING


def test_an_announced_shutdown_opens_the_successor_at_once(stage):
    s = long_lived(stage)
    s.frame(trade(A, 1))
    s.frame({"stream": "!serverShutdown", "data": {"e": "serverShutdown", "E": 1770123456789}})
    [connect] = s.take(Connect)
    assert connect.conn != 0 and s.closes() == []
    s.invariant()


def test_a_quiet_stream_does_not_hold_up_the_hand_over_for_ever(stage):
    s = long_lived(stage, overlap_ns=60 * 10**9, stale_ns=30 * 10**9)
    s.frame(trade(A, 1))
    s.frame(ticker(A, 1))
    s.frame({"e": "serverShutdown", "E": 1770123456789})
    [connect] = s.take(Connect)
    s.session.open(connect.conn, connect.url, s.now)
    s._collect()
    s.ack()
    s.frame(trade(A, 2), connect.conn)
    for _ in range(5):
        s.advance(10)
        s.session.alive(0, s.now)
        s.session.alive(connect.conn, s.now)
    assert s.closes() == []
    for _ in range(3):
        s.advance(10)
        s.session.alive(connect.conn, s.now)
    assert s.closes() == [0]


def test_a_cut_during_the_overlap_costs_nothing_that_the_successor_has(stage):
    s = long_lived(stage)
    s.frame(depth(A, 101, 101, [["8.00", "1"]]))
    s.frame(trade(A, 1))
    s.frame({"e": "serverShutdown", "E": 1770123456789})
    [connect] = s.take(Connect)
    s.session.open(connect.conn, connect.url, s.now)
    s._collect()
    s.ack()
    s.frame(trade(A, 2), 0)
    s.session.close(0, 1001, "server shutdown", s.now)
    s._collect()
    s.frame(trade(A, 2), connect.conn)
    s.frame(trade(A, 3), connect.conn)
    s.frame(depth(A, 102, 102, [["8.00", "2"]]), connect.conn)
    assert s.counter("trade_gaps") == 0 and s.counter("seq_gaps") == 0 and s.counter("dropped_duplicates") == 1
    assert not len(s.statuses(Status.DISCONNECTED)) and s.take(Connect) == []


def test_what_both_connections_missed_is_a_gap_also_after_the_hand_over(stage):
    s = long_lived(stage)
    s.frame(depth(A, 101, 101, [["8.00", "1"]]))
    s.frame({"e": "serverShutdown", "E": 1770123456789})
    [connect] = s.take(Connect)
    s.session.open(connect.conn, connect.url, s.now)
    s._collect()
    s.ack()
    s.frame(depth(A, 103, 103, [["8.00", "3"]]), connect.conn)  # the old one may still bring 102
    assert s.counter("seq_gaps") == 0 and s.counter("kept_ahead") == 1 and s.closes() == []
    s.session.close(0, 1001, "gone", s.now)  # but it does not
    s._collect()
    s.frame(depth(A, 104, 104, [["8.00", "4"]]), connect.conn)
    assert s.counter("seq_gaps") == 1 and len(s.open_rests("snapshot")) == 1


def test_a_successor_that_runs_ahead_waits_until_it_follows_the_old_one(stage):
    s = long_lived(stage)
    s.frame(depth(A, 101, 101, [["8.00", "1"]]))
    s.frame({"e": "serverShutdown", "E": 1770123456789})
    [connect] = s.take(Connect)
    s.session.open(connect.conn, connect.url, s.now)
    s._collect()
    s.ack()
    s.frame(depth(A, 103, 103, [["8.00", "3"]]), connect.conn)
    s.frame(depth(A, 102, 102, [["8.00", "2"]]), 0)
    s.frame(depth(A, 103, 103, [["8.00", "3"]]), 0)
    assert s.closes() == []
    s.frame(depth(A, 104, 104, [["8.00", "4"]]), connect.conn)
    assert s.closes() == [0]
    deltas = s.data(A, Kind.BOOK_DELTA)
    assert deltas["id"].tolist() == [101, 102, 103, 104] and deltas["aux"].tolist() == [100, 101, 102, 103]
    assert s.counter("seq_gaps") == 0


def test_a_successor_that_cannot_connect_is_tried_again_while_the_old_one_serves(stage):
    s = long_lived(stage, jitter=0.0)
    s.frame(trade(A, 1))
    s.frame({"e": "serverShutdown", "E": 1770123456789})
    [connect] = s.take(Connect)
    s.session.close(connect.conn, 1006, "refused", s.now)
    s._collect()
    s.frame(trade(A, 2))
    s.advance(1.5)
    assert len(s.take(Connect)) == 1 and s.counter("trade_gaps") == 0
    assert not len(s.statuses(Status.DISCONNECTED))


def test_a_successor_that_carries_nothing_goes_and_the_old_connection_stays(stage):
    s = long_lived(stage, overlap_ns=60 * 10**9, jitter=0.0)
    s.frame(trade(A, 1))
    s.frame({"e": "serverShutdown", "E": 1770123456789})
    [connect] = s.take(Connect)
    s.session.open(connect.conn, connect.url, s.now)
    s._collect()
    s.ack()
    s.advance(61)
    assert s.closes() == [connect.conn]
    s.frame(trade(A, 2))
    assert s.counter("trade_gaps") == 0 and not len(s.statuses(Status.DISCONNECTED))
    s.advance(2)
    assert len(s.take(Connect)) == 1  # and it is tried again


def test_when_the_old_connection_dies_before_its_successor_is_up_the_successor_serves_alone(stage):
    s = long_lived(stage, jitter=0.0)
    s.frame(trade(A, 1))
    s.frame({"e": "serverShutdown", "E": 1770123456789})
    [connect] = s.take(Connect)
    s.session.close(0, 1001, "gone", s.now)
    s._collect()
    assert s.take(Connect) == [] and len(s.statuses(Status.DISCONNECTED)) == 3
    s.session.open(connect.conn, connect.url, s.now)
    s._collect()
    s.ack()
    s.frame(trade(A, 3), connect.conn)
    assert s.counter("trade_ids_missing") == 1 and s.ledger(A, Channel.TRADE)["state"] == State.FLOWING


def test_frames_of_a_connection_that_was_given_up_are_counted_and_change_nothing(stage):
    s = stage()
    s.up()
    s.session.close(0, 1006, "cut", s.now)
    head = s.ring.head
    s.session.frame(0, json.dumps(trade(A, 1)).encode(), s.now)
    assert s.ring.head == head
    s.invariant()


def test_a_closed_connections_number_is_reused_without_taking_news_for_copies(stage):
    s = stage(jitter=0.0)
    s.up()
    for number, conn in enumerate((0, 1, 0, 1), 1):
        if number > 1:
            s.frame(trade(A, number - 1), conn)  # the venue's greeting: the last trade again
        s.frame(trade(A, number), conn)
        s.session.close(conn, 1006, "cut", s.now)
        s._collect()
        s.advance(3)
        s.open_sockets()
        s.ack()
    assert s.counter("duplicates") == 0 and s.counter("dropped_duplicates") == 3 and s.counter("trade_gaps") == 0
