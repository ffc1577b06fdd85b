"""Opening, locking and building ring files."""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from pathlib import Path

import numpy as np

from ringcollect.errors import EnvironmentRefused, NotFoundError, RingError
from ringcollect.ring.control import reserve
from ringcollect.ring.layout import PAGE

_LOCK_TRIES, _LOCK_PAUSE_S = 5, 0.01


def map_file(fd: int, where: Path, *, writable: bool) -> np.ndarray:
    """The whole file as int64 words; read-only mappings cannot change a byte."""
    size = os.fstat(fd).st_size
    if size < PAGE or size % PAGE:
        raise RingError(f"{where} has {size} bytes: not a ring")
    access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
    return np.frombuffer(mmap.mmap(fd, size, access=access), np.int64)


def open_file(path: Path, *, writable: bool) -> int:
    """A file descriptor; errors say what is wrong and whose permission is missing."""
    try:
        return os.open(path, os.O_RDWR if writable else os.O_RDONLY)
    except FileNotFoundError as error:
        raise NotFoundError(f"no ring {path}: is the collector running?") from error
    except PermissionError as error:
        raise EnvironmentRefused(f"permission denied for {path} (uid {os.getuid()})") from error


def new_file(path: Path, size: int) -> int:
    """A new file of ``size`` really reserved bytes, mode 0640; removed again if the space is refused."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
    try:
        reserve(fd, size, path)
    except EnvironmentRefused:
        os.close(fd)
        path.unlink()
        raise
    return fd


def try_lock(fd: int) -> bool:
    """Take the exclusive lock of an open file; False if a producer has it.

    ``is_locked`` of somebody else holds a shared lock for microseconds: that is no producer, so it is tried again.
    """
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE_S)
            continue
        return True
    return False


def file_identity(facts: os.stat_result) -> tuple[int, int]:
    """(device, inode) of a file; equal for one and the same file.

    A mapping keeps its inode in use, so a new file cannot get the number of one that somebody still reads.
    """
    return facts.st_dev, facts.st_ino


def release(fd: int) -> None:
    """Give the lock up and close. The mapping holds a duplicate of the descriptor, so closing alone would not."""
    fcntl.flock(fd, fcntl.LOCK_UN)
    os.close(fd)


def is_locked(path: Path) -> bool:
    """True while a producer lives: it holds the ring's lock. Never leaves a lock behind."""
    fd = open_file(path, writable=False)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
    finally:
        os.close(fd)
