"""Virtual time: callbacks in the order of their times, ties in the order they were registered."""

from __future__ import annotations

import heapq
from collections.abc import Callable

Job = Callable[[int], int]


class Scheduler:
    """Jobs are called with their due time (ns since the start) and return when they want to be called again."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Job]] = []
        self._registered = 0
        self.now_ns = 0

    def add(self, due_ns: int, job: Job) -> None:
        """Call ``job`` first at ``due_ns``; a negative return value ends it."""
        self._registered += 1
        heapq.heappush(self._heap, (max(due_ns, self.now_ns), self._registered, job))

    def run_until(self, now_ns: int, most: int) -> bool:
        """Run what is due at or before ``now_ns``, at most ``most`` jobs; False when some were left."""
        heap = self._heap
        for _ in range(most):
            if not heap or heap[0][0] > now_ns:
                self.now_ns = max(self.now_ns, now_ns)
                return True
            due, order, job = heap[0]
            self.now_ns = due
            again = job(due)
            if again < 0:
                heapq.heappop(heap)
            else:
                heapq.heapreplace(heap, (max(again, due), order, job))
        return False
