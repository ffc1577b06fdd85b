"""A text whose next byte belongs to nobody: reading it kills the process. Run as a child by the tests."""

from __future__ import annotations

import ctypes
import mmap

import numpy as np


class GuardedPage:
    """Two pages, the second without access; texts are put right before it."""

    def __init__(self) -> None:
        self._map = mmap.mmap(-1, 2 * mmap.PAGESIZE)
        self._bytes = np.frombuffer(self._map, np.uint8)
        self._end = self._bytes.ctypes.data + mmap.PAGESIZE
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        if libc.mprotect(self._end, mmap.PAGESIZE, 0):
            raise OSError(ctypes.get_errno(), "mprotect")

    def put(self, text: bytes) -> tuple[int, int]:
        """(address, length) of ``text`` ending at the guard."""
        n = len(text)
        self._bytes[mmap.PAGESIZE - n : mmap.PAGESIZE] = np.frombuffer(text, np.uint8)
        return self._end - n, n

    def view(self, text: bytes) -> np.ndarray:
        """``text`` as uint8 array ending at the guard."""
        self.put(text)
        return self._bytes[mmap.PAGESIZE - len(text) : mmap.PAGESIZE]

    def touch(self) -> int:
        """Read the guard: dies."""
        return ctypes.c_uint8.from_address(self._end).value
