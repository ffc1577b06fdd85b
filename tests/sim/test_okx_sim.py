"""A feed against the simulated OKX: every channel flows, every trap of the venue is met, the books are the venue's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ringcollect.feed.ledger import Reason, State
from ringcollect.records import Channel, Flag, Kind
from ringcollect.sim.okx.venue import OkxVenue
from tests.exchanges.test_captured_books import Book
from tests.sim.venues import MS, T0, Desk, scene

SPOT = ("book", "trade", "bbo")
DERIVATIVE = (*SPOT, "mark_price", "index_price", "funding", "open_interest", "liquidation")
SYMBOLS = ("BTC-USDT", "BTC-USDT-SWAP", "BTC-USD-SWAP", "BTC-USD-261225")
MARKETS = {
    "spot": (("BTC-USDT",), SPOT),
    "linear": (("BTC-USDT-SWAP",), DERIVATIVE),
    "inverse": (("BTC-USD-SWAP",), DERIVATIVE),
}


def desk(folder: Path, faults: str = "", markets: dict = MARKETS, **venue: bool) -> Desk:
    return Desk(folder, "okx", OkxVenue(SYMBOLS, 100.0, scene(folder, faults), **venue), markets)


def number(run: Desk, symbol: str) -> int:
    market = {"BTC-USDT": "spot", "BTC-USDT-SWAP": "linear"}.get(symbol, "inverse")
    instrument = run.registry.get(market, symbol)
    assert instrument is not None
    return instrument.number


def check_books(run: Desk, symbols: tuple[str, ...] = SYMBOLS[:3]) -> None:
    """Whoever applies the ring by the one rule has the venue's book."""
    records = run.records()
    for symbol in symbols:
        book = Book()
        kinds = np.isin(records["kind"], (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA))
        for row in records[kinds & (records["instrument"] == number(run, symbol))]:
            book.apply(row)
        bids, asks = run.venue.feeds[symbol].book()
        assert book.levels[1] == {float(p): float(q) for p, q in bids}, symbol
        assert book.levels[-1] == {float(p): float(q) for p, q in asks}, symbol


def settle(run: Desk) -> None:
    """Let what is under way arrive."""
    for feed in run.venue.feeds.values():
        feed.finish()
    run.venue.scene.scheduler.run_until = lambda now_ns, most: True  # type: ignore[method-assign]  # the market stops
    run.run(0.05)


