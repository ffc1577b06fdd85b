"""A feed against the simulated Bybit: every channel flows, every trap is met, the books are the venue's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ringcollect.feed.ledger import Reason, State
from ringcollect.records import Channel, Flag, Kind, Status
from ringcollect.sim.bybit.venue import BybitVenue
from tests.exchanges.test_bybit_oracle import identity
from tests.exchanges.test_captured_books import Book
from tests.sim.venues import MS, Desk, scene

SPOT = ("book", "trade", "bbo")
DERIVATIVE = (*SPOT, "mark_price", "index_price", "funding", "open_interest", "liquidation")
SYMBOLS = {"spot": ("BTCUSDT", "ETHUSDT"), "linear": ("BTCUSDT", "BTCPERP"), "inverse": ("BTCUSD",)}
MARKETS = {market: (names, SPOT if market == "spot" else DERIVATIVE) for market, names in SYMBOLS.items()}
DEPTH = 200


def desk(folder: Path, faults: str = "", markets: dict = MARKETS, page: int = 1000, **options: float) -> Desk:
    return Desk(folder, "bybit", BybitVenue(SYMBOLS, 150.0, scene(folder, faults), page=page), markets, **options)


def number(run: Desk, market: str, symbol: str) -> int:
    instrument = run.registry.get(market, symbol)
    assert instrument is not None
    return instrument.number


def of(run: Desk, market: str, symbol: str, *kinds: Kind) -> np.ndarray:
    records = run.records()
    return records[np.isin(records["kind"], kinds) & (records["instrument"] == number(run, market, symbol))]


def check_books(run: Desk) -> None:
    """Whoever applies the ring by the one rule has the venue's book."""
    for (market, symbol), feed in run.venue.feeds.items():
        book = Book()
        for row in of(run, market, symbol, Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA):
            book.apply(row)
        bids, asks = feed.book(DEPTH)
        assert book.levels[1] == {float(p): float(q) for p, q in bids}, (market, symbol)
        assert book.levels[-1] == {float(p): float(q) for p, q in asks}, (market, symbol)


def settle(run: Desk) -> None:
    """Let what is under way arrive."""
    run.venue.finish()
    run.venue.scene.scheduler.run_until = lambda now_ns, most: True  # type: ignore[method-assign]  # the market stops
    run.run(0.05)


def mend(run: Desk) -> None:
    """From now on the line is good."""
    quiet = scene(run.folder / "quiet").plan
    run.venue.hub._plan = quiet
    for peer in run.peers.values():
        peer._plan = quiet


