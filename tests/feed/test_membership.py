"""What is collected follows the instrument list and the configuration, on the live sockets, without touching others."""

from __future__ import annotations

import dataclasses
import json
from typing import ClassVar

import pytest

from ringcollect.exchanges import load
from ringcollect.exchanges.protocol import Listing
from ringcollect.feed import recording
from ringcollect.feed.actions import Close, Complain, Connect, Reloaded, Send
from ringcollect.feed.ledger import Reason, State
from ringcollect.feed.plan import MarketPlan, Plan, RulePlan, SymbolPlan
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.records import Channel, Flag, Kind, Status
from ringcollect.ring.frames import Direction
from tests.feed.plain_exchange import PlainExchange
from tests.feed.script import T0, BookOf, Stage, depth, snapshot, ticker, trade

A, B, C = "AAAUSDT", "BBBUSDT", "CCCUSDT"
ALL = RulePlan(rules=("*USDT",), channels=("book", "trade"), path="markets[0].symbols")
REFRESH = 900


def flowing(s, *symbols: str) -> None:
    """Every book has its base, every trade stream its first print."""
    for rest in s.open_rests("snapshot"):
        s.answer(rest, 200, snapshot(100, [["9.00", "1"]], [["9.10", "1"]]))
    for symbol in symbols:
        s.frame(depth(symbol, 101, 101, [["8.99", "1"]]))
        s.frame(trade(symbol, 1))


def asked(s) -> list[tuple[str, list[str]]]:
    """What was sent since the last look: (method, streams)."""
    return [(m["method"], m["params"]) for send in s.take(Send) if (m := json.loads(send.text))]


def closed(s, symbol: str) -> list[tuple[int, int]]:
    return [(int(r["side"]), int(r["price"])) for r in s.statuses(Status.CLOSED) if r["instrument"] == s.number(symbol)]


def test_a_new_listing_that_a_rule_names_is_subscribed_on_the_live_socket(stage):
    s = stage(symbols=(), rules=(ALL,), listed=(A, B), stale_ns=10**13, refresh_ns=REFRESH * 10**9)
    s.up()
    flowing(s, A, B)
    s.take(Send)
    s.listed = (A, B, C)
    s.advance(REFRESH)
    s.list_again()
    assert asked(s) == [("SUBSCRIBE", ["cccusdt@depth@100ms", "cccusdt@trade"])]
    assert s.take(Connect) == [] and s.take(Close) == []
    new = s.statuses(Status.INSTRUMENT_NEW)
    assert [int(r["instrument"]) for r in new][-1] == s.number(C)
    s.frame({"result": None, "id": 2})
    flowing(s, C)
    assert {s.ledger(C, c)["state"] for c in (Channel.BOOK, Channel.TRADE)} == {State.FLOWING}


def test_a_delisted_instrument_is_unsubscribed_closed_and_written_down_and_comes_back_when_relisted(stage):
    s = stage(symbols=(B,), channels=("book", "trade"), rules=(ALL,), listed=(A, B), stale_ns=10**13)
    s.up()
    flowing(s, A, B)
    s.take(Send)
    s.listed = (A,)
    s.advance(REFRESH)
    s.list_again()
    assert asked(s) == [("UNSUBSCRIBE", ["bbbusdt@depth@100ms", "bbbusdt@trade"])]
    [gone] = s.statuses(Status.INSTRUMENT_GONE)
    assert (int(gone["instrument"]), int(gone["aux"])) == (s.number(B), -1)
    assert closed(s, B) == [(Channel.BOOK, Reason.DELISTED), (Channel.TRADE, Reason.DELISTED)]
    assert s.ledger(B, Channel.TRADE)["state"] == State.CLOSED
    assert s.ring.instruments.get(s.number(B)).status == "delisted"
    before = len(s.data(B))
    s.frame(trade(B, 2))  # the venue had sent it before it read our request
    assert len(s.data(B)) == before
    s.invariant()
    number = s.number(B)
    s.listed = (A, B)
    s.advance(REFRESH)
    s.list_again()
    assert asked(s) == [("SUBSCRIBE", ["bbbusdt@depth@100ms", "bbbusdt@trade"])]
    assert s.number(B) == number and s.ledger(B, Channel.TRADE)["state"] == State.REQUESTED
    assert len(s.ring.ledger.rows()) == 4


def test_a_symbol_that_was_unknown_at_the_start_is_collected_once_it_is_listed(stage):
    s = stage(symbols=(A, C), channels=("trade",), listed=(A,), data_ns=10**13, stale_ns=10**13)
    s.up()
    assert s.ledger(C, Channel.TRADE)["state"] == State.FAILED
    [complaint] = s.take(Complain)
    assert complaint.problems[0].startswith("markets[0].symbols[1]: ")
    s.listed = (A, C)
    s.advance(REFRESH)
    s.list_again()
    assert asked(s) == [("SUBSCRIBE", ["cccusdt@trade"])]
    assert s.take(Complain) == [Complain(())]


