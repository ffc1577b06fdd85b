"""A feed against the simulated Kraken Futures: every channel flows, every trap is met, the books are the venue's."""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ringcollect.feed.ledger import Reason, State
from ringcollect.records import Channel, Flag, Kind, Status
from ringcollect.sim.kraken_futures.venue import KrakenFuturesVenue
from tests.exchanges.test_bybit_oracle import identity
from tests.exchanges.test_captured_books import Book
from tests.sim.venues import MS, Desk, scene

LINEAR, INVERSE = ("PF_XBTUSD", "PF_ETHUSD"), ("PI_XBTUSD", "FI_XBTUSD_261225")
TICKER = ("bbo", "mark_price", "index_price", "funding", "open_interest")
ALL = ("book", "trade", "liquidation", *TICKER)
MARKETS = {"linear": (LINEAR, ALL), "inverse": (INVERSE, ALL)}
SUBS = {"fill": 0, "liquidation": 1, "block": 2, "assignment": 4, "termination": 4}
HOUR = 3600 * 10**9


def desk(folder: Path, faults: str = "", markets: dict = MARKETS, **options: float) -> Desk:
    venue = KrakenFuturesVenue((*LINEAR, *INVERSE), 120.0, scene(folder, faults))
    return Desk(folder, "kraken_futures", venue, markets, **options)


def of(run: Desk, symbol: str, *kinds: Kind) -> np.ndarray:
    instrument = run.registry.get(run.venue.feeds[symbol].market, symbol)
    assert instrument is not None
    records = run.records()
    return records[np.isin(records["kind"], kinds) & (records["instrument"] == instrument.number)]


def settle(run: Desk) -> None:
    """Let what is under way arrive."""
    run.venue.scene.scheduler.run_until = lambda now_ns, most: True  # type: ignore[method-assign]  # the market stops
    run.run(0.05)


def mend(run: Desk) -> None:
    """From now on the line is good."""
    quiet = scene(run.folder / "quiet").plan
    run.venue.hub._plan = quiet
    for peer in run.peers.values():
        peer._plan = quiet


def check_books(run: Desk) -> None:
    """Whoever applies the ring by the one rule has the venue's book."""
    for symbol, feed in run.venue.feeds.items():
        book = Book()
        for row in of(run, symbol, Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA):
            book.apply(row)
        bids, asks = feed.book()
        assert book.levels == {1: {float(p): float(q) for p, q in bids}, -1: {float(p): float(q) for p, q in asks}}


def matched(run: Desk, symbol: str) -> list[dict[str, Any]]:
    return [line for line in run.truth("trade") if line["s"] == symbol]


