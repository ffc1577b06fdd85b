"""Venues unlike Binance: snapshots on the stream, no acks, no ids, numbered connections, checksums, their own pings."""

from __future__ import annotations

import json

import pytest

from ringcollect.exchanges.protocol import Keepalive
from ringcollect.feed.actions import Ping, Send
from ringcollect.feed.ledger import State
from ringcollect.records import Channel, Flag, Kind, Status
from tests.feed.script import BookOf
from tests.feed.stream_exchange import SECOND, StreamExchange, delta, snap

A, B = "AAAUSDT", "BBBUSDT"
BOOKS = ("book", "trade")


@pytest.fixture
def opened(stage):
    def build(channels=BOOKS, options=None, **venue):
        s = stage(exchange=StreamExchange(**venue), channels=channels, **(options or {}))
        for rest in s.open_rests("instruments"):
            s.answer(rest, 200, s.exchange_info())
        s.open_sockets()
        if venue.get("acknowledges"):
            s.ack()
        return s

    return build


def sent(s) -> list[tuple[str, list[str]]]:
    frames = [json.loads(send.text) for send in s.take(Send)]
    return [(frame["method"], frame["params"]) for frame in frames]


def book(s, symbol: str = A) -> BookOf:
    return BookOf().apply(s.data(symbol, Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA))


def test_a_venue_without_acks_counts_as_acknowledged_when_asked_and_is_watched_for_data(opened):
    s = opened()
    assert State(int(s.ledger(A, Channel.TRADE)["state"])) is State.ACKED
    s.advance(31)
    assert State(int(s.ledger(A, Channel.BOOK)["state"])) is State.REQUESTED or s.counter("silent_streams") > 0
    assert not len(s.open_rests("snapshot"))


def test_a_gap_renews_one_book_by_unsubscribe_and_subscribe_and_the_others_go_on(opened):
    s = opened()
    sent(s)
    for symbol in (A, B):
        s.frame(snap(symbol, [[1, "9", "1"]], u=10))
        s.frame(delta(symbol, [[1, "9.5", "2"]], u=11))
    s.frame(delta(A, [[-1, "10", "1"]], u=13))
    s.advance(1)
    assert sent(s) == [("UNSUBSCRIBE", [f"{A}:BOOK:0"]), ("SUBSCRIBE", [f"{A}:BOOK:0"])]
    s.frame(delta(B, [[1, "9.5", "3"]], u=12))
    s.frame(delta(A, [[-1, "11", "1"]], u=14))
    s.frame(snap(A, [[1, "8", "1"]], u=20))
    s.frame(delta(A, [[1, "8", "2"]], u=21))
    assert book(s).levels == {(1, 8.0): 2.0} and not book(s).broken
    assert book(s, B).levels == {(1, 9.0): 1.0, (1, 9.5): 3.0}
    flags = s.data(A, Kind.BOOK_DELTA)["flags"]
    assert [bool(f & Flag.UNSYNCED) for f in flags] == [False, True, True, False]
    assert flags[1] & Flag.GAP
    assert len(s.statuses(Status.RESYNC_BEGIN)) == len(s.statuses(Status.RESYNC_DONE)) == 1
    assert not any(f & Flag.REPLAYED for f in flags)  # nothing is held for a snapshot that comes behind it


def test_a_base_that_never_holds_is_given_up_after_bounded_attempts_until_the_cool_down_is_over(opened):
    s = opened(options={"resync_attempts": 3, "resync_cooldown_ns": 60 * SECOND})
    sent(s)
    s.frame(snap(A, [[1, "9", "1"]], u=10))
    asked = 0
    for number in range(20, 220, 10):
        s.frame(delta(A, [[1, "9", "1"]], u=number))
        s.advance(1)
        if any(method == "SUBSCRIBE" for method, _ in sent(s)):
            asked += 1
            s.frame(snap(A, [[1, "9", "1"]], u=number))
    assert asked == 3 and len(s.statuses(Status.RESYNC_FAILED)) == 1
    for _ in range(80):
        s.advance(1)
        s.frame(delta(A, [[1, "9", "1"]], u=999))
    assert ("SUBSCRIBE", [f"{A}:BOOK:0"]) in sent(s)


def test_a_snapshot_that_does_not_come_is_asked_for_again(opened):
    s = opened()
    sent(s)
    s.frame(delta(A, [[1, "9", "1"]], u=5))
    for _ in range(30):
        s.advance(0.5)
        s.frame(delta(A, [[1, "9", "1"]], u=6))
    assert ("SUBSCRIBE", [f"{A}:BOOK:0"]) in sent(s)


