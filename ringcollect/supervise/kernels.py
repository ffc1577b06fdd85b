"""Which modules hold compiled kernels, and how all of them are compiled or loaded.

The list is explicit, so that nothing heavy is imported by walking packages; a test compares it with the modules that
import ``njit``. Imported by ``ringcollect warm`` and by the forkserver's preload only.
"""

from __future__ import annotations

import importlib
import time
from typing import NamedTuple

KERNEL_MODULES: tuple[str, ...] = (
    "ringcollect.ring.protocol",
    "ringcollect.decode.memory",
    "ringcollect.decode.number",
    "ringcollect.decode.skip",
    "ringcollect.decode.symbols",
    "ringcollect.exchanges.binance.decode",
    "ringcollect.sync.engine",
)
"""Every module with a ``warm()`` that calls each of its kernels once with arrays of the true types."""


class Warmed(NamedTuple):
    """One module's share of warming up."""

    module: str
    seconds: float


def warm_kernels() -> list[Warmed]:
    """Import each kernel module and call its ``warm()``: from an empty cache this compiles, later it loads."""
    done = []
    for name in KERNEL_MODULES:
        begin = time.perf_counter()
        importlib.import_module(name).warm()
        done.append(Warmed(name, time.perf_counter() - begin))
    return done