def test_the_largest_are_asked_for_by_the_ticker_endpoint_and_only_those_are_subscribed(stage):
    rule = RulePlan(rules=("*USDT",), channels=("trade",), top=2, path="markets[0].symbols")
    s = stage(symbols=(), rules=(rule,), listed=(A, B, C))
    s.volumes = {A: "5", B: "1000.5", C: "70"}
    s.up()
    assert {stream.symbol for stream in s.session.core.streams.values()} == {B, C}


def test_reload_adds_and_ends_symbols_and_the_others_are_not_touched(stage):
    s = stage(symbols=(A, B), listed=(A, B, C), stale_ns=10**13)
    s.up()
    flowing(s, A, B)
    s.take(Send)
    head = len(s.records())
    s.reload(s.market_plan((A, C)))
    s.frame(depth(A, 102, 102, [["8.98", "1"]]))
    s.list_again()
    s.advance(2)
    kinds = ("depth@100ms", "trade", "bookTicker")
    assert asked(s) == [
        ("SUBSCRIBE", [f"cccusdt@{kind}" for kind in kinds]), ("UNSUBSCRIBE", [f"bbbusdt@{kind}" for kind in kinds]),
    ]  # fmt: skip
    s.frame(depth(A, 103, 103, [["8.97", "1"]]))
    s.frame(trade(A, 2))
    assert s.take(Reloaded) == [Reloaded(3, 3)]
    assert s.take(Connect) == [] and s.take(Close) == []
    [changed] = s.statuses(Status.CONFIG_CHANGED)
    assert (changed["id"], changed["aux"]) == (3, 3)
    assert {reason for _, reason in closed(s, B)} == {Reason.NOT_WANTED}
    after = s.records()[head:]
    mine = after[after["instrument"] == s.number(A)]
    assert set(mine["kind"]) == {Kind.BOOK_DELTA, Kind.TRADE}, "no status of an untouched symbol"
    assert not (mine["flags"] & (Flag.GAP | Flag.CLEAR | Flag.UNSYNCED | Flag.REPLAYED)).any()
    book = BookOf().apply(s.data(A, Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA))
    assert not book.broken and book.last == 103
    assert (s.counter("resyncs"), s.counter("reconnects"), s.counter("seq_gaps")) == (0, 0, 0)


def test_reload_of_channels_and_of_one_book_depth_changes_only_those_streams(stage):
    s = stage(symbols=(A, B), listed=(A, B), stale_ns=10**13)
    s.up()
    flowing(s, A, B)
    s.take(Send)
    plan = s.market_plan((A, B), channels=("book", "trade"))
    deeper = type(plan.symbols[0])(symbol=B, channels=("book", "trade"), depth=50)
    s.reload(type(plan)(market=plan.market, symbols=(plan.symbols[0], deeper)))
    s.list_again()
    s.advance(2)
    assert asked(s) == [
        ("UNSUBSCRIBE", ["bbbusdt@depth@100ms"]),
        ("SUBSCRIBE", ["bbbusdt@depth@100ms"]),
        ("UNSUBSCRIBE", ["aaausdt@bookTicker", "bbbusdt@bookTicker"]),
    ]
    s.ack()
    s.frame({"result": None, "id": 3})
    [rest] = s.open_rests("snapshot")
    assert "limit=50" in rest.url
    assert (s.session.core.streams[s.number(A), Channel.BOOK].frames) == 1


def test_the_same_configuration_again_changes_nothing_and_says_so(stage):
    s = stage()
    s.up()
    head = len(s.records())
    s.reload(*s.plan.markets)
    assert s.take(Reloaded) == [Reloaded(0, 0)]
    assert len(s.records()) == head
    assert s.take(Send) == s.take(Connect) == s.take(Close) == s.open_rests("instruments") == []


def test_a_connection_whose_streams_all_end_is_closed_and_its_place_is_taken_by_the_next(stage):
    s = stage(market="linear", symbols=(A,), channels=("trade", "mark_price"), listed=(A, B), stale_ns=10**13)
    s.up()
    assert [leg.plan.url.endswith("/market/stream") for leg in s.session.connections.legs] == [False, True]
    s.reload(s.market_plan((A,), channels=("trade",)))
    while s.log and any(getattr(a, "purpose", "") == "instruments" for a in s.log):
        s.list_again()
    assert [close.conn for close in s.take(Close)] == [2]
    s.reload(s.market_plan((A, B), channels=("trade", "mark_price")))
    while any(getattr(a, "purpose", "") == "instruments" for a in s.log):
        s.list_again()
    [connect] = s.take(Connect)
    assert connect.conn in (2, 3) and connect.url.endswith("/market/stream")
    assert len(s.session.connections.legs) == 2


