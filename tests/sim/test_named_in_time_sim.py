"""Whatever does not come is named within its deadline, against every simulated exchange; the rest goes on."""

from __future__ import annotations

import pytest

from ringcollect.exchanges import load
from ringcollect.feed.ledger import Reason, State
from ringcollect.records import CHANNELS_BY_NAME, Kind, Status
from ringcollect.sim.solo import KINDS
from tests.sim.test_redundancy_sim import desk

DEADLINES = {"ack_ns": 2_000_000_000, "data_ns": 2_000_000_000}
WITH_ANSWERS = [name for name in sorted(KINDS) if load(name).acknowledges]


def only(run, *states: State) -> bool:
    return {state for state, _ in run.ledger().values()} <= set(states)


@pytest.mark.parametrize("exchange", WITH_ANSWERS)
def test_a_swallowed_acknowledgement_is_named_for_every_stream(exchange, tmp_path):
    run = desk(tmp_path / "run", exchange, "ack_swallow=1", **DEADLINES)
    run.run(4.0)
    reasons = {reason for _, reason in run.ledger().values()}
    assert only(run, State.STALE, State.REQUESTED) and reasons <= {Reason.NO_ACK, Reason.RESUBSCRIBED}
    records = run.records()
    stale = records[(records["kind"] == Kind.STATUS) & (records["sub"] == Status.STALE)]
    assert len({(row["instrument"], row["side"]) for row in stale}) == len(run.ledger())


@pytest.mark.parametrize("exchange", WITH_ANSWERS)
def test_what_was_swallowed_is_asked_for_again_until_it_flows(exchange, tmp_path):
    run = desk(tmp_path / "run", exchange, "ack_swallow=0.5", **DEADLINES)
    for _ in range(30):
        run.run(2.0)
        if only(run, State.FLOWING):
            break
    assert only(run, State.FLOWING), run.ledger()


@pytest.mark.parametrize("exchange", sorted(KINDS))
def test_a_stream_that_is_acknowledged_and_stays_silent_is_named_alone(exchange, tmp_path):
    run = desk(tmp_path / "run", exchange, "silent=*trade*,silent=*Trade*,silent=*match*", **DEADLINES)
    run.run(22.0)  # trades may take ten times as long as other data, and nothing is asked for before that
    trade = int(CHANNELS_BY_NAME["trade"])
    for (_, channel), (state, _) in run.ledger().items():
        assert (state is State.FLOWING) == (channel != trade)
    records = run.records()
    stale = records[(records["kind"] == Kind.STATUS) & (records["sub"] == Status.STALE)]
    assert set(stale["side"].tolist()) == {trade}
    assert run.ring.counters["resubscribes"] >= 1 and run.ring.counters["reconnects"] == 0
