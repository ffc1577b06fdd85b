"""The engine's arrays as kernels see them: one int64 array of addresses and shapes.

One argument instead of nine keeps a call at one dispatch. It also makes the kernels three times faster: an array made
from an address owns nothing, so numba's reference counts, one atomic each time a row is taken, cost nothing.
Whoever fills the context keeps the memory alive for the call.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import word_pointer
from ringcollect.jit import carray, njit

# Places in the context; each array has an address, rows and words per row.
(RECORDS, OUT, PARAMS, SHARED, INTS, FLOATS, BOOKS, POOL, WIDE) = range(0, 27, 3)
CONTEXT = 27


@njit
def array_at(context: np.ndarray, place: int) -> np.ndarray:
    """The int64[rows, words] array at ``place``; floats take a view of it."""
    return carray(word_pointer(context[place]), (context[place + 1], context[place + 2]))


def put(context: np.ndarray, place: int, array: np.ndarray) -> None:
    """Describe ``array`` (contiguous, 8-byte items, one or two dimensions) at ``place``."""
    rows, words = array.shape if array.ndim == 2 else (1, array.shape[0])
    context[place : place + 3] = (array.ctypes.data, rows, words)
