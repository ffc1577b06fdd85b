"""One supervisor per runtime folder: the lock says so, the pid in the file is only for the message."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ringcollect.errors import EnvironmentRefused
from ringcollect.observe.status import LOCK_FILE
from ringcollect.ring.mapping import try_lock

PROBE_S = 0.05
"""``status`` tries a lock by taking it for microseconds: one refusal is not yet a living supervisor."""


class SupervisorLock:
    """Held for life; the kernel releases it when the process ends in any way."""

    def __init__(self, runtime: Path) -> None:
        """Take the lock of ``runtime`` (an existing folder); raises EnvironmentRefused if somebody has it."""
        path = runtime / LOCK_FILE
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
        locked = try_lock(self._fd)
        if not locked:
            time.sleep(PROBE_S)
            locked = try_lock(self._fd)
        if not locked:
            pid = os.pread(self._fd, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._fd)
            raise EnvironmentRefused(
                f"a collector is already running on {runtime} (supervisor pid {pid}); "
                "stop it, or choose another [collector] runtime_dir"
            )
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock up."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
