"""The kinds of bars there can be, as people write them: ``1s``, ``500ticks``, ``10base``, ``1000000quote``.

The same text is the key's value in the configuration, a part of the ring's name and a folder of the lake.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from ringcollect.durations import format_duration, parse_duration

TIME, TICKS, VOLUME, QUOTE = range(4)
UNITS = {"ticks": TICKS, "base": VOLUME, "quote": QUOTE}
MAX_BARS = 16
"""Kinds of bars at once: each has its state in every instrument, and a ring."""
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)(ticks|base|quote)")


class Bar(NamedTuple):
    """One kind of bars: ``kind`` TIME (``size`` in ns), TICKS (trades), VOLUME (base units) or QUOTE (quote units)."""

    kind: int
    size: float

    @property
    def name(self) -> str:
        """As rings and folders have it, the same for equal kinds."""
        if self.kind == TIME:
            return format_duration(int(self.size))
        unit = next(unit for unit, kind in UNITS.items() if kind == self.kind)
        return f"{Decimal(repr(self.size)).normalize():f}{unit}"


def bar_of_time(text: str) -> Bar:
    """Bars of a duration (``1s``). Raises ValueError."""
    ns = parse_duration(text)
    if ns <= 0:
        raise ValueError(f"{text!r}: a bar holds more than nothing")
    return Bar(TIME, float(ns))


def bar_of_size(text: str) -> Bar:
    """Bars of a number of ``ticks`` (trades), of ``base`` or of ``quote`` units. Raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text[:40]!r} is no size of a bar: write a number and ticks, base or quote, as in 500ticks")
    size = float(found[1])
    if not size > 0 or (found[2] == "ticks" and size != int(size)):
        raise ValueError(f"{text!r}: a bar holds more than nothing, and whole trades")
    return Bar(UNITS[found[2]], size)


def parse_bar(text: str) -> Bar:
    """Either of them. Raises ValueError."""
    return bar_of_size(text) if text.strip().endswith(tuple(UNITS)) else bar_of_time(text)


def bars_problem(wanted: Sequence[Bar], grid_ns: int) -> str:
    """Why a grid of ``grid_ns`` cannot make these bars, all at once; empty if it can."""
    if len(wanted) > MAX_BARS:
        return f"{len(wanted)} kinds of bars; at most {MAX_BARS} are made"
    names = [bar.name for bar in wanted]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        return f"{twice[0]} is there twice"
    for bar in wanted:
        if bar.kind == TIME and int(bar.size) % grid_ns:
            return f"{bar.name} is no multiple of the grid they are made on, {format_duration(grid_ns)}"
    return ""
