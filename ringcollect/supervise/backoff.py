"""When a dead child is started again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RestartPolicy:
    """Delays double from ``first_s`` up to ``max_s`` and begin anew once a child has lived for ``healthy_s``."""

    first_s: float = 0.5
    max_s: float = 30.0
    healthy_s: float = 60.0

    def delay_s(self, failures: int) -> float:
        """Seconds to wait after the ``failures``-th death in a row (1 is the first)."""
        return min(self.max_s, self.first_s * 2.0 ** min(failures - 1, 30))
