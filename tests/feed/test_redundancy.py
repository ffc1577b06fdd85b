"""Two connections per shard: what either of them brings first counts, and nothing counts twice."""

from __future__ import annotations

import heapq
import random

import pytest

from ringcollect.errors import EnvironmentRefused
from ringcollect.feed.ledger import State
from ringcollect.observe.rings import RingView
from ringcollect.observe.text import legs_text
from ringcollect.records import Channel, Flag, Kind, Status
from ringcollect.ring.producer import Producer
from tests.feed.scene import SYMBOLS, Venue
from tests.feed.script import BookOf, depth, snapshot, ticker, trade

A = "AAAUSDT"
FIRST, SECOND = 0, 2  # two numbers per leg
BAD = Flag.GAP | Flag.DUPLICATE | Flag.UNSYNCED


def pair(stage, **options):
    """A stage whose shard has both legs up, with a base for every book."""
    s = stage(redundancy=2, **options)
    s.up()
    assert sorted(s.session.connections.sockets) == [FIRST, SECOND]
    return s


def based(stage, **options):
    s = pair(stage, symbols=(A,), **options)
    [request] = s.open_rests("snapshot")
    s.answer(request, 200, snapshot(100, [["9.00", "1"]]))
    return s


def both(s, frame) -> None:
    for conn in (FIRST, SECOND):
        s.frame(frame, conn)


def of(s, kind: Kind, symbol: str = A):
    """Records of one kind, of a pair of best prices the first."""
    records = s.data(symbol, kind)
    return records[records["side"] >= 0] if kind is Kind.BBO else records


def play(s, venue: Venue, seed: int, steps: int, loss: dict[int, float], dup: float = 0.0) -> None:
    """``steps`` frames of the venue, by each leg in order, at its own pace, without a share ``loss[conn]`` of them."""
    rng = random.Random(seed)
    ways: list[tuple[float, int, int, dict]] = []
    arrival = dict.fromkeys(loss, 0.0)
    for step in range(steps):
        make = rng.choice((venue.delta, venue.delta, venue.print, venue.quote))
        frame = make(rng.choice(SYMBOLS))
        for conn, share in loss.items():
            if rng.random() < share:
                continue
            arrival[conn] = max(arrival[conn], step * 0.005 + rng.choice((0.001, 0.002, 0.03)))
            heapq.heappush(ways, (arrival[conn], step, conn, frame))
    start = s.now
    while ways:
        at, _, conn, frame = heapq.heappop(ways)
        s.advance(max(0.0, at - (s.now - start) / 1e9))
        s.frame(frame, conn, after=0.0)


def begun(stage, market: str, **options) -> tuple:
    s = pair(stage, market=market, **options)
    venue = Venue(random.Random(1), market)
    for _ in range(3):  # something to begin with, by both
        for symbol in SYMBOLS:
            for frame in (venue.delta(symbol), venue.print(symbol), venue.quote(symbol)):
                both(s, frame)
    for request in s.open_rests("snapshot"):
        symbol = next(x for x in SYMBOLS if s.number(x) == request.instrument)
        s.answer(request, 200, venue.snapshot(symbol))
    return s, venue


@pytest.mark.parametrize("market", ["spot", "linear"])
@pytest.mark.parametrize("seed", range(3))
def test_with_frames_lost_at_random_on_one_leg_the_merged_output_is_complete(stage, market, seed):
    s, venue = begun(stage, market)
    play(s, venue, seed, 400, {FIRST: 0.2, SECOND: 0.0})
    s.advance(2)
    for symbol in SYMBOLS:
        trades = of(s, Kind.TRADE, symbol)["id"].tolist()
        assert sorted(trades) == list(range(2, venue.trade_ids[symbol] + 1))
        deltas = s.data(symbol, Kind.BOOK_DELTA)
        followed = deltas[(deltas["flags"] & (Flag.UNSYNCED | Flag.REPLAYED)) == 0]
        assert set(followed["id"].tolist()) <= set(venue.states[symbol])
        book = BookOf().apply(s.data(symbol))
        assert not book.broken and book.levels == venue.states[symbol][venue.ids[symbol]]
        ids = followed["id"][(followed["flags"] & Flag.LAST) != 0].tolist()
        assert len(set(ids)) == len(ids) and ids == sorted(ids)
    for zero in ("seq_gaps", "trade_gaps", "duplicates", "resyncs"):
        assert s.counter(zero) == 0, zero
    assert s.counter("dropped_duplicates") > 100 and not len(s.statuses(Status.SEQ_GAP))
    s.invariant()


