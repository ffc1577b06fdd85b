"""After ``max_attempts`` failures in a row only a probe is made from time to time, and the ledger says so."""

from __future__ import annotations

import random

from ringcollect.feed.actions import Connect
from ringcollect.feed.backoff import Backoff
from ringcollect.feed.ledger import REASON_TEXT, Reason, State
from ringcollect.records import Channel, Status
from tests.feed.script import trade
from tests.feed.test_connections import connect_times

A = "AAAUSDT"
MINUTE = 60.0


def test_the_circuit_opens_for_four_times_the_longest_delay_then_for_eight_times():
    backoff = Backoff(1_000, 60_000, 0.0, random.Random(1), max_attempts=3)
    assert [backoff.next_ns() for _ in range(6)] == [1_000, 2_000, 240_000, 480_000, 480_000, 480_000]
    assert backoff.is_open
    backoff.reset()
    assert not backoff.is_open and backoff.next_ns() == 1_000


def test_without_a_limit_no_number_of_failures_opens_it():
    backoff = Backoff(1_000, 60_000, 0.0, random.Random(1))
    assert max(backoff.next_ns() for _ in range(1000)) == 60_000 and not backoff.is_open


def test_an_open_circuit_makes_one_probe_at_a_time_and_is_in_the_ledger(stage):
    s = stage(jitter=0.0, max_attempts=3, metadata_ns=10**9)
    s.advance(1)
    assert connect_times(s, 6) == [1.0, 2.0, 4 * MINUTE, 8 * MINUTE, 8 * MINUTE]
    row = s.ledger(A, Channel.TRADE)
    assert (row["state"], row["reason"]) == (State.STALE, Reason.CIRCUIT_OPEN)
    assert "probe" in REASON_TEXT[Reason.CIRCUIT_OPEN]
    said = [r for r in s.statuses(Status.STALE) if r["price"] == Reason.CIRCUIT_OPEN]
    assert len(said) == 6 and s.counter("circuits_opened") == 1  # once per stream, not once per probe


def test_a_probe_that_brings_data_closes_the_circuit(stage):
    s = stage(jitter=0.0, max_attempts=2, metadata_ns=10**9)
    s.advance(1)
    connect_times(s, 3)
    while not (connects := s.take(Connect)):
        s.advance(1)
    s.session.open(connects[0].conn, connects[0].url, s.now)
    s._collect()
    s.ack()
    assert s.ledger(A, Channel.TRADE)["reason"] != Reason.CIRCUIT_OPEN
    s.frame(trade(A, 1), connects[0].conn)
    s.session.close(connects[0].conn, 1006, "cut", s.now)
    s._collect()
    s.advance(1.1)
    assert len(s.take(Connect)) == 1