def test_books_without_ids_are_numbered_by_the_feed_so_that_the_chain_holds(opened):
    s = opened(numbered=False)
    s.frame(delta(A, [[1, "1", "1"]]))  # before any base
    s.frame(snap(A, [[1, "9", "1"], [-1, "10", "1"]]))
    s.frame(delta(A, [[1, "9.5", "2"]]))
    s.frame(delta(A, [[1, "9", "0"]]))
    s.frame(snap(A, [[1, "7", "1"]]))
    s.frame(delta(A, [[1, "7.5", "1"]]))
    rows = s.data(A, Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA)
    assert rows["id"].tolist() == [1, 2, 2, 3, 4, 5, 6]
    assert rows["aux"].tolist()[1:] == [-1, -1, 2, 3, -1, 5]
    assert book(s).levels == {(1, 7.0): 1.0, (1, 7.5): 1.0} and not book(s).broken
    assert s.counter("seq_gaps") == 0


def test_a_checksum_follows_its_levels_with_their_id_and_is_unsynced_when_they_are(opened):
    s = opened(numbered=False)
    s.frame(delta(A, [[1, "1", "1"]], check=5))
    s.frame(snap(A, [[1, "9", "1"]], check=6))
    s.frame(delta(A, [[1, "9", "2"]], check=7))
    checks = s.data(A, Kind.BOOK_CHECK)
    assert checks["aux"].tolist() == [5, 6, 7]
    assert [bool(f & Flag.UNSYNCED) for f in checks["flags"]] == [True, False, False]
    rows = s.data(A)
    assert rows["kind"].tolist()[-2:] == [Kind.BOOK_DELTA, Kind.BOOK_CHECK] and rows["id"][-1] == rows["id"][-2]
    assert all(f & Flag.LAST for f in checks["flags"])


def test_a_missing_number_of_a_connection_marks_every_stream_and_replaces_the_connection(opened):
    s = opened()
    s.frame({"k": "pong", "n": 0})  # every frame counts, also those that hold nothing
    for number, frame in enumerate((snap(A, [[1, "9", "1"]], u=1), snap(B, [[1, "9", "1"]], u=1)), 1):
        s.frame(frame | {"n": number})
    s.frame({"k": "trade", "s": A, "n": 3})
    s.frame({"k": "trade", "s": A, "n": 5})
    assert s.counter("connection_gaps") == 1
    assert s.closes() == [0]
    gaps = s.statuses(Status.SEQ_GAP)
    assert {(int(g["instrument"]), int(g["side"])) for g in gaps} == {
        (s.number(symbol), int(channel)) for symbol in (A, B) for channel in (Channel.BOOK, Channel.TRADE)
    }
    assert set(gaps["id"].tolist()) == {4} and set(gaps["aux"].tolist()) == {5}
    assert s.data(A, Kind.TRADE)["flags"][-1] & Flag.GAP
    s.advance(2)
    s.open_sockets()
    s.frame(snap(A, [[1, "8", "1"]], u=9, n=0), conn=1)  # the new connection counts from its own beginning
    assert s.counter("connection_gaps") == 1 and book(s).levels == {(1, 8.0): 1.0}


def test_a_number_seen_before_is_a_frame_sent_twice(opened):
    s = opened()
    s.frame(snap(A, [[1, "9", "1"]], u=1, n=0))
    for _ in range(2):
        s.frame(delta(A, [[1, "9", "2"]], u=2, n=1))
        s.frame({"k": "trade", "s": A, "n": 2})
    s.frame(delta(A, [[1, "9", "3"]], u=3, n=3))
    assert s.counter("duplicates") == 2 and s.counter("connection_gaps") == 0
    assert [bool(f & Flag.DUPLICATE) for f in s.data(A, Kind.TRADE)["flags"]] == [False, True]
    assert book(s).levels == {(1, 9.0): 3.0} and not book(s).broken


@pytest.mark.parametrize(("kind", "action"), [("text", Send), ("frame", Ping)])
def test_the_venue_hears_from_us_at_its_own_pace(opened, kind, action):
    s = opened(ping=Keepalive(kind, '{"method":"ping","params":[]}', 20 * SECOND, 90 * SECOND))
    sent(s)
    for _ in range(65):
        s.advance(1)
        s.frame({"k": "pong"})
    made = [one for one in s.take(action) if action is Ping or "ping" in one.text]
    assert len(made) == 3


def test_its_own_deadline_of_silence_counts(opened):
    s = opened(ping=Keepalive("frame", "", 20 * SECOND, 90 * SECOND))
    s.advance(80)
    assert s.counter("half_open") == 0
    s.advance(15)
    assert s.counter("half_open") == 1
