"""Two connections per shard against every simulated exchange: frames lost on one of them are not missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ringcollect.exchanges import load
from ringcollect.feed.ledger import State
from ringcollect.records import Channel, Flag, Kind, Status
from ringcollect.sim.faults import FaultPlan
from ringcollect.sim.peer import Peer
from ringcollect.sim.solo import KINDS
from tests.feed.script import BookOf
from tests.sim.venues import Desk, scene

CHANNELS = ("book", "trade", "bbo")
CONTENT = ["instrument", "kind", "side", "price", "size", "id", "aux"]
SECONDS = 5.0
STANDING_BY = 1
BOOK_KINDS = (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA)


def numbered(exchange: str) -> bool:
    """Its books' updates have ids by which those of two connections can be told apart."""
    return load(exchange).numbered_books(KINDS[exchange].markets[0])


class Peers(dict[int, Peer]):
    """Connections of a desk; those of the legs with ``lossy`` parity lose a share of their frames."""

    def __init__(self, lossy: int, drop: float) -> None:
        super().__init__()
        self.lossy, self.plan = lossy, FaultPlan(drop=drop)

    def __setitem__(self, conn: int, peer: Peer) -> None:
        if conn // 2 % 2 == self.lossy:
            peer._plan = self.plan
        super().__setitem__(conn, peer)


def desk(folder: Path, exchange: str, faults: str = "", **options: Any) -> Desk:
    """One market of the exchange, its first symbol that is there."""
    kind = KINDS[exchange]
    folder.mkdir()
    return Desk(
        folder, exchange, kind.make(kind.symbols, 200.0, scene(folder, faults)),
        {kind.markets[0]: (kind.symbols[:1], CHANNELS)}, **options,
    )  # fmt: skip


def content(run: Desk, kind: Kind) -> list[tuple]:
    """What the records of a kind say, but for the time and the way they came by."""
    records = run.records()
    return sorted(tuple(r[CONTENT].tolist()) for r in records[records["kind"] == kind])


def book_of(run: Desk) -> BookOf:
    records = run.records()
    return BookOf().apply(records[np.isin(records["kind"], BOOK_KINDS)])


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Any:
    """What a single connection without faults gets, by exchange."""
    runs: dict[str, Desk] = {}

    def of(exchange: str) -> Desk:
        if exchange not in runs:
            runs[exchange] = desk(tmp_path_factory.mktemp("clean") / exchange, exchange)
            runs[exchange].run(SECONDS)
        return runs[exchange]

    return of


@pytest.mark.parametrize("lossy", [0, 1])
@pytest.mark.parametrize("exchange", sorted(KINDS))
def test_frames_lost_at_random_on_one_connection_are_not_missing(exchange, lossy, clean, tmp_path):
    run = desk(tmp_path / "pair", exchange, redundancy=2)
    run.peers = Peers(lossy, 0.05)
    run.run(SECONDS)
    plain = clean(exchange)
    assert len([fault for fault in run.truth("fault") if fault["fault"] == "drop"]) >= 2
    assert content(run, Kind.TRADE) == content(plain, Kind.TRADE)
    assert set(content(run, Kind.BBO)) == set(content(plain, Kind.BBO))
    counted, alone = run.ring.counters, plain.ring.counters
    for equal in ("trade_gaps", "seq_gaps", "duplicates", "silent_streams", "rejected"):
        assert counted[equal] == alone[equal], equal
    assert counted["dropped_duplicates"] > 20
    records = run.records()
    gaps = records[(records["kind"] == Kind.STATUS) & (records["sub"] == Status.SEQ_GAP)]
    if numbered(exchange):
        assert counted["resyncs"] == 0
        deltas = records[(records["kind"] == Kind.BOOK_DELTA) & ((records["flags"] & Flag.UNSYNCED) == 0)]
        assert (np.diff(deltas["id"]) >= 0).all()
    if numbered(exchange) or lossy == STANDING_BY:
        book = book_of(run)
        assert not book.broken and book.levels == book_of(plain).levels and not len(gaps)
    assert set(gaps["side"]) <= {Channel.BOOK}  # that of the connection the book follows, which begins anew


@pytest.mark.parametrize("deaf", [0, 1])
@pytest.mark.parametrize("exchange", sorted(KINDS))
def test_what_one_of_two_connections_asked_for_in_vain_it_asks_for_again_within_the_deadline(exchange, deaf, tmp_path):
    """All requests of one leg are swallowed at first; the other leg's data does not hide it."""
    run = desk(tmp_path / "pair", exchange, redundancy=2, ack_ns=2_000_000_000)
    hear, since = run.venue.receive, run.now
    swallowed: list[str] = []

    def receive(peer, text, now_ns) -> None:
        if peer.number == deaf and now_ns < since + 10**9:
            swallowed.append(text)
            return
        hear(peer, text, now_ns)

    run.venue.receive = receive
    run.run(1.9)
    assert swallowed and {state for state, _ in run.ledger().values()} <= {State.FLOWING, State.ACKED}
    conn = next(conn for conn, peer in run.peers.items() if peer.number == deaf)
    records = run.records()
    assert conn not in records[records["kind"] != Kind.STATUS]["conn"]
    before = len(records)
    run.run(4.5)
    flowing = {key for socket in run.session.connections.sockets.values() for key in socket.flowing}
    assert run.session.connections.sockets[conn].flowing == flowing and len(flowing) == len(CHANNELS)
    later = run.records()[before:]
    assert not (later["sub"][later["kind"] == Kind.STATUS] == Status.STALE).any()
    counters = run.ring.counters
    assert counters["resubscribes"] >= 1 and counters["reconnects"] == counters["silent_streams"] == 0
    assert not book_of(run).broken


@pytest.mark.parametrize("exchange", [exchange for exchange in sorted(KINDS) if not numbered(exchange)])
def test_a_book_without_ids_follows_one_connection_and_the_other_takes_over_with_a_snapshot_of_its_own(
    exchange, clean, tmp_path
):
    run = desk(tmp_path / "pair", exchange, redundancy=2)
    run.run(SECONDS / 2)
    records = run.records()
    books = records[np.isin(records["kind"], BOOK_KINDS)]
    assert set(books["conn"]) == {0} and len(books)
    run._drop(0, 1006)
    before = len(records)
    run.run(SECONDS / 2)
    later = run.records()[before:]
    books = later[np.isin(later["kind"], BOOK_KINDS)]
    assert set(books["conn"]) == {2} and books["flags"][0] & Flag.CLEAR
    book = book_of(run)
    assert not book.broken and book.levels == book_of(clean(exchange)).levels
    assert content(run, Kind.TRADE) == content(clean(exchange), Kind.TRADE)
    assert {state for state, _ in run.ledger().values()} == {State.FLOWING}
    assert run.ring.counters["reconnects"] == 1
