"""Giving back memory that was needed only to get ready: the compiler's code, and what the allocator keeps.

After the kernels are loaded nothing in a child calls LLVM, but its pages stay counted to whoever touched them.
Dropping a clean file page costs nothing: it is read again from the file if it is ever needed.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import NamedTuple

_MADV_DONTNEED = 4
_SMAPS = Path("/proc/self/smaps")


class Mapping(NamedTuple):
    """One entry of ``smaps``; ``anonymous`` is bytes that are not the file's."""

    start: int
    end: int
    permissions: str
    path: str
    anonymous: int


def give_back(library: str) -> int:
    """Drop the unmodified pages of mapped files whose path contains ``library``; returns the bytes mapped there.

    Only mappings without a single page of their own are touched: relocated data looks read-only too, and would come
    back as it was before the loader changed it. Does nothing off Linux.
    """
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    dropped = 0
    for mapping in parse_smaps(_SMAPS.read_text()):
        clean = mapping.anonymous == 0 and "w" not in mapping.permissions
        if library in mapping.path and clean and _advise(libc, mapping):
            dropped += mapping.end - mapping.start
    if hasattr(libc, "malloc_trim"):  # glibc
        libc.malloc_trim(0)
    return dropped


def parse_smaps(text: str) -> list[Mapping]:
    """The mappings in the text of a ``smaps`` file."""
    found: list[Mapping] = []
    for line in text.splitlines():
        key, _, rest = line.partition(" ")
        if not key.endswith(":"):
            start, _, end = key.partition("-")
            fields = rest.split(maxsplit=4)
            found.append(Mapping(int(start, 16), int(end, 16), fields[0], fields[4] if len(fields) > 4 else "", 0))
        elif key == "Anonymous:":
            found[-1] = found[-1]._replace(anonymous=int(rest.split()[0]) * 1024)
    return found


def _advise(libc: ctypes.CDLL, mapping: Mapping) -> bool:
    length = mapping.end - mapping.start
    return libc.madvise(ctypes.c_void_p(mapping.start), ctypes.c_size_t(length), _MADV_DONTNEED) == 0
