"""Decimal text to float64, correctly rounded, and to int64, exactly.

Up to 2**53 and 10**22 one float operation is exact enough (Clinger); the rest goes through the 128-bit product of
Eisel and Lemire, which needs no check for mantissas of up to 64 bits (Mushtak and Lemire, 2023). Texts of more than
19 significant digits are decided by their neighbours; the few that are not are refused, and the slow path reads them.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import (
    address_of,
    bits_float,
    byte_at,
    eight_bytes,
    high_product,
    leading_zeros,
    out_of_line,
    trailing_zeros,
)
from ringcollect.decode.powers import EXACT, HIGH, LEAST_POWER, LOW, MOST_POWER
from ringcollect.jit import inlined, njit

REFUSED = -1
"""Not a number in JSON's grammar, or not an integer where one must be, or out of its range."""
UNDECIDED = -2
"""A number whose first 19 digits do not decide its rounding."""

SHORT_BYTES = 17
"""Bytes :func:`short_decimal` may read."""

_INFINITY_BITS = np.int64(0x7FF << 52)
_MAX_EXPONENT = 100_000  # beyond, the value is 0 or infinite whatever the mantissa of a text in memory
_ZEROS = np.uint64(0x3030303030303030)
_TO_HIGH = np.uint64(0x7676767676767676)
_HIGHS = np.uint64(0x8080808080808080)
_POWERS = np.array([10**k for k in range(9)], np.uint64)
_ONE = np.uint64(1)
_TEN = np.uint64(10)
_MASK9 = np.uint64(0x1FF)
_EXACT_MANTISSA = np.uint64(1 << 53)
_TEN_TO_8 = np.uint64(100_000_000)


@njit
def scaled(mantissa: np.uint64, power: int) -> float:
    """``mantissa * 10**power`` as the nearest float64, ties to even; 0.0 or inf beyond its range."""
    out_of_line()
    if mantissa == np.uint64(0):
        return 0.0
    if mantissa <= _EXACT_MANTISSA:
        if -22 <= power < 0:
            return np.float64(mantissa) / EXACT[-power]
        if 0 <= power <= 22:
            return np.float64(mantissa) * EXACT[power]
    if power < LEAST_POWER:
        return 0.0
    if power > MOST_POWER:
        return bits_float(_INFINITY_BITS)
    zeros = leading_zeros(mantissa)
    w = mantissa << np.uint64(zeros)
    high_power = HIGH[power - LEAST_POWER]
    upper = high_product(w, high_power)
    lower = w * high_power
    if upper & _MASK9 == _MASK9:  # the 64-bit power is not precise enough: add the next 64 bits
        carry = high_product(w, LOW[power - LEAST_POWER])
        lower = lower + carry
        if lower < carry:
            upper = upper + _ONE
    top = np.int64(upper >> np.uint64(63))
    shift = np.uint64(top + 9)
    fraction = upper >> shift
    exponent = ((217706 * power) >> 16) + 63 + top - zeros + 1023
    if exponent <= 0:  # subnormal, or zero
        if 1 - exponent >= 64:
            return 0.0
        fraction = fraction >> np.uint64(1 - exponent)
        fraction = (fraction + (fraction & _ONE)) >> _ONE
        return bits_float(np.int64(fraction))  # a carry into bit 52 is the smallest normal number
    if lower <= _ONE and -4 <= power <= 23 and fraction & np.uint64(3) == _ONE and fraction << shift == upper:
        fraction = fraction & ~_ONE  # exactly between two floats: to even
    fraction = (fraction + (fraction & _ONE)) >> _ONE
    if fraction >= np.uint64(1 << 53):
        fraction = np.uint64(1 << 52)
        exponent += 1
    if exponent >= 0x7FF:
        return bits_float(_INFINITY_BITS)
    return bits_float((np.int64(exponent) << 52) | np.int64(fraction & np.uint64((1 << 52) - 1)))


@inlined
def _eight_digits(values: np.uint64) -> np.uint64:
    """Value of eight decimal digits, one per byte (0 to 9), the first in the lowest byte."""
    pairs = values * _TEN + (values >> np.uint64(8))
    low = (pairs & np.uint64(0x000000FF000000FF)) * np.uint64(0x000F424000000064)
    high = ((pairs >> np.uint64(16)) & np.uint64(0x000000FF000000FF)) * np.uint64(0x0000271000000001)
    return (low + high) >> np.uint64(32)


