"""Nothing is silently missing: each silent stream is named within its deadline and asked for again alone."""

from __future__ import annotations

import itertools
import json

from ringcollect.feed.actions import Send
from ringcollect.feed.ledger import Reason, State
from ringcollect.records import Channel, Status
from tests.feed.script import depth, ticker, trade

A, B = "AAAUSDT", "BBBUSDT"
SECOND = 10**9


def keep(s, seconds: float, *, conn: int = 0, frames: bool = True) -> None:
    """Pass time on a healthy line; the trade stream of A and both books flow if ``frames``."""
    for _ in range(round(seconds)):
        s.advance(1)
        s.session.alive(conn, s.now)
        if frames:
            keep.number += 1
            for symbol in (A, B):
                s.frame(depth(symbol, keep.number, keep.number), conn, after=0)
                s.frame(trade(symbol, keep.number), conn, after=0)


keep.number = 0


def params(sends: list[Send]) -> list[tuple[str, list[str]]]:
    return [(m["method"], m["params"]) for m in map(json.loads, (send.text for send in sends))]


def test_a_swallowed_ack_is_named_within_its_deadline_and_only_its_streams_are_asked_for_again(stage):
    s = stage(ack_ns=10 * SECOND)
    for rest in s.open_rests("instruments"):
        s.answer(rest, 200, s.exchange_info())
    s.open_sockets()
    [first] = s.take(Send)
    begin = s.now
    while s.ledger(A, Channel.BOOK)["reason"] == Reason.NONE:
        s.advance(0.1)
        s.session.alive(0, s.now)
    assert s.ledger(A, Channel.BOOK)["reason"] in (Reason.NO_ACK, Reason.RESUBSCRIBED)
    stale = s.statuses(Status.STALE)
    assert len(stale) == 6 and all(r["price"] == Reason.NO_ACK for r in stale)
    assert all(10 <= (int(t) - begin) / SECOND <= 10.2 for t in stale["ts_recv"])
    s.advance(1)
    again = params(s.take(Send))
    assert [method for method, _ in again] == ["UNSUBSCRIBE", "SUBSCRIBE"]
    assert sorted(again[1][1]) == sorted(json.loads(first.text)["params"])


def test_data_without_an_ack_counts_as_flowing(stage):
    s = stage()
    for rest in s.open_rests("instruments"):
        s.answer(rest, 200, s.exchange_info())
    s.open_sockets()
    s.frame(trade(A, 1))
    s.advance(11)
    assert s.ledger(A, Channel.TRADE)["state"] == State.FLOWING
    assert s.ledger(B, Channel.TRADE)["reason"] in (Reason.NO_ACK, Reason.RESUBSCRIBED)


def test_a_stream_that_is_acknowledged_and_silent_is_named_in_time_and_asked_for_again_alone(stage):
    s = stage(data_ns=30 * SECOND, stale_ns=30 * SECOND)
    s.up()
    begin = s.now
    while not s.take(Send):
        keep(s, 1)
    silent = s.statuses(Status.STALE)
    assert {(int(r["instrument"]), int(r["side"])) for r in silent} == {
        (s.number(A), Channel.BBO), (s.number(B), Channel.BBO),
    }  # fmt: skip
    assert all(r["price"] == Reason.NO_DATA for r in silent)
    assert all(30 <= (int(t) - begin) / SECOND <= 31.1 for t in silent["ts_recv"])
    assert s.ledger(A, Channel.BOOK)["state"] == State.FLOWING


def test_asking_again_is_done_with_longer_and_longer_pauses(stage):
    s = stage(symbols=(A,), channels=("trade", "bbo"), data_ns=10 * SECOND, resubscribe_max_ns=40 * SECOND)
    s.up()
    asked: list[float] = []
    for _ in range(200):
        keep(s, 1, frames=False)
        s.frame(trade(A, 1))
        for method, streams in params(s.take(Send)):
            if method == "SUBSCRIBE":
                assert streams == ["aaausdt@bookTicker"]
                asked.append(s.now / SECOND)
                s.frame({"result": None, "id": 10 + len(asked)})
        row = s.ledger(A, Channel.BBO)
        if row["state"] == State.REQUESTED:
            [socket] = s.session.connections.sockets.values()
            for number in list(socket.pending):
                s.frame({"result": None, "id": number})
    pauses = [round(b - a) for a, b in itertools.pairwise(asked)]
    assert len(asked) >= 4
    assert all(abs(pause - expected) <= 2 for pause, expected in zip(pauses, (20, 40, 40, 40), strict=False)), pauses


def test_a_stream_that_stops_is_stale_and_flows_again_with_its_next_frame(stage):
    s = stage(stale_ns=30 * SECOND)
    s.up()
    s.frame(ticker(A, 1))
    s.frame(ticker(A, 2))
    keep(s, 32)
    assert s.ledger(A, Channel.BBO)["state"] in (State.STALE, State.REQUESTED)
    stale = [r for r in s.statuses(Status.STALE) if r["instrument"] == s.number(A) and r["side"] == Channel.BBO]
    assert [r["price"] for r in stale] == [Reason.SILENT]
    s.frame(ticker(A, 3))
    assert s.ledger(A, Channel.BBO)["state"] == State.FLOWING
    assert s.ledger(A, Channel.TRADE)["state"] == State.FLOWING


def test_a_market_that_trades_rarely_is_not_called_dead(stage):
    s = stage(symbols=(A,), channels=("trade",), stale_ns=30 * SECOND)
    s.up()
    for number in range(1, 8):
        s.frame(trade(A, number))
        keep(s, 120, frames=False)
    assert not len(s.statuses(Status.STALE))


def test_silence_of_liquidations_says_nothing(stage):
    s = stage(market="linear", symbols=(A,), channels=("liquidation",), data_ns=5 * SECOND, stale_ns=30 * SECOND)
    s.up()
    keep(s, 120, frames=False)
    assert s.ledger(A, Channel.LIQUIDATION)["state"] == State.ACKED
    assert not len(s.statuses(Status.STALE))


def test_a_refused_subscription_is_named(stage):
    s = stage()
    for rest in s.open_rests("instruments"):
        s.answer(rest, 200, s.exchange_info())
    s.open_sockets()
    [send] = s.take(Send)
    s.frame({"error": {"code": 2, "msg": "Invalid request"}, "id": json.loads(send.text)["id"]})
    row = s.ledger(A, Channel.BOOK)
    assert (row["state"], row["reason"]) == (State.FAILED, Reason.REFUSED)
    s.invariant()


def test_a_step_of_the_wall_clock_is_written_down_and_makes_nothing_stale(stage):
    for step in (3600 * SECOND, -3600 * SECOND):
        s = stage(stale_ns=30 * SECOND)
        s.up()
        keep.number += 1
        for symbol in (A, B):
            s.frame(depth(symbol, keep.number, keep.number))
            s.frame(trade(symbol, keep.number))
            s.frame(ticker(symbol, keep.number))
        s.advance(1)
        s.now += step
        s.session.clock_step(step, s.now)
        s.session.timer(s.now)
        s._collect()
        s.session.alive(0, s.now)
        s.advance(5)
        [record] = s.statuses(Status.CLOCK_STEP)
        assert record["price"] == step / SECOND
        assert s.closes() == [] and not len(s.statuses(Status.STALE)) and s.counter("clock_steps") == 1
        after = s.statuses(Status.TICK)
        after = after[after["seq"] > record["seq"]]
        assert len(after) in range(45, 52) and min(after["ts_recv"]) >= record["ts_recv"]
