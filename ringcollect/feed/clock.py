"""The feed's clock: wall time live, the capture's times in replay. Nothing else in the feed asks for the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from ringcollect.feed.host_clock import ClockQuality, clock_quality

_QUALITY_S = 60.0  # a clock is disciplined every minute or less often


class Clock(Protocol):
    """``now_ns`` is int64 ns since the Unix epoch."""

    def now_ns(self) -> int: ...


class WallClock:
    """The host's clock, with an eye on it: ``step_ns`` tells when somebody set it.

    Wall and monotonic time advance together to within NTP's slewing (at most 0.05 %); a difference above
    ``threshold_ns`` since the last look is a step.
    """

    def __init__(self, threshold_ns: int = 50_000_000, ask: Callable[[], ClockQuality | None] = clock_quality) -> None:
        self._threshold_ns = threshold_ns
        self._offset = time.time_ns() - time.monotonic_ns()
        self._ask = ask
        self._ask_at = 0.0

    def now_ns(self) -> int:
        return time.time_ns()

    def step_ns(self) -> int:
        """How far the wall clock was set since the last call, signed; 0 if it was not."""
        offset = time.time_ns() - time.monotonic_ns()
        step = offset - self._offset
        self._offset = offset
        return step if abs(step) > self._threshold_ns else 0

    def quality(self) -> ClockQuality | None:
        """What the kernel knows of the clock, once a minute; None in between and where it knows nothing."""
        now = time.monotonic()
        if now < self._ask_at:
            return None
        self._ask_at = now + _QUALITY_S
        return self._ask()


class CaptureClock:
    """Time as a capture tells it: moves when told, never backwards."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        return self._now_ns

    def advance(self, to_ns: int) -> int:
        """Move to ``to_ns`` unless that is in the past; returns the time it is now."""
        self._now_ns = max(self._now_ns, to_ns)
        return self._now_ns
