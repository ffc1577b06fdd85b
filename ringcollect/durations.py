"""Durations (``100ms``, ``1s``, ``2h``) and times as people write them, and as the code counts them (int64 ns)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from fractions import Fraction

from ringcollect.errors import ConfigError

_NS_PER_UNIT = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
_SHAPE = re.compile(r"([0-9]{1,19}(?:\.[0-9]{1,9})?)\s*(ns|us|ms|s|m|h|d)")
_MAX_NS = 2**63 - 1


def parse_duration(text: str) -> int:
    """``text`` in nanoseconds: one decimal number and one unit of ns, us, ms, s, m, h, d.

    Raises ValueError for anything else, for a fraction of a nanosecond, and past int64.
    """
    match = _SHAPE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a duration: write a number and a unit (ns us ms s m h d), as in 100ms")
    exact = Fraction(match[1]) * _NS_PER_UNIT[match[2]]
    if exact.denominator != 1:
        raise ValueError(f"{text!r} is not a whole number of nanoseconds")
    if exact > _MAX_NS:
        raise ValueError(f"{text!r} is longer than 292 years, the most that fits in 64 bits of nanoseconds")
    return int(exact)


def format_duration(ns: int) -> str:
    """The shortest spelling without a fraction, the same for equal durations: 60_000_000_000 is ``1m``."""
    if ns < 0:
        raise ValueError(f"a duration is not negative: {ns} ns")
    if ns == 0:
        return "0s"
    unit, size = next((u, n) for u, n in reversed(_NS_PER_UNIT.items()) if ns % n == 0)
    return f"{ns // size}{unit}"


def parse_time(text: str, key: str) -> int:
    """``2026-11-21``, ``2026-11-21T15:30`` or with seconds, fraction and offset (none: UTC), in ns since the epoch.

    Raises ConfigError naming ``key``.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigError(f"{key}: {text!r} is no time; write 2026-11-21 or 2026-11-21T15:30:00 (UTC)") from error
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000
