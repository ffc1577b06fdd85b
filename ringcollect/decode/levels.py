"""Lists of book levels into the private batch: ``[price, size, ...]`` or ``{"price": ..., "qty": ...}`` per level."""

from __future__ import annotations

import numpy as np

from ringcollect.decode.members import enter, key_at, more
from ringcollect.decode.memory import byte_at, eight_bytes, float_bits, four_bytes, out_of_line, put_word
from ringcollect.decode.number import SHORT_BYTES, digits_in, short_decimal
from ringcollect.decode.skip import skip
from ringcollect.decode.text import BAD, space
from ringcollect.decode.values import amount
from ringcollect.jit import inlined, njit
from ringcollect.records import RECORD_WORDS, W_PRICE, W_SIZE, W_TAIL

_ARRAY, _OBJECT, _COMMA = 93, 125, 44
_DEPTH = 32  # of a value beside price and size
_OPENING, _BETWEEN, _COMMA_QUOTE = (int.from_bytes(text, "little") for text in (b'["', b'","', b',"'))
_PAIR_BYTES = 2 + 16 + 3 + SHORT_BYTES


@inlined
def put_level(batch: int, r: int, price: float, size: float, side: int) -> None:
    """Price, size and side of record ``r`` of the batch at an address; ``hot.fill`` completes the record."""
    at = r * RECORD_WORDS
    put_word(batch, at + W_PRICE, float_bits(price))
    put_word(batch, at + W_SIZE, float_bits(size))
    put_word(batch, at + W_TAIL, side)


@inlined
def _short_pair(a: int, i: int) -> tuple[int, float, float]:
    """``["1.5","2"`` at ``i``, both numbers short: (offset after it, price, size), 0 first for anything else.

    The caller answers for _PAIR_BYTES readable bytes.
    """
    if four_bytes(a, i) & 0xFFFF != _OPENING:
        return 0, 0.0, 0.0
    i, price = short_decimal(a, i + 2)
    if i == 0 or four_bytes(a, i) & 0xFFFFFF != _BETWEEN:
        return 0, 0.0, 0.0
    i, size = short_decimal(a, i + 3)
    if i == 0 or byte_at(a, i) != 34:
        return 0, 0.0, 0.0
    return i + 1, price, size


@njit
def _pair(a: int, i: int, n: int) -> tuple[int, float, float]:
    """The opening of a level and its two numbers: (offset after them or BAD, price, size)."""
    out_of_line()
    if i >= n or byte_at(a, i) != 91:
        return BAD, 0.0, 0.0
    i, price = amount(a, space(a, i + 1, n), n)
    if i < 0:
        return BAD, 0.0, 0.0
    i = space(a, i, n)
    if i >= n or byte_at(a, i) != _COMMA:
        return BAD, 0.0, 0.0
    i, size = amount(a, space(a, i + 1, n), n)
    return i, price, size


@inlined
def _counts(a: int, i: int, n: int, extra: int) -> int:
    """Offset after ``extra`` short counts in quotes, ``,"12"`` each: OKX has two; ``i`` for anything else."""
    end = i
    for _ in range(extra):
        if end + 11 > n or four_bytes(a, end) & 0xFFFF != _COMMA_QUOTE:
            return i
        count = digits_in(eight_bytes(a, end + 2))
        if byte_at(a, end + 2 + count) != 34:
            return i
        end += 3 + count
    return end


@njit
def _level_end(a: int, i: int, n: int, extra: int) -> int:
    """Offset after a level of which price and size are read, BAD if there are more than ``extra`` further elements."""
    out_of_line()
    i, another = more(a, i, n, _ARRAY)
    passed = 0
    while another:
        if passed == extra:
            return BAD
        passed += 1
        i = skip(a, i, n, _DEPTH)
        if i < 0:
            return BAD
        i, another = more(a, i, n, _ARRAY)
    return i


@njit
def levels(a: int, i: int, n: int, batch: int, capacity: int, start: int, side: int, extra: int) -> tuple[int, int]:
    """The array of ``[price, size]`` at ``i`` into the batch from record ``start`` on: (offset after or BAD, records).

    ``records`` counts those before ``start`` too. Up to ``extra`` further elements of a level, of any form, are passed
    over (OKX sends two). ``batch`` is the address of ``capacity`` records.
    """
    out_of_line()
    r = start
    i, going = enter(a, i, n, _ARRAY)
    while going:
        if r >= capacity:
            return BAD, r
        end = 0
        price = 0.0
        size = 0.0
        if i + _PAIR_BYTES <= n:
            end, price, size = _short_pair(a, i)
        if end == 0:
            end, price, size = _pair(a, i, n)
            if end < 0:
                return BAD, r
        if extra > 0:
            end = _counts(a, end, n, extra)
        if end < n and byte_at(a, end) == _ARRAY:
            i = end + 1
        else:
            i = _level_end(a, end, n, extra)
            if i < 0:
                return BAD, r
        put_level(batch, r, price, size, side)
        r += 1
        if i + 1 < n and byte_at(a, i) == _COMMA and byte_at(a, i + 1) == 91:
            i += 1
        else:
            i, going = more(a, i, n, _ARRAY)
    return i, r


@njit
def object_levels(
    a: int, i: int, n: int, batch: int, capacity: int, start: int, side: int, price_key: np.uint64, size_key: np.uint64
) -> tuple[int, int]:
    """As :func:`levels`, of objects; the keys are the low words of :func:`text.packed` (at most 8 characters).

    Keys come in any order, each once; others are passed over.
    """
    out_of_line()
    r = start
    i, going = enter(a, i, n, _ARRAY)
    while going:
        if r >= capacity:
            return BAD, r
        priced = False
        sized = False
        price = 0.0
        size = 0.0
        i, another = enter(a, i, n, _OBJECT)
        while another:
            i, low, high = key_at(a, i, n)
            if i < 0:
                return BAD, r
            if high == np.uint64(0) and low == price_key:
                if priced:
                    return BAD, r
                priced = True
                i, price = amount(a, i, n)
            elif high == np.uint64(0) and low == size_key:
                if sized:
                    return BAD, r
                sized = True
                i, size = amount(a, i, n)
            else:
                i = skip(a, i, n, _DEPTH)
            if i < 0:
                return BAD, r
            i, another = more(a, i, n, _OBJECT)
        if i < 0 or not priced or not sized:
            return BAD, r
        put_level(batch, r, price, size, side)
        r += 1
        i, going = more(a, i, n, _ARRAY)
    return i, r
