"""Whatever is dropped, doubled or swapped: who follows the chain has the venue's book or knows it has not."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringcollect.exchanges import load
from ringcollect.records import Flag, Kind
from tests.feed.plain_exchange import PlainExchange
from tests.feed.scene import SYMBOLS, follow, play
from tests.feed.script import Stage


@pytest.mark.parametrize("market", ["spot", "linear"])
@pytest.mark.parametrize("seed", range(3))
def test_a_consumer_never_has_a_wrong_book_without_knowing(stage, market, seed):
    s = stage(market=market, jitter=0.0, held_records=40, resync_cooldown_ns=10**9)
    venue = play(s, seed, 600, faults=0.08)
    for symbol in SYMBOLS:
        right, broken = follow(s, venue, symbol)
        assert right > 50 and broken == 0  # the feed writes the chain after the venue's rule: nothing broken is applied
    s.invariant()


@pytest.mark.parametrize("market", ["spot", "linear"])
def test_without_accidents_nothing_is_counted_and_every_delta_is_applied(stage, market):
    s = stage(market=market)
    venue = play(s, 11, 400, faults=0.0)
    for name in ("seq_gaps", "trade_gaps", "duplicates", "out_of_order", "rejected", "dropped_duplicates"):
        assert s.counter(name) == 0
    for symbol in SYMBOLS:
        last = s.data(symbol, Kind.BOOK_DELTA)[-1]
        assert not last["flags"] & Flag.UNSYNCED and last["id"] == venue.ids[symbol]
        assert follow(s, venue, symbol)[1] == 0


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32), st.sampled_from(["spot", "linear"]), st.floats(0, 0.5), st.sampled_from([3, 30, 10_000]))
def test_the_chain_holds_for_any_accidents(tmp_path_factory, seed, market, faults, held):
    s = Stage(tmp_path_factory.mktemp("chain"), PlainExchange(), market=market, held_records=held)
    try:
        venue = play(s, seed, 120, faults)
        for symbol in SYMBOLS:
            assert follow(s, venue, symbol)[1] == 0
        s.invariant()
    finally:
        s.close()


@pytest.mark.parametrize("market", ["spot", "linear"])
@pytest.mark.parametrize("seed", range(4))
def test_the_kernels_way_and_the_slow_way_give_the_same_ring_bytes(tmp_path, market, seed):
    """The real exchange decodes, tests and publishes in one kernel call; the plain one does it all in Python."""
    outcomes = []
    for name, exchange in (("plain", PlainExchange()), ("kernel", load("binance"))):
        s = Stage(tmp_path / name, exchange, market=market, listed=(), metadata_ns=1)
        s.advance(0.001)
        s.log = [a for a in s.log if getattr(a, "purpose", "") != "instruments"]
        play(s, seed, 500, faults=0.05)
        records = s.records()
        records = records[(records["kind"] != Kind.STATUS)]
        records["seq"] = 0
        counts = {n: v for n, v in s.ring.counters.items() if n not in ("status_records",)}
        ledger = [
            (int(r["frames"]), int(r["records"]), int(r["gaps"]), int(r["duplicates"])) for r in s.ring.ledger.rows()
        ]
        outcomes.append((records.tobytes(), counts, ledger))
        s.close()
    assert outcomes[0][1] == outcomes[1][1]
    assert outcomes[0][2] == outcomes[1][2]
    assert outcomes[0][0] == outcomes[1][0]
