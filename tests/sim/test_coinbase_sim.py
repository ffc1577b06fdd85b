"""A feed against the simulated Coinbase, both of its feeds: every channel flows, every trap is met."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ringcollect.feed.ledger import Reason, State
from ringcollect.feed.plan import MarketPlan
from ringcollect.records import Channel, Flag, Kind, Status
from ringcollect.sim.coinbase.venue import CoinbaseVenue
from tests.exchanges.test_captured_books import Book
from tests.sim import venues
from tests.sim.venues import Desk, scene

SYMBOLS = ("BTC-USD", "ETH-USD")
ALL = ("book", "trade", "bbo")
ADDRESSES = {"advanced": "", "exchange": "ws://127.0.0.1:1/ws-feed"}


@pytest.fixture(params=ADDRESSES)
def address(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of either feed; the market's plan has it as its url."""
    return asked(monkeypatch, str(request.param))


def asked(monkeypatch: pytest.MonkeyPatch, feed: str) -> str:
    def with_url(**fields: object) -> MarketPlan:
        return MarketPlan(**(fields | {"url": ADDRESSES[feed]}))  # type: ignore[arg-type]

    monkeypatch.setattr(venues, "MarketPlan", with_url)
    return feed


def desk(
    folder: Path,
    faults: str = "",
    symbols: tuple[str, ...] = SYMBOLS,
    deep: int = 50,
    rate: float = 100.0,
    **options: float,
) -> Desk:
    venue = CoinbaseVenue(SYMBOLS, rate, scene(folder, faults), deep=deep)
    return Desk(folder, "coinbase", venue, {"spot": (symbols, ALL)}, **options)


def of(run: Desk, symbol: str, *kinds: Kind) -> np.ndarray:
    instrument = run.registry.get("spot", symbol)
    assert instrument is not None
    records = run.records()
    return records[np.isin(records["kind"], kinds) & (records["instrument"] == instrument.number)]


def settle(run: Desk) -> None:
    """Let what is under way arrive."""
    run.venue.finish()
    run.venue.scene.scheduler.run_until = lambda now_ns, most: True  # type: ignore[method-assign]  # the market stops
    run.run(0.05)


def mend(run: Desk) -> None:
    """From now on the line is good."""
    quiet = scene(run.folder / "quiet")
    run.venue.scene = quiet.__class__(quiet.seed, *(getattr(run.venue.scene, n) for n in ("start_ns",)), quiet.plan,
                                      quiet.roll, run.venue.scene.truth, run.venue.scene.scheduler)  # fmt: skip
    for peer in run.peers.values():
        peer._plan = quiet.plan


def check_books(run: Desk) -> None:
    """Whoever applies the ring by the one rule has the venue's book."""
    for symbol, feed in run.venue.feeds.items():
        book = Book()
        for row in of(run, symbol, Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA):
            if row["flags"] & Flag.UNSYNCED:
                continue
            if row["side"] and row["size"] == 0:  # of a level nobody has
                book.levels[int(row["side"])].setdefault(float(row["price"]), 0.0)
            book.apply(row)
        told = {side: {float(p): float(q) for of_, p, q in feed.book() if of_ == side} for side in (1, -1)}
        assert book.levels == told, symbol


