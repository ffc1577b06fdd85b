"""A feed against the simulated Deribit: all flows, books and trades are the venue's, a hole renews one book."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ringcollect.feed.ledger import Reason, State
from ringcollect.records import Channel, Flag, Kind, Status, TradeSub
from ringcollect.sim.deribit.venue import DeribitVenue
from tests.exchanges.test_captured_books import Book
from tests.sim.venues import Desk, scene

INVERSE, LINEAR = ("BTC-PERPETUAL", "ETH-25DEC26"), ("BTC_USDC-PERPETUAL",)
ALL = ("book", "trade", "bbo", "mark_price", "index_price", "funding", "open_interest")
DATED = tuple(name for name in ALL if name != "funding")
NONE_OF = ("seq_gaps", "trade_gaps", "duplicates", "resyncs", "rejected", "reconnects", "silent_streams")


def desk(folder: Path, faults: str = "", **options: float) -> Desk:
    venue = DeribitVenue((*INVERSE, *LINEAR), 150.0, scene(folder, faults))
    return Desk(folder, "deribit", venue, {"inverse": (INVERSE[:1], ALL), "linear": (LINEAR, ALL)}, **options)


def of(run: Desk, symbol: str, *kinds: Kind) -> np.ndarray:
    market = "linear" if "_" in symbol else "inverse"
    instrument = run.registry.get(market, symbol)
    assert instrument is not None
    records = run.records()
    return records[np.isin(records["kind"], kinds) & (records["instrument"] == instrument.number)]


def settle(run: Desk) -> None:
    """Let what is under way arrive."""
    run.venue.finish()
    run.venue.scene.scheduler.run_until = lambda now_ns, most: True  # type: ignore[method-assign]  # the market stops
    run.run(0.05)


def check_books(run: Desk) -> None:
    """Whoever applies the ring by the one rule has the venue's book."""
    for symbol in (INVERSE[0], *LINEAR):
        book = Book()
        for row in of(run, symbol, Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA):
            if not row["flags"] & Flag.UNSYNCED:
                book.apply(row, 0)
        bids, asks = run.venue.feeds[symbol].book()
        assert book.levels == {1: {float(p): float(q) for p, q in bids}, -1: {float(p): float(q) for p, q in asks}}


