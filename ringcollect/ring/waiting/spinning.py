"""Look again and again and do nothing else.

Costs: one whole processor, always; a record is seen within a microsecond. Pick it where a processor can be given away
for it (isolated, on a host with more processors than busy processes): on two cores that also run the feed it makes
everything slower, itself included.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ringcollect.ring.waiting.watch import Watch

SLICE_NS = 1_000_000
"""The longest one call of the kernel may take: signal handlers run and ``stop`` is asked between two of them."""
_FEWEST, _MOST = 16, 1 << 20


class Spinning:
    """Spins in slices of a quarter to one millisecond, outside the interpreter's lock.

    What one round takes differs from host to host (the spin hint alone is 10 to 140 cycles, more in some virtual
    machines), so the rounds per slice follow from how long the slices take.
    """

    def __init__(self, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._rounds = _FEWEST
        self._clock_ns = clock_ns

    def wait(self, watch: Watch, longest_s: float, stop: Callable[[], bool]) -> bool:
        """See :class:`~ringcollect.ring.waiting.Waiting`."""
        now_ns = self._clock_ns()
        end_ns = now_ns + int(longest_s * 1e9)
        while not watch.spin(self._rounds):
            before_ns, now_ns = now_ns, self._clock_ns()
            if now_ns - before_ns > SLICE_NS:
                self._rounds = max(_FEWEST, self._rounds // 2)
            elif now_ns - before_ns < SLICE_NS // 4:
                self._rounds = min(_MOST, self._rounds * 2)
            if stop() or now_ns >= end_ns:
                return False
        return True
