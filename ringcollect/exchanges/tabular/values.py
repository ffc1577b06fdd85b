"""One value of a frame into its slot, by the form its key's entry says."""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import byte_at, float_bits, put_word, word_at
from ringcollect.decode.symbols import find, same_text
from ringcollect.decode.text import BAD, string, word
from ringcollect.decode.times import epoch_ns
from ringcollect.decode.values import amount
from ringcollect.exchanges import hot
from ringcollect.exchanges.scanning import count_at
from ringcollect.exchanges.tabular import layout as at
from ringcollect.jit import inlined, njit

_QUOTE = 34
_MOST_MS = 9_223_372_036_854
ABSENT = -2
"""Instead of an offset: the value says that there is none, and ends two bytes on."""


@inlined
def number_at(ctx: int, a: int, i: int, n: int, form: int, slot: int) -> int:
    """A price, count or time: offset after it, ABSENT or BAD."""
    quoted = byte_at(a, i) == _QUOTE
    if quoted:
        if form & at.BARE:
            return BAD
        if form & at.EMPTY and i + 1 < n and byte_at(a, i + 1) == _QUOTE:
            return ABSENT
    elif form & at.QUOTED:
        return BAD
    base = form & at.BASE
    if base == at.NUMBER:
        i, value = amount(a, i, n)
        put_word(ctx, hot.C_SLOTS + slot, float_bits(value))
        return i
    i, whole = count_at(a, i, n)
    if i < 0:
        return BAD
    if base == at.EPOCH:
        whole = epoch_ns(whole)
    elif base == at.MS:
        whole = whole * 1_000_000 if whole <= _MOST_MS else -1
    put_word(ctx, hot.C_SLOTS + slot, whole)
    return i if whole >= 0 else BAD


@njit
def choice_at(ctx: int, a: int, i: int, n: int, choice: int, slot: int) -> int:
    """A word that stands for a number: offset after it, or BAD for one that is not among the choices."""
    if byte_at(a, i) != _QUOTE:
        return BAD
    i, low, high = word(a, i + 1, n)
    if i < 0:
        return BAD
    for k in range(word_at(choice, 0)):
        at_word = 1 + k * at.CHOICE_WORDS
        if np.uint64(word_at(choice, at_word)) == low and np.uint64(word_at(choice, at_word + 1)) == high:
            put_word(ctx, hot.C_SLOTS + slot, word_at(choice, at_word + 2))
            return i
    return BAD


@inlined
def text_at(a: int, i: int, n: int) -> int:
    """Any string without escapes: offset after it or BAD."""
    if byte_at(a, i) != _QUOTE:
        return BAD
    end, escaped = string(a, i + 1, n)
    return BAD if escaped else end


@njit
def found(table: int, a: int, length: int) -> int:
    """Number of the text in a symbol table, negative for one that is unknown or no symbol at all."""
    return find(table, a, length) if 0 < length <= hot.SCRATCH_BYTES else -1


@njit
def same_symbol(ctx: int, a: int, i: int, end: int) -> bool:
    """Whether the string from its quote at ``i`` to ``end`` is the frame's symbol."""
    length = end - 2 - i
    return length == word_at(ctx, hot.C_NAME_BYTES) and same_text(word_at(ctx, hot.C_NAME), a + i + 1, length)
