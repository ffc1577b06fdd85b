"""Lists of book levels into the private batch: ``[price, size, ...]`` or ``{"price": ..., "qty": ...}`` per level."""

from __future__ import annotations

import numpy as np

from ringcollect.decode.members import enter, key_at, more
from ringcollect.decode.memory import byte_at, float_bits, put_word
from ringcollect.decode.skip import skip
from ringcollect.decode.text import BAD, space
from ringcollect.decode.values import amount
from ringcollect.jit import njit
from ringcollect.records import RECORD_WORDS, W_PRICE, W_SIZE, W_TAIL

_ARRAY, _OBJECT, _COMMA = 93, 125, 44
_DEPTH = 32  # of a value beside price and size


@njit
def put_level(batch: int, r: int, price: float, size: float, side: int) -> None:
    """Price, size and side of record ``r`` of the batch at an address; ``hot.fill`` completes the record."""
    at = r * RECORD_WORDS
    put_word(batch, at + W_PRICE, float_bits(price))
    put_word(batch, at + W_SIZE, float_bits(size))
    put_word(batch, at + W_TAIL, side)


@njit
def levels(a: int, i: int, n: int, batch: int, capacity: int, start: int, side: int, extra: int) -> tuple[int, int]:
    """The array of ``[price, size]`` at ``i`` into the batch from record ``start`` on: (offset after or BAD, records).

    ``records`` counts those before ``start`` too. Up to ``extra`` further elements of a level, of any form, are passed
    over (OKX sends two). ``batch`` is the address of ``capacity`` records.
    """
    r = start
    i, going = enter(a, i, n, _ARRAY)
    while going:
        if byte_at(a, i) != 91 or r >= capacity:
            return BAD, r
        i, price = amount(a, space(a, i + 1, n), n)
        if i < 0:
            return BAD, r
        i = space(a, i, n)
        if i >= n or byte_at(a, i) != _COMMA:
            return BAD, r
        i, size = amount(a, space(a, i + 1, n), n)
        if i < 0:
            return BAD, r
        i, another = more(a, i, n, _ARRAY)
        passed = 0
        while another:
            if passed == extra:
                return BAD, r
            passed += 1
            i = skip(a, i, n, _DEPTH)
            if i < 0:
                return BAD, r
            i, another = more(a, i, n, _ARRAY)
        if i < 0:
            return BAD, r
        put_level(batch, r, price, size, side)
        r += 1
        i, going = more(a, i, n, _ARRAY)
    return i, r


@njit
def object_levels(
    a: int, i: int, n: int, batch: int, capacity: int, start: int, side: int, price_key: np.uint64, size_key: np.uint64
) -> tuple[int, int]:
    """As :func:`levels`, of objects; the keys are the low words of :func:`text.packed` (at most 8 characters).

    Keys come in any order, each once; others are passed over.
    """
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
