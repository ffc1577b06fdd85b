"""The status records of one exchange, as the lake has them: what every window of the report is told from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringcollect.records import Status

EVENT = np.dtype(
    [
        ("generation", "<i8"),
        ("seq", "<i8"),
        ("ts_event", "<i8"),
        ("ts_recv", "<i8"),
        ("id_from", "<i8"),
        ("id_to", "<i8"),
        ("number_1", "<f8"),
        ("number_2", "<f8"),
        ("instrument", "<i4"),
        ("conn", "u1"),
        ("code", "u1"),
        ("channel", "i1"),
    ]
)
"""A row of ``raw/status``; ``instrument`` is an index of :class:`Instruments`, -1 the whole exchange."""

COLUMNS = [name for name in EVENT.names or () if name != "instrument"]
WHOLE = -1


class Instruments:
    """Numbers for (market, symbol) of one exchange, given in order of appearance."""

    def __init__(self) -> None:
        self.names: list[tuple[str, str]] = []
        self._numbers: dict[tuple[str, str], int] = {}

    def number(self, market: str, symbol: str) -> int:
        """The number of one instrument; -1 for the folder of the whole exchange."""
        if market.startswith("_"):
            return WHOLE
        key = market, symbol
        if key not in self._numbers:
            self._numbers[key] = len(self.names)
            self.names.append(key)
        return self._numbers[key]


class Piece(NamedTuple):
    """Rows of one status file and whose they are."""

    instrument: int
    table: pa.Table


def events_of(pieces: Iterable[Piece]) -> np.ndarray:
    """All pieces as EVENT rows in (generation, seq) order, without TICKs (which say nothing but that time passes)."""
    parts = [np.empty(0, EVENT)]
    for instrument, table in pieces:
        kept = table.filter(pc.not_equal(table["code"], int(Status.TICK)))
        rows = np.empty(len(kept), EVENT)
        for name in COLUMNS:
            rows[name] = kept[name].to_numpy()
        rows["instrument"] = instrument
        parts.append(rows)
    events = np.concatenate(parts)
    return events[np.lexsort((events["seq"], events["generation"]))]
