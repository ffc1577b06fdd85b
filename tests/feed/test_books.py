"""Snapshot, held deltas, gaps: whoever skips UNSYNCED and honours CLEAR has the venue's book, and knows when not."""

from __future__ import annotations

import numpy as np
import pytest

from ringcollect.feed.ledger import State
from ringcollect.records import Channel, Flag, Kind, Status
from tests.feed.script import BookOf, depth, snapshot, ticker, trade

A, B = "AAAUSDT", "BBBUSDT"


def book(s, symbol: str = A) -> BookOf:
    return BookOf().apply(s.data(symbol, Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA))


def level(price: float, size: float) -> list[str]:
    return [f"{price:.2f}", f"{size:.3f}"]


def the_snapshot_request(s, symbol: str = A):
    mine = [r for r in s.log if getattr(r, "purpose", "") == "snapshot" and r.instrument == s.number(symbol)]
    s.log = [a for a in s.log if a not in mine]
    [request] = mine
    return request


def test_a_snapshot_in_the_middle_of_the_held_deltas_bridges(stage):
    s = stage()
    s.up()
    request = the_snapshot_request(s)
    s.frame(depth(A, 1, 5, [level(9, 1)]))
    s.frame(depth(A, 6, 10, [level(9.5, 2)]))
    s.frame(depth(A, 11, 12, [level(9, 0)], [level(11, 4)]))
    s.answer(request, 200, snapshot(8, [level(9, 1), level(8, 7)], [level(10, 1)]))
    s.frame(depth(A, 13, 13, [level(8, 3)]))
    assert book(s).side(+1) == {8.0: 3.0, 9.5: 2.0}
    assert book(s).side(-1) == {10.0: 1.0, 11.0: 4.0}
    assert not book(s).broken


def test_the_held_deltas_come_twice_unsynced_at_once_and_replayed_behind_the_snapshot_with_their_own_times(stage):
    s = stage()
    s.up()
    request = the_snapshot_request(s)
    s.frame(depth(A, 1, 5, [level(9, 1)]))
    s.frame(depth(A, 6, 10, [level(9.5, 2), level(9.4, 2)]))
    s.advance(1)
    s.answer(request, 200, snapshot(5, [level(9, 1)]))
    records = s.data(A)
    kinds = [(Kind(r["kind"]).name, int(r["id"]), int(r["aux"])) for r in records]
    assert kinds == [
        ("BOOK_DELTA", 5, 0),
        ("BOOK_DELTA", 10, 5),
        ("BOOK_DELTA", 10, 5),
        ("BOOK_SNAPSHOT", 5, -1),
        ("BOOK_DELTA", 10, 5),
        ("BOOK_DELTA", 10, 5),
    ]
    flags = [Flag(int(f)) for f in records["flags"]]
    assert all(f & Flag.UNSYNCED for f in flags[:3]) and not any(f & Flag.UNSYNCED for f in flags[3:])
    assert flags[3] == Flag.CLEAR | Flag.SNAPSHOT | Flag.REST | Flag.LAST
    assert all(f & Flag.REPLAYED for f in flags[4:])
    assert [bool(f & Flag.LAST) for f in flags] == [True, False, True, True, False, True]
    assert list(records["ts_recv"][4:]) == list(records["ts_recv"][1:3])
    assert records["ts_recv"][3] > records["ts_recv"][2]


def test_a_snapshot_older_than_the_first_held_delta_is_fetched_again_and_never_published(stage):
    s = stage()
    s.up()
    request = the_snapshot_request(s)
    s.frame(depth(A, 100, 105, [level(9, 1)]))
    s.answer(request, 200, snapshot(90, [level(1, 1)]))
    assert not len(s.data(A, Kind.BOOK_SNAPSHOT))
    assert s.counter("snapshots_too_old") == 1
    s.advance(2)
    s.answer(the_snapshot_request(s), 200, snapshot(105, [level(9, 1)]))
    s.frame(depth(A, 106, 106, [level(8, 1)]))
    assert book(s).side(+1) == {8.0: 1.0, 9.0: 1.0} and not book(s).broken