def test_every_channel_flows_and_books_trades_and_values_are_the_venues(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(30)
    settle(run)
    assert {state for state, _ in run.ledger().values()} == {State.FLOWING} and len(run.ledger()) == 14
    check_books(run)
    counters = run.ring.counters
    assert {name: counters[name] for name in NONE_OF} == dict.fromkeys(NONE_OF, 0)
    assert counters["control"] == 4  # two answers, two tests
    assert counters["frames_in"] == sum(counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    for symbol in (INVERSE[0], *LINEAR):
        matched = {line["id"]: line for line in run.truth("trade") if line["s"] == symbol}
        trades = of(run, symbol, Kind.TRADE)
        assert len(trades) > 50 and trades["id"].tolist() == sorted(matched)[-len(trades) :]
        for row in trades:
            line = matched[int(row["id"])]
            assert (row["price"], row["size"], row["side"]) == (float(line["p"]), float(line["q"]), line["side"])
            assert row["sub"] == (TradeSub.LIQUIDATION if line["forced"] else TradeSub.ORDINARY)
        best = of(run, symbol, Kind.BBO)
        assert len(best) > 50 and all(best["price"][::2] < best["price"][1::2])
        funding = of(run, symbol, Kind.FUNDING)
        assert set(funding["price"].tolist()) == {-0.00010782} and set(funding["id"].tolist()) == {8 * 3600 * 10**9}
    inverse, linear = run.registry.get("inverse", INVERSE[0]), run.registry.get("linear", LINEAR[0])
    assert inverse is not None and linear is not None
    assert (inverse.unified, inverse.size_unit, inverse.lot_size) == ("BTC-USD-PERP", "quote", 10)
    assert (linear.unified, linear.size_unit, linear.lot_size) == ("BTC-USDC-PERP", "base", 0.001)


def test_a_skipped_change_renews_that_book_alone(tmp_path: Path) -> None:
    run = desk(tmp_path, "gap=0.003")
    run.run(40)
    settle(run)
    gaps = run.truth("fault")
    counters = run.ring.counters
    assert len(gaps) >= 2 and counters["seq_gaps"] >= 2 and counters["reconnects"] == 0
    missed = run.records()
    missed = missed[(missed["kind"] == Kind.STATUS) & (missed["sub"] == Status.SEQ_GAP)]
    assert set(missed["side"].tolist()) == {Channel.BOOK} and counters["trade_gaps"] == 0
    asked = [json.loads(line["f"]) for line in run.truth("in") if "unsubscribe" in line["f"]]
    assert len(asked) == counters["resyncs"] > 0
    lost = {line["stream"] for line in gaps}
    assert all(one["params"]["channels"][0] in lost and len(one["params"]["channels"]) == 1 for one in asked)
    check_books(run)


def test_faults_leave_the_books_right_and_every_loss_told(tmp_path: Path) -> None:
    run = desk(tmp_path, "drop=0.01,dup=0.01,reorder=0.01,garbage=0.01,cut=15s")
    run.run(40)
    for peer in run.peers.values():  # the line mends itself
        peer._plan = scene(tmp_path / "quiet").plan
    run.run(12)
    settle(run)
    check_books(run)
    counters = run.ring.counters
    assert counters["seq_gaps"] > 0 and counters["trade_gaps"] > 0 and counters["reconnects"] >= 2
    assert counters["frames_in"] == sum(counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    records = run.records()
    told = records[(records["kind"] == Kind.STATUS) & (records["sub"] == Status.SEQ_GAP)]
    lost = 0
    for symbol in (INVERSE[0], *LINEAR):
        trades = of(run, symbol, Kind.TRADE)
        news = trades[(trades["flags"] & (Flag.DUPLICATE | Flag.SNAPSHOT)) == 0]["id"].tolist()
        assert len(news) == len(set(news)) > 50
        sent = {line["id"] for line in run.truth("trade") if line["s"] == symbol}
        missing = {identity for identity in sent if min(news) < identity < max(news)} - set(news)
        instrument = run.registry.get("linear" if "_" in symbol else "inverse", symbol)
        assert instrument is not None
        mine = told[(told["instrument"] == instrument.number) & (told["side"] == Channel.TRADE)]
        named = {identity for row in mine for identity in range(int(row["id"]), int(row["aux"]))}
        assert missing <= named <= missing | set(news)  # of those told, some came late
        lost += len(missing)
    assert 0 < lost <= counters["trade_ids_missing"]


def test_an_instrument_the_venue_does_not_know_fails_and_the_others_flow(tmp_path: Path) -> None:
    venue = DeribitVenue(INVERSE, 60.0, scene(tmp_path))
    original = venue.get

    def with_one_more(target: str, now_ns: int):  # type: ignore[no-untyped-def]
        """The list still names an instrument that the feed does not know."""
        found = original(target, now_ns)
        if found is None or "get_instruments" not in target:
            return found
        body = json.loads(found.body)
        body["result"].append(dict(body["result"][0], instrument_name="GONE-PERPETUAL"))
        return type(found)(found.status, found.headers, json.dumps(body))

    venue.get = with_one_more  # type: ignore[method-assign]
    run = Desk(tmp_path, "deribit", venue, {"inverse": ((INVERSE[1], "GONE-PERPETUAL"), DATED)})
    run.run(60)
    ledger = run.ledger()
    assert {ledger["GONE-PERPETUAL", int(c)] for c in (Channel.BOOK, Channel.TRADE)} == {(State.FAILED, Reason.REFUSED)}
    assert {ledger[INVERSE[1], int(c)][0] for c in (Channel.BOOK, Channel.TRADE, Channel.BBO)} == {State.FLOWING}


def test_a_quiet_connection_is_kept_by_our_tests_and_a_bad_request_is_refused(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(2)
    conn = next(iter(run.peers))
    peer = run.peers[conn]
    for text in ("{", '{"id":3,"method":"public/other"}', '{"id":4,"method":"public/subscribe","params":{}}'):
        run.venue.receive(peer, text, run.now)
    codes = [
        json.loads(payload)["error"]["code"] for _, payload in peer.drain(run.now) if b'"error"' in payload
    ]  # fmt: skip
    assert codes == [-32600, -32601, -32602]
    run.run(90)
    assert run.ring.counters["reconnects"] == 0  # it cuts who says nothing for a minute
