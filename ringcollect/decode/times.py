"""Times to int64 ns since the Unix epoch: ISO 8601 in UTC, and counts of milliseconds or microseconds."""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import address_of, byte_at, out_of_line
from ringcollect.decode.text import BAD
from ringcollect.jit import njit

_MOST_MS = 9_223_372_036_854
_LEAST_US = 1_000_000_000_000_000  # year 33658 as ms, 2001 as us
_MOST_US = 9_223_372_036_854_775
_LEAST_YEAR, _MOST_YEAR = 1970, 2261  # whole years of int64 ns, and no time before the epoch


@njit
def epoch_ns(value: int) -> int:
    """Milliseconds, or microseconds where the number is that large, as ns; -1 when it does not fit int64 or is < 0."""
    if 0 <= value <= _MOST_MS:
        return value * 1_000_000
    if _LEAST_US <= value <= _MOST_US:
        return value * 1_000
    return -1


@njit
def _pair(a: int, i: int) -> int:
    """Two digits at ``i``, which is within the text; too many for anything when one is none."""
    tens = byte_at(a, i) - 48
    ones = byte_at(a, i + 1) - 48
    if tens < 0 or tens > 9 or ones < 0 or ones > 9:
        return 100_000
    return tens * 10 + ones


@njit
def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 (Howard Hinnant, chrono-compatible date algorithms, days_from_civil)."""
    y = year - 1 if month <= 2 else year
    era = y // 400
    of_era = y - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


@njit
def _month_days(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31


@njit
def iso_ns(a: int, i: int, n: int) -> tuple[int, np.int64]:
    """``"2026-08-09T21:05:48.123456789Z"`` at ``i`` (its quote): (offset after it or BAD, ns).

    Up to nine digits of fraction, or none; UTC written as ``Z``; years 1970 to 2261; no leap seconds.
    """
    out_of_line()
    nothing = np.int64(0)
    if (
        i + 22 > n
        or byte_at(a, i) != 34
        or byte_at(a, i + 5) != 45
        or byte_at(a, i + 8) != 45
        or byte_at(a, i + 11) != 84
        or byte_at(a, i + 14) != 58
        or byte_at(a, i + 17) != 58
    ):
        return BAD, nothing
    year = _pair(a, i + 1) * 100 + _pair(a, i + 3)
    month = _pair(a, i + 6)
    day = _pair(a, i + 9)
    hour = _pair(a, i + 12)
    minute = _pair(a, i + 15)
    second = _pair(a, i + 18)
    if year < _LEAST_YEAR or year > _MOST_YEAR or month < 1 or month > 12 or day < 1 or day > _month_days(year, month):
        return BAD, nothing
    if hour > 23 or minute > 59 or second > 59:
        return BAD, nothing
    i += 20
    fraction = 0
    scale = 1_000_000_000
    if byte_at(a, i) == 46:
        i += 1
        while i < n:
            digit = byte_at(a, i) - 48
            if digit < 0 or digit > 9:
                break
            if scale == 1:
                return BAD, nothing
            fraction = fraction * 10 + digit
            scale //= 10
            i += 1
        if scale == 1_000_000_000:
            return BAD, nothing
    if i + 2 > n or byte_at(a, i) != 90 or byte_at(a, i + 1) != 34:
        return BAD, nothing
    seconds = (_days(year, month, day) * 24 + hour) * 3600 + minute * 60 + second
    return i + 2, np.int64(seconds * 1_000_000_000 + fraction * scale)


@njit
def parse_iso(text: bytes) -> int:
    """:func:`iso_ns` of a whole text with its quotes, from Python: ns, or -1."""
    end, ns = iso_ns(address_of(text), 0, len(text))
    return ns if end == len(text) else -1


def warm() -> None:
    """Compile what Python calls."""
    parse_iso(b'"2026-08-09T21:05:48Z"')