def test_every_channel_of_both_markets_flows_and_the_books_are_the_venues(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(12)
    settle(run)
    may_wait = {Channel.LIQUIDATION}
    for (symbol, channel), (state, reason) in run.ledger().items():
        has_none = channel == Channel.FUNDING and symbol.startswith("F")  # a dated contract pays no funding
        allowed = {State.FLOWING} | ({State.ACKED, State.STALE} if channel in may_wait or has_none else set())
        assert state in allowed, (symbol, channel, reason)
    check_books(run)
    counters = run.ring.counters
    for zero in ("seq_gaps", "trade_gaps", "duplicates", "resyncs", "rejected", "out_of_order", "reconnects"):
        assert counters[zero] == 0, zero
    assert counters["frames_in"] == sum(counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    deltas = of(run, "PF_XBTUSD", Kind.BOOK_DELTA)
    assert (deltas["size"] == 0).any() and not (deltas["size"] < 0).any()
    linear, inverse = (run.registry.get(*one) for one in (("linear", "PF_XBTUSD"), ("inverse", "FI_XBTUSD_261225")))
    assert linear is not None and (linear.unified, linear.size_unit) == ("BTC-USD-PERP", "base")
    assert inverse is not None and (inverse.unified, inverse.size_unit, inverse.inverse) == (
        "BTC-USD-261225", "contract", True,
    )  # fmt: skip


def test_trades_are_those_the_venue_matched_history_included(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(10)
    settle(run)
    for symbol in run.venue.feeds:
        trades, told = of(run, symbol, Kind.TRADE), matched(run, symbol)
        assert len(trades) > 20
        assert [identity(row) for row in trades] == [line["id"] for line in told[-len(trades) :]]
        for row, line in zip(trades, told[-len(trades) :], strict=True):
            assert (row["price"], row["size"], row["side"]) == (float(line["p"]), float(line["q"]), line["side"])
            assert (row["sub"], row["ts_event"]) == (SUBS[line["x"]], line["t"] // MS * MS)
            assert row["flags"] & Flag.UUID


def test_liquidations_are_the_trades_of_that_type_with_the_side_of_the_forced_order(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(40)
    settle(run)
    done = 0
    for symbol in run.venue.feeds:
        forced = {line["seq"]: line for line in matched(run, symbol) if line["x"] == "liquidation"}
        rows = of(run, symbol, Kind.LIQUIDATION)
        assert set(rows["id"].tolist()) <= set(forced)
        news = of(run, symbol, Kind.TRADE)
        assert len(rows) == np.count_nonzero(news["sub"] == 1)
        for row in rows:
            line = forced[int(row["id"])]
            assert (row["side"], row["price"], row["size"]) == (line["side"], float(line["p"]), float(line["q"]))
            done += 1
    assert done > 3


def test_tickers_say_mark_index_hourly_funding_and_open_interest_as_sent(tmp_path: Path) -> None:
    run = desk(tmp_path, markets={"linear": (("PF_XBTUSD",), TICKER)})
    run.run(6)
    sent = {line["t"] // MS * MS: line for line in run.truth("ticker") if line["s"] == "PF_XBTUSD"}
    assert len(sent) >= 5
    for kind, field in (
        (Kind.MARK_PRICE, "markPrice"), (Kind.INDEX_PRICE, "index"), (Kind.FUNDING, "relative_funding_rate"),
    ):  # fmt: skip
        rows = of(run, "PF_XBTUSD", kind)
        assert len(rows) >= 5
        for row in rows:
            assert row["price"] == float(sent[int(row["ts_event"])][field])
    funding = of(run, "PF_XBTUSD", Kind.FUNDING)
    assert set(funding["id"].tolist()) == {HOUR} and set((funding["aux"] % HOUR).tolist()) == {0}
    interest = of(run, "PF_XBTUSD", Kind.OPEN_INTEREST)
    assert all(row["size"] == float(sent[int(row["ts_event"])]["openInterest"]) for row in interest)
    best = of(run, "PF_XBTUSD", Kind.BBO)
    assert all(best["price"][::2] < best["price"][1::2])


def test_one_subscription_serves_every_channel_of_a_feed(tmp_path: Path) -> None:
    run = desk(tmp_path, markets={"linear": (LINEAR, ALL)})
    run.run(3)
    asked = [json.loads(line["f"]) for line in run.truth("in")]
    assert [(one["event"], one["feed"], len(one["product_ids"])) for one in asked] == [
        ("subscribe", "book", 2), ("subscribe", "trade", 2), ("subscribe", "ticker", 2),
    ]  # fmt: skip


def test_a_skipped_seq_renews_that_book_alone_while_the_others_go_on(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(3)
    run.venue.feeds["PI_XBTUSD"].skip()
    before = {symbol: len(of(run, symbol, Kind.BOOK_DELTA)) for symbol in run.venue.feeds}
    mark = run.now
    run.run(3)
    settle(run)
    check_books(run)
    counters = run.ring.counters
    assert (counters["seq_gaps"], counters["resyncs"], counters["reconnects"]) == (1, 1, 0)
    assert all(len(of(run, symbol, Kind.BOOK_DELTA)) > count for symbol, count in before.items())
    renewed = [json.loads(line["f"]) for line in run.truth("in") if line["t"] > mark]
    assert renewed == [
        {"event": event, "feed": "book", "product_ids": ["PI_XBTUSD"]} for event in ("unsubscribe", "subscribe")
    ]
    codes = run.records()
    codes = codes[codes["kind"] == Kind.STATUS]["sub"].tolist()
    assert codes.count(Status.RESYNC_BEGIN) == codes.count(Status.RESYNC_DONE) == codes.count(Status.SEQ_GAP) == 1


def test_after_a_cut_the_history_is_dropped_where_known_and_fills_what_was_missed(tmp_path: Path) -> None:
    run = desk(tmp_path, "cut=6s", markets={"linear": (("PF_XBTUSD",), ("book", "trade"))})
    run.run(15)
    for peer in run.peers.values():
        peer._cut_at = 0
    run.run(3)
    settle(run)
    assert run.ring.counters["reconnects"] >= 2 and run.ring.counters["dropped_duplicates"] > 20
    trades, told = of(run, "PF_XBTUSD", Kind.TRADE), matched(run, "PF_XBTUSD")
    assert [identity(row) for row in trades] == [line["id"] for line in told[-len(trades) :]]
    assert run.ring.counters["trade_gaps"] == 0  # a hundred trades reach further back than a second


def test_liquidations_told_again_after_a_cut_are_history_and_not_out_of_order(tmp_path: Path) -> None:
    run = desk(tmp_path, "cut=20s", markets={"linear": (LINEAR, ("trade", "liquidation"))})
    for feed in run.venue.feeds.values():
        feed._history = deque(maxlen=3000)  # several forced orders, for once
    run.run(45)
    rows = np.concatenate([of(run, symbol, Kind.LIQUIDATION) for symbol in LINEAR])
    again = (rows["flags"] & Flag.SNAPSHOT) != 0
    assert again.any() and set(rows["id"][again].tolist()) & set(rows["id"][~again].tolist())
    counters = run.ring.counters
    assert counters["reconnects"] >= 2 and counters["resent_history"] > 0 and counters["out_of_order"] == 0


@pytest.mark.parametrize(
    "faults", ["drop=0.01", "dup=0.01", "reorder=0.01", "gap=0.01", "drop=0.005,dup=0.005,reorder=0.005,garbage=0.005"]
)
def test_whatever_the_line_does_the_books_end_as_the_venues(tmp_path: Path, faults: str) -> None:
    run = desk(tmp_path, faults, markets={"linear": (LINEAR, ("book", "trade")), "inverse": (INVERSE, ("book",))},
               resync_cooldown_ns=4 * 10**9)  # fmt: skip
    run.run(8)
    mend(run)
    run.run(8)  # one cool-down of a book that broke too often
    settle(run)
    check_books(run)
    assert run.ring.counters["reconnects"] == 0


def test_an_error_that_names_nothing_refuses_the_request_that_waits_and_the_rest_flows(tmp_path: Path) -> None:
    run = desk(tmp_path, markets={"linear": (("PF_XBTUSD", "PF_NOSUCHUSD"), ("trade",))})
    run.session.answers.launch("linear", run.now)  # before the list could tell
    run.run(15)
    ledger = run.ledger()
    assert ledger["PF_NOSUCHUSD", Channel.TRADE][0] in (State.FAILED, State.STALE)
    assert ledger["PF_XBTUSD", Channel.TRADE][0] is State.FLOWING


def test_a_client_that_is_silent_for_60_s_is_cut_off_and_ours_is_not(tmp_path: Path) -> None:
    run = desk(tmp_path, markets={"linear": (("PF_XBTUSD",), ("mark_price",))})
    run.run(70)
    assert run.ring.counters["reconnects"] == run.ring.counters["rejected"] == 0
    venue = KrakenFuturesVenue(("PF_XBTUSD",), 1.0, scene(tmp_path / "other"))
    peer = venue.open(0, "ws://x/ws/v1", run.now)
    peer.timer(run.now + 60 * 10**9)
    assert peer.closed


def test_a_half_open_line_is_noticed_and_replaced(tmp_path: Path) -> None:
    run = desk(tmp_path, "half_open=5s", markets={"linear": (("PF_XBTUSD",), ("book",))}, stale_ns=10 * 10**9)
    run.run(25)
    settle(run)
    assert run.ring.counters["half_open"] == 1
    rows = of(run, "PF_XBTUSD", Kind.BOOK_SNAPSHOT)
    assert np.count_nonzero(rows["flags"] & Flag.CLEAR) == 2 and np.count_nonzero(rows["flags"] & Flag.GAP) == 1


def test_a_swallowed_request_is_named_and_asked_again(tmp_path: Path) -> None:
    run = desk(tmp_path, "ack_swallow=1", markets={"linear": (("PF_XBTUSD",), ("trade",))})
    run.run(11)
    assert {reason for _, reason in run.ledger().values()} >= {Reason.NO_ACK} or run.ring.counters["silent_streams"] > 0


def test_the_venue_greets_answers_each_product_in_capitals_and_names_nothing_in_errors(tmp_path: Path) -> None:
    venue = KrakenFuturesVenue(("PF_XBTUSD", "PI_XBTUSD"), 1.0, scene(tmp_path))
    now = venue.scene.start_ns
    peer = venue.open(0, "ws://x/ws/v1", now)
    for request in (
        {"event": "subscribe", "feed": "ticker_lite", "product_ids": ["pf_xbtusd", "PI_XBTUSD"]},
        {"event": "subscribe", "feed": "nosuch", "product_ids": ["PF_XBTUSD"]},
        {"event": "subscribe", "feed": "book", "product_ids": ["PF_XBTUSD", "PF_NOSUCHUSD"]}, {"event": "nosuch"},
        {"event": "subscribe", "feed": "heartbeat"},
    ):  # fmt: skip
        venue.receive(peer, json.dumps(request), now)
    frames = [json.loads(payload) for _, payload in peer.drain(now)]
    assert frames[0] == {"event": "info", "version": 1}
    acks = [frame for frame in frames if frame.get("event") == "subscribed"]
    assert [ack.get("product_ids") for ack in acks] == [["PF_XBTUSD"], ["PI_XBTUSD"], None]
    errors = [frame for frame in frames if frame.get("event") in ("error", "alert")]
    assert [sorted(error) for error in errors] == [["event", "message"]] * 3
