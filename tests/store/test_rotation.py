"""Where segments end: only the records decide, never the pieces they come in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.store.rotation import Policy, Segment, add, cut

DAY = 86_400_000_000_000
RECORDS = st.lists(
    st.tuples(st.sampled_from([-3, 0, 1, 5, 40, DAY]), st.booleans(), st.integers(1, 50)), min_size=1, max_size=60
)
POLICY = Policy(time_ns=100, records=7, bytes=200)


def _arrays(records: list[tuple[int, bool, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    steps, last, sizes = zip(*records, strict=True)
    return 20 * DAY + np.cumsum(np.array(steps, np.int64)), np.array(last), np.array(sizes, np.int64)


def _slow(times: list[int], last: list[bool], sizes: list[int], policy: Policy) -> list[int]:
    """Starts of the segments, straight from the sentence: one record at a time."""
    starts = [0]
    now = times[0]
    first, rows, total, in_batch = now, 0, 0, False
    for i, time in enumerate(times):
        now = max(now, time)
        old = now - first >= policy.time_ns or now // DAY != first // DAY
        full = rows >= policy.records or total >= policy.bytes
        if not in_batch and rows and (old or full):
            starts.append(i)
            first, rows, total = now, 0, 0
        rows, total, in_batch = rows + 1, total + sizes[i], not last[i]
    return starts


def _starts(records: list[tuple[int, bool, int]], chunk: int) -> list[int]:
    times, last, sizes = _arrays(records)
    segment, starts, at = Segment(), [0], 0
    while at < len(times):
        stop = min(len(times), at + chunk)
        taken = cut(segment, POLICY, times[at:stop], last[at:stop], sizes[at:stop])
        at += taken
        if at < stop:
            starts.append(at)
            segment = segment.next()
    return starts


@settings(max_examples=200)
@given(RECORDS)
def test_segments_end_where_the_rule_says_for_any_chunking(records: list[tuple[int, bool, int]]) -> None:
    times, last, sizes = _arrays(records)
    expected = _slow(times.tolist(), last.tolist(), sizes.tolist(), POLICY)
    for chunk in (1, 7, 1000):
        assert _starts(records, chunk) == expected


@given(RECORDS)
def test_a_segment_taken_up_again_is_in_the_same_state(records: list[tuple[int, bool, int]]) -> None:
    times, last, sizes = _arrays(records)
    live, again = Segment(), Segment()
    taken = cut(live, POLICY, times, last, sizes)
    for i in range(taken):
        add(again, times[i : i + 1], last[i : i + 1], sizes[i : i + 1])
    assert again == live


def test_a_batch_is_never_divided() -> None:
    times, last = np.full(10, 20 * DAY), np.zeros(10, bool)
    assert cut(Segment(), Policy(records=3), times, last, np.full(10, 64)) == 10


def test_after_a_loss_the_next_record_begins_a_batch() -> None:
    segment = Segment(stream_ns=20 * DAY, open_batch=True, rows=5, first_ns=20 * DAY)
    late = np.array([21 * DAY])
    assert cut(replace(segment), POLICY, late, np.array([True]), np.array([64])) == 1
    segment.after_loss()
    assert cut(segment, POLICY, late, np.array([True]), np.array([64])) == 0


def test_a_clock_that_steps_back_over_midnight_does_not_begin_another_day() -> None:
    times = np.array([20 * DAY + 5, 20 * DAY - 5, 20 * DAY + 6])
    assert cut(Segment(), Policy(), times, np.ones(3, bool), np.full(3, 64)) == 3
