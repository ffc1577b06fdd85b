"""A connection is replaced before it ends, against every simulated exchange: nothing is missing, or there twice."""

from __future__ import annotations

import numpy as np
import pytest

from ringcollect.exchanges import load
from ringcollect.feed.ledger import State
from ringcollect.records import Flag, Kind, Status
from ringcollect.sim.solo import KINDS
from tests.sim.test_redundancy_sim import SECONDS, book_of, content, desk, numbered
from tests.sim.test_redundancy_sim import clean as clean

BAD = Flag.GAP | Flag.DUPLICATE | Flag.UNSYNCED


def best(run) -> set[tuple]:
    """Best prices without their ids: the simulated OKX numbers what it sends to nobody, too."""
    return {row[:5] for row in content(run, Kind.BBO)}


def unbroken(run, plain, exchange: str) -> None:
    """The run has what one connection that nothing happens to has."""
    assert content(run, Kind.TRADE) == content(plain, Kind.TRADE)
    assert best(run) == best(plain)
    book = book_of(run)
    assert not book.broken and book.levels == book_of(plain).levels
    records = run.records()
    statuses = set(records["sub"][records["kind"] == Kind.STATUS])
    assert not statuses & {Status.SEQ_GAP, Status.DISCONNECTED, Status.RESYNC_FAILED}
    assert run.ring.counters["resyncs"] == 0 and {state for state, _ in run.ledger().values()} == {State.FLOWING}
    data = records[records["kind"] != Kind.STATUS]
    assert np.count_nonzero(data["flags"] & BAD) == np.count_nonzero(
        (plain.records()["flags"] & BAD)[plain.records()["kind"] != Kind.STATUS]
    )
    if numbered(exchange):
        deltas = data[data["kind"] == Kind.BOOK_DELTA]
        assert (np.diff(deltas["id"]) >= 0).all()


@pytest.mark.parametrize("exchange", sorted(KINDS))
def test_a_planned_replacement_overlaps_the_old_connection(exchange, clean, tmp_path):
    run = desk(tmp_path / "over", exchange)
    run.run(2.0)
    for leg in run.session.connections.legs:
        run.session.connections.handover.rollover(leg.number, run.now)
    run.run(SECONDS - 2.0)
    counted = run.ring.counters
    assert counted["rollovers"] == len(run.session.connections.legs) and counted["reconnects"] == 0
    assert {conn & 1 for conn in run.peers} == {1}  # every old one is closed
    unbroken(run, clean(exchange), exchange)


@pytest.mark.parametrize("exchange", [name for name in sorted(KINDS) if name == "okx"])
def test_a_notice_that_the_service_ends_is_acted_upon_before_it_does(exchange, clean, tmp_path):
    run = desk(tmp_path / "notice", exchange, "shutdown=2s")
    run.run(SECONDS)
    assert run.ring.counters["rollovers"] >= 1 and run.ring.counters["reconnects"] == 0
    unbroken(run, clean(exchange), exchange)


@pytest.mark.parametrize("exchange", sorted(KINDS))
def test_a_cut_without_notice_is_said_and_what_flows_afterwards_is_whole(exchange, tmp_path):
    run = desk(tmp_path / "cut", exchange, retry_first_ns=200_000_000)
    run.run(2.0)
    for conn in list(run.peers):
        run._drop(conn, 1006)
    run.run(SECONDS - 2.0)
    records = run.records()
    lost = records[(records["kind"] == Kind.STATUS) & (records["sub"] == Status.DISCONNECTED)]
    assert len(lost) == 3 and run.ring.counters["reconnects"] == len(run.session.connections.legs)
    assert {state for state, _ in run.ledger().values()} == {State.FLOWING}
    assert not book_of(run).broken
    after = records[(records["seq"] > lost["seq"].max()) & (records["kind"] == Kind.BBO)]
    assert after["flags"][0] & Flag.GAP


def test_every_exchange_says_how_long_a_connection_lives():
    for exchange in ("binance", *KINDS):
        for market in load(exchange).markets:
            assert load(exchange).limits(market).lifetime_ns >= 0
