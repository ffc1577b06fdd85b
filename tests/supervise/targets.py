"""Small child mains for the supervisor's tests. Each says what it does through files in a folder."""

from __future__ import annotations

import os
import signal
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


def freezing_counts(folder: str, name: str, stop: Callable[[], bool]) -> None:
    """Notes what it inherited: objects frozen, numba loaded, pyarrow loaded."""
    import gc
    import sys

    text = f"{gc.get_freeze_count()} {'numba' in sys.modules} {'pyarrow' in sys.modules}"
    Path(folder, f"{name}.inherited").write_text(text)
    obedient(folder, name, stop)
