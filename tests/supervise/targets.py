"""Small child mains for the supervisor's tests. Each says what it does through files in a folder."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path


def obedient(folder: str, name: str, stop: Callable[[], bool]) -> None:
    """Writes its pid, then waits for the stop; notes the time it began to stop and then ended."""
    Path(folder, f"{name}.{os.getpid()}.pid").touch()
    while not stop():
        time.sleep(0.01)
    Path(folder, f"{name}.stopped").write_text(str(time.monotonic_ns()))


def deaf(folder: str, name: str, stop: Callable[[], bool]) -> None:
    """Ignores every request to stop."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(folder, f"{name}.{os.getpid()}.pid").touch()
    while True:
        time.sleep(0.05)


def failing(folder: str, name: str, stop: Callable[[], bool]) -> None:
    """Dies at once, each time."""
    Path(folder, f"{name}.{os.getpid()}.pid").touch()
    raise SystemExit(4)


def tell_what_it_inherited(folder: str, name: str, stop: Callable[[], bool]) -> None:
    """Writes what the forkserver gave it to ``inherited.json``."""
    from ringcollect.supervise.kernels import compiled_here

    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MALLOC_ARENA_MAX")
    opened = [os.path.realpath(fd) for fd in Path("/proc/self/fd").iterdir() if int(fd.name) > 2]
    told = {
        "frozen": gc.get_freeze_count(),
        "numba": "numba" in sys.modules,
        "pyarrow": "pyarrow" in sys.modules,
        "compiled": compiled_here(),
        "environment": {name: os.environ.get(name) for name in names},
        "open_files": [path for path in opened if not path.startswith(("/proc/", "/dev/"))],
    }
    Path(folder, "inherited.json").write_text(json.dumps(told))
