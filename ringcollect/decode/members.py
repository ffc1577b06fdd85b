"""The frame of objects and arrays: keys, commas and closing brackets, white space between them passed over."""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import byte_at
from ringcollect.decode.text import BAD, space, word
from ringcollect.jit import inlined

_ZERO = np.uint64(0)


@inlined
def key_at(a: int, i: int, n: int) -> tuple[int, np.uint64, np.uint64]:
    """A key with its colon: (offset of its value or BAD, the key as the two words of :func:`text.packed`)."""
    if i >= n or byte_at(a, i) != 34:
        return BAD, _ZERO, _ZERO
    i, low, high = word(a, i + 1, n)
    if i < 0:
        return BAD, low, high
    i = space(a, i, n)
    if i >= n or byte_at(a, i) != 58:
        return BAD, low, high
    i = space(a, i + 1, n)
    return (i if i < n else BAD), low, high


@inlined
def enter(a: int, i: int, n: int, closing: int) -> tuple[int, bool]:
    """Behind the opening bracket at ``i``: (offset of the first member, True), (offset after the end, False) or BAD.

    ``closing`` is 125 for an object, 93 for an array; the byte at ``i`` must be its opening.
    """
    if i >= n or byte_at(a, i) != closing - 2:  # { is } - 2, [ is ] - 2
        return BAD, False
    i = space(a, i + 1, n)
    if i >= n:
        return BAD, False
    if byte_at(a, i) == closing:
        return i + 1, False
    return i, True


@inlined
def more(a: int, i: int, n: int, closing: int) -> tuple[int, bool]:
    """Behind a member: (offset of the next, True), (offset after the closing bracket, False) or (BAD, False)."""
    i = space(a, i, n)
    if i >= n:
        return BAD, False
    c = byte_at(a, i)
    if c == closing:
        return i + 1, False
    if c != 44:
        return BAD, False
    i = space(a, i + 1, n)
    if i >= n:
        return BAD, False
    return i, True
