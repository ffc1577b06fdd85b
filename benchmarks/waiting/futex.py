"""The prototype behind docs/decisions/0012-no-futex.md: a bell beside the ring, rung by the producer if somebody waits.

Two words of shared memory. Publishing adds one relaxed load of ``waiters`` while nobody waits, and the ``futex`` system
call while somebody does. Store-load order between head and ``waiters`` is not enforced (that would be a full fence): a
ring that is missed so costs the waiter its time-out, never a record.
"""

from __future__ import annotations

import mmap
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ringcollect.jit import njit, types
from ringcollect.ring.protocol import load_relaxed, publish, store_release
from ringcollect.ring.waiting import Watch

WAITERS, BELL = 0, 16
WORDS = 512
SYS_FUTEX = {"x86_64": 202, "aarch64": 98}.get(platform.machine(), -1)
FUTEX_WAIT, FUTEX_WAKE, EVERYBODY = 0, 1, 2**31 - 1
_call: Any = types.ExternalFunction("syscall", types.int64(*[types.int64] * 5))


@njit
def ring_bell(bell: np.ndarray, address: int) -> None:
    """Wake whoever sleeps on ``address``, which is that of ``bell[BELL]``. Apart, so that publishing stays inlined."""
    store_release(bell, BELL, bell[BELL] + 1)
    _call(SYS_FUTEX, address, FUTEX_WAKE, EVERYBODY, 0)


@njit
def publish_and_ring(ring: np.ndarray, batch: np.ndarray, rounds: int, bell: np.ndarray, address: int) -> None:
    """``rounds`` publications of one record; each wakes whoever waits."""
    for _ in range(rounds):
        publish(ring, batch, 1)
        if load_relaxed(bell, WAITERS) != 0:
            ring_bell(bell, address)


@njit(nogil=True)
def sleep_until_rung(address: int, seen: int, timeout: int) -> int:
    """Sleep while the bell's low 32 bits are ``seen``, at most the struct timespec at address ``timeout``."""
    return _call(SYS_FUTEX, address, FUTEX_WAIT, seen & 0xFFFFFFFF, timeout)


@njit
def publish_many(ring: np.ndarray, batch: np.ndarray, rounds: int) -> None:
    """``rounds`` publications of one record, as a jitted feed does them."""
    for _ in range(rounds):
        publish(ring, batch, 1)


def bell_at(path: Path, *, writable: bool = True) -> np.ndarray:
    """The words of a bell file, made if it is not there."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.fstat(fd).st_size < WORDS * 8:
            os.ftruncate(fd, WORDS * 8)
        access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
        return np.frombuffer(mmap.mmap(fd, WORDS * 8, access=access), np.int64)
    finally:
        os.close(fd)


def address_of(bell: np.ndarray) -> int:
    """Where the word is that sleepers sleep on."""
    return int(bell.ctypes.data) + 8 * BELL


class Bell:
    """The waiting strategy of the prototype."""

    def __init__(self, bell: np.ndarray) -> None:
        self._bell = bell
        self._address = address_of(bell)
        sleep_until_rung(self._address, int(bell[BELL]) + 1, 0)  # compiled; the word is another: it does not sleep

    def wait(self, watch: Watch, longest_s: float, stop: Callable[[], bool]) -> bool:
        """Says that it waits, looks once more, sleeps until the bell rings."""
        bell = self._bell
        bell[WAITERS] += 1
        try:
            seen = int(bell[BELL])
            if not watch.ahead() and not stop():
                timeout = np.array([int(longest_s), int(longest_s % 1 * 1e9)], np.int64)
                sleep_until_rung(self._address, seen, timeout.ctypes.data)
        finally:
            bell[WAITERS] -= 1
        return watch.ahead()
