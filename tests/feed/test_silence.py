"""Silence: time between two records of one stream strictly above its limit, counted the same by kernel and feed."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringcollect.exchanges.silence import L_SILENCES, bucket_of
from ringcollect.feed.plan import Options
from ringcollect.feed.silence import silence_limit_ns
from ringcollect.observe.rings import RingView
from ringcollect.records import Channel, Flag, Kind
from ringcollect.ring.layout import LEDGER_ROW, SILENCE_BOUNDS_NS
from tests.feed.script import SECOND, depth, snapshot, ticker, trade

A, B = "AAAUSDT", "BBBUSDT"
MS = 10**6


def walked(s, symbol: str, kinds: tuple[Kind, ...], limit_ns: int) -> tuple[int, int, list[int]]:
    """What anybody finds who walks the ring: (silences, their sum, their number by length)."""
    records = s.data(symbol, *kinds)
    live = records[records["flags"] & int(Flag.REST | Flag.REPLAYED | Flag.BACKFILLED) == 0]
    between = [int(x) for x in np.diff(live["ts_recv"]) if x > limit_ns]
    histogram = [0] * (len(SILENCE_BOUNDS_NS) + 1)
    for silence in between:
        histogram[sum(1 for bound in SILENCE_BOUNDS_NS if silence > bound)] += 1
    return len(between), sum(between), histogram


def counted(s, symbol: str, channel: Channel) -> tuple[int, int, list[int]]:
    row = s.ledger(symbol, channel)
    return int(row["silence_gaps"]), int(row["silence_ns"]), row["silences"].tolist()


def test_the_histogram_of_silences_ends_the_row() -> None:
    assert LEDGER_ROW.fields is not None and LEDGER_ROW.fields["silences"][1] == 8 * L_SILENCES
    assert [bucket_of(b) for b in SILENCE_BOUNDS_NS] == list(range(len(SILENCE_BOUNDS_NS)))
    assert [bucket_of(b + 1) for b in SILENCE_BOUNDS_NS] == list(range(1, len(SILENCE_BOUNDS_NS) + 1))


def test_each_channel_has_its_limit() -> None:
    limits = {channel: silence_limit_ns(channel, Options()) / SECOND for channel in Channel}
    assert {c.name: limit for c, limit in limits.items() if limit} == {
        "BOOK": 5, "TRADE": 5, "BBO": 5, "MARK_PRICE": 10, "INDEX_PRICE": 10, "FUNDING": 60, "OPEN_INTEREST": 60,
    }  # fmt: skip


@pytest.mark.parametrize(("wait_ns", "silences"), [(5 * SECOND, 0), (5 * SECOND + 1, 1)])
def test_exactly_the_limit_is_no_silence(stage, wait_ns: int, silences: int) -> None:
    s = stage()
    s.up()
    for number in (1, 2, 3):
        s.frame(trade(A, number), after=0)
    s.now += wait_ns
    s.session.frame(0, json.dumps(trade(A, 4)).encode(), s.now)
    assert counted(s, A, Channel.TRADE)[0] == silences
    assert counted(s, B, Channel.TRADE)[0] == 0, "nothing came of B: the first record ends no silence"


def test_a_print_that_is_no_trade_ends_no_silence(stage) -> None:
    s = stage(market="linear")
    s.up()
    s.frame(trade(A, 1, X="MARKET"))
    s.frame(trade(A, 2, X="NA"), after=4)
    s.frame(trade(A, 3, X="MARKET"), after=4)
    assert counted(s, A, Channel.TRADE)[:2] == (1, 8 * SECOND)


def test_a_silence_goes_on_over_a_reconnect(stage) -> None:
    s = stage()
    s.up()
    s.frame(trade(A, 1))
    before = s.now
    s.session.close(0, 1006, "cut", s.now)
    s._collect()
    s.advance(7)
    s.open_sockets()
    s.ack()
    s.frame(trade(A, 2), int(s.ledger(A, Channel.TRADE)["conn"]))
    assert counted(s, A, Channel.TRADE)[:2] == (1, s.now - before)


def test_a_snapshot_over_rest_and_what_is_replayed_behind_it_end_no_silence(stage) -> None:
    s = stage(channels=("book",), symbols=(A,))
    s.up()
    s.frame(depth(A, 101, 101))
    s.advance(6)
    for rest in s.open_rests("snapshot"):
        s.answer(rest, 200, snapshot(100))
    s.frame(depth(A, 102, 102), after=1)
    assert counted(s, A, Channel.BOOK)[0] == 1


def test_a_silence_is_shown_while_it_lasts_and_counted_when_it_ends(stage) -> None:
    s = stage(symbols=(A,), channels=("trade",))
    s.up()
    s.frame(trade(A, 1))
    view = RingView(s.ring.path)
    for waited, silent in ((4, 0), (5, 0), (6, 6000), (9, 9000)):
        now = s.now + waited * SECOND
        [row] = view.subscriptions(now)
        assert (row.silent_ms, row.silence_gaps, view.report(now).silent) == (silent, 0, int(silent > 0))
    s.frame(trade(A, 2), after=10)
    [row] = view.subscriptions(s.now)
    assert (row.silent_ms, row.silence_gaps, row.silence_ms) == (0, 1, 10_000)
    view.close()


def test_a_set_wall_clock_makes_no_silence(stage) -> None:
    s = stage()
    s.up()
    for number in (1, 2):
        s.frame(trade(A, number))
    s.now += 3600 * SECOND
    s.session.clock_step(3600 * SECOND, s.now)
    s.frame(trade(A, 3))
    assert counted(s, A, Channel.TRADE)[0] == 0


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from("tTbB"), st.sampled_from([1, 900, 1999, 2000, 2001, 30_000, 4_000_000])), max_size=40
    )
)
def test_whoever_walks_the_ring_finds_the_silences_that_were_counted(stage, steps: list[tuple[str, int]]) -> None:
    """Frames held one by one through kernel (open streams) and feed (everything else): one count."""
    s = stage(silence_market_ns=2 * SECOND, channels=("trade", "bbo"), stale_ns=10**6 * SECOND, capacity=1 << 15)
    s.up()
    for number, (what, ms) in enumerate(steps, 1):
        s.now += ms * MS  # no timers: nothing but these frames
        symbol = A if what in "tb" else B
        s.frame(trade(symbol, number) if what in "tT" else ticker(symbol, number), after=0)
    for symbol in (A, B):
        assert counted(s, symbol, Channel.TRADE) == walked(s, symbol, (Kind.TRADE,), 2 * SECOND)
        # a best price is two records of one frame: nothing lies between them
        assert counted(s, symbol, Channel.BBO) == walked(s, symbol, (Kind.BBO,), 2 * SECOND)