def test_every_channel_flows_and_books_and_best_prices_are_the_venues(tmp_path: Path, address: str) -> None:
    run = desk(tmp_path)
    run.run(10)
    settle(run)
    assert {state for state, _ in run.ledger().values()} == {State.FLOWING}
    check_books(run)
    counters = run.ring.counters
    for zero in ("seq_gaps", "connection_gaps", "trade_gaps", "duplicates", "resyncs", "rejected", "reconnects"):
        assert counters[zero] == 0, zero
    assert counters["control"] > 8  # heartbeats
    assert counters["frames_in"] == sum(counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    for symbol in SYMBOLS:
        best = of(run, symbol, Kind.BBO)
        assert len(best) > 10 and all(best["price"][::2] < best["price"][1::2])
        row = run.registry.get("spot", symbol)
        assert row is not None and (row.unified, row.size_unit, row.tick_size > 0) == (symbol, "base", True)


def test_trades_are_those_the_venue_matched_with_the_takers_side(tmp_path: Path, address: str) -> None:
    """Trap 3: the wire says the maker's."""
    run = desk(tmp_path)
    run.run(10)
    settle(run)
    for symbol in SYMBOLS:
        matched = {line["id"]: line for line in run.truth("trade") if line["s"] == symbol}
        trades = of(run, symbol, Kind.TRADE)
        news = trades[(trades["flags"] & Flag.SNAPSHOT) == 0]
        assert len(news) > 20
        assert sorted(news["id"].tolist()) == sorted(matched)[-len(news) :]
        for row in trades:
            line = matched[int(row["id"])]
            assert (row["price"], row["size"], row["side"]) == (float(line["p"]), float(line["q"]), line["side"])
            assert row["ts_event"] == line["t"] // 1000 * 1000


def test_what_is_sent_again_at_the_subscription_is_history(tmp_path: Path, address: str) -> None:
    """Trap 9: after a reconnect trades come twice, and are news only once."""
    run = desk(tmp_path, "cut=6s", rate=20.0)
    run.run(20)
    assert run.ring.counters["reconnects"] >= 2
    trades = of(run, "BTC-USD", Kind.TRADE)
    history = trades[(trades["flags"] & Flag.SNAPSHOT) != 0]
    assert len(history)
    news = trades[(trades["flags"] & Flag.SNAPSHOT) == 0]["id"]
    assert len(set(news.tolist())) == len(news)
    if address == "advanced":  # a hundred trades say what was missed
        assert run.ring.counters["trade_gaps"] == 0
    settle(run)
    check_books(run)


def test_the_whole_book_is_one_message_of_5_mb(tmp_path: Path) -> None:
    """Trap 4."""
    run = desk(tmp_path, symbols=("BTC-USD",), deep=24_000)
    run.run(3)
    largest = max(len(line["f"]) for line in run.truth("sent"))
    assert 5_000_000 < largest < 16 << 20
    first = of(run, "BTC-USD", Kind.BOOK_SNAPSHOT)
    assert len(first) > 46_000
    assert first["flags"][0] & Flag.CLEAR and run.ledger()["BTC-USD", int(Channel.BOOK)][0] is State.FLOWING


@pytest.mark.parametrize("fault", ["gap=0.02", "drop=0.005", "reorder=0.005"])
def test_a_missing_number_marks_every_stream_and_replaces_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    asked(monkeypatch, "advanced")
    run = desk(tmp_path, fault)
    run.run(15)
    counters = run.ring.counters
    assert counters["connection_gaps"] >= 1 and counters["reconnects"] >= 1
    records = run.records()
    gaps = records[(records["kind"] == Kind.STATUS) & (records["sub"] == Status.SEQ_GAP)]
    assert set(gaps["side"].tolist()) >= {Channel.BOOK, Channel.TRADE, Channel.BBO}
    assert set(gaps["instrument"].tolist()) == {0, 1}
    mend(run)
    run.run(70)
    settle(run)
    check_books(run)


def test_a_message_sent_twice_is_kept_once_more_and_applied_once(tmp_path: Path) -> None:
    run = desk(tmp_path, "dup=0.05")
    run.run(10)
    settle(run)
    assert run.ring.counters["duplicates"] > 3 and run.ring.counters["reconnects"] == 0
    check_books(run)


def test_a_swallowed_acknowledgement_is_named_within_its_deadline(tmp_path: Path, address: str) -> None:
    run = desk(tmp_path, "ack_swallow=1", ack_ns=2_000_000_000)
    run.run(4)
    records = run.records()
    stale = records[(records["kind"] == Kind.STATUS) & (records["sub"] == Status.STALE)]
    named = {(int(row["instrument"]), int(row["side"])) for row in stale if row["price"] == Reason.NO_ACK}
    assert len(named) == len(SYMBOLS) * len(ALL)


def test_a_product_nobody_has_is_named_and_the_others_flow(tmp_path: Path, address: str) -> None:
    run = desk(tmp_path, symbols=("BTC-USD", "NOPE-USD"))
    run.run(5)
    ledger = run.ledger()
    assert ledger["BTC-USD", int(Channel.BOOK)][0] is State.FLOWING
    assert {ledger["NOPE-USD", int(channel)][1] for channel in (Channel.BOOK, Channel.TRADE)} == {Reason.UNKNOWN_SYMBOL}


def test_a_stream_that_falls_silent_is_named_while_heartbeats_go_on(tmp_path: Path, address: str) -> None:
    run = desk(tmp_path, "silent=*market_trades*BTC-USD:3s,silent=*matches*BTC-USD:3s")
    run.run(330)
    assert run.ring.counters["silent_streams"] >= 1
    assert run.ledger()["BTC-USD", int(Channel.BOOK)][0] is State.FLOWING
    assert run.ring.counters["connection_gaps"] == 0


def test_a_dead_line_is_noticed(tmp_path: Path, address: str) -> None:
    run = desk(tmp_path, "half_open=5s")
    run.run(50)
    assert run.ring.counters["half_open"] >= 1 and run.ring.counters["reconnects"] >= 1
    settle(run)
    check_books(run)


@pytest.mark.parametrize(
    ("feed", "request_", "complaint"),
    [
        ("exchange", {"type": "subscribe", "product_ids": ["BTC-USD"], "channels": ["level2"]}, "authentication"),
        ("exchange", {"type": "subscribe", "product_ids": ["X-USD"], "channels": ["matches"]}, "X-USD is not a valid"),
        ("advanced", {"type": "subscribe", "product_ids": ["BTC-USD"], "channel": "nope"}, "not a valid channel"),
        ("advanced", {"type": "subscribe", "product_ids": ["BTC-USD"] * 33, "channel": "level2"}, "too many L2"),
        ("advanced", {"type": "what", "channel": "level2"}, "unknown type"),
        ("advanced", "x", "parse"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_with_the_connection_open(
    tmp_path: Path, feed: str, request_: object, complaint: str
) -> None:
    """Trap 5: level2 without authentication."""
    venue = CoinbaseVenue(SYMBOLS, 100.0, scene(tmp_path))
    peer = venue.open(0, f"ws://x{'/ws-feed' if feed == 'exchange' else ''}", venues.T0)
    venue.receive(peer, request_ if isinstance(request_, str) else json.dumps(request_), venues.T0)
    ((_, payload),) = peer.drain(venues.T0)
    answer = json.loads(payload)
    assert answer["type"] == "error" and complaint in answer["message"] + answer.get("reason", "")
    assert not peer.closed and not peer.streams


def test_data_come_before_their_acknowledgement_and_are_numbered_with_it(tmp_path: Path) -> None:
    venue = CoinbaseVenue(SYMBOLS, 100.0, scene(tmp_path))
    venue.scene.scheduler.run_until(3_000_000_000, 1 << 30)
    peer = venue.open(0, "ws://x", venues.T0)
    now_ns = venues.T0 + 3_000_000_000
    for channel in ("market_trades", "level2"):
        venue.receive(peer, json.dumps({"type": "subscribe", "product_ids": list(SYMBOLS), "channel": channel}), now_ns)
    frames = [json.loads(payload) for _, payload in peer.drain(now_ns)]
    assert [frame["channel"] for frame in frames] == [
        "market_trades", "market_trades", "subscriptions", "l2_data", "l2_data", "subscriptions",
    ]  # fmt: skip
    assert [frame["sequence_num"] for frame in frames] == list(range(6))
    assert frames[2]["events"] == [{"subscriptions": {"market_trades": list(SYMBOLS)}}]
    ids = [int(trade["trade_id"]) for trade in frames[0]["events"][0]["trades"]]
    assert ids == sorted(ids, reverse=True)


def test_who_subscribes_nothing_is_sent_away_after_5_s(tmp_path: Path) -> None:
    venue = CoinbaseVenue(SYMBOLS, 10.0, scene(tmp_path))
    peer = venue.open(0, "ws://x", venues.T0)
    venue.scene.scheduler.run_until(4_500_000_000, 1 << 30)
    assert not peer.closed
    venue.scene.scheduler.run_until(6_000_000_000, 1 << 30)
    assert peer.closed
