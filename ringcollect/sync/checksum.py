"""The venue's own checksum of a book against ours: one CRC32 over the text of the best levels of both sides.

Kraken spot v2: the 10 best asks, then the 10 best bids, each ``price qty`` printed at the pair's full precision, the
point and leading zeros taken away (docs.kraken.com, "Websocket API v2, Book checksum"). OKX v5 until June 2026: the 25
best of both sides interleaved, bid first, as ``price:size`` joined by colons, in the text as sent, read as a signed
number (okx docs, "Checksum"); OKX writes no trailing zeros [measured: okx_v5_2022_05, 0 of 16,528 numbers], so the
shortest decimal of the float is that text. Since then the field is 0 and checks nothing.

The text is made from float64 without allocating: the smallest p with round(x * 10**p) / 10**p == x gives the digits,
which is exact as long as they stay below 2**53.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import out_of_line, plain
from ringcollect.jit import njit
from ringcollect.sync.book import walk
from ringcollect.sync.layout import (
    BOOK_BEST,
    BOOK_HIGH,
    CHECKSUM_KRAKEN,
    CHECKSUM_NONE,
    CHECKSUM_OKX,
    I_ASK,
    I_BID,
    I_CHECKSUM,
    I_PRICE_DIGITS,
    I_SIZE_DIGITS,
)

RULES = {"kraken": CHECKSUM_KRAKEN, "okx": CHECKSUM_OKX}
"""Exchange -> the rule its book checks follow."""

EQUAL, DIFFERENT, UNKNOWN = range(3)
_KRAKEN_LEVELS, _OKX_LEVELS = 10, 25
_MOST_DIGITS = 15
_EXACT = 2.0**53
_TENS = np.array([10.0**k for k in range(_MOST_DIGITS + 1)])
_COLON, _POINT, _ZERO = 58, 46, 48


def _table() -> np.ndarray:
    """CRC-32 of IEEE 802.3, reflected, one entry per byte."""
    table = np.arange(256, dtype=np.int64)
    for _ in range(8):
        table = np.where(table & 1, 0xEDB88320 ^ (table >> 1), table >> 1)
    return table


_TABLE = _table()


@njit
def _byte(crc: int, byte: int) -> int:
    return _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)


@njit
def _digits(crc: int, number: int, least: int) -> int:
    """``number`` in decimal, with zeros in front up to ``least`` digits; 0 has none of its own."""
    divisor = 1
    count = 1
    while number // divisor >= 10:
        divisor *= 10
        count += 1
    for _ in range(count, least):
        crc = _byte(crc, _ZERO)
    if number == 0 and least == 0:
        return crc
    while divisor > 0:
        crc = _byte(crc, _ZERO + number // divisor % 10)
        divisor //= 10
    return crc


@njit
def _shortest(crc: int, x: float) -> int:
    """The shortest decimal text of ``x``; -1 when it has too many digits to be sure."""
    for places in range(_MOST_DIGITS + 1):
        scaled = np.rint(x * _TENS[places])
        if scaled >= _EXACT:
            return -1
        if scaled / _TENS[places] == x:
            whole = np.int64(scaled) // np.int64(_TENS[places])
            crc = _digits(crc, whole, 1)
            if places == 0:
                return crc
            return _digits(_byte(crc, _POINT), np.int64(scaled) - whole * np.int64(_TENS[places]), places)
    return -1


@njit
def _padded(crc: int, x: float, places: int) -> int:
    """The digits of ``x`` at ``places`` decimals without point and leading zeros; -1 if it has more decimals."""
    scaled = np.rint(x * _TENS[places])
    if scaled >= _EXACT or scaled / _TENS[places] != x:
        return -1
    return _digits(crc, np.int64(scaled), 0)


@njit
def _kraken(row: np.ndarray, values: np.ndarray, books: np.ndarray) -> int:
    """The checksum, -1 where it cannot be told."""
    price_digits, size_digits = row[I_PRICE_DIGITS], row[I_SIZE_DIGITS]
    if not (0 <= price_digits <= _MOST_DIGITS and 0 <= size_digits <= _MOST_DIGITS):
        return -1
    crc = plain(0xFFFFFFFF)
    for side, sign in ((I_ASK, -1.0), (I_BID, 1.0)):
        near, far = row[side + BOOK_BEST], row[side + BOOK_HIGH] - 1
        for _ in range(_KRAKEN_LEVELS):
            near, far, key, size = walk(row, values, books, side, near, far)
            if key != key:
                break
            crc = _padded(crc, sign * key, price_digits)
            if crc >= 0:
                crc = _padded(crc, size, size_digits)
            if crc < 0:
                return -1
    return crc ^ 0xFFFFFFFF


@njit
def _pair(crc: int, price: float, size: float, first: bool) -> int:
    """``price:size``, behind a colon unless it is the first; -1 when a text cannot be told."""
    crc = _shortest(crc if first else _byte(crc, _COLON), price)
    return crc if crc < 0 else _shortest(_byte(crc, _COLON), size)


@njit
def _okx(row: np.ndarray, values: np.ndarray, books: np.ndarray) -> int:
    """The checksum as an unsigned number, -1 where it cannot be told."""
    crc = plain(0xFFFFFFFF)
    first = True
    bid_near, bid_far = row[I_BID + BOOK_BEST], row[I_BID + BOOK_HIGH] - 1
    ask_near, ask_far = row[I_ASK + BOOK_BEST], row[I_ASK + BOOK_HIGH] - 1
    for _ in range(_OKX_LEVELS):
        bid_near, bid_far, key, size = walk(row, values, books, plain(I_BID), bid_near, bid_far)
        if key == key:
            crc = _pair(crc, key, size, first)
            first = False
        ask_near, ask_far, key, size = walk(row, values, books, plain(I_ASK), ask_near, ask_far)
        if crc >= 0 and key == key:
            crc = _pair(crc, -key, size, first)
            first = False
        if crc < 0:
            return -1
    return crc ^ 0xFFFFFFFF


@njit
def verify(row: np.ndarray, values: np.ndarray, books: np.ndarray, sent: int) -> int:
    """EQUAL, DIFFERENT, or UNKNOWN: the venue sends none, or precision or number do not let us tell.

    ``row`` and ``values`` are the instrument's state, ``books`` the level slab, ``sent`` the venue's checksum.
    """
    out_of_line()
    rule = row[I_CHECKSUM]
    if rule == CHECKSUM_NONE or (rule == CHECKSUM_OKX and sent == 0):
        return UNKNOWN
    own = _kraken(row, values, books) if rule == CHECKSUM_KRAKEN else _okx(row, values, books)
    if own < 0:
        return UNKNOWN
    return EQUAL if own == sent & 0xFFFFFFFF else DIFFERENT
