"""Numbers of the typed paths: text to float64 with Python's own correctly rounded parser."""

from __future__ import annotations

import datetime
import math
import re

import numpy as np

from ringcollect.decode.number import parse_lines
from ringcollect.errors import RejectedFrame

Number = str | int | float
"""A number in quotes or bare, as a message type takes it."""

_MOST_MS = (2**63 - 1) // 1_000_000
_LEAST_US = 10**15
_MOST_US = (2**63 - 1) // 1_000
_MOST_WHOLE = 2**63 - 1
_WHOLE = re.compile(r"[0-9]{1,19}", re.ASCII)
_ISO = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?Z", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1970, 2261  # whole years of int64 ns from the epoch on
_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)


def to_float(value: Number) -> float:
    """The nearest float64 of a number as sent; RejectedFrame when it is none, or beyond float64's range."""
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise RejectedFrame(f"not a number: {value[:40]!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise RejectedFrame(f"number out of range: {str(value)[:40]}")
    return number


def to_floats(values: list[Number]) -> np.ndarray:
    """Many numbers at once (REST snapshots), by the number kernel; what it refuses goes through :func:`to_float`."""
    out = np.empty(len(values))
    if not all(type(value) is str for value in values) or any("\n" in value or '"' in value for value in values):  # type: ignore[operator]
        return np.array([to_float(value) for value in values], np.float64)
    text = "\n".join([*values, ""]).encode()  # type: ignore[list-item]
    if values:
        parse_lines(np.frombuffer(text, np.uint8), out)
    for i in np.flatnonzero(np.isnan(out)):
        out[i] = to_float(values[i])
    return out


def to_whole(value: str | int) -> int:
    """A whole number that is not negative, in quotes or bare, exact; RejectedFrame when it is none or over int64."""
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value):
            raise RejectedFrame(f"not a whole number: {value[:40]!r}")
        value = int(value)
    if not 0 <= value <= _MOST_WHOLE:
        raise RejectedFrame(f"number out of range: {str(value)[:40]}")
    return value


def ms_to_ns(value: str | int) -> int:
    """A time in ms, in quotes or bare, as ns. RejectedFrame beyond int64."""
    ms = to_whole(value)
    if ms > _MOST_MS:
        raise RejectedFrame(f"time out of range: {ms}")
    return ms * 1_000_000


def epoch_to_ns(value: int) -> int:
    """Milliseconds, or microseconds where the number is that large, as ns. RejectedFrame beyond int64."""
    if 0 <= value <= _MOST_MS:
        return value * 1_000_000
    if _LEAST_US <= value <= _MOST_US:
        return value * 1_000
    raise RejectedFrame(f"time out of range: {str(value)[:40]}")


def iso_to_ns(text: str) -> int:
    """``2026-08-09T21:05:48.123456789Z``, with up to nine decimals or none, as ns. RejectedFrame for anything else."""
    found = _ISO.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        moment = datetime.datetime.fromisoformat(found[1] + "+00:00")
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            raise ValueError
    except ValueError:
        raise RejectedFrame(f"not a time: {text[:40]!r}") from None
    days = moment.toordinal() - datetime.date(1970, 1, 1).toordinal()
    seconds = ((days * 24 + moment.hour) * 60 + moment.minute) * 60 + moment.second
    return seconds * 1_000_000_000 + int((found[2] or "").ljust(9, "0"))
