"""Two folders swap their names in one step: Linux renameat2(RENAME_EXCHANGE), macOS renamex_np(RENAME_SWAP)."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # linux/fs.h
_RENAME_SWAP = 2  # sys/stdio.h of macOS
UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM, errno.EXDEV})
"""What file systems answer that cannot do it (also to hard links, which the swap needs as well)."""


def exchange(one: Path, other: Path) -> None:
    """Each of two existing folders has the other's name afterwards; nobody sees a moment in between.

    OSError with an ``errno`` of ``UNSUPPORTED`` where system or file system cannot do it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    if sys.platform == "darwin":
        function = getattr(libc, "renamex_np", None)
        arguments: tuple[object, ...] = (*names, ctypes.c_uint(_RENAME_SWAP))
    else:
        function = getattr(libc, "renameat2", None)
        arguments = (_AT_FDCWD, names[0], _AT_FDCWD, names[1], ctypes.c_uint(_RENAME_EXCHANGE))
    if function is None:
        raise OSError(errno.ENOSYS, "this system cannot exchange two names", str(one))
    if function(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(one))