def test_every_channel_of_every_market_flows_and_the_books_are_the_venues(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(12)
    settle(run)
    for (symbol, channel), (state, reason) in run.ledger().items():
        allowed = {State.FLOWING} | ({State.ACKED} if channel in (Channel.LIQUIDATION, Channel.FUNDING) else set())
        assert state in allowed, (symbol, channel, reason)
    check_books(run)
    counters = run.ring.counters
    for zero in ("seq_gaps", "trade_gaps", "duplicates", "resyncs", "rejected", "out_of_order"):
        assert counters[zero] == 0, zero
    records = run.records()
    names = {Kind.MARK_PRICE, Kind.INDEX_PRICE, Kind.FUNDING, Kind.OPEN_INTEREST, Kind.TRADE, Kind.BBO}
    assert names <= {Kind(int(kind)) for kind in np.unique(records["kind"])}
    instrument = run.registry.by_number(number(run, "BTC-USDT-SWAP"))
    assert (instrument.size_unit, instrument.multiplier, instrument.inverse) == ("contract", 0.01, False)


def test_trades_are_those_the_venue_matched_merged_as_it_merged_them(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(10)
    settle(run)
    records = run.records()
    for symbol in SYMBOLS[:3]:
        trades = records[(records["kind"] == Kind.TRADE) & (records["instrument"] == number(run, symbol))]
        trades = trades[(trades["flags"] & Flag.SNAPSHOT) == 0]
        matched = {line["id"]: line for line in run.truth("trade") if line["s"] == symbol}
        assert len(trades) > 20
        for row in trades:
            line = matched[int(row["id"])]
            assert (row["price"], row["size"], row["side"]) == (float(line["p"]), float(line["q"]), line["side"])
            assert (row["aux"], row["sub"]) == (line["id"] - line["n"] + 1, 16)
            assert row["ts_event"] == line["t"] // MS * MS
        assert max(line["n"] for line in matched.values()) > 1
        later = [identity for identity in matched if identity >= trades["id"][0]]
        assert trades["id"].tolist() == sorted(later)


def test_a_lost_push_breaks_the_chain_and_only_that_book_is_renewed(tmp_path: Path) -> None:
    run = desk(tmp_path, "gap=0.01")
    run.run(20)
    counters = run.ring.counters
    assert counters["seq_gaps"] > 0 and counters["resyncs"] == counters["seq_gaps"]
    run.venue._lost_push = lambda stream, key: False
    for feed in run.venue.feeds.values():
        feed._lose = lambda stream, key: False
    run.run(70)
    settle(run)
    check_books(run)
    assert counters["reconnects"] == 0


def test_a_reset_of_the_sequence_after_maintenance_is_no_gap(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(3)
    for feed in run.venue.feeds.values():
        feed.reset_sequence()
    run.run(3)
    settle(run)
    assert run.ring.counters["seq_gaps"] == run.ring.counters["resyncs"] == 0
    check_books(run)


def snapshots(run: Desk, symbol: str) -> np.ndarray:
    """First records of the symbol's snapshots."""
    records = run.records()
    mine = records[(records["kind"] == Kind.BOOK_SNAPSHOT) & (records["instrument"] == number(run, symbol))]
    return mine[(mine["flags"] & Flag.CLEAR) != 0]


def cached(run: Desk) -> None:
    """REST answers with books that are up to half a second old."""
    scheduler = run.venue.scene.scheduler
    for feed in run.venue.feeds.values():
        kept: list[dict] = []

        def keep(due_ns: int, kept: list[dict] = kept, snapshot: Callable[[int], dict] = feed.snapshot) -> int:
            kept[:] = [snapshot(T0 + due_ns)]
            return due_ns + 500 * MS

        feed.snapshot = lambda now_ns, kept=kept: kept[0]
        scheduler.add(0, keep)


def test_where_subscriptions_bring_no_book_any_more_rest_is_asked_and_spliced(tmp_path: Path) -> None:
    run = desk(tmp_path, snapshots=False)
    cached(run)
    run.run(20)
    assert run.ring.counters["snapshot_fetches"] == 0  # one lost frame is no reason: a second subscription is tried
    run.run(10)
    fetched = run.ring.counters["snapshot_fetches"]
    assert fetched >= 3
    for symbol in SYMBOLS[:3]:
        base = snapshots(run, symbol)
        assert len(base) == 1 and base["flags"][0] & Flag.REST
    records = run.records()
    books = records[np.isin(records["kind"], (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA))]
    assert (books["flags"] & Flag.REPLAYED).any()  # what came while REST was asked follows its answer
    settle(run)
    check_books(run)
    assert {state for (_, c), (state, _) in run.ledger().items() if c == Channel.BOOK} == {State.FLOWING}
    counters = run.ring.counters
    for zero in ("seq_gaps", "reconnects", "rejected", "rest_errors", "held_overflows"):
        assert counters[zero] == 0, zero


def test_a_gap_of_a_book_from_rest_is_closed_by_rest_without_a_new_subscription(tmp_path: Path) -> None:
    run = desk(tmp_path, snapshots=False)
    run.run(30)
    asked = len(run.truth("in"))
    fetched = run.ring.counters["snapshot_fetches"]
    lost = iter([True])
    run.venue.feeds["BTC-USDT"]._lose = lambda stream, key: next(lost, False)
    run.run(5)
    settle(run)
    check_books(run)
    assert (run.ring.counters["seq_gaps"], run.ring.counters["snapshot_fetches"]) == (1, fetched + 1)
    assert len(snapshots(run, "BTC-USDT")) == 2 and len(snapshots(run, "BTC-USDT-SWAP")) == 1
    assert not any('"books"' in line["f"] for line in run.truth("in")[asked:])


def test_a_snapshot_that_comes_by_the_stream_again_is_the_base_again(tmp_path: Path) -> None:
    run = desk(tmp_path, snapshots=False)
    run.run(30)
    run.venue.snapshots = True
    run._drop(next(iter(run.peers)), 1006)
    run.run(10)
    settle(run)
    check_books(run)
    last = snapshots(run, "BTC-USDT")[-1]
    assert last["ts_recv"] > T0 + 30 * 1000 * MS and not last["flags"] & Flag.REST


def test_checksums_of_before_june_2026_are_kept_and_zero_ones_are_not_there(tmp_path: Path) -> None:
    for checksums in (True, False):
        folder = tmp_path / str(checksums)
        folder.mkdir()
        run = desk(folder, checksums=checksums)
        run.run(2)
        assert (Kind.BOOK_CHECK in run.records()["kind"]) == checksums
        check_books(run) if not checksums else settle(run)


def test_an_unknown_symbol_is_refused_by_name_and_the_socket_stays(tmp_path: Path) -> None:
    run = desk(tmp_path)
    run.run(1)
    peer = next(iter(run.peers.values()))
    run.venue.receive(peer, '{"op":"subscribe","args":[{"channel":"trades","instId":"NO-SUCH"}]}', run.now)
    run.run(1)
    assert not peer.closed
    assert run.ring.counters["rejected"] == 0


def test_the_text_ping_keeps_the_connection_that_the_venue_would_cut_after_30_s(tmp_path: Path) -> None:
    run = desk(tmp_path, markets={"spot": (("BTC-USDT",), ("trade",))})
    run.run(65)
    assert run.ring.counters["reconnects"] == 0
    assert any(line["f"] == "ping" for line in run.truth("in"))
    assert run.ring.counters["rejected"] == 0  # pong is no JSON


def test_a_service_upgrade_is_met_with_a_new_connection_before_the_old_one_ends(tmp_path: Path) -> None:
    run = desk(tmp_path, "shutdown=5s")
    run.run(12)
    counters = run.ring.counters
    assert counters["rollovers"] >= 3 and counters["reconnects"] == 0
    assert counters["trade_ids_missing"] == 0


def test_a_cut_connection_comes_back_with_the_last_trade_as_history(tmp_path: Path) -> None:
    run = desk(tmp_path, "cut=6s")
    run.run(15)
    counters = run.ring.counters
    assert counters["reconnects"] >= 3
    records = run.records()
    assert ((records["kind"] == Kind.TRADE) & ((records["flags"] & Flag.SNAPSHOT) != 0)).any()


@pytest.mark.parametrize("faults", ["drop=0.01", "dup=0.01", "reorder=0.01", "drop=0.005,dup=0.005,reorder=0.005"])
def test_whatever_the_line_does_the_books_end_as_the_venues(tmp_path: Path, faults: str) -> None:
    run = desk(tmp_path, faults)
    run.run(15)
    for peer in run.peers.values():  # the line mends itself
        peer._plan = scene(tmp_path / "quiet").plan
    run.run(70)
    settle(run)
    check_books(run)


def test_a_swallowed_request_is_named_and_asked_again(tmp_path: Path) -> None:
    run = desk(tmp_path, "ack_swallow=1")
    run.run(11)
    assert {reason for _, reason in run.ledger().values()} >= {Reason.NO_ACK} or run.ring.counters["silent_streams"] > 0


def test_every_change_of_the_best_prices_has_a_sequence_of_its_own(tmp_path: Path) -> None:
    run = desk(tmp_path, markets={"spot": (("BTC-USDT",), ("book", "bbo"))})
    run.run(8)
    records = run.records()
    best = records[records["kind"] == Kind.BBO]
    assert len(best) > 100 and not np.any(best["flags"] & int(Flag.SNAPSHOT))
    assert np.all(np.diff(best["id"][::2]) > 0)
    assert run.ring.counters["seq_gaps"] == run.ring.counters["out_of_order"] == 0
