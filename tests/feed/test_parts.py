"""The small parts: timers, clocks, inferred ticks."""

from __future__ import annotations

import random
import time

import pytest

from ringcollect.feed import host_clock
from ringcollect.feed.clock import CaptureClock, WallClock
from ringcollect.feed.host_clock import ClockQuality, clock_quality
from ringcollect.feed.inference import inferred_metadata
from ringcollect.feed.timers import NEVER, Timers


def test_timers_fire_in_order_of_deadline_then_of_setting():
    timers = Timers()
    for name, deadline in (("c", 30), ("a", 10), ("b", 10), ("never", NEVER)):
        timers.set(name, deadline)
    fired = []
    while (key := timers.pop_due(30)) is not None:
        fired.append(key)
    assert fired == ["a", "b", "c"] and timers.next_deadline() == NEVER


def test_a_replaced_or_cancelled_deadline_never_fires():
    timers = Timers()
    timers.set("x", 10)
    timers.set("x", 50)
    timers.set("y", 10)
    timers.cancel("y")
    timers.cancel("nobody")
    assert timers.pop_due(49) is None and timers.next_deadline() == 50
    assert "x" in timers and "y" not in timers
    assert timers.pop_due(50) == "x" and timers.pop_due(NEVER - 1) is None


def test_timers_agree_with_a_sorted_list_and_do_not_grow_with_replacing():
    rng = random.Random(3)
    timers, truth, order = Timers(), {}, 0
    for _ in range(20_000):
        key, action = rng.randrange(50), rng.random()
        if action < 0.7:
            order += 1
            truth[key] = (rng.randrange(1000), order)
            timers.set(key, truth[key][0])
        elif action < 0.8:
            truth.pop(key, None)
            timers.cancel(key)
        else:
            now = rng.randrange(1000)
            due = [(deadline, n, k) for k, (deadline, n) in truth.items() if deadline <= now]
            expected = min(due)[2] if due else None
            assert timers.pop_due(now) == expected
            truth.pop(expected, None)
    assert len(timers._heap) <= 64 + 4 * 51


def test_shifted_timers_keep_their_order():
    timers = Timers()
    timers.set("a", 10)
    timers.set("b", 20)
    timers.shift(1000)
    assert timers.next_deadline() == 1010
    assert [timers.pop_due(5000), timers.pop_due(5000)] == ["a", "b"]


def test_a_set_wall_clock_is_noticed_once_with_its_size_and_slewing_is_not(monkeypatch):
    wall, mono = [1_000_000_000_000], [5_000_000_000]
    monkeypatch.setattr(time, "time_ns", lambda: wall[0])
    monkeypatch.setattr(time, "monotonic_ns", lambda: mono[0])
    clock = WallClock(threshold_ns=50_000_000)
    for _ in range(10_000):  # 0.05 % slew, the most NTP does, for a quarter of an hour
        wall[0] += 100_050_000
        mono[0] += 100_000_000
        assert clock.step_ns() == 0
    wall[0] -= 3_600_000_000_000
    assert clock.step_ns() == -3_600_000_000_000
    assert clock.step_ns() == 0


@pytest.mark.parametrize(
    ("code", "status", "offset", "expected"),  # as in Linux's timex.h and NTP's kern.c
    [
        (0, 0x2001, -1_500_000, ClockQuality(-0.0015, 0.025)),  # PLL, ns
        (0, 0x0001, 250, ClockQuality(0.00025, 0.025)),  # PLL, us
        (5, 0x2040, 0, ClockQuality(None, 0.025)),  # nobody disciplines it
        (0, 0x2041, 7, ClockQuality(None, 0.025)),
    ],
)
def test_what_the_kernel_says_of_its_clock_is_read_in_its_units(code, status, offset, expected):
    found = host_clock._quality(code, status, offset, 25_000)
    assert found == pytest.approx(expected)


def test_the_kernel_of_this_host_is_asked_and_nothing_is_set():
    before = time.time()
    quality = clock_quality()
    assert quality is not None and 0 <= quality.dispersion < 1e4
    assert abs(time.time() - before) < 5


def test_the_clock_is_asked_once_a_minute(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    asked = []
    clock = WallClock(ask=lambda: asked.append(now[0]) or ClockQuality(0.0, 0.1))
    told = []
    for _ in range(1300):
        told.append(clock.quality())
        now[0] += 0.1
    assert len([q for q in told if q is not None]) == len(asked) == 3


def test_a_captures_clock_never_goes_back():
    clock = CaptureClock(100)
    assert [clock.advance(t) for t in (150, 120, 160)] == [150, 150, 160] and clock.now_ns() == 160


@pytest.mark.parametrize(
    ("prices", "sizes", "tick", "lot", "decimals"),
    [
        (["61837.63000000", "61737.6"], ["0.02000000"], 0.01, 0.01, (2, 2)),
        (["5", "7"], ["1000"], 1.0, 1.0, (0, 0)),
        (["0.00001234"], ["1"], 1e-8, 1.0, (8, 0)),
        ([], [], 1.0, 1.0, (0, 0)),
    ],
)
def test_tick_and_precision_are_the_smallest_step_that_writes_every_number(prices, sizes, tick, lot, decimals):
    found = inferred_metadata(prices, sizes)
    assert (found["tick_size"], found["lot_size"]) == (tick, lot)
    assert (found["price_precision"], found["size_precision"]) == decimals and found["inferred"]
