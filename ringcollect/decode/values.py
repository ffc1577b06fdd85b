"""Values as exchanges write them: numbers bare or in quotes, ids of 64 and 128 bits, the text of a number.

Every function takes the offset of the value's first byte (its quote, if it has one) and returns the offset after the
value first, negative when the value is not of that form.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import byte_at, out_of_line
from ringcollect.decode.number import decimal, integer
from ringcollect.decode.text import BAD
from ringcollect.jit import inlined, njit

_QUOTE = 34


@inlined
def amount(a: int, i: int, n: int) -> tuple[int, float]:
    """A price or size, in quotes or bare, as the typed paths take it: (offset after it or negative, value)."""
    if i < n and byte_at(a, i) == _QUOTE:
        i, value = decimal(a, i + 1, n)
        if i < 0 or i >= n or byte_at(a, i) != _QUOTE:
            return BAD, 0.0
        return i + 1, value
    end, value = decimal(a, i, n)
    if end == i + 2 and value == 0.0:
        return BAD, 0.0  # a bare -0 is an integer to the typed path, and integers have no such zero
    return end, value


@njit
def called_amount(a: int, i: int, n: int) -> tuple[int, float]:
    """:func:`amount`, out of line: where there are few of them, the call is cheaper than compiling it once more."""
    out_of_line()
    return amount(a, i, n)


@inlined
def whole(a: int, i: int, n: int) -> tuple[int, np.int64]:
    """A whole number in quotes or bare, exact in int64: (offset after it or negative, value)."""
    if i < n and byte_at(a, i) == _QUOTE:
        i, value = integer(a, i + 1, n)
        if i < 0 or i >= n or byte_at(a, i) != _QUOTE:
            return BAD, np.int64(0)
        return i + 1, value
    return integer(a, i, n)


@njit
def _hex_digits(a: int, i: int, count: int, value: np.uint64) -> tuple[bool, np.uint64]:
    """``count`` hex digits at ``i`` (within the text) appended to ``value``; False first if one is none."""
    for k in range(count):
        c = byte_at(a, i + k)
        if 48 <= c <= 57:
            digit = c - 48
        elif 97 <= c | 32 <= 102:
            digit = (c | 32) - 87
        else:
            return False, value
        value = value << np.uint64(4) | np.uint64(digit)
    return True, value


@njit
def uuid(a: int, i: int, n: int) -> tuple[int, np.int64, np.int64]:
    """A UUID in quotes, ``8-4-4-4-12`` hex digits: (offset after it or BAD, upper 64 bits, lower 64 bits)."""
    out_of_line()
    nothing = np.int64(0)
    if i + 38 > n or byte_at(a, i) != _QUOTE or byte_at(a, i + 37) != _QUOTE:
        return BAD, nothing, nothing
    for dash in (9, 14, 19, 24):
        if byte_at(a, i + dash) != 45:
            return BAD, nothing, nothing
    high = np.uint64(0)
    low = np.uint64(0)
    first, high = _hex_digits(a, i + 1, 8, high)
    second, high = _hex_digits(a, i + 10, 4, high)
    third, high = _hex_digits(a, i + 15, 4, high)
    fourth, low = _hex_digits(a, i + 20, 4, low)
    fifth, low = _hex_digits(a, i + 25, 12, low)
    if not (first and second and third and fourth and fifth):
        return BAD, nothing, nothing
    return i + 38, np.int64(high), np.int64(low)