def test_a_snapshot_newer_than_everything_held_is_the_base_and_late_deltas_stay_unsynced(stage):
    s = stage()
    s.up()
    request = the_snapshot_request(s)
    s.frame(depth(A, 1, 5, [level(9, 1)]))
    s.answer(request, 200, snapshot(20, [level(7, 7)]))
    s.frame(depth(A, 6, 10, [level(9, 5)]))  # older than the base, still on its way when it came
    s.frame(depth(A, 15, 22, [level(7, 8)]))  # covers the base's id
    s.frame(depth(A, 23, 23, [level(6, 1)]))
    assert book(s).side(+1) == {6.0: 1.0, 7.0: 8.0} and not book(s).broken
    assert s.counter("duplicates") == 0 and s.counter("seq_gaps") == 0


def test_without_any_delta_the_snapshot_is_published_and_the_next_delta_is_tested_against_it(stage):
    s = stage()
    s.up()
    s.answer(the_snapshot_request(s), 200, snapshot(20, [level(7, 7)]))
    assert book(s).side(+1) == {7.0: 7.0}
    s.frame(depth(A, 25, 26, [level(7, 8)]))  # 21..24 are missing
    assert s.counter("seq_gaps") == 1
    [gap] = s.statuses(Status.SEQ_GAP)
    assert (gap["id"], gap["aux"]) == (20, 24)
    s.answer(the_snapshot_request(s), 200, snapshot(30, [level(5, 5)]))
    assert book(s).side(+1) == {5.0: 5.0} and not book(s).broken


def test_an_empty_book_is_a_book(stage):
    s = stage()
    s.up()
    s.answer(the_snapshot_request(s), 200, snapshot(20))
    s.frame(depth(A, 21, 21, [level(7, 8)]))
    assert book(s).side(+1) == {7.0: 8.0} and not book(s).broken


def test_when_too_much_is_held_it_is_dropped_and_an_older_snapshot_no_longer_bridges(stage):
    s = stage(held_records=10)
    s.up()
    request = the_snapshot_request(s)
    for i in range(1, 12):
        s.frame(depth(A, i, i, [level(9, i)]))
    assert s.counter("held_overflows") == 1
    again = the_snapshot_request(s)
    s.answer(request, 200, snapshot(5, [level(1, 1)]))  # the first request's answer: too old, ignored
    assert not len(s.data(A, Kind.BOOK_SNAPSHOT))
    s.answer(again, 200, snapshot(10, [level(2, 2)]))  # older than what was dropped
    assert not len(s.data(A, Kind.BOOK_SNAPSHOT))
    s.advance(5)
    s.answer(the_snapshot_request(s), 200, snapshot(11, [level(9, 11)]))
    s.frame(depth(A, 12, 12, [level(8, 1)]))
    assert book(s).side(+1) == {8.0: 1.0, 9.0: 11.0} and not book(s).broken


def synced(s, symbol: str = A, at: int = 100) -> None:
    s.answer(the_snapshot_request(s, symbol), 200, snapshot(at, [level(9, 1)], [level(10, 1)]))
    s.frame(depth(symbol, at + 1, at + 1, [level(8, 1)]))


def test_a_gap_is_counted_flagged_written_down_and_repaired(stage):
    s = stage()
    s.up()
    synced(s)
    s.frame(depth(A, 105, 106, [level(7, 1)]))  # 102..104 are missing
    s.frame(depth(A, 107, 107, [level(6, 1)]))
    [gap] = s.statuses(Status.SEQ_GAP)
    assert (gap["instrument"], gap["side"], gap["id"], gap["aux"]) == (s.number(A), Channel.BOOK, 101, 104)
    deltas = s.data(A, Kind.BOOK_DELTA)
    assert [bool(f & Flag.GAP) for f in deltas["flags"]] == [False, True, False]
    assert [bool(f & Flag.UNSYNCED) for f in deltas["flags"]] == [False, True, True]
    assert len(s.statuses(Status.RESYNC_BEGIN)) == 1
    s.answer(the_snapshot_request(s), 200, snapshot(106, [level(3, 3)]))
    [done] = s.statuses(Status.RESYNC_DONE)
    assert (done["id"], done["aux"]) == (106, 107)
    assert book(s).side(+1) == {3.0: 3.0, 6.0: 1.0} and not book(s).broken
    assert s.ledger(A, Channel.BOOK)["gaps"] == 1
    assert s.counter("resyncs") == 1


