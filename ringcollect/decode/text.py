"""White space and strings of JSON text, with escapes, control characters and UTF-8 checked.

A position before a string is that of its first byte after the opening quote; after it, behind the closing quote.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import byte_at, eight_bytes, out_of_line, put_byte, trailing_zeros
from ringcollect.jit import inlined, njit

BAD = -1
_QUOTE, _BACKSLASH = 34, 92
_ONES = np.uint64(0x0101010101010101)
_HIGHS = np.uint64(0x8080808080808080)
_QUOTES = np.uint64(0x2222222222222222)
_BACKSLASHES = np.uint64(0x5C5C5C5C5C5C5C5C)
_SPACES = np.uint64(0x2020202020202020)
_ZERO = np.uint64(0)
_FULL = np.uint64(0xFFFFFFFFFFFFFFFF)


@inlined
def space(a: int, i: int, n: int) -> int:
    """Offset of the next byte that is not white space, ``n`` at the end."""
    while i < n:
        c = byte_at(a, i)
        if c > 32 or (c != 32 and c != 10 and c != 13 and c != 9):
            return i
        i += 1
    return n


@njit
def _utf8(a: int, i: int, n: int) -> int:
    """Offset after the multi-byte UTF-8 character at ``i``, BAD if it is none (overlong, surrogate, too large)."""
    out_of_line()
    c = byte_at(a, i)
    if 0xC2 <= c <= 0xDF:
        more, low, high = 1, 0x80, 0xBF
    elif c == 0xE0:
        more, low, high = 2, 0xA0, 0xBF
    elif c == 0xED:
        more, low, high = 2, 0x80, 0x9F
    elif 0xE1 <= c <= 0xEF:
        more, low, high = 2, 0x80, 0xBF
    elif c == 0xF0:
        more, low, high = 3, 0x90, 0xBF
    elif 0xF1 <= c <= 0xF3:
        more, low, high = 3, 0x80, 0xBF
    elif c == 0xF4:
        more, low, high = 3, 0x80, 0x8F
    else:
        return BAD
    if i + more >= n:  # the closing quote must still follow
        return BAD
    second = byte_at(a, i + 1)
    if second < low or second > high:
        return BAD
    for k in range(2, more + 1):
        if byte_at(a, i + k) & 0xC0 != 0x80:
            return BAD
    return i + more + 1


@njit
def _hex4(a: int, i: int, n: int) -> int:
    """Value of four hex digits at ``i``, BAD if there are not four."""
    if i + 4 > n:
        return BAD
    value = 0
    for k in range(4):
        c = byte_at(a, i + k)
        if 48 <= c <= 57:
            value = value * 16 + c - 48
        elif 97 <= c | 32 <= 102:
            value = value * 16 + (c | 32) - 87
        else:
            return BAD
    return value


@njit
def escape(a: int, i: int, n: int) -> tuple[int, int]:
    """The escape whose backslash is at ``i``: (offset after it or BAD, code point). Lone surrogates are BAD."""
    out_of_line()
    if i + 1 >= n:
        return BAD, 0
    c = byte_at(a, i + 1)
    if c == 117:  # \u
        point = _hex4(a, i + 2, n)
        if point < 0 or 0xDC00 <= point <= 0xDFFF:
            return BAD, 0
        if point < 0xD800 or point > 0xDBFF:
            return i + 6, point
        if i + 8 > n or byte_at(a, i + 6) != _BACKSLASH or byte_at(a, i + 7) != 117:
            return BAD, 0
        low = _hex4(a, i + 8, n)
        if low < 0xDC00 or low > 0xDFFF:
            return BAD, 0
        return i + 12, 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00)
    if c in (_QUOTE, _BACKSLASH, 47):
        return i + 2, c
    if c == 98:
        return i + 2, 8
    if c == 102:
        return i + 2, 12
    if c == 110:
        return i + 2, 10
    if c == 114:
        return i + 2, 13
    if c == 116:
        return i + 2, 9
    return BAD, 0


@inlined
def marks(eight: np.uint64) -> np.uint64:
    """Bit 8k+7 of the answer's lowest set bit: byte k is the first that is no plain character of a string.

    Those are the quote, the backslash, control characters and whatever is not ASCII; 0 when all eight are plain. Bits
    above the lowest one mean nothing: a borrow may have set them.
    """
    quote = eight ^ _QUOTES
    backslash = eight ^ _BACKSLASHES
    found = ((quote - _ONES) & ~quote) | ((backslash - _ONES) & ~backslash) | ((eight - _SPACES) & ~eight) | eight
    return found & _HIGHS


@inlined
def lower_bytes(eight: np.uint64, count: int) -> np.uint64:
    """The first ``count`` bytes (0 to 7) of eight, the others 0."""
    return eight & ~(_FULL << np.uint64(8 * count))


@inlined
def string(a: int, i: int, n: int) -> tuple[int, bool]:
    """Pass over a string: (offset behind its closing quote or BAD, whether it holds escapes)."""
    while i + 8 <= n:
        found = marks(eight_bytes(a, i))
        if found == _ZERO:
            i += 8
            continue
        i += trailing_zeros(found) >> 3
        if byte_at(a, i) == _QUOTE:
            return i + 1, False
        break
    return _rest_of_string(a, i, n)


@njit
def _rest_of_string(a: int, i: int, n: int) -> tuple[int, bool]:
    """:func:`string`, byte by byte."""
    out_of_line()
    escaped = False
    while i < n:
        c = byte_at(a, i)
        if c == _QUOTE:
            return i + 1, escaped
        if c == _BACKSLASH:
            escaped = True
            i, _ = escape(a, i, n)
        elif c < 32:
            return BAD, False
        elif c < 128:
            i += 1
        else:
            i = _utf8(a, i, n)
        if i < 0:
            return BAD, False
    return BAD, False


@inlined
def find_byte(a: int, i: int, n: int, wanted: int) -> int:
    """Offset of the first byte equal to ``wanted``, ``n`` without one."""
    pattern = _ONES * np.uint64(wanted)
    while i + 8 <= n:
        other = eight_bytes(a, i) ^ pattern
        found = (other - _ONES) & ~other & _HIGHS
        if found != _ZERO:
            return i + (trailing_zeros(found) >> 3)
        i += 8
    while i < n and byte_at(a, i) != wanted:
        i += 1
    return i


@njit
def put_utf8(to: int, length: int, capacity: int, point: int) -> int:
    """Append a code point to the ``length`` bytes at address ``to``; the new length, BAD beyond ``capacity``."""
    if length + 4 > capacity:
        return BAD
    if point < 0x80:
        put_byte(to, length, point)
        return length + 1
    if point < 0x800:
        put_byte(to, length, 0xC0 | point >> 6)
        put_byte(to, length + 1, 0x80 | point & 0x3F)
        return length + 2
    if point < 0x10000:
        put_byte(to, length, 0xE0 | point >> 12)
        put_byte(to, length + 1, 0x80 | point >> 6 & 0x3F)
        put_byte(to, length + 2, 0x80 | point & 0x3F)
        return length + 3
    put_byte(to, length, 0xF0 | point >> 18)
    put_byte(to, length + 1, 0x80 | point >> 12 & 0x3F)
    put_byte(to, length + 2, 0x80 | point >> 6 & 0x3F)
    put_byte(to, length + 3, 0x80 | point & 0x3F)
    return length + 4


@njit
def unescape(a: int, i: int, n: int, to: int, capacity: int) -> int:
    """Write the text of the string at ``i`` (already checked by :func:`string`) to ``to``; its length or BAD."""
    out_of_line()
    length = 0
    while i < n:
        c = byte_at(a, i)
        if c == _QUOTE:
            return length
        if c == _BACKSLASH:
            i, point = escape(a, i, n)
            if i < 0:
                return BAD
            length = put_utf8(to, length, capacity, point)
            if length < 0:
                return BAD
        else:
            if length >= capacity:
                return BAD
            put_byte(to, length, c)
            length += 1
            i += 1
    return BAD


@inlined
def word(a: int, i: int, n: int) -> tuple[int, np.uint64, np.uint64]:
    """A string of up to 16 ASCII characters: (offset behind it or BAD, bytes 0-7, bytes 8-15), little-endian.

    Longer strings and others give two zero words, so that they equal no key. An empty string does too.
    """
    if i + 16 <= n:
        low = eight_bytes(a, i)
        found = marks(low)
        if found != _ZERO:
            length = trailing_zeros(found) >> 3
            if byte_at(a, i + length) == _QUOTE:
                return i + length + 1, lower_bytes(low, length), _ZERO
        else:
            high = eight_bytes(a, i + 8)
            found = marks(high)
            length = trailing_zeros(found) >> 3
            if found != _ZERO and byte_at(a, i + 8 + length) == _QUOTE:
                return i + length + 9, low, lower_bytes(high, length)
    return _word(a, i, n)


@njit
def _word(a: int, i: int, n: int) -> tuple[int, np.uint64, np.uint64]:
    """:func:`word`, byte by byte."""
    out_of_line()
    low = np.uint64(0)
    high = np.uint64(0)
    length = 0
    while i < n:
        c = byte_at(a, i)
        if c == _QUOTE:
            if length > 16:
                return i + 1, np.uint64(0), np.uint64(0)
            return i + 1, low, high
        if c == _BACKSLASH:
            i, c = escape(a, i, n)
        elif c < 32:
            return BAD, low, high
        elif c < 128:
            i += 1
        else:
            i = _utf8(a, i, n)
        if i < 0:
            return BAD, low, high
        if c == 0 or c > 127:
            length = 17
        elif length < 8:
            low |= np.uint64(c) << np.uint64(8 * length)
        elif length < 16:
            high |= np.uint64(c) << np.uint64(8 * (length - 8))
        length += 1
    return BAD, low, high


def packed(text: str) -> tuple[np.uint64, np.uint64]:
    """The two words :func:`word` gives for ``text`` (1 to 16 ASCII characters)."""
    raw = text.encode("ascii")
    if not 0 < len(raw) <= 16 or 0 in raw:
        raise ValueError(f"{text!r} does not fit two words")
    raw = raw.ljust(16, b"\0")
    return np.uint64(int.from_bytes(raw[:8], "little")), np.uint64(int.from_bytes(raw[8:], "little"))
