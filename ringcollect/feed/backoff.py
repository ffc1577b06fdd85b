"""How long to wait before the next attempt: capped exponential with jitter, from the session's own random numbers."""

from __future__ import annotations

import random


class Backoff:
    """Delays ``first, 2*first, 4*first, ... cap`` (ns), each spread by ``±jitter`` (0.25 = 25 %).

    ``reset`` belongs to the moment data flows again, not to the moment a socket opens: a server that accepts and
    closes at once must not be asked every second for ever.
    """

    def __init__(self, first_ns: int, cap_ns: int, jitter: float, rng: random.Random) -> None:
        self._first_ns = first_ns
        self._cap_ns = cap_ns
        self._jitter = jitter
        self._rng = rng
        self.attempts = 0

    def next_ns(self) -> int:
        """Nanoseconds to wait before the next attempt; counts the attempt."""
        plain = min(self._cap_ns, self._first_ns << min(self.attempts, 40))
        self.attempts += 1
        return int(plain * (1 + self._jitter * (2 * self._rng.random() - 1)))

    def reset(self) -> None:
        """Start again at ``first``."""
        self.attempts = 0
