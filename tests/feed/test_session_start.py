"""From START to flowing data: order of status records, ledger, what is asked for."""

from __future__ import annotations

import itertools
import json

from ringcollect.feed.actions import Connect, Send
from ringcollect.feed.ledger import Reason, State
from ringcollect.records import Channel, Kind, Status
from tests.feed.script import SYMBOLS, T0, depth, snapshot, ticker, trade


def test_the_first_record_is_start_and_instruments_come_before_their_data(stage):
    s = stage()
    s.up()
    s.frame(trade("AAAUSDT", 7))
    records = s.records()
    assert (records["kind"][0], records["sub"][0]) == (Kind.STATUS, Status.START)
    new = [r["instrument"] for r in records if r["kind"] == Kind.STATUS and r["sub"] == Status.INSTRUMENT_NEW]
    assert sorted(new) == [0, 1]
    first_data = int((records["kind"] == Kind.TRADE).argmax())
    assert all(int((records["sub"] == Status.INSTRUMENT_NEW).nonzero()[0][-1]) < first_data for _ in new)
    assert [i.symbol for i in (s.ring.instruments.get(0), s.ring.instruments.get(1))] == list(SYMBOLS)
    assert s.ring.instruments.get(0).tick_size == 0.01


def test_every_wanted_stream_is_requested_acknowledged_and_flowing_in_that_order(stage):
    s = stage()
    s.up()
    number = s.number("AAAUSDT")
    s.frame(trade("AAAUSDT", 7))
    codes = [
        Status(r["sub"]).name
        for r in s.records()
        if r["kind"] == Kind.STATUS and r["instrument"] == number and r["side"] == Channel.TRADE
    ]
    assert codes == ["REQUESTED", "ACKED", "FLOWING"]
    assert s.ledger("AAAUSDT", Channel.TRADE)["state"] == State.FLOWING
    assert s.ledger("AAAUSDT", Channel.BBO)["state"] == State.ACKED
    assert s.ledger("AAAUSDT", Channel.TRADE)["frames"] == 1


def test_an_unknown_symbol_is_named_in_the_ledger_and_does_not_stop_the_others(stage):
    s = stage(symbols=("AAAUSDT", "TYPOUSDT"), listed=("AAAUSDT",))
    s.up()
    row = s.ledger("TYPOUSDT", Channel.TRADE)
    assert (row["state"], row["reason"]) == (State.FAILED, Reason.UNKNOWN_SYMBOL)
    s.frame(trade("AAAUSDT", 1))
    assert s.ledger("AAAUSDT", Channel.TRADE)["state"] == State.FLOWING


def test_without_metadata_data_flows_after_the_deadline_and_names_follow_later(stage):
    s = stage(metadata_ns=3_000_000_000)
    assert s.take(Connect) == []
    s.advance(3.5)
    [rest] = s.open_rests("instruments")
    assert len(s.log) == 1 and isinstance(s.log[0], Connect)
    s.open_sockets()
    s.ack()
    s.frame(trade("AAAUSDT", 1))
    assert s.ledger("AAAUSDT", Channel.TRADE)["state"] == State.FLOWING
    s.answer(rest, 200, s.exchange_info())
    assert len(s.statuses(Status.INSTRUMENT_CHANGED)) == 2
    assert s.ring.instruments.get(s.number("AAAUSDT")).tick_size == 0.01
    assert s.take(Connect) == []


def test_a_symbol_subscribed_before_the_list_came_and_not_on_it_is_named_when_the_list_comes(stage):
    s = stage(symbols=("AAAUSDT", "TYPOUSDT"), listed=("AAAUSDT",), metadata_ns=10**9)
    s.advance(1.1)
    [rest] = s.open_rests("instruments")
    s.open_sockets()
    s.ack()
    assert s.ledger("TYPOUSDT", Channel.BBO)["state"] == State.ACKED
    s.answer(rest, 200, s.exchange_info())
    row = s.ledger("TYPOUSDT", Channel.BBO)
    assert (row["state"], row["reason"]) == (State.FAILED, Reason.UNKNOWN_SYMBOL)
    assert s.ledger("AAAUSDT", Channel.BBO)["state"] == State.ACKED


