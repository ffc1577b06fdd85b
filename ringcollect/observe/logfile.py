"""A log file shared by all processes of a collector, set aside at midnight UTC and kept for some days.

The standard library's rotating handlers belong to one process: with several, each renames what another has just
renamed, and lines go to files already set aside or deleted. Here every line is one append to whatever file has the
name now, and whoever writes first on a new day renames the old one under a lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ringcollect.errors import EnvironmentRefused


class DailyFile(logging.Handler):
    """Appends to ``path``; yesterday's lines are in ``<path>.2026-11-20``, days past ``retention_days`` are deleted.

    A full disk loses log lines, never the process: the number of lost lines is written once there is room again.
    """

    def __init__(self, path: Path, retention_days: int, now_s: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.lost_lines = 0
        self._path = path
        self._retention = timedelta(days=retention_days)
        self._now_s = now_s
        self._file: int | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open()
        except OSError as error:
            raise EnvironmentRefused(f"cannot write the log file {path}: {error.strerror}") from error

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line with one system call."""
        line = self.format(record) + "\n"
        try:
            self._follow()
            if self.lost_lines:
                line = f"({self.lost_lines} log lines were lost before this one: the file could not be written)\n{line}"
            assert self._file is not None
            os.write(self._file, line.encode("utf-8", "backslashreplace"))
            self.lost_lines = 0
        except OSError:
            self.lost_lines += 1

    def close(self) -> None:
        """Close the file; the handler writes no more."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        super().close()

    def _follow(self) -> None:
        """Be on the file that has the name now, after setting an older day's file aside."""
        if self._file is not None and _day(os.fstat(self._file).st_mtime) < _day(self._now_s()):
            self._set_aside()
        if self._file is None or not self._is_current(self._file):
            self._open()

    def _is_current(self, file: int) -> bool:
        ours = os.fstat(file)
        try:
            named = self._path.stat()
        except FileNotFoundError:
            return False
        return (ours.st_dev, ours.st_ino) == (named.st_dev, named.st_ino)

    def _open(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def _set_aside(self) -> None:
        lock = os.open(self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            today = _day(self._now_s())
            with contextlib.suppress(FileNotFoundError):  # another process was first
                status = self._path.stat()
                day = _day(status.st_mtime)
                if day < today and status.st_size:
                    self._path.rename(self._path.with_name(f"{self._path.name}.{day}"))
            self._delete_old(today)
        finally:
            os.close(lock)

    def _delete_old(self, today: date) -> None:
        for file in self._path.parent.glob(f"{self._path.name}.*"):
            try:
                day = date.fromisoformat(file.name.removeprefix(f"{self._path.name}."))
            except ValueError:
                continue
            if day < today - self._retention:
                file.unlink(missing_ok=True)


def _day(seconds: float) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()
