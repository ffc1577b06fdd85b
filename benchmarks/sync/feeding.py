"""An engine and records for it, in the portions in which its worker reads a ring."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ringcollect.bar_kinds import parse_bar
from ringcollect.instruments import Instrument
from ringcollect.sync import catalogue
from ringcollect.sync.engine import Engine
from ringcollect.sync.settings import Parameters

PORTION = 1 << 14


def engine_of(features: Sequence[str], instrument_of: Callable[[int], Instrument], bars: Sequence[str] = ()) -> Engine:
    """A synchronizer on the default grid of 100 ms with these sets, names or wildcards, and these kinds of bars."""
    columns = tuple(catalogue.select(features))
    return Engine(Parameters(columns=columns, bars=tuple(map(parse_bar, bars))), instrument_of)


def ignore(rows: np.ndarray) -> None:
    """A ring that nobody reads."""


class Counted:
    """A sink that counts rows."""

    def __init__(self) -> None:
        self.rows = 0

    def __call__(self, rows: np.ndarray) -> None:
        self.rows += len(rows)


def feed(engine: Engine, records: np.ndarray, sink: Callable[[np.ndarray], None] = ignore) -> None:
    """All of ``records``."""
    for first in range(0, len(records), PORTION):
        engine.feed(records[first : first + PORTION], sink)