@inlined
def digits_in(eight: np.uint64) -> int:
    """How many of eight bytes, from the first on, are decimal digits."""
    shifted = eight ^ _ZEROS
    # over 9 gives the high bit, in the first such byte at least: a carry spoils only what follows it
    return trailing_zeros(((shifted + _TO_HIGH) | shifted) & _HIGHS) >> 3


@inlined
def leading_digits(eight: np.uint64, count: int) -> np.uint64:
    """Value of the first ``count`` bytes (1 to 8), which are digits."""
    return _eight_digits((eight - _ZEROS) << np.uint64(64 - 8 * count))


@njit
def _many_digits(a: int, start: int, end: int, power: int) -> tuple[float, bool]:
    """Value of more than 19 digits in ``[start, end)``, one point among them allowed, times 10**power.

    Second is False when digits beyond the 19th decide and cannot be judged here.
    """
    out_of_line()
    mantissa = np.uint64(0)
    taken = 0
    dropped = 0
    rest = False
    for i in range(start, end):
        c = byte_at(a, i)
        if c == 46:
            continue
        if taken == 19:
            dropped += 1
            rest = rest or c != 48
        elif taken or c != 48:
            mantissa = mantissa * _TEN + np.uint64(c - 48)
            taken += 1
    value = scaled(mantissa, power + dropped)
    if rest and scaled(mantissa + _ONE, power + dropped) != value:
        return value, False
    return value, True


@inlined
def short_decimal(a: int, i: int) -> tuple[int, float]:
    """A number of 1 to 8 digits and none or 1 to 8 decimals at ``i``: (offset after it, value), 0 first for any other.

    The caller answers for SHORT_BYTES readable bytes at ``i``. Up to 15 digits, which is all that is taken, are exact,
    and so is their one division.
    """
    first = eight_bytes(a, i)
    count = digits_in(first)
    if count == 0 or (count > 1 and first & np.uint64(0xFF) == np.uint64(48)):
        return 0, 0.0
    mantissa = leading_digits(first, count)
    end = i + count
    c = byte_at(a, end)
    if c == 46:
        after = eight_bytes(a, end + 1)
        decimals = digits_in(after)
        if decimals == 0 or count + decimals == 16:
            return 0, 0.0
        end += 1 + decimals
        c = byte_at(a, end)
        if 48 <= c <= 57 or c | 32 == 101:
            return 0, 0.0
        mantissa = mantissa * _POWERS[np.uint64(decimals)] + leading_digits(after, decimals)
        return end, np.float64(np.int64(mantissa)) / EXACT[np.uint64(decimals)]
    if c | 32 == 101 or (count == 8 and 48 <= c <= 57):
        return 0, 0.0
    return end, np.float64(np.int64(mantissa))


@inlined
def decimal(a: int, i: int, n: int) -> tuple[int, float]:
    """A number in JSON's grammar at ``i``: (offset after it or a negative code, value). Infinite values are refused."""
    if i + SHORT_BYTES <= n:
        end, value = short_decimal(a, i)
        if end != 0:
            return end, value
    return _decimal(a, i, n)


@njit
def _decimal(a: int, i: int, n: int) -> tuple[int, float]:
    """:func:`decimal`, whatever its length."""
    out_of_line()
    negative = False
    if i < n and byte_at(a, i) == 45:
        negative = True
        i += 1
    start = i
    mantissa = np.uint64(0)
    while i < n:
        digit = byte_at(a, i) - 48
        if digit < 0 or digit > 9:
            break
        mantissa = mantissa * _TEN + np.uint64(digit)
        i += 1
    digits = i - start
    if digits == 0 or (digits > 1 and byte_at(a, start) == 48):
        return REFUSED, 0.0
    power = 0
    if i < n and byte_at(a, i) == 46:
        i += 1
        point = i
        if i + 8 <= n:
            word = eight_bytes(a, i)
            if digits_in(word) == 8:
                mantissa = mantissa * _TEN_TO_8 + _eight_digits(word - _ZEROS)
                i += 8
        while i < n:
            digit = byte_at(a, i) - 48
            if digit < 0 or digit > 9:
                break
            mantissa = mantissa * _TEN + np.uint64(digit)
            i += 1
        if i == point:
            return REFUSED, 0.0
        power = point - i
        digits += i - point
    end = i
    if i < n and (byte_at(a, i) | 32) == 101:
        i += 1
        sign = 1
        if i < n and (byte_at(a, i) == 43 or byte_at(a, i) == 45):
            sign = 44 - byte_at(a, i)
            i += 1
        first = i
        exponent = 0
        while i < n:
            digit = byte_at(a, i) - 48
            if digit < 0 or digit > 9:
                break
            exponent = min(exponent * 10 + digit, _MAX_EXPONENT * 10)
            i += 1
        if i == first:
            return REFUSED, 0.0
        power += sign * exponent
    if digits <= 19:
        value = scaled(mantissa, power)
    else:
        value, decided = _many_digits(a, start, end, power)
        if not decided:
            return UNDECIDED, 0.0
    if value > 1.7976931348623157e308:
        return REFUSED, 0.0
    return i, -value if negative else value


