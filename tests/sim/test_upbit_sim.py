"""A feed against the simulated Upbit: binary frames, no acknowledgements, complete books, requests that replace."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ringcollect.feed.ledger import State
from ringcollect.records import Channel, Flag, Kind, Status
from ringcollect.sim.upbit.venue import UpbitVenue
from tests.exchanges.test_captured_books import Book
from tests.sim.venues import MS, Desk, scene

SYMBOLS = ("KRW-BTC", "BTC-ETH", "USDT-XRP")
ALL = ("book", "trade", "bbo")


def desk(folder: Path, faults: str = "", symbols: tuple[str, ...] = SYMBOLS, **venue: tuple[str, ...]) -> Desk:
    return Desk(folder, "upbit", UpbitVenue(SYMBOLS, 90.0, scene(folder, faults), **venue), {"spot": (symbols, ALL)})


def number(run: Desk, symbol: str) -> int:
    instrument = run.registry.get("spot", symbol)
    assert instrument is not None
    return instrument.number


def told(run: Desk, symbol: str) -> tuple[dict[float, float], dict[float, float]]:
    """The book the venue told last."""
    bids, asks = run.venue.feeds[symbol].book()
    return {float(p): float(q) for p, q in bids}, {float(p): float(q) for p, q in asks}


def test_books_best_prices_and_trades_are_the_venues(tmp_path: Path) -> None:
    run = desk(tmp_path, thin=("BTC-ETH",))
    run.run(10)
    records = run.records()
    assert {state for state, _ in run.ledger().values()} == {State.FLOWING}
    for symbol in SYMBOLS:
        mine = records[records["instrument"] == number(run, symbol)]
        book = Book()
        for row in mine[mine["kind"] == Kind.BOOK_SNAPSHOT]:
            book.apply(row)
        bids, asks = told(run, symbol)
        assert (book.levels[1], book.levels[-1]) == (bids, asks)
        assert len(asks) == 30 and len(bids) == (15 if symbol == "BTC-ETH" else 30)
        best = mine[mine["kind"] == Kind.BBO][-2:]
        assert best["price"].tolist() == [max(bids), min(asks)]
        trades = mine[(mine["kind"] == Kind.TRADE) & ((mine["flags"] & Flag.SNAPSHOT) == 0)]
        matched = [line for line in run.truth("trade") if line["s"] == symbol][-len(trades) :]
        assert len(trades) > 20
        for row, line in zip(trades, matched, strict=True):
            assert (row["id"], row["price"], row["size"]) == (line["id"], float(line["p"]), float(line["q"]))
            assert (row["side"], row["ts_event"]) == (line["side"], line["t"] // MS * MS)
    counters = run.ring.counters
    for zero in ("seq_gaps", "trade_gaps", "rejected", "resyncs", "reconnects"):
        assert counters[zero] == 0, zero  # ids that go backwards are not dense: no gap, no loss


def test_what_is_sent_first_is_history_and_what_follows_drives_the_clock(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(2)
    records = run.records()
    books = records[(records["kind"] == Kind.BOOK_SNAPSHOT) & (records["flags"] & Flag.CLEAR != 0)]
    first = books[books["instrument"] == number(run, "KRW-BTC")]
    assert [bool(flags & Flag.SNAPSHOT) for flags in first["flags"][:3]] == [True, False, False]


def test_an_unknown_code_is_silence_that_the_ledger_names(tmp_path: Path) -> None:
    run = desk(tmp_path, "silent=trade*KRW-BTC", symbols=("KRW-BTC",))
    run.run(5)
    assert run.ledger()["KRW-BTC", int(Channel.BOOK)][0] is State.FLOWING
    assert run.ledger()["KRW-BTC", int(Channel.TRADE)][0] is State.ACKED  # as far as anybody can know
    run.run(320)
    records = run.records()
    stale = records[(records["kind"] == Kind.STATUS) & (records["sub"] == Status.STALE)]
    assert set(stale["side"].tolist()) == {Channel.TRADE}
    assert run.ring.counters["silent_streams"] >= 1
    assert run.ledger()["KRW-BTC", int(Channel.BOOK)][0] is State.FLOWING  # the others never stop


def test_the_connection_is_kept_by_pings_that_are_answered(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(70)
    assert sum(line["f"] == "PING" for line in run.truth("in")) >= 2
    assert run.ring.counters["reconnects"] == 0


def test_a_request_replaces_the_one_before_and_bad_ones_are_refused_with_the_connection_open(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(1)
    (peer,) = run.peers.values()
    for text in ("x", "[]", '[{"ticket":"x"}]', '[{"ticket":"x"},{"type":"trade"}]', '[{"type":"trade"}]'):
        run.venue.receive(peer, text, run.now)
        run.now += 1_000_000_000
    assert len(peer.streams) == 6 and not peer.closed
    run.venue.receive(peer, '[{"ticket":"x"},{"type":"trade","codes":["KRW-BTC","KRW-NONE"]}]', run.now)
    assert list(peer.streams) == ["trade:KRW-BTC"]
    run.run(1)
    assert run.ring.counters["rejected"] == 0


def test_the_format_simple_gives_the_same_records(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(1)
    (peer,) = run.peers.values()
    before = len(run.records())
    parts = '{"type":"orderbook","codes":["KRW-BTC"]},{"type":"trade","codes":["KRW-BTC"]},{"format":"SIMPLE"}'
    run.venue.receive(peer, f'[{{"ticket":"x"}},{parts}]', run.now)
    run.run(3)
    later = run.records()[before:]
    assert {Kind.BOOK_SNAPSHOT, Kind.TRADE} <= {Kind(int(kind)) for kind in np.unique(later["kind"])}
    assert run.ring.counters["rejected"] == 0
