"""What the kernels of several exchanges scan alike: names, counts, times, and the frame's symbol.

Every function takes the offset of a value's first byte and returns the offset after it first, negative when the value
is not of that form. The symbol is remembered in the context words :data:`SYMBOL` and :data:`SYMBOL_BYTES`, the
first two of an exchange's own (``hot.C_FIELDS``).
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import byte_at, out_of_line, put_byte, put_word, word_at
from ringcollect.decode.number import integer
from ringcollect.decode.symbols import find
from ringcollect.decode.text import BAD, string, unescape, word
from ringcollect.decode.values import whole
from ringcollect.exchanges import hot
from ringcollect.exchanges.protocol import Code
from ringcollect.jit import njit
from ringcollect.records import RECORD_WORDS, W_TAIL, Flag

SYMBOL, SYMBOL_BYTES = hot.C_FIELDS, hot.C_FIELDS + 1
"""Context words: address and length of the frame's symbol."""
DEPTH = 32
"""Levels of nesting of a value that is passed over; less than the typed paths allow."""

_QUOTE = 34
_SNAPSHOT, _CLEAR = int(Flag.SNAPSHOT), int(Flag.CLEAR)
_UNKNOWN_SYMBOL = int(Code.UNKNOWN_SYMBOL)


@njit
def is_word(low: np.uint64, high: np.uint64, name: tuple[np.uint64, np.uint64]) -> bool:
    """Whether two words of :func:`text.word` are ``name`` (of :func:`text.packed`)."""
    return low == name[0] and high == name[1]


@njit
def count_at(a: int, i: int, n: int) -> tuple[int, int]:
    """A whole number that is not negative, bare or in quotes, as ``numbers.to_whole`` takes it: (offset, value)."""
    out_of_line()
    end, value = whole(a, i, n)
    if end < 0 or value < 0 or byte_at(a, i) == 45 or (byte_at(a, i) == _QUOTE and byte_at(a, i + 1) == 45):
        return BAD, 0  # also a zero below zero; the second byte is only there for certain behind a quote
    return end, value


@njit
def id_at(a: int, i: int, n: int) -> tuple[int, int]:
    """An id, bare, -1 for none: (offset, id)."""
    i, value = integer(a, i, n)
    if i < 0 or value < -1:
        return BAD, 0
    return i, value


@njit
def text_at(a: int, i: int, n: int) -> tuple[int, np.uint64, np.uint64]:
    """A string of a few characters: (offset, its two words)."""
    out_of_line()
    if i >= n or byte_at(a, i) != _QUOTE:
        return BAD, np.uint64(0), np.uint64(0)
    return word(a, i + 1, n)


@njit
def symbol_at(ctx: int, a: int, i: int, n: int, scratch: int) -> int:
    """The string at ``i`` as the frame's symbol. Escapes are resolved at address ``scratch``."""
    out_of_line()
    if i >= n or byte_at(a, i) != _QUOTE:
        return BAD
    end, escaped = string(a, i + 1, n)
    if end < 0:
        return BAD
    if escaped:
        put_word(ctx, SYMBOL, scratch)
        put_word(ctx, SYMBOL_BYTES, unescape(a, i + 1, n, scratch, hot.SCRATCH_BYTES))
    else:
        put_word(ctx, SYMBOL, a + i + 1)
        put_word(ctx, SYMBOL_BYTES, end - 2 - i)
    return end if 0 < word_at(ctx, SYMBOL_BYTES) <= hot.SCRATCH_BYTES else BAD


@njit
def same_symbol_at(ctx: int, a: int, i: int, n: int) -> int:
    """The string at ``i`` if it is the frame's symbol, in the same spelling."""
    length = word_at(ctx, SYMBOL_BYTES)
    if i + length + 2 > n or byte_at(a, i) != _QUOTE or byte_at(a, i + 1 + length) != _QUOTE:
        return BAD
    for k in range(length):
        if byte_at(a, i + 1 + k) != byte_at(word_at(ctx, SYMBOL), k):
            return BAD
    return i + length + 2


@njit
def find_symbol(ctx: int) -> int:
    """Instrument of the frame's symbol, which is also told to the context; negative if nobody knows it."""
    instrument = find(word_at(ctx, hot.C_SYMBOLS), word_at(ctx, SYMBOL), word_at(ctx, SYMBOL_BYTES))
    put_word(ctx, hot.C_INSTRUMENT, max(instrument, 0))
    return instrument


@njit
def unknown(ctx: int, scratch: int) -> int:
    """Keep the frame's symbol for ``Decoder.unknown_symbol``; the code to answer with."""
    length = word_at(ctx, SYMBOL_BYTES)
    for k in range(length):
        put_byte(scratch, k, byte_at(word_at(ctx, SYMBOL), k))
    put_word(ctx, hot.C_SYMBOL_BYTES, length)
    return _UNKNOWN_SYMBOL


@njit
def add_flags(batch: int, first: int, n: int, flags: int) -> None:
    """Add ``flags`` to ``n`` records of the batch from ``first`` on."""
    for r in range(first, first + n):
        place = r * RECORD_WORDS + W_TAIL
        put_word(batch, place, word_at(batch, place) | flags << 48)


@njit
def mark_whole(ctx: int, n: int) -> None:
    """The ``n`` records of the private batch are the venue's whole book, not a change of it."""
    batch = word_at(ctx, hot.C_BATCH)
    add_flags(batch, 0, n, _SNAPSHOT)
    add_flags(batch, 0, 1, _CLEAR)


@njit
def announce(ctx: int, channel: int, first_id: int, last_id: int, prev_id: int) -> None:
    """What was decoded, for the feed. (An id is never negative: -1 means there is none.)"""
    put_word(ctx, hot.C_CHANNEL, channel)
    put_word(ctx, hot.C_FIRST_ID, first_id)
    put_word(ctx, hot.C_LAST_ID, last_id)
    put_word(ctx, hot.C_PREV_ID, prev_id)