def test_every_best_price_that_either_leg_brought_is_there_once(stage):
    s, venue = begun(stage, "spot")
    sent: list[int] = []
    plain, rng = venue.quote, random.Random(5)

    def quote(symbol: str) -> dict:
        venue.ids[symbol] += rng.randrange(1, 9)
        sent.append(venue.ids[symbol]) if symbol == A else None
        return plain(symbol)

    venue.quote = quote  # type: ignore[method-assign]
    before = len(of(s, Kind.BBO))
    venue.delta = quote  # type: ignore[method-assign]
    play(s, venue, 3, 200, {FIRST: 0.3, SECOND: 0.0})
    assert sorted(of(s, Kind.BBO)["id"][before:].tolist()) == sent


def test_legs_that_lose_different_frames_make_one_whole_stream(stage):
    s = based(stage)
    both(s, depth(A, 101, 101, [["8.00", "1"]]))
    both(s, trade(A, 1))
    for number in range(2, 60):
        if number % 3:
            s.frame(depth(A, 100 + number, 100 + number, [["8.00", str(number)]]), FIRST)
            s.frame(trade(A, number), FIRST)
        if number % 4:
            s.frame(depth(A, 100 + number, 100 + number, [["8.00", str(number)]]), SECOND)
            s.frame(trade(A, number), SECOND)
        if not number % 12:  # lost by both
            s.frame(depth(A, 100 + number, 100 + number, [["8.00", str(number)]]), SECOND)
            s.frame(trade(A, number), SECOND)
    s.advance(2)
    assert of(s, Kind.TRADE)["id"].tolist() == list(range(1, 60))
    deltas = of(s, Kind.BOOK_DELTA)
    assert deltas["id"].tolist() == list(range(101, 160)) and deltas["aux"].tolist() == list(range(100, 159))
    assert not deltas["flags"].astype(int).max() & BAD and s.counter("seq_gaps") == 0 and s.counter("trade_gaps") == 0


def test_what_runs_ahead_waits_for_the_other_leg_and_follows_at_once(stage):
    s = based(stage)
    both(s, depth(A, 101, 101, [["8.00", "1"]]))
    s.frame(depth(A, 103, 103, [["8.00", "3"]]), FIRST)
    s.frame(depth(A, 104, 104, [["8.00", "4"]]), FIRST)
    assert of(s, Kind.BOOK_DELTA)["id"].tolist() == [101]
    s.frame(depth(A, 102, 102, [["8.00", "2"]]), SECOND)
    deltas = of(s, Kind.BOOK_DELTA)
    assert deltas["id"].tolist() == [101, 102, 103, 104] and deltas["conn"].tolist() == [FIRST, SECOND, FIRST, FIRST]
    s.advance(5)
    assert s.counter("seq_gaps") == 0 and s.counter("kept_ahead") == 2


def test_what_both_legs_lost_is_one_gap_at_once_for_a_book_and_within_a_second_for_trades(stage):
    s = based(stage)
    both(s, depth(A, 101, 101, [["8.00", "1"]]))
    both(s, trade(A, 1))
    both(s, depth(A, 103, 103, [["8.00", "3"]]))
    assert s.counter("seq_gaps") == 1 and len(s.open_rests("snapshot")) == 1
    unsynced = of(s, Kind.BOOK_DELTA)[1:]
    assert unsynced["id"].tolist() == [103] and unsynced["flags"][0] & Flag.GAP and unsynced["flags"][0] & Flag.UNSYNCED
    both(s, trade(A, 4))
    assert s.counter("trade_gaps") == 0
    s.advance(1.1)
    [gap] = [r for r in s.statuses(Status.SEQ_GAP) if r["side"] == Channel.TRADE]
    assert (gap["id"], gap["aux"], gap["price"]) == (2, 4, 2.0) and s.counter("trade_ids_missing") == 2
    both(s, trade(A, 5))
    trades = of(s, Kind.TRADE)
    assert trades["id"].tolist() == [1, 4, 5] and [bool(f & Flag.GAP) for f in trades["flags"]] == [False, False, True]


def test_a_hole_that_a_silent_mate_does_not_fill_becomes_a_gap_after_a_second(stage):
    s = based(stage)
    both(s, depth(A, 101, 101, [["8.00", "1"]]))
    s.frame(depth(A, 103, 103, [["8.00", "3"]]), FIRST)
    s.advance(0.9)
    assert s.counter("seq_gaps") == 0
    s.advance(0.2)
    assert s.counter("seq_gaps") == 1 and len(s.open_rests("snapshot")) == 1


