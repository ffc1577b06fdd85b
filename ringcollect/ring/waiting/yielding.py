"""Look again and again, and let others run in between (``sched_yield``).

Costs: one whole processor while nobody else wants it, next to nothing of it while somebody does; a record is seen
within microseconds on an idle processor, and after a time slice of the others on a busy one. Pick it where latency
matters and processors are shared, and electricity is free.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from ringcollect.ring.waiting.watch import Watch


class Yielding:
    """Never sleeps; signals and ``stop`` are looked at after every turn."""

    def wait(self, watch: Watch, longest_s: float, stop: Callable[[], bool]) -> bool:
        """See :class:`~ringcollect.ring.waiting.Waiting`."""
        end_s = time.monotonic() + longest_s
        while not watch.ahead():
            if stop() or time.monotonic() >= end_s:
                return False
            os.sched_yield()
        return True