def test_a_gap_of_one_instrument_never_touches_another(stage):
    def run(gap: bool) -> np.ndarray:
        s = stage()
        s.up()
        synced(s, A)
        synced(s, B, 500)
        s.frame(depth(A, 105 if gap else 102, 106, [level(7, 1)]))
        for i in range(20):
            s.frame(depth(B, 502 + i, 502 + i, [level(9, i + 1)]))
            s.frame(trade(B, i + 1))
        assert len(s.open_rests("snapshot")) == (1 if gap else 0)
        records = s.data(B)
        records["seq"] = 0
        return records

    with_gap, without = run(True), run(False)
    assert with_gap.tobytes() == without.tobytes()


def test_a_gap_in_the_book_does_not_flag_trades_of_the_same_instrument(stage):
    s = stage()
    s.up()
    synced(s)
    s.frame(trade(A, 1))
    s.frame(depth(A, 105, 106, [level(7, 1)]))
    s.frame(trade(A, 2))
    assert not np.any(s.data(A, Kind.TRADE)["flags"] & Flag.GAP)


def test_a_delta_sent_twice_is_kept_as_duplicate_applied_by_nobody_and_breaks_nothing(stage):
    s = stage()
    s.up()
    synced(s)
    twice = depth(A, 102, 103, [level(9, 5)])
    s.frame(twice)
    s.frame(twice)
    s.frame(depth(A, 104, 104, [level(9, 6)]))
    deltas = s.data(A, Kind.BOOK_DELTA)
    assert [Flag(int(f)) & (Flag.DUPLICATE | Flag.UNSYNCED) for f in deltas["flags"]] == [
        Flag(0), Flag(0), Flag.DUPLICATE | Flag.UNSYNCED, Flag(0),
    ]  # fmt: skip
    assert s.counter("duplicates") == 1 and s.counter("seq_gaps") == 0
    assert book(s).side(+1)[9.0] == 6.0 and not book(s).broken


def test_a_frame_without_levels_keeps_the_chain_whole(stage):
    s = stage()
    s.up()
    synced(s)
    s.frame(depth(A, 102, 110))
    s.frame(depth(A, 111, 111, [level(9, 6)]))
    empty = s.data(A, Kind.BOOK_DELTA)[1]
    assert (empty["side"], np.isnan(empty["price"]), empty["id"], empty["aux"]) == (0, True, 110, 101)
    assert not book(s).broken


def test_usd_m_follows_pu_and_not_u(stage):
    s = stage(market="linear")
    s.up()
    request = the_snapshot_request(s)
    s.frame(depth(A, 1000, 1100, [level(9, 1)], prev=900))
    s.frame(depth(A, 1300, 1400, [level(9, 2)], prev=1100))
    s.answer(request, 200, snapshot(1050, [level(5, 5)]))
    s.frame(depth(A, 1990, 2000, [level(9, 3)], prev=1400))
    assert book(s).side(+1) == {5.0: 5.0, 9.0: 3.0} and not book(s).broken
    s.frame(depth(A, 2001, 2002, [level(9, 4)], prev=2000 + 1))
    assert s.counter("seq_gaps") == 1


def test_usd_m_accepts_a_first_event_that_names_the_snapshot_as_its_predecessor(stage):
    s = stage(market="linear")
    s.up()
    s.answer(the_snapshot_request(s), 200, snapshot(1050, [level(5, 5)]))
    s.frame(depth(A, 1200, 1300, [level(9, 3)], prev=1050))
    assert s.counter("seq_gaps") == 0 and not book(s).broken


