"""Windows that slide, against counting by hand."""

from __future__ import annotations

import random

from ringcollect.observe.windows import WINDOWS_S, SlidingWindows, Windowed


def test_an_event_leaves_each_window_exactly_when_its_time_is_up() -> None:
    windows = SlidingWindows()
    windows.add(0, {"lost/a": 0}, baseline=True)
    windows.add(10, {"lost/a": 3})
    seen = {at: windows.at(at)["lost"] for at in (10, 69, 70, 309, 310, 909, 910)}
    assert [seen[at].last_1m for at in (10, 69, 70)] == [3, 3, 0]
    assert [seen[at].last_5m for at in (70, 309, 310)] == [3, 3, 0]
    assert [seen[at].last_15m for at in (310, 909, 910)] == [3, 3, 0]
    assert seen[910].total == 3


def test_what_was_counted_before_the_first_look_is_no_event_but_what_a_new_ring_counts_is() -> None:
    windows = SlidingWindows()
    windows.add(0, {"gaps/old/1": 100}, baseline=True)
    windows.add(1, {"gaps/old/1": 101, "gaps/new/2": 5})
    assert windows.at(1)["gaps"] == Windowed(last_1m=6, last_5m=6, last_15m=6, total=6)


def test_a_counter_that_falls_was_reset_and_counts_from_zero() -> None:
    windows = SlidingWindows()
    windows.add(0, {"gaps/a": 50}, baseline=True)
    windows.add(1, {"gaps/a": 2})
    windows.add(2, {"gaps/a": 4})
    assert windows.at(2)["gaps"].total == 4


def test_random_events_are_counted_as_a_list_of_all_of_them_says() -> None:
    dice = random.Random(7)
    windows = SlidingWindows()
    total, now, events = 0, 0.0, []
    windows.add(now, {"x": 0}, baseline=True)
    for _ in range(2000):
        now += dice.choice((0.5, 1.0, 7.0))
        grown = dice.choice((0, 0, 0, 1, 4))
        total += grown
        events.append((now, grown))
        windows.add(now, {"x": total})
        expected = [sum(n for when, n in events if now - span < when <= now) for span in WINDOWS_S]
        got = windows.at(now)["x"]
        assert [got.last_1m, got.last_5m, got.last_15m] == expected
    assert len(windows._events) <= 1800, "memory is bounded by the longest window"
