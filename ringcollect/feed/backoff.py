"""How long to wait before the next attempt: capped exponential with jitter, from the session's own random numbers.

Where ``max_attempts`` is set, so many failures in a row open the circuit: four times the longest delay without an
attempt, then one probe; if that fails too, eight times, each time.
"""

from __future__ import annotations

import random

_OPEN_FIRST, _OPEN_AGAIN = 4, 8
"""How many times the longest delay an open circuit waits for its probe."""


class Backoff:
    """Delays ``first, 2*first, 4*first, ... cap`` (ns), each spread by ``±jitter`` (0.25 = 25 %).

    ``reset`` belongs to the moment data flows again, not to the moment a socket opens: a server that accepts and
    closes at once must not be asked every second for ever.
    """

    def __init__(self, first_ns: int, cap_ns: int, jitter: float, rng: random.Random, max_attempts: int = 0) -> None:
        self._first_ns = first_ns
        self._cap_ns = cap_ns
        self._jitter = jitter
        self._rng = rng
        self._max_attempts = max_attempts
        self.attempts = 0

    @property
    def is_open(self) -> bool:
        """So many attempts failed in a row that only a probe is made from time to time."""
        return 0 < self._max_attempts <= self.attempts

    def next_ns(self) -> int:
        """Nanoseconds to wait before the next attempt; counts the one that failed."""
        plain = min(self._cap_ns, self._first_ns << min(self.attempts, 40))
        was_open = self.is_open
        self.attempts += 1
        if self.is_open:
            plain = self._cap_ns * (_OPEN_AGAIN if was_open else _OPEN_FIRST)
        return int(plain * (1 + self._jitter * (2 * self._rng.random() - 1)))

    def reset(self) -> None:
        """Start again at ``first``."""
        self.attempts = 0