def test_every_channel_of_every_market_flows_and_the_books_are_the_venues(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(12)
    settle(run)
    for (symbol, channel), (state, reason) in run.ledger().items():
        allowed = {State.FLOWING} | ({State.ACKED} if channel == Channel.LIQUIDATION else set())
        assert state in allowed, (symbol, channel, reason)
    check_books(run)
    counters = run.ring.counters
    for zero in ("seq_gaps", "duplicates", "resyncs", "rejected", "out_of_order", "silent_streams"):
        assert counters[zero] == 0, zero
    assert counters["frames_in"] == sum(counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    for market in ("linear", "inverse"):
        for kind in (Kind.MARK_PRICE, Kind.INDEX_PRICE, Kind.FUNDING, Kind.OPEN_INTEREST):
            assert len(of(run, market, SYMBOLS[market][0], kind)), (market, kind)
    funding = of(run, "linear", "BTCUSDT", Kind.FUNDING)
    assert set(funding["id"].tolist()) == {8 * 3600 * 10**9}
    assert set((funding["aux"] % (8 * 3600 * 10**9)).tolist()) == {0}
    usdc, inverse = (run.registry.get(*one) for one in (("linear", "BTCPERP"), ("inverse", "BTCUSD")))
    assert usdc is not None and usdc.unified == "BTC-USDC-PERP"
    assert inverse is not None and (inverse.size_unit, inverse.inverse, inverse.unified) == (
        "quote",
        True,
        "BTC-USD-PERP",
    )


def test_trades_are_those_the_venue_matched_with_its_ids_sides_and_times(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(10)
    settle(run)
    subs = {"": 0, "block": 2, "rpi": 3}
    for market, symbol in run.venue.feeds:
        trades = of(run, market, symbol, Kind.TRADE)
        matched = [line for line in run.truth("trade") if (line["m"], line["s"]) == (market, symbol)]
        first = next(k for k, line in enumerate(matched) if line["id"] == identity(trades[0]))
        assert len(trades) > 20
        assert [identity(row) for row in trades] == [line["id"] for line in matched[first:]]
        for row, line in zip(trades, matched[first:], strict=True):
            assert (row["price"], row["size"], row["side"]) == (float(line["p"]), float(line["q"]), line["side"])
            assert (row["sub"], row["ts_event"]) == (subs[line["x"]], line["t"] // MS * MS)


def test_liquidations_carry_the_side_of_the_forced_order_not_of_the_position(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(60)
    settle(run)
    forced = [line for line in run.truth("liquidation") if (line["m"], line["s"]) == ("linear", "BTCUSDT")]
    rows = of(run, "linear", "BTCUSDT", Kind.LIQUIDATION)
    assert len(rows) > 0
    for row, line in zip(rows, forced[-len(rows) :], strict=True):
        assert (row["side"], row["price"], row["size"]) == (line["side"], float(line["p"]), float(line["q"]))


def test_a_skipped_u_renews_that_book_alone_while_the_others_go_on(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(3)
    run.venue.feeds["linear", "BTCUSDT"].skip(DEPTH)
    before = {key: len(of(run, *key, Kind.BOOK_DELTA)) for key in run.venue.feeds}
    mark = run.now
    run.run(3)
    settle(run)
    check_books(run)
    counters = run.ring.counters
    assert (counters["seq_gaps"], counters["resyncs"], counters["reconnects"]) == (1, 1, 0)
    assert all(len(of(run, *key, Kind.BOOK_DELTA)) > count for key, count in before.items())
    renewed = [json.loads(line["f"]) for line in run.truth("in") if line["t"] > mark and '"ping"' not in line["f"]]
    assert [(one["op"], one["args"]) for one in renewed] == [
        ("unsubscribe", ["orderbook.200.BTCUSDT"]), ("subscribe", ["orderbook.200.BTCUSDT"]),
    ]  # fmt: skip
    rows = of(run, "linear", "BTCUSDT", Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA)
    unsynced = rows[(rows["flags"] & Flag.UNSYNCED) != 0]
    assert len(unsynced) and unsynced["flags"][0] & Flag.GAP
    codes = run.records()
    codes = codes[codes["kind"] == Kind.STATUS]["sub"].tolist()
    assert codes.count(Status.RESYNC_BEGIN) == codes.count(Status.RESYNC_DONE) == codes.count(Status.SEQ_GAP) == 1


def test_a_resync_that_a_consumer_asks_for_touches_nothing_else(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(3)
    run.session.resync(number(run, "spot", "BTCUSDT"), run.now)
    run.run(3)
    settle(run)
    check_books(run)
    assert (run.ring.counters["resyncs_asked"], run.ring.counters["resyncs"]) == (1, 1)
    snapshots = {
        key: np.count_nonzero(of(run, *key, Kind.BOOK_SNAPSHOT)["flags"] & Flag.CLEAR) for key in run.venue.feeds
    }
    assert snapshots == dict.fromkeys(run.venue.feeds, 1) | {("spot", "BTCUSDT"): 2}


def test_a_snapshot_with_u_1_after_a_restart_replaces_the_book_and_is_no_gap(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(3)
    for feed in run.venue.feeds.values():
        feed.restart(run.now)
    run.run(3)
    settle(run)
    check_books(run)
    assert run.ring.counters["seq_gaps"] == run.ring.counters["resyncs"] == 0


def test_depth_1_sent_again_with_the_same_u_is_marked_and_neither_gap_nor_duplicate(tmp_path: Path) -> None:
    run = desk(tmp_path, markets={"spot": (("BTCUSDT",), ("bbo",))})
    run.run(2)
    run.venue.feeds["spot", "BTCUSDT"].model.next_ns = 1 << 62
    run.venue.feeds["spot", "BTCUSDT"]._order = lambda due_ns: -1
    feed = run.venue.feeds["spot", "BTCUSDT"]
    for _ in range(3):
        run.venue.hub.publish("spot:orderbook.1.BTCUSDT", feed.frames, run.now, lambda _unit: feed._best_text(run.now))
        run.run(0.005)
    rows = of(run, "spot", "BTCUSDT", Kind.BBO)
    again = rows[(rows["flags"] & Flag.SNAPSHOT) != 0]
    assert len(again) >= 6 and not (rows["flags"] & (Flag.GAP | Flag.DUPLICATE)).any()
    assert run.ring.counters["out_of_order"] == run.ring.counters["duplicates"] == 0


def test_a_list_in_pages_is_read_to_its_end(tmp_path: Path) -> None:
    run = desk(tmp_path, page=1)
    run.run(3)
    assert run.registry.get("linear", "BTCPERP") is not None
    urls = [line["u"] for line in run.truth("rest")]
    assert sum("category=linear" in url for url in urls) == 2 and sum("cursor=page%3D1" in url for url in urls) == 2
    assert State.FAILED not in {state for state, _ in run.ledger().values()}


def test_a_bad_topic_is_refused_by_name_and_the_others_of_its_request_are_asked_again(tmp_path: Path) -> None:
    run = desk(tmp_path, markets={"spot": (("BTCUSDT", "NOSUCH"), ("trade",))})
    run.session.answers.launch("spot", run.now)  # before the list could tell
    run.run(15)
    ledger = run.ledger()
    assert ledger["NOSUCH", Channel.TRADE][0] is State.FAILED
    assert ledger["BTCUSDT", Channel.TRADE][0] is State.FLOWING


def test_the_json_ping_is_sent_and_its_pong_is_no_answer_to_anything(tmp_path: Path) -> None:
    run = desk(tmp_path, markets={"spot": (("BTCUSDT",), ("trade",))})
    run.run(65)
    pings = [line for line in run.truth("in") if json.loads(line["f"])["op"] == "ping"]
    assert len(pings) == 3
    assert run.ring.counters["reconnects"] == run.ring.counters["rejected"] == 0


def test_a_half_open_line_is_noticed_and_replaced(tmp_path: Path) -> None:
    run = desk(tmp_path, "half_open=5s", markets={"linear": (("BTCUSDT",), SPOT)}, stale_ns=10 * 10**9)
    run.run(30)
    settle(run)
    assert run.ring.counters["half_open"] == 1
    rows = of(run, "linear", "BTCUSDT", Kind.BOOK_SNAPSHOT)
    assert np.count_nonzero(rows["flags"] & Flag.CLEAR) == 2 and np.count_nonzero(rows["flags"] & Flag.GAP) == 1


def test_a_cut_connection_comes_back_with_fresh_snapshots(tmp_path: Path) -> None:
    run = desk(tmp_path, "cut=6s")
    run.run(15)
    assert run.ring.counters["reconnects"] >= 3
    for peer in run.peers.values():
        peer._cut_at = 0
    run.run(5)
    settle(run)
    check_books(run)


@pytest.mark.parametrize(
    "faults", ["drop=0.01", "dup=0.01", "reorder=0.01", "gap=0.01", "drop=0.005,dup=0.005,reorder=0.005,garbage=0.005"]
)
def test_whatever_the_line_does_the_books_end_as_the_venues(tmp_path: Path, faults: str) -> None:
    run = desk(tmp_path, faults, resync_cooldown_ns=8 * 10**9)
    run.run(12)
    mend(run)
    run.run(12)  # one cool-down of a book that broke too often
    settle(run)
    check_books(run)
    assert run.ring.counters["reconnects"] == 0


def test_a_swallowed_request_is_named_and_asked_again(tmp_path: Path) -> None:
    run = desk(tmp_path, "ack_swallow=1")
    run.run(11)
    assert {reason for _, reason in run.ledger().values()} >= {Reason.NO_ACK} or run.ring.counters["silent_streams"] > 0


def test_the_venue_speaks_differently_by_category(tmp_path: Path) -> None:
    venue = BybitVenue(SYMBOLS, 10.0, scene(tmp_path))
    now = venue.scene.start_ns
    answers = {}
    for count, market in enumerate(SYMBOLS):
        peer = venue.open(count, f"ws://x/v5/public/{market}", now)
        topics = [f"publicTrade.{SYMBOLS[market][0]}"] * 11
        for request in ({"op": "subscribe", "args": topics[:1]}, {"op": "ping"}, {"op": "subscribe", "args": topics}):
            venue.receive(peer, json.dumps(request), now)
        answers[market] = [json.loads(payload) for _, payload in peer.drain(now)]
    assert [answers[market][0]["ret_msg"] for market in SYMBOLS] == ["subscribe", "", ""]
    assert all(ack["op"] == "ping" and ack["ret_msg"] == "pong" for _, ack, *_ in answers.values())
    assert [answers[market][2]["success"] for market in SYMBOLS] == [False, True, True]  # spot: ten arguments


def test_a_connection_takes_topics_up_to_the_limit_of_their_characters_and_none_beyond(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = ["orderbook.50.BTCUSDT", "publicTrade.BTCUSDT", "orderbook.1.BTCUSDT"]
    monkeypatch.setattr("ringcollect.sim.bybit.venue._ARGS_CHARACTERS", sum(map(len, topics)))
    venue = BybitVenue({"linear": ("BTCUSDT",)}, 100.0, scene(tmp_path))
    peer = venue.open(0, "/v5/public/linear", 0)

    def asked(op: str, *args: str) -> dict:
        venue.receive(peer, json.dumps({"op": op, "args": args}), 0)
        texts = (json.loads(payload) for kind, payload in peer.drain(10**9) if kind == "text")
        return next(text for text in texts if "success" in text)

    assert all(asked("subscribe", topic)["success"] for topic in topics)
    refused = asked("subscribe", "tickers.BTCUSDT")
    assert not refused["success"] and refused["ret_msg"] == "args length exceeds the limit"
    assert asked("unsubscribe", topics[0])["success"]
    assert asked("subscribe", "tickers.BTCUSDT")["success"]
