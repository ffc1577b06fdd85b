"""Sleep between two looks, shorter when looks find something, longer when they do not.

Costs: at most ``1 / shortest`` and in silence ``1 / longest`` wake-ups a second, tens of microseconds each; a record
waits for the sleep to end, so for the longest interval after a silence and about half the time between two records in
a steady stream. Pick it unless microseconds matter: it is the default, and right for a host that does other work.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ringcollect.ring.waiting.watch import Watch

SHORTEST_S, LONGEST_S = 0.001, 0.020


class Adaptive:
    """Halves its interval after a look that found something and doubles it after one that did not.

    So about every second look finds something, whatever the rate, between the two bounds (seconds). ``sleep`` and
    ``clock`` (monotonic) are there for tests.
    """

    def __init__(
        self,
        shortest_s: float = SHORTEST_S,
        longest_s: float = LONGEST_S,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 < shortest_s <= longest_s:
            raise ValueError(f"an interval from {shortest_s} to {longest_s} s is none")
        self._shortest_s, self._longest_s = shortest_s, longest_s
        self._pause_s = shortest_s
        self._sleep, self._clock = sleep, clock

    def wait(self, watch: Watch, longest_s: float, stop: Callable[[], bool]) -> bool:
        """See :class:`~ringcollect.ring.waiting.Waiting`. Sleeps shorter than its interval only to be back in time."""
        end_s = self._clock() + longest_s
        slept_in_full = False
        while not watch.ahead():
            if slept_in_full:
                self._pause_s = min(self._longest_s, self._pause_s * 2)
            left_s = end_s - self._clock()
            if left_s <= 0 or stop():
                return False
            slept_in_full = left_s >= self._pause_s
            self._sleep(min(left_s, self._pause_s))
        self._pause_s = max(self._shortest_s, self._pause_s / 2)
        return True
