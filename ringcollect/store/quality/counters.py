"""Frames and duplicates per stream and day, from COUNTERS records, which count since the feed's START."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ringcollect.records import Status


class Counted(NamedTuple):
    """What arrived on one stream: ``duplicates`` were dropped before the ring."""

    frames: int = 0
    records: int = 0
    duplicates: int = 0
    gaps: int = 0


Key = tuple[int, int]


class Counters:
    """Fed with the events of consecutive days. A run whose START is not in the lake counts from its first record on."""

    def __init__(self) -> None:
        self._last: dict[Key, Counted] = {}
        self._known = False  # whether the present run's START was seen

    def day(self, events: np.ndarray) -> dict[Key, Counted]:
        """What was counted within ``events`` (one day, in order), per (instrument, channel)."""
        total: dict[Key, Counted] = {}
        starts = np.flatnonzero(events["code"] == Status.START)
        for number, run in enumerate(np.split(events, starts)):
            if number:
                self._last, self._known = {}, True
            rows = run[run["code"] == Status.COUNTERS]
            keys = rows["instrument"].astype(np.int64) * 256 + rows["channel"]
            firsts = np.unique(keys, return_index=True)[1].tolist()
            lasts = (len(rows) - 1 - np.unique(keys[::-1], return_index=True)[1]).tolist()
            for first, last in zip(firsts, lasts, strict=True):
                key = int(rows["instrument"][last]), int(rows["channel"][last])
                end = _values(rows[last])
                base = self._last.get(key, Counted() if self._known else _values(rows[first]))
                before = total.get(key, Counted())
                total[key] = Counted(*(b + max(0, e - s) for b, e, s in zip(before, end, base, strict=True)))
                self._last[key] = end
        return total


def _values(row: np.void) -> Counted:
    numbers = (float(row["number_1"]), float(row["number_2"]))
    duplicates, gaps = (int(n) if np.isfinite(n) else 0 for n in numbers)
    return Counted(int(row["id_from"]), int(row["id_to"]), duplicates, gaps)
