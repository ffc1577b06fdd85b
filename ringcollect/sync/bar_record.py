"""The record each bar is (features.md P).

A bar of time ends on a boundary of its duration and is stamped with both ends of the interval it owns,
``[ts_open_ns, ts_close_ns)``. Bars of ticks, volume and quote volume end with the trade that fills them and are
stamped with their first update or trade and with that trade.
"""

from __future__ import annotations

import numpy as np

from ringcollect.sync.catalogue import bars
from ringcollect.sync.catalogue.options import Options

BAR_SCHEMA_VERSION = 1
BAR_RING_BYTES = 2 << 20
"""Of each ``.bar`` ring, at most: 8192 bars."""

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
"""One bar: ``seq`` counts the bars of its kind, ``bar`` is that kind's place in the configuration (0 in a ring, which
has one kind), ``row_flags`` are those of any of its rows."""