def test_resync_attempts_are_bounded_with_growing_waits_then_a_cool_down(stage):
    s = stage(resync_attempts=3, jitter=0.0, resync_cooldown_ns=60 * 10**9)
    s.up()
    s.frame(depth(A, 100, 105, [level(9, 1)]))
    begin, asked = s.now, []
    for _ in range(7):
        request = the_snapshot_request(s)
        asked.append(round((s.now - begin) / 1e9))
        s.answer(request, 200, snapshot(1))
        for _ in range(200):
            if any(getattr(a, "purpose", "") == "snapshot" and a.instrument == s.number(A) for a in s.log):
                break
            s.advance(0.5)
            s.session.alive(0, s.now)  # the line itself is fine
    assert asked == [0, 1, 3, 63, 64, 66, 126]
    assert len(s.statuses(Status.RESYNC_FAILED)) == 2
    s.frame(depth(A, 106, 106, [level(9, 1)]))
    assert s.data(A)["flags"][-1] & Flag.UNSYNCED  # recorded all the while


def test_a_consumers_resync_word_resyncs_that_book_alone_and_once(stage):
    s = stage()
    s.up()
    synced(s, A)
    synced(s, B, 500)
    s.session.resync(s.number(A), s.now)
    s.session.resync(s.number(A), s.now)
    s._collect()
    s.frame(depth(A, 102, 102, [level(9, 4)]))
    s.frame(depth(B, 502, 502, [level(9, 4)]))
    assert s.counter("resyncs_asked") == 2 and s.counter("resyncs") == 1
    assert not s.data(B)["flags"][-1] & Flag.UNSYNCED
    s.answer(the_snapshot_request(s), 200, snapshot(101, [level(1, 1)]))
    assert book(s).side(+1) == {1.0: 1.0, 9.0: 4.0} and not book(s).broken


def test_after_a_reconnect_the_book_gets_a_new_base_and_the_old_answer_is_not_used(stage):
    s = stage()
    s.up()
    old = the_snapshot_request(s)
    s.frame(depth(A, 1, 1, [level(9, 1)]))
    s.session.close(0, 1006, "cut", s.now)
    s._collect()
    s.advance(2)
    s.open_sockets()
    s.answer(old, 200, snapshot(1, [level(9, 1)]))
    assert not len(s.data(A, Kind.BOOK_SNAPSHOT))
    s.ack()
    conn = int(s.ledger(A, Channel.BOOK)["conn"])
    s.frame(depth(A, 50, 50, [level(9, 2)]), conn)
    s.answer(the_snapshot_request(s), 200, snapshot(49, [level(7, 1)]))
    assert book(s).side(+1) == {7.0: 1.0, 9.0: 2.0}


@pytest.mark.parametrize("status", [0, 400, 500])
def test_a_snapshot_that_fails_is_tried_again_and_deltas_are_recorded_meanwhile(stage, status):
    s = stage()
    s.up()
    s.answer(the_snapshot_request(s), status, b"no")
    s.frame(depth(A, 1, 1, [level(9, 1)]))
    assert s.ledger(A, Channel.BOOK)["state"] == State.FLOWING
    s.advance(2)
    s.answer(the_snapshot_request(s), 200, snapshot(0, [level(7, 1)]))
    assert book(s).side(+1) == {7.0: 1.0, 9.0: 1.0}
    assert s.counter("rest_errors") == 1


def test_a_snapshot_body_that_is_garbage_counts_is_kept_and_tried_again(stage):
    s = stage()
    s.up()
    s.answer(the_snapshot_request(s), 200, b"<html>")
    assert s.counter("rest_errors") == 1
    assert [e.payload for e in s.entries() if e.reason.startswith("JSON")] == [b"<html>"]
    s.advance(2)
    s.answer(the_snapshot_request(s), 200, snapshot(0))
    assert len(s.data(A, Kind.BOOK_SNAPSHOT)) == 1


def test_records_before_and_between_books_are_not_held_up_by_them(stage):
    s = stage()
    s.up()
    s.frame(trade(A, 5))
    s.frame(ticker(A, 7))
    assert [Kind(k) for k in s.data(A)["kind"]] == [Kind.TRADE, Kind.BBO, Kind.BBO]
