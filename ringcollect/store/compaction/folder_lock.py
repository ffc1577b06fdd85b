"""One process at a time rebuilds or removes a day folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from ringcollect.store.compaction.record import COMPACTION, folder_key
from ringcollect.store.location import Lake


@contextlib.contextmanager
def only_one(lake: Lake, folder: str) -> Iterator[bool]:
    """Whether this process alone rebuilds or removes the day folder, as long as the context lasts.

    Always in an object store, which has no locks: there the :class:`~ringcollect.store.compaction.lease.Lease` of the
    whole lake stands for them.
    """
    if lake.folder is None:
        yield True
        return
    lock = lake.folder / COMPACTION / f"{folder_key(folder)}.lock"
    lock.parent.mkdir(exist_ok=True)
    fd = os.open(lock, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        is_ours = _lock(fd) and _is_still(fd, lock)
        yield is_ours
        if is_ours:
            lock.unlink(missing_ok=True)
    finally:
        os.close(fd)


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(fd: int, path: Path) -> bool:
    """Whether an open file is the one with the name ``path``: whoever had it before may have removed it."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False
