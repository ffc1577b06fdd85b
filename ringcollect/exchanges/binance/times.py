"""Times of Binance: milliseconds, or microseconds where the connection asked for them."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from ringcollect.exchanges.numbers import epoch_to_ns


def first_ns(*times: int | UnsetType) -> int:
    """The first time that was sent, as ns; 0 when none was."""
    for time in times:
        if time is not UNSET:
            return epoch_to_ns(time)
    return 0
