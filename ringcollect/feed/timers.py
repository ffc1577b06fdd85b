"""Named deadlines in order. Deterministic: equal deadlines fire in the order they were set."""

from __future__ import annotations

import heapq
from typing import Any

NEVER = 2**63 - 1


class Timers:
    """At most one deadline (ns) per key; keys are hashable, usually tuples that begin with the timer's name."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Any]] = []
        self._current: dict[Any, tuple[int, int]] = {}
        self._count = 0

    def set(self, key: Any, deadline_ns: int) -> None:
        """Fire ``key`` at ``deadline_ns``; replaces its earlier deadline."""
        self._count += 1
        self._current[key] = (deadline_ns, self._count)
        heapq.heappush(self._heap, (deadline_ns, self._count, key))
        if len(self._heap) > 64 + 2 * len(self._current):  # replaced deadlines must not pile up
            self._rebuild()

    def cancel(self, key: Any) -> None:
        """Forget ``key``, set or not."""
        self._current.pop(key, None)

    def cancel_of(self, owner: Any) -> None:
        """Forget every deadline whose key is (name, ``owner``): what it was about is no more."""
        for key in [key for key in self._current if type(key) is tuple and len(key) == 2 and key[1] == owner]:
            del self._current[key]

    def __contains__(self, key: Any) -> bool:
        return key in self._current

    def next_deadline(self) -> int:
        """The earliest deadline, ``NEVER`` if there is none."""
        while self._heap:
            deadline, count, key = self._heap[0]
            if self._current.get(key) == (deadline, count):
                return deadline
            heapq.heappop(self._heap)
        return NEVER

    def pop_due(self, now_ns: int) -> Any | None:
        """Remove and return the earliest key whose deadline is not after ``now_ns``, else None."""
        if self.next_deadline() > now_ns:
            return None
        key = heapq.heappop(self._heap)[2]
        del self._current[key]
        return key

    def shift(self, step_ns: int) -> None:
        """Move every deadline by ``step_ns``: the wall clock was set, and waiting goes on as if it had not been."""
        self._current = {key: (deadline + step_ns, count) for key, (deadline, count) in self._current.items()}
        self._rebuild()

    def _rebuild(self) -> None:
        self._heap = [(deadline, count, key) for key, (deadline, count) in self._current.items()]
        heapq.heapify(self._heap)
