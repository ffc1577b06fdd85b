"""A feed against the simulated Kraken: every channel flows, checksums agree, and a wrong one renews one book."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ringcollect.feed.ledger import Reason, State
from ringcollect.records import Channel, Flag, Kind, Status
from ringcollect.sim.kraken.venue import KrakenVenue
from ringcollect.sync.engine import Engine
from ringcollect.sync.settings import Parameters
from tests.exchanges.test_captured_books import Book
from tests.sim.venues import Desk, scene

SYMBOLS = ("BTC/USD", "ETH/USD")
ALL = ("book", "trade", "bbo")
DEPTH = 1000


def desk(folder: Path, faults: str = "", symbols: tuple[str, ...] = SYMBOLS, **options: float) -> Desk:
    return Desk(
        folder, "kraken", KrakenVenue(SYMBOLS, 100.0, scene(folder, faults)), {"spot": (symbols, ALL)}, **options
    )


def number(run: Desk, symbol: str) -> int:
    instrument = run.registry.get("spot", symbol)
    assert instrument is not None
    return instrument.number


def of(run: Desk, symbol: str, *kinds: Kind) -> np.ndarray:
    records = run.records()
    return records[np.isin(records["kind"], kinds) & (records["instrument"] == number(run, symbol))]


def settle(run: Desk) -> None:
    """Let what is under way arrive."""
    run.venue.finish()
    run.venue.scene.scheduler.run_until = lambda now_ns, most: True  # type: ignore[method-assign]  # the market stops
    run.run(0.05)


def check_books(run: Desk) -> None:
    """Whoever applies the ring by the one rule, depth included, has the venue's book."""
    for symbol, feed in run.venue.feeds.items():
        book = Book()
        for row in of(run, symbol, Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA):
            book.apply(row, DEPTH)
        bids, asks = feed.book(DEPTH)
        assert book.levels == {1: {float(p): float(q) for p, q in bids}, -1: {float(p): float(q) for p, q in asks}}


def test_every_channel_flows_and_books_trades_and_best_prices_are_the_venues(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(10)
    settle(run)
    assert {state for state, _ in run.ledger().values()} == {State.FLOWING}
    check_books(run)
    counters = run.ring.counters
    for zero in ("seq_gaps", "trade_gaps", "duplicates", "resyncs", "rejected", "reconnects", "silent_streams"):
        assert counters[zero] == 0, zero
    assert counters["control"] > 8  # heartbeats
    assert counters["frames_in"] == sum(counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    for symbol in SYMBOLS:
        matched = {line["id"]: line for line in run.truth("trade") if line["s"] == symbol}
        trades = of(run, symbol, Kind.TRADE)
        news = trades[(trades["flags"] & Flag.SNAPSHOT) == 0]
        assert len(news) > 20 and news["id"].tolist() == sorted(matched)[-len(news) :]
        for row in trades:
            line = matched[int(row["id"])]
            assert (row["price"], row["size"], row["side"]) == (float(line["p"]), float(line["q"]), line["side"])
        best = of(run, symbol, Kind.BBO)
        assert len(best) > 20 and all(best["price"][::2] < best["price"][1::2])
        row = run.registry.get("spot", symbol)
        assert row is not None and (row.unified, row.size_precision, row.book_depth) == (
            symbol.replace("/", "-"),
            8,
            DEPTH,
        )


def synchronizer(run: Desk) -> Engine:
    return Engine(Parameters(mode="orderbook"), run.registry.by_number)


def test_the_synchronizer_agrees_with_every_checksum(tmp_path: Path) -> None:
    """Among them those after levels that fell out of the depth, and prices that came twice in a frame."""
    run = desk(tmp_path)
    run.run(20)
    settle(run)
    engine = synchronizer(run)
    engine.collect(run.records())
    engine.collect_rest()
    counters = engine.counters()
    assert counters["checksums"] == len(of(run, "BTC/USD", Kind.BOOK_CHECK)) + len(of(run, "ETH/USD", Kind.BOOK_CHECK))
    assert counters["checksums"] > 500 and counters["checksums_bad"] == 0


def test_a_wrong_checksum_is_found_by_the_synchronizer_and_renews_that_book_alone(tmp_path: Path) -> None:
    run = desk(tmp_path, "checksum=0.002")
    engine, taken, asked = synchronizer(run), 0, []
    for _ in range(40):
        run.run(0.5)
        records = run.records()
        engine.collect(records[taken:])
        taken = len(records)
        for wanted in engine.resyncs():
            asked.append(wanted)
            run.session.resync(wanted, run.now)
    settle(run)
    bad = len(run.truth("fault"))
    assert bad >= 2 and len(asked) >= 2
    counters = run.ring.counters
    assert counters["resyncs_asked"] == len(asked) and counters["reconnects"] == 0
    assert engine.counters()["checksums_bad"] == len(asked)
    renewed = [json.loads(line["f"]) for line in run.truth("in") if '"unsubscribe"' in line["f"]]
    assert [one["params"]["symbol"] for one in renewed] == [
        [run.registry.by_number(wanted).symbol] for wanted in asked
    ]  # one symbol each: a storm would trip the venue's message rate
    check_books(run)


def test_lost_frames_show_by_the_checksum_and_gaps_of_trades_by_their_ids(tmp_path: Path) -> None:
    run = desk(tmp_path, "drop=0.02")
    engine, taken = synchronizer(run), 0
    for _ in range(20):
        run.run(0.5)
        records = run.records()
        engine.collect(records[taken:])
        taken = len(records)
        for wanted in engine.resyncs():
            run.session.resync(wanted, run.now)
    assert engine.counters()["checksums_bad"] > 0 and run.ring.counters["trade_gaps"] > 0
    gaps = run.records()
    gaps = gaps[(gaps["kind"] == Kind.STATUS) & (gaps["sub"] == Status.SEQ_GAP)]
    assert len(gaps) and set(gaps["side"].tolist()) == {Channel.TRADE}


def test_an_unknown_symbol_is_named_and_the_others_flow(tmp_path: Path) -> None:
    venue = KrakenVenue(("BTC/USD", "ETH/USD"), 100.0, scene(tmp_path))
    original = venue.get

    def with_one_more(target: str, now_ns: int):  # type: ignore[no-untyped-def]
        """The list still names a pair that the feed does not know."""
        found = original(target, now_ns)
        if found is None or "AssetPairs" not in target:
            return found
        body = json.loads(found.body)
        body["result"]["GONE"] = dict(next(iter(body["result"].values())), wsname="GONE/USD")
        return type(found)(found.status, found.headers, json.dumps(body))

    venue.get = with_one_more  # type: ignore[method-assign]
    run = Desk(tmp_path, "kraken", venue, {"spot": (("BTC/USD", "GONE/USD"), ALL)})
    run.run(5)
    ledger = run.ledger()
    assert all(ledger["GONE/USD", int(c)] == (State.FAILED, Reason.REFUSED) for c in (Channel.BOOK, Channel.TRADE))
    assert all(ledger["BTC/USD", int(c)][0] is State.FLOWING for c in (Channel.BOOK, Channel.TRADE, Channel.BBO))


def test_prints_re_sent_after_a_reconnect_are_no_news(tmp_path: Path) -> None:
    run = desk(tmp_path, "cut=4s")
    run.run(14)
    assert run.ring.counters["reconnects"] >= 2
    for symbol in SYMBOLS:
        trades = of(run, symbol, Kind.TRADE)
        news = trades[(trades["flags"] & Flag.SNAPSHOT) == 0]["id"]
        assert len(news) == len(set(news.tolist())) > 20
