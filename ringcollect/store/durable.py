"""Files that are whole or absent: write aside, fsync, rename, fsync the folder.

``sync=False`` (storage option ``fsync = "off"``) leaves the fsyncs out: a kill still loses nothing, a power cut may.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from ringcollect.errors import EnvironmentRefused
from ringcollect.failpoints import fail


def sync_data(fd: int) -> None:
    """Make the content of an open file durable (macOS has no fdatasync)."""
    getattr(os, "fdatasync", os.fsync)(fd)


def fsync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def fsync_file(path: Path) -> None:
    """Make the content of ``path`` durable, whoever wrote it."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folders(folder: Path, *, sync: bool = True) -> None:
    """Create ``folder`` and its parents; every new name is made durable in its parent."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        if sync:
            fsync_folder(new.parent)


def temporary_beside(path: Path) -> Path:
    """Where the content of ``path`` is built: hidden, and not a ``.parquet`` to anybody."""
    return path.with_name(f".{path.name}.tmp")


def put_in_place(temporary: Path, final: Path, stage: str, *, sync: bool = True) -> None:
    """Rename a finished, fsynced file and make the name durable. Failpoints ``after_rename``, ``after_dirsync``."""
    temporary.replace(final)
    fail(f"{stage}.after_rename")
    if sync:
        fsync_folder(final.parent)
    fail(f"{stage}.after_dirsync")


def write_whole(path: Path, content: bytes, stage: str, *, sync: bool = True) -> None:
    """``path`` holds ``content`` afterwards, or what it held before; never a part.

    Failpoints ``<stage>.after_write``, ``after_fsync``, ``after_rename``, ``after_dirsync``.
    """
    make_folders(path.parent, sync=sync)
    temporary = temporary_beside(path)
    with open(temporary, "wb", buffering=0) as file:
        write_all(file.fileno(), content, 0)
        fail(f"{stage}.after_write")
        if sync:
            os.fsync(file.fileno())
    fail(f"{stage}.after_fsync")
    put_in_place(temporary, path, stage, sync=sync)


def write_all(fd: int, content: bytes | bytearray | memoryview, offset: int) -> None:
    """Write every byte at ``offset``; a short write goes on where it stopped. Raises OSError."""
    view = memoryview(content)
    while len(view):
        written = os.pwrite(fd, view, offset)
        view = view[written:]
        offset += written


@contextlib.contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Hold the lock file ``lock`` (created if missing); waits for whoever holds it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(lock, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def lock_now(fd: int, path: Path) -> None:
    """Take the exclusive lock of an open file, or raise EnvironmentRefused at once."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise EnvironmentRefused(f"{path} is in use by another process: is another collector running?") from error
