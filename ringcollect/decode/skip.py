"""Pass over any JSON value without recursion: its nesting is a stack of 64 bits."""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import address_of, byte_at, eight_bytes, four_bytes, out_of_line
from ringcollect.decode.number import digits_in
from ringcollect.decode.text import BAD, space, string
from ringcollect.jit import inlined, njit

MAX_DEPTH = 64

_VALUE, _KEY, _AFTER = 0, 1, 2
_TRUE, _FALS, _NULL = (int.from_bytes(text, "little") for text in (b"true", b"fals", b"null"))


@njit
def _digits(a: int, i: int, n: int) -> int:
    """Offset after one digit or more, BAD without."""
    start = i
    while i + 8 <= n:
        count = digits_in(eight_bytes(a, i))
        i += count
        if count < 8:
            return i if i > start else BAD
    while i < n and 48 <= byte_at(a, i) <= 57:
        i += 1
    return i if i > start else BAD


@njit
def skip_number(a: int, i: int, n: int) -> int:
    """Offset after a number in JSON's grammar, BAD if there is none."""
    out_of_line()
    if i < n and byte_at(a, i) == 45:
        i += 1
    if i < n and byte_at(a, i) == 48:
        i += 1
    else:
        i = _digits(a, i, n)
        if i < 0:
            return BAD
    if i < n and byte_at(a, i) == 46:
        i = _digits(a, i + 1, n)
        if i < 0:
            return BAD
    if i < n and (byte_at(a, i) | 32) == 101:
        i += 1
        if i < n and (byte_at(a, i) == 43 or byte_at(a, i) == 45):
            i += 1
        i = _digits(a, i, n)
    return i


@inlined
def literal(a: int, i: int, n: int) -> tuple[int, int]:
    """``true``, ``false`` or ``null`` at ``i``: (offset after it or BAD, 1, 0 or -1)."""
    if i + 4 > n:
        return BAD, 0
    four = four_bytes(a, i)
    if four == _TRUE:
        return i + 4, 1
    if four == _FALS and i + 5 <= n and byte_at(a, i + 4) == 101:
        return i + 5, 0
    if four == _NULL:
        return i + 4, -1
    return BAD, 0


@njit
def _scalar(a: int, i: int, n: int) -> int:
    """Offset after the string, number or literal at ``i``, BAD if there is none."""
    c = byte_at(a, i)
    if c == 34:
        end, _ = string(a, i + 1, n)
        return end
    if c == 45 or 48 <= c <= 57:
        return skip_number(a, i, n)
    end, _ = literal(a, i, n)
    return end


@njit
def skip(a: int, i: int, n: int, levels: int) -> int:
    """Offset after the JSON value at ``i``, BAD if it is none or nests over ``levels`` (at most MAX_DEPTH)."""
    out_of_line()
    objects = np.uint64(0)  # bit d: level d is an object
    depth = 0
    expect = _VALUE
    while True:
        i = space(a, i, n)
        if i >= n:
            return BAD
        c = byte_at(a, i)
        if expect == _AFTER:
            in_object = (objects >> np.uint64(depth - 1)) & np.uint64(1) == np.uint64(1)
            if c == 44:
                i += 1
                expect = _KEY if in_object else _VALUE
                continue
            if c != (125 if in_object else 93):
                return BAD
            i += 1
            depth -= 1
        elif expect == _KEY:
            if c != 34:
                return BAD
            i, _ = string(a, i + 1, n)
            if i < 0:
                return BAD
            i = space(a, i, n)
            if i >= n or byte_at(a, i) != 58:
                return BAD
            i += 1
            expect = _VALUE
            continue
        elif c == 123 or c == 91:
            if depth == levels:
                return BAD
            bit = np.uint64(1) << np.uint64(depth)
            objects = objects | bit if c == 123 else objects & ~bit
            depth += 1
            i = space(a, i + 1, n)
            if i >= n:
                return BAD
            if byte_at(a, i) == c + 2:  # empty: } is { + 2, ] is [ + 2
                i += 1
                depth -= 1
            else:
                expect = _KEY if c == 123 else _VALUE
                continue
        else:
            i = _scalar(a, i, n)
            if i < 0:
                return BAD
        if depth == 0:
            return i
        expect = _AFTER


@njit
def is_json_at(a: int, n: int) -> bool:
    """Whether ``n`` bytes at an address are one JSON value of at most MAX_DEPTH levels; white space may surround it."""
    i = space(a, 0, n)
    if i >= n:
        return False
    i = skip(a, i, n, MAX_DEPTH)
    return i >= 0 and space(a, i, n) == n


@njit
def is_json(text: bytes) -> bool:
    """:func:`is_json_at` of a bytes object."""
    return is_json_at(address_of(text), len(text))


def warm() -> None:
    """Compile what Python calls."""
    is_json(b"[1]")
