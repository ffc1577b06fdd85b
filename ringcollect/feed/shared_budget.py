"""One budget per address for every collector on this host: a small locked file per venue host.

The exchange counts by IP, so two processes that each keep to the limit break it together. Nobody may hang on the
lock, though: a stopped process could hold it for ever, so it is only tried, and after a second it is ignored.
"""

from __future__ import annotations

import fcntl
import os
import re
import struct
import time
from pathlib import Path

_ENTRY = struct.Struct("<qqq")  # window number, units used in it, blocked until (ns)
RETRY_S = 0.05
PATIENCE = 20
"""Tries, ``RETRY_S`` apart, before going on without the lock."""


class SharedBudget:
    """Files under ``folder``; names are venue hosts, with a suffix for what is counted (weight, connects)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._missed: dict[str, int] = {}
        self.errors = 0

    def admit(self, name: str, units: int, limit: int, window_ns: int, now_ns: int) -> float:
        """0.0 and the units are spent, or seconds to wait before asking again."""
        fd = self._open(name)
        if fd is None:
            return 0.0  # no place for the file: the session's own budget still holds
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self._missed[name] = self._missed.get(name, 0) + 1
                if self._missed[name] < PATIENCE:
                    return RETRY_S
            self._missed[name] = 0
            window, used, blocked = self._read(fd)
            if now_ns < blocked:
                return (blocked - now_ns) / 1e9
            current = now_ns // window_ns
            if window != current:
                window, used = current, 0
            if used and used + units > limit:
                return ((window + 1) * window_ns - now_ns) / 1e9
            os.pwrite(fd, _ENTRY.pack(window, used + units, blocked), 0)
            return 0.0
        except OSError:
            self.errors += 1
            return 0.0
        finally:
            os.close(fd)

    def block(self, name: str, until_ns: int) -> None:
        """Nobody on this host asks before ``until_ns`` (418 or 429 with Retry-After)."""
        fd = self._open(name)
        if fd is None:
            return
        try:
            self._lock_briefly(fd)
            window, used, blocked = self._read(fd)
            os.pwrite(fd, _ENTRY.pack(window, used, max(blocked, until_ns)), 0)
        except OSError:
            self.errors += 1
        finally:
            os.close(fd)

    @staticmethod
    def _lock_briefly(fd: int) -> None:
        """Whoever holds it only reads and writes 24 bytes; one that was stopped in between is not waited for."""
        for _ in range(PATIENCE):
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                time.sleep(0.0005)

    def _open(self, name: str) -> int | None:
        try:
            self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            return os.open(self._folder / re.sub(r"[^A-Za-z0-9.#-]", "_", name), os.O_RDWR | os.O_CREAT, 0o640)
        except OSError:
            self.errors += 1
            return None

    @staticmethod
    def _read(fd: int) -> tuple[int, int, int]:
        raw = os.pread(fd, _ENTRY.size, 0)
        window, used, blocked = _ENTRY.unpack(raw) if len(raw) == _ENTRY.size else (0, 0, 0)
        return window, used, blocked