def test_metadata_that_fails_is_asked_for_again_until_it_comes(stage):
    s = stage(metadata_ns=3_000_000_000)
    for _ in range(3):
        [rest] = s.open_rests("instruments")
        s.answer(rest, 500, b"")
        s.advance(3.1)
    [rest] = s.open_rests("instruments")
    s.answer(rest, 200, s.exchange_info())
    s.advance(10)
    assert s.open_rests("instruments") == []
    assert s.counter("rest_errors") == 3


def test_subscribing_keeps_to_the_venues_message_rate_and_batches_streams(stage):
    s = stage(symbols=[f"S{i}USDT" for i in range(40)], listed=[f"S{i}USDT" for i in range(40)])
    for rest in s.open_rests("instruments"):
        s.answer(rest, 200, s.exchange_info())
    s.open_sockets()
    sent: list[tuple[float, list[str]]] = []
    for _ in range(40):
        sent += [(s.now, json.loads(send.text)["params"]) for send in s.take(Send)]
        s.advance(0.1)
    assert sorted(stream for _, streams in sent for stream in streams) == sorted(
        f"s{i}usdt@{kind}" for i in range(40) for kind in ("depth@100ms", "trade", "bookTicker")
    )
    assert len(sent) <= 3
    times = [at for at, _ in sent]
    assert all(b - a >= 200_000_000 for a, b in itertools.pairwise(times))  # 5 messages a second at most


def test_a_tick_follows_100_ms_without_a_record_and_never_sooner(stage):
    s = stage()
    s.up()
    s.advance(1.0)
    base = s.now
    s.frame(trade("AAAUSDT", 1), after=0.05)
    s.advance(0.35)
    ticks = [int(t) - base for t in s.statuses(Status.TICK)["ts_recv"] if t > base]
    assert ticks == [150_000_000, 250_000_000, 350_000_000]


def test_counters_are_written_every_minute_at_midnight_and_at_stop(stage):
    s = stage()
    s.up()
    for i in range(5):
        s.frame(trade("AAAUSDT", 10 + i))
    s.frame(ticker("AAAUSDT", 1))
    s.advance(130)
    number = s.number("AAAUSDT")
    counters = s.statuses(Status.COUNTERS)
    mine = counters[(counters["instrument"] == number) & (counters["side"] == Channel.TRADE)]
    assert [int(t) % 60_000_000_000 for t in mine["ts_recv"]] == [0, 0]
    assert [(int(r["id"]), int(r["aux"])) for r in mine] == [(5, 5), (5, 5)]
    s.session.stop(s.now)
    records = s.records()
    assert records["sub"][-1] == Status.STOP
    counters = s.statuses(Status.COUNTERS)
    assert len(counters) == 3 * 6
    bbo = counters[(counters["instrument"] == number) & (counters["side"] == Channel.BBO)][-1]
    assert (bbo["id"], bbo["aux"]) == (1, 2)


def test_stop_closes_every_socket(stage):
    s = stage()
    s.up()
    s.session.stop(s.now)
    s._collect()
    assert s.closes() == [0]


def test_a_restarted_session_goes_on_in_the_same_ring_with_a_start_record(stage):
    s = stage()
    s.up()
    [rest, _] = s.open_rests("snapshot")
    s.answer(rest, 200, snapshot(5, [["1.0", "2"]]))
    s.frame(depth("AAAUSDT", 6, 6, [["1.0", "3"]]))
    head = s.ring.head
    s.close()
    again = type(s)(s.folder, s.exchange)
    assert again.ring.reattached
    records = again.records()
    assert records["sub"][head] == Status.START and records["kind"][head] == Kind.STATUS
    assert records["ts_recv"][head] == T0
    again.close()
