"""What the rows say: delays, crossed quotes, duplicates, losses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringcollect.records import Channel, Flag, Status
from ringcollect.store.quality.latency import RELATIVE_ERROR, Delays
from ringcollect.store.quality.rows import Rows
from tests.quality.days import Script, facts, stream_of

TRADES, QUOTES = (0, Channel.TRADE), (0, Channel.BBO)


@given(st.lists(st.integers(1_000, 10**11), min_size=1, max_size=300), st.sampled_from([0.5, 0.9, 0.99, 0.999]))
def test_a_percentile_is_never_below_the_true_one_and_hardly_above_it(delays: list[int], share: float) -> None:
    counted = Delays()
    for piece in np.array_split(np.array(delays), 3):
        counted.add(piece)
    true = sorted(delays)[max(1, int(np.ceil(share * len(delays)))) - 1]
    found = counted.percentile(share)
    assert found is not None
    assert true - 1 <= found <= true * (1 + RELATIVE_ERROR) + 1


def test_rows_received_before_they_happened_are_counted_and_not_hidden(tmp_path: Path) -> None:
    def write(s: Script) -> None:
        s.begin(0, TRADES)
        for number in range(10):
            s.trade(10 + number, late=-0.5 if number < 3 else 0.02, number=number)

    day = facts(tmp_path, write)
    latency = stream_of(day, "trade").latency
    assert latency is not None
    assert (latency.rows, latency.negative, latency.min_ns) == (10, 3, -500_000_000)
    assert latency.p50_ns == pytest.approx(20_000_000, rel=RELATIVE_ERROR)
    assert day.clock.negative_latency == 3


def test_history_and_impossible_times_are_no_delays_but_the_latter_are_counted(tmp_path: Path) -> None:
    def write(s: Script) -> None:
        s.begin(0, TRADES)
        s.trade(10, late=3600, flags=Flag.SNAPSHOT)
        s.trade(11, late=7200, flags=Flag.BAD_TS)
        s.trade(12, late=0.01)

    trades = stream_of(facts(tmp_path, write), "trade")
    assert trades.latency is not None
    assert (trades.latency.rows, trades.latency.max_ns, trades.bad_ts) == (1, 10_000_000, 1)


@given(
    st.lists(st.tuples(st.integers(1, 1000), st.integers(90, 110), st.integers(90, 110)), min_size=1, max_size=60),
    st.integers(1, 7),
)
def test_crossed_seconds_are_those_of_a_plain_walk_over_the_quotes(quotes: list, cut: int) -> None:
    times = np.cumsum([step for step, _, _ in quotes])
    bid, ask = np.array([q[1] for q in quotes], float), np.array([q[2] for q in quotes], float)
    rows = Rows(0)
    for piece in range(0, len(quotes), cut):
        own = slice(piece, piece + cut)
        rows.add(times[own], np.zeros(len(times[own]), np.int64), np.zeros(len(times[own]), np.uint16))
        rows.quotes(times[own], bid[own], ask[own])
    rows.last_ns = int(times[-1])
    walked = sum(int(times[i + 1] - times[i]) for i in range(len(quotes) - 1) if bid[i] > ask[i])
    assert rows.facts().crossed_ns == walked


def test_crossed_quotes_are_in_the_report(tmp_path: Path) -> None:
    def write(s: Script) -> None:
        s.begin(0, QUOTES)
        for number, (at, bid, ask) in enumerate([(1, 99, 100), (2, 101, 100), (3.5, 101, 100.5), (4, 99, 100)]):
            s.quote(at, bid, ask, number)

    quotes = stream_of(facts(tmp_path, write), "bbo")
    assert (quotes.crossed_s, quotes.crossings, quotes.rows) == (2, 1, 4)


def test_frames_and_dropped_duplicates_are_those_of_the_day_over_restarts(tmp_path: Path) -> None:
    def write(s: Script) -> None:
        s.begin(-100, TRADES)
        s.status(0, Status.COUNTERS, stream=TRADES, start=1000, end=2000, number=5)
        s.status(60, Status.COUNTERS, stream=TRADES, start=1100, end=2200, number=7)
        s.begin(70, TRADES)
        s.status(120, Status.COUNTERS, stream=TRADES, start=40, end=80, number=1)
        s.trade(130)

    # the day before is looked at too: its COUNTERS are the base of this one's
    trades = stream_of(facts(tmp_path, write), "trade")
    assert (trades.frames, trades.duplicates_dropped) == (1140, 8)


def test_rejects_clock_steps_and_the_longest_silence_are_named(tmp_path: Path) -> None:
    def write(s: Script) -> None:
        s.begin(0, TRADES)
        for at in (1, 2, 9, 10):
            s.trade(at)
        s.status(11, Status.REJECTED, number=3)
        s.status(12, Status.CLOCK_STEP, number=-1.5)
        s.status(13, Status.CLOCK, number=-0.004, second=0.01)
        s.status(14, Status.CLOCK, number=float("nan"), second=16.0)

    day = facts(tmp_path, write)
    trades = stream_of(day, "trade")
    assert (day.rejected_frames, day.clock.steps_s) == (3, [-1.5])
    assert (day.clock.samples, day.clock.undisciplined, day.clock.offset_max_s) == (2, 1, 0.004)
    assert day.clock.dispersion_max_s == 16
    assert (trades.longest_silence_s, (trades.silent_from_ns - day.from_ns) / 1e9) == (7, 2)
    assert sum(trades.minutes) == trades.rows == 4