def test_a_stream_that_another_channel_still_needs_is_neither_ended_nor_asked_for_twice(stage):
    channels = ("mark_price", "index_price", "funding")
    s = stage(market="linear", symbols=(A,), channels=channels, listed=(A,), stale_ns=10**13)
    s.up()
    for wanted in (("funding",), channels):
        s.reload(s.market_plan((A,), channels=wanted))
        while any(getattr(a, "purpose", "") == "instruments" for a in s.log):
            s.list_again()
        s.advance(1)
        assert asked(s) == []
    assert s.ledger(A, Channel.MARK_PRICE)["state"] == State.ACKED


def test_a_list_asked_for_before_the_configuration_changed_is_not_taken_for_the_new_one(stage):
    s = stage(symbols=(A,), channels=("trade",), listed=(A, B), stale_ns=10**13)
    s.up()
    s.advance(REFRESH)
    [old] = s.open_rests("instruments")
    s.reload(s.market_plan((A, B)))
    s.answer(old, 200, s.exchange_info())
    assert s.take(Reloaded) == []
    s.list_again()
    assert s.take(Reloaded) == [Reloaded(5 - 2, 0)] or s.market == "spot"
    assert s.session.core.streams.keys() >= {(s.number(B), int(Channel.TRADE))}


def test_a_market_that_the_configuration_drops_is_left_at_once_and_asked_about_no_more(stage):
    s = stage(symbols=(A,), listed=(A,), stale_ns=10**13)
    s.up()
    s.reload()
    assert [close.conn for close in s.take(Close)] == [0]
    assert s.take(Reloaded) == [Reloaded(0, 3)]
    s.advance(3 * REFRESH)
    assert s.open_rests("instruments") == []
    assert set(s.ring.ledger.rows()["state"]) == {State.CLOSED}


@pytest.mark.parametrize("seed", range(2))
def test_listings_delistings_and_reloads_play_back_to_the_same_ring_byte_for_byte(stage, seed):
    top = RulePlan(rules=("*USDT",), channels=("book", "trade"), top=2, path="markets[0].symbols")
    live = stage(symbols=(A,), rules=(top,), listed=(A, B, C), record_frames=True, seed=seed, stale_ns=10**13)
    live.volumes = {A: "3", B: "2", C: "1"}
    live.up()
    flowing(live, A, B)
    live.volumes = {A: "3", B: "1", C: "9"}
    live.listed = (A, C)
    live.advance(REFRESH)
    live.list_again()
    live.open_sockets()
    live.ack()
    live.reload(live.market_plan((C, "TYPOUSDT"), channels=("trade", "bbo")))
    live.list_again()
    live.advance(3)
    live.ack()
    live.frame(ticker(C, 5))
    live.frame(trade(C, 1))
    live.session.stop(live.now)
    entries = [e for e in live.entries() if e.direction is not Direction.REJECT]
    replay = stage(start=False)
    session = Session(
        recording.plan_of(entries[0]), replay.exchange, Registry(None, "binance"), replay.ring, None
    )  # fmt: skip
    for entry in entries:
        recording.apply(session, entry)
        session.actions()
    assert replay.records().tobytes() == live.records().tobytes()
    assert live.statuses(Status.INSTRUMENT_GONE)["instrument"].tolist() == [live.number(B)]
    assert len(live.statuses(Status.CONFIG_CHANGED)) == 1 and live.now > T0


class Coded(PlainExchange):
    """A venue that knows its instruments by a code, whatever they are called."""

    codes: ClassVar = {"SPACUSDT": "77", "SPCXUSDT": "77"}

    def listings(self, market: str, body: bytes) -> list[Listing]:
        return [dataclasses.replace(one, code=self.codes.get(one.symbol, "")) for one in super().listings(market, body)]


