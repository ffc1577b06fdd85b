"""Bars: which there can be, and the record each is (features.md P).

A bar of time ends on a boundary of its duration and is stamped with both ends of the interval it owns,
``[ts_open_ns, ts_close_ns)``. Bars of ticks, volume and quote volume end with the trade that fills them and are
stamped with their first update or trade and with that trade.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
import numpy as np

from ringcollect.durations import format_duration, parse_duration
from ringcollect.errors import ConfigError
from ringcollect.sync.catalogue import bars
from ringcollect.sync.catalogue.options import Options

SCHEMA_VERSION = 1
TIME, TICKS, VOLUME, QUOTE = range(4)
UNITS = {"ticks": TICKS, "base": VOLUME, "quote": QUOTE}
MAX_BARS = 16

_STAMPS = ("ts_open_ns", "ts_close_ns")
COLUMNS = tuple(name for family in bars.FAMILIES for name in family.columns(Options()) if name not in _STAMPS)
"""The float64 columns behind the stamps, in catalogue order."""

BAR = np.dtype(
    [
        ("seq", "<i8"),
        ("ts_open_ns", "<i8"),
        ("ts_close_ns", "<i8"),
        ("instrument", "<u2"),
        ("bar", "<u2"),
        ("row_flags", "<u4"),
    ]
    + [(name, "<f8") for name in COLUMNS]
)
"""One bar: ``seq`` counts the bars of its kind, ``bar`` is that kind's place in the configuration, ``row_flags``
are those of any of its rows."""


class Bar(msgspec.Struct, frozen=True):
    """One kind of bars: ``kind`` TIME (``size`` in ns), TICKS (trades), VOLUME (base units) or QUOTE (quote units)."""

    kind: int
    size: float

    @property
    def name(self) -> str:
        """As rings and folders have it: ``1s``, ``500ticks``, ``10base``, ``1000000quote``."""
        if self.kind == TIME:
            return format_duration(int(self.size))
        return f"{self.size:.15g}{next(unit for unit, kind in UNITS.items() if kind == self.kind)}"


def parse_bar(text: str, key: str = "sync.bars") -> Bar:
    """A duration (``1s``) or a number of ``ticks``, ``base`` or ``quote`` units. Raises ConfigError naming ``key``."""
    found = re.fullmatch(r"([0-9.]+)(ticks|base|quote)", text)
    try:
        if found is None:
            return Bar(TIME, float(parse_duration(text)))
        size = float(found[1])
    except ValueError as error:
        raise ConfigError(
            f"{key}: {text!r} is neither a duration nor a number of {', '.join(UNITS)}: {error}"
        ) from None
    if not size > 0 or (found[2] == "ticks" and size != int(size)):
        raise ConfigError(f"{key}: {text!r}: a bar holds more than nothing, and whole trades")
    return Bar(UNITS[found[2]], size)


def check_bars(wanted: Sequence[Bar], grid_ns: int, key: str = "sync.bars") -> None:
    """Raise ConfigError for bars that a grid cannot make."""
    if len(wanted) > MAX_BARS:
        raise ConfigError(f"{key}: {len(wanted)} kinds of bars; at most {MAX_BARS} are made")
    names = [bar.name for bar in wanted]
    if len(set(names)) != len(names):
        raise ConfigError(f"{key}: a kind of bar is there twice: {', '.join(names)}")
    for bar in wanted:
        if bar.kind == TIME and (bar.size <= 0 or int(bar.size) % grid_ns):
            raise ConfigError(f"{key}: {bar.name} is no multiple of sync.grid, {format_duration(grid_ns)}")
