"""A session is a function of its inputs: the same twice, or played back from the frame ring, give the same bytes."""

from __future__ import annotations

import pytest

from ringcollect.feed import recording
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.records import Status
from ringcollect.ring.frames import Direction
from tests.feed.scene import play
from tests.feed.script import Stage


def bytes_of(s: Stage) -> bytes:
    return s.records().tobytes()


@pytest.mark.parametrize("market", ["spot", "linear"])
def test_the_same_inputs_twice_give_the_same_bytes(stage, market):
    outcomes = []
    for _ in range(2):
        s = stage(market=market, seed=7)
        play(s, 3, 400, faults=0.05)
        s.session.stop(s.now)
        outcomes.append((bytes_of(s), dict(s.ring.counters)))
    assert outcomes[0] == outcomes[1]


def test_another_seed_gives_other_waits(stage):
    first, second = stage(seed=1), stage(seed=2)
    for s in (first, second):
        play(s, 3, 300, faults=0.1)
    assert bytes_of(first) != bytes_of(second)


@pytest.mark.parametrize("market", ["spot", "linear"])
@pytest.mark.parametrize("seed", range(3))
def test_what_was_recorded_plays_back_to_the_same_ring_byte_for_byte(stage, market, seed):
    live = stage(market=market, seed=seed, record_frames=True)
    play(live, seed, 400, faults=0.06)
    live.session.clock_step(10**9, live.now)
    live.session.clock_quality(0.002, 0.01, live.now)
    live.session.clock_quality(None, 16.0, live.now)
    live.session.books_wanted(live.now)
    assert len(live.statuses(Status.BOOKS_WANTED)) == 1
    live.session.stop(live.now)
    entries = [e for e in live.entries() if e.direction is not Direction.REJECT]
    plan = recording.plan_of(entries[0])
    assert plan == live.plan
    replay = stage(market=market, start=False)
    registry = Registry(None, "binance")
    session = Session(plan, replay.exchange, registry, replay.ring, None)
    for entry in entries:
        recording.apply(session, entry)
        session.actions()
    assert bytes_of(replay) == bytes_of(live)
    differ = {n for n in live.ring.counters if live.ring.counters[n] != replay.ring.counters[n]}
    assert differ <= {"frame_errors"}


def test_a_recording_of_a_session_that_knew_instruments_before_carries_them(stage):
    live = stage(record_frames=True, start=False)
    registry = live.session.catalogue._registry
    for symbol in ("OLDUSDT", "AAAUSDT"):
        registry.register("spot", symbol, 5, tick_size=0.5)
    live.start()
    known = [i for e in live.entries() if (i := recording.instrument_of(e)) is not None]
    assert [(i.symbol, i.number, i.tick_size) for i in known] == [("OLDUSDT", 0, 0.5), ("AAAUSDT", 1, 0.5)]


def test_without_recording_only_rejects_are_kept(stage):
    s = stage()
    play(s, 3, 200, faults=0.1)
    assert {e.direction for e in s.entries()} == {Direction.REJECT}
    assert len(s.entries()) == s.counter("rejected")


def test_a_recording_holds_what_was_sent_too(stage):
    s = stage(record_frames=True)
    s.up()
    sent = [e for e in s.entries() if e.direction is Direction.OUT]
    assert len(sent) == 1 and b"SUBSCRIBE" in sent[0].payload and sent[0].url
