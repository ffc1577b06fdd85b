"""What a reader does while its ring is empty."""

from __future__ import annotations

import os
import time
from collections.abc import Callable


def pause_of(name: str) -> Callable[[], object]:
    """``yield``, ``spin``, or a time in ms to sleep between looks."""
    if name == "yield":
        return os.sched_yield
    if name == "spin":
        return _nothing
    seconds = float(name.removesuffix("ms")) / 1000
    return lambda: time.sleep(seconds)


def _nothing() -> None:
    """Spinning is looking again at once."""
