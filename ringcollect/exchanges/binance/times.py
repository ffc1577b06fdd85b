"""Times of Binance: milliseconds, or microseconds where the connection asked for them."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from ringcollect.errors import RejectedFrame

_MOST_MS = (2**63 - 1) // 1_000_000
_LEAST_US = 10**15
_MOST_US = (2**63 - 1) // 1_000


def to_ns(value: int) -> int:
    """Milliseconds, or microseconds where the number is that large, as ns."""
    if value <= _MOST_MS:
        return value * 1_000_000
    if _LEAST_US <= value <= _MOST_US:
        return value * 1_000
    raise RejectedFrame(f"time out of range: {value}")


def first_ns(*times: int | UnsetType) -> int:
    """The first time that was sent, as ns; 0 when none was."""
    for time in times:
        if time is not UNSET:
            return to_ns(time)
    return 0