def test_a_book_without_a_base_takes_each_delta_once(stage):
    s = pair(stage, symbols=(A,))
    both(s, depth(A, 101, 101, [["8.00", "1"]]))
    both(s, depth(A, 102, 102, [["8.00", "2"]]))
    [request] = s.open_rests("snapshot")
    s.answer(request, 200, snapshot(101, [["9.00", "1"]]))
    both(s, depth(A, 103, 103, [["8.00", "3"]]))
    deltas = of(s, Kind.BOOK_DELTA)
    assert deltas["id"].tolist() == [101, 102, 102, 103]
    assert [bool(f & Flag.UNSYNCED) for f in deltas["flags"]] == [True, True, False, False]
    assert not BookOf().apply(s.data(A)).broken


def test_a_lost_leg_disturbs_no_stream_and_comes_back(stage):
    s = based(stage, jitter=0.0)
    for frame in (depth(A, 101, 101, [["8.00", "1"]]), trade(A, 1), ticker(A, 11)):
        both(s, frame)
    s.session.close(FIRST, 1006, "cut", s.now)
    s._collect()
    [lost] = s.statuses(Status.DISCONNECTED)
    assert lost["instrument"] == 65535 and lost["conn"] == FIRST
    assert {s.ledger(A, c)["state"] for c in (Channel.BOOK, Channel.TRADE, Channel.BBO)} == {State.FLOWING}
    for frame in (depth(A, 102, 102, [["8.00", "2"]]), trade(A, 2), ticker(A, 12)):
        s.frame(frame, SECOND)
    s.advance(1.5)
    s.open_sockets()
    s.ack()
    back = next(c for c in s.session.connections.sockets if c != SECOND)
    assert back != FIRST
    for frame in (depth(A, 103, 103, [["8.00", "3"]]), trade(A, 3), ticker(A, 13)):
        s.frame(frame, back)
        s.frame(frame, SECOND)
    s.frame(trade(A, 4), back)
    assert of(s, Kind.TRADE)["id"].tolist() == [1, 2, 3, 4]
    assert of(s, Kind.BOOK_DELTA)["id"].tolist() == [101, 102, 103] and of(s, Kind.BBO)["id"].tolist() == [11, 12, 13]
    assert not any(int(f) & BAD for f in s.data(A)["flags"])
    assert s.counter("reconnects") == 1 and s.counter("resyncs") == 0 and s.counter("silent_streams") == 0


def test_each_leg_tells_its_frames_first_arrivals_copies_and_lead(stage):
    s = based(stage)
    for number in range(1, 11):
        s.frame(trade(A, number), FIRST)
        s.frame(trade(A, number), SECOND, after=0.004)
    s.frame(trade(A, 11), SECOND)
    first, second = s.session.connections.legs
    assert (first.firsts, first.dropped, first.lead_ns) == (9, 0, 4_000_000)  # before the second one flowed: no race
    assert (second.firsts, second.dropped) == (1, 10)


def test_where_each_leg_stands_is_in_the_ring_for_status_and_metrics(stage):
    s = based(stage, jitter=0.0, max_attempts=1)
    for number in range(1, 6):
        s.frame(trade(A, number), FIRST)
        s.frame(trade(A, number), SECOND, after=0.002)
    s.session.close(FIRST, 1006, "cut", s.now)
    s._collect()
    s.advance(1.1)
    view = RingView(s.ring.path)
    first, second = view.legs()
    assert (first.state, first.conn, first.attempts) == ("circuit open", -1, 1)
    assert (second.state, second.conn, second.shard, second.streams) == ("open", SECOND, 0, 3)
    assert (first.firsts, first.dropped, first.lead_ms, second.dropped) == (4, 0, 2.0, 5)
    assert first.frames > 5 and second.frames > 5
    shown = legs_text((first, second), s.now)
    assert "circuit open" in shown and "2.0 ms" in shown
    view.close()


def test_legs_and_subscriptions_share_the_ledger_without_touching_each_other(tmp_path):
    ring = Producer.open(tmp_path, "x.rec", capacity=64, generation=1, ledger_rows=8)
    rows = [ring.ledger.add() for _ in range(5)]
    legs = [ring.ledger.leg(number) for number in range(4)]
    assert [leg is None for leg in legs] == [False, False, False, True] and ring.ledger.free == 0
    for number, leg in enumerate(legs[:3]):
        leg["number"] = number
    assert ring.ledger.legs()["number"].tolist() == [0, 1, 2] and not any(row["instrument"][0] for row in rows)
    with pytest.raises(EnvironmentRefused):
        ring.ledger.add()
    ring.ledger.clear()
    assert not len(ring.ledger.legs()) and ring.ledger.free == 8
    ring.close()