def test_a_renamed_instrument_is_one_that_has_gone_and_says_what_it_is_called_now(tmp_path):
    s = Stage(tmp_path, Coded(), symbols=("SPACUSDT",), channels=("trade",), listed=("SPACUSDT",), stale_ns=10**13)
    s.up()
    s.frame(trade("SPACUSDT", 1))
    s.take(Send)
    s.listed = ("SPCXUSDT",)
    s.advance(REFRESH)
    s.list_again()
    s.advance(1)
    assert asked(s) == [("SUBSCRIBE", ["spcxusdt@trade"]), ("UNSUBSCRIBE", ["spacusdt@trade"])]
    assert s.take(Connect) == s.take(Close) == []
    [gone] = s.statuses(Status.INSTRUMENT_GONE)
    assert (int(gone["instrument"]), int(gone["aux"])) == (s.number("SPACUSDT"), s.number("SPCXUSDT"))
    assert closed(s, "SPACUSDT") == [(Channel.TRADE, Reason.DELISTED)]
    assert s.ledger("SPCXUSDT", Channel.TRADE)["state"] == State.REQUESTED
    [complaint] = s.take(Complain)
    assert "binance calls SPACUSDT SPCXUSDT now" in complaint.problems[0]
    s.close()


PARTIAL = {
    "spot": (b'{"stream":"aaausdt@depth20@100ms","data":{"lastUpdateId":%d,"bids":[["9.00","1"],["8.99","2"]],'
             b'"asks":[["9.10","%d"]]}}'),
    "linear": (b'{"stream":"aaausdt@depth20@100ms","data":{"e":"depthUpdate","E":1700000000000,"T":1700000000000,'
               b'"s":"AAAUSDT","U":1,"u":%d,"pu":1,"b":[["9.00","1"],["8.99","2"]],"a":[["9.10","%d"]]}}'),
}  # fmt: skip


@pytest.mark.parametrize("market", ["spot", "linear"])
def test_a_book_of_the_best_levels_is_complete_in_every_frame_and_needs_no_snapshot(tmp_path, market):
    s = Stage(tmp_path, load("binance"), market=market, symbols=(), listed=(A,), start=False, stale_ns=10**13)
    whole = SymbolPlan(symbol=A, channels=("book",), streams={"book": "depth20@100ms"})
    s.plan = Plan(exchange="binance", markets=(MarketPlan(market=market, symbols=(whole,)),), options=s.plan.options)
    s.session = Session(s.plan, s.exchange, Registry(None, "binance"), s.ring, s.frames)
    s.start()
    s.up()
    assert s.open_rests("snapshot") == []
    for number, size in ((100, 5), (107, 6), (108, 7)):
        s.frame(PARTIAL[market] % (number, size))
    s.advance(2)
    records = s.data(A)
    assert set(records["kind"]) == {Kind.BOOK_SNAPSHOT} and len(records) == 9
    book = BookOf().apply(records)
    assert (book.side(+1), book.side(-1), book.last) == ({8.99: 2.0, 9.0: 1.0}, {9.1: 7.0}, 108)
    assert s.ledger(A, Channel.BOOK)["state"] == State.FLOWING and s.open_rests("snapshot") == []
    s.take(Send)
    s.reload(s.market_plan((A,), channels=("book",)))  # the usual stream again
    while any(getattr(a, "purpose", "") == "instruments" for a in s.log):
        s.list_again()
    s.advance(1)
    s.open_sockets()  # the connection had nothing else to carry
    assert asked(s) == [("SUBSCRIBE", ["aaausdt@depth@100ms"])]
    before = len(s.data(A))
    s.frame(PARTIAL[market] % (109, 8))
    assert len(s.data(A)) == before and len(s.open_rests("snapshot")) <= 1
    s.invariant()
    s.close()


def test_partial_depth_beside_a_real_book_is_not_recorded(tmp_path):
    s = Stage(tmp_path, load("binance"), symbols=(A,), listed=(A,), stale_ns=10**13)
    s.up()
    flowing(s, A)
    before = len(s.data(A))
    s.frame(PARTIAL["spot"] % (500, 1))
    assert len(s.data(A)) == before and s.counter("ignored") >= 1
    s.close()


def test_with_redundancy_both_connections_take_part_in_every_change(tmp_path):
    s = Stage(tmp_path, PlainExchange(), symbols=(A, B), channels=("trade",), listed=(A, B, C), redundancy=2)
    s.up()
    s.take(Send)
    s.reload(s.market_plan((A, C)))
    s.list_again()
    s.advance(2)
    sent = [(send.conn, json.loads(send.text)["method"]) for send in s.take(Send)]
    first, second = sorted(s.session.connections.sockets)
    assert sorted(sent) == sorted((conn, m) for conn in (first, second) for m in ("SUBSCRIBE", "UNSUBSCRIBE"))
    assert s.take(Connect) == s.take(Close) == []
    for conn in (first, second):
        s.frame(trade(C, 7), conn)
    assert len(s.data(C)) == 1
    s.reload(s.market_plan(()))
    s.list_again()
    assert sorted(close.conn for close in s.take(Close)) == [first, second]
    s.close()