@inlined
def integer(a: int, i: int, n: int) -> tuple[int, np.int64]:
    """A whole number without point and exponent at ``i``, exact in int64: (offset after it or REFUSED, value)."""
    if i + 17 <= n:
        first = eight_bytes(a, i)
        count = digits_in(first)
        if count == 8:
            after = eight_bytes(a, i + 8)
            more = digits_in(after)
            if 0 < more < 8 and first & np.uint64(0xFF) != np.uint64(48):
                c = byte_at(a, i + 8 + more)
                if c != 46 and c | 32 != 101:
                    whole = _eight_digits(first - _ZEROS) * _POWERS[np.uint64(more)] + leading_digits(after, more)
                    return i + 8 + more, np.int64(whole)
        elif count == 1 or (count > 0 and first & np.uint64(0xFF) != np.uint64(48)):
            c = byte_at(a, i + count)
            if c != 46 and c | 32 != 101:
                return i + count, np.int64(leading_digits(first, count))
    return _integer(a, i, n)


@njit
def _integer(a: int, i: int, n: int) -> tuple[int, np.int64]:
    """:func:`integer`, digit by digit."""
    out_of_line()
    negative = False
    if i < n and byte_at(a, i) == 45:
        negative = True
        i += 1
    start = i
    value = np.uint64(0)
    while i < n:
        digit = byte_at(a, i) - 48
        if digit < 0 or digit > 9:
            break
        value = value * _TEN + np.uint64(digit)
        i += 1
    digits = i - start
    if digits == 0 or digits > 19 or (digits > 1 and byte_at(a, start) == 48):  # 19 digits cannot pass 2**64
        return REFUSED, np.int64(0)
    if i < n and (byte_at(a, i) == 46 or (byte_at(a, i) | 32) == 101):
        return REFUSED, np.int64(0)
    if value > np.uint64(0x7FFFFFFFFFFFFFFF):
        return REFUSED, np.int64(0)
    return i, -np.int64(value) if negative else np.int64(value)


@njit
def number(a: int, i: int, n: int) -> tuple[int, float]:
    """A number at ``i``, bare or in quotes, as :func:`decimal`."""
    if i < n and byte_at(a, i) == 34:
        i, value = decimal(a, i + 1, n)
        if i < 0:
            return i, 0.0
        if i >= n or byte_at(a, i) != 34:
            return REFUSED, 0.0
        return i + 1, value
    return decimal(a, i, n)


@njit
def parse_float(text: bytes) -> tuple[int, float]:
    """:func:`number` over a whole text, for tests and tools: (length or a negative code, value)."""
    n = len(text)
    i, value = number(address_of(text), 0, n)
    if i >= 0 and i != n:
        return REFUSED, 0.0
    return i, value


@njit
def parse_int(text: bytes) -> tuple[int, np.int64]:
    """:func:`integer` over a whole text: (length or REFUSED, value)."""
    n = len(text)
    i, value = integer(address_of(text), 0, n)
    if i >= 0 and i != n:
        return REFUSED, np.int64(0)
    return i, value


@njit
def parse_lines(text: np.ndarray, out: np.ndarray) -> int:
    """Numbers of a text (uint8), each ended by a newline, into ``out``; NaN where refused. Returns how many."""
    a = address_of(text)
    n = len(text)
    i = 0
    count = 0
    while i < n:
        end = i
        while end < n and byte_at(a, end) != 10:
            end += 1
        stop, value = number(a, i, end)
        out[count] = value if stop == end else np.nan
        count += 1
        i = end + 1
    return count


def warm() -> None:
    """Compile what Python calls."""
    parse_float(b"1.5e3")
    parse_int(b"15")
    parse_lines(np.frombuffer(b"1\n", np.uint8), np.zeros(1))  # read-only, as its callers have it
