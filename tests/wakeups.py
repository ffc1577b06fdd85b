"""How often a thread went to sleep, as the kernel counts: a number that a busy host makes smaller, never larger."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

STATUS = Path("/proc/thread-self/status")
counted = pytest.mark.skipif(not STATUS.exists(), reason="the kernel shows no counts")


def wakeups() -> int:
    """Voluntary switches of this thread so far."""
    lines = STATUS.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))


class Silence:
    """A ``stop()`` for a main loop: lets it settle, counts its wake-ups for a while, then ends it."""

    def __init__(self, settle_s: float, count_s: float) -> None:
        self._begin_s = time.monotonic() + settle_s
        self._end_s = self._begin_s + count_s
        self._before: int | None = None
        self.wakeups = -1

    def __call__(self) -> bool:
        now_s = time.monotonic()
        if now_s >= self._begin_s and self._before is None:
            self._before = wakeups()
        if now_s >= self._end_s and self.wakeups < 0 and self._before is not None:
            self.wakeups = wakeups() - self._before
        return now_s >= self._end_s
