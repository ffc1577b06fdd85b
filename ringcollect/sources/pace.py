"""How fast a capture's time passes."""

from __future__ import annotations

import time
from collections.abc import Callable

_NAP_S = 0.02


class Pace:
    """``speed`` times as fast as the capture's own time; 0 does not wait at all.

    ``idle`` is called while waiting, so that consumers see records as they come. The result of a replay does not
    depend on the pace.
    """

    def __init__(self, speed: float, idle: Callable[[], None]) -> None:
        self._speed = speed
        self._idle = idle
        self._first_ns = -1
        self._begun_ns = 0
        self.waited_ns = 0

    def wait_for(self, ts: int) -> None:
        """Return when it is time for an event of capture time ``ts`` (ns)."""
        if not self._speed:
            return
        now = time.monotonic_ns()
        if self._first_ns < 0:
            self._first_ns, self._begun_ns = ts, now
            return
        due = self._begun_ns + int((ts - self._first_ns) / self._speed)
        if now >= due:
            return
        self._idle()
        while (left := due - time.monotonic_ns()) > 0:
            time.sleep(min(left / 1e9, _NAP_S))
        self.waited_ns += time.monotonic_ns() - now
