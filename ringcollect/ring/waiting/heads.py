"""The kernels of waiting: one call reads the heads of all rings of a process.

Heads are given by address, because a kernel takes few arguments and the number of rings is data. Whoever calls keeps
the mappings alive for the call (``Watch`` does).
"""

from __future__ import annotations

import numpy as np

from ringcollect.jit import njit
from ringcollect.ring.protocol import load_acquire_at, pause


@njit
def any_ahead(table: np.ndarray, n: int) -> bool:
    """True if one of ``n`` heads is past its position; ``table``: (address of head, position) per ring, int64."""
    for i in range(n):  # noqa: SIM110  numba has no generators
        if load_acquire_at(table[2 * i]) > table[2 * i + 1]:
            return True
    return False


@njit(nogil=True)
def spin_until_ahead(table: np.ndarray, n: int, rounds: int) -> bool:
    """As :func:`any_ahead`, up to ``rounds`` times with the processor's spin hint in between; without the GIL."""
    for _ in range(rounds):
        for i in range(n):
            if load_acquire_at(table[2 * i]) > table[2 * i + 1]:
                return True
        pause()
    return False


def warm() -> None:
    """Compile both kernels for the types used at run time."""
    head = np.zeros(1, np.int64)
    table = np.array([head.ctypes.data, 0], np.int64)
    any_ahead(table, 1)
    spin_until_ahead(table, 1, 1)
