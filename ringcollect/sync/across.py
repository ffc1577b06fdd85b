"""Group O, the columns across venues: rows of several exchanges side by side where name and stamp are the same.

A venue is an instrument that others quote under the same unified name. Nothing here knows where rows come from: live
they come from row rings, offline from files, and what is made of them is the same, because each row says itself
(``ts_recv``) whether it was there in time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ringcollect.instruments import MAX_INSTRUMENTS
from ringcollect.sync.catalogue.venues import FLOW, MID, RETURN
from ringcollect.sync.rows import RowFlag

FOREVER = 2**62
MAX_WAITING = 1 << 18
"""Rows that wait for another exchange's, all together (16 MB); of more, none waits any longer."""
_LOST, _OVERRUN, _PARTIAL = int(RowFlag.LOST), int(RowFlag.OVERRUN), int(RowFlag.PARTIAL)
_WAITING = np.dtype(
    [
        ("ts_ns", "<i8"), ("group", "<i4"), ("exchange", "<i2"), ("instrument", "<u2"), ("row_flags", "<u4"),
        ("venues", "<u2"), (MID, "<f8"), (RETURN, "<f8"), (FLOW, "<f8"),
    ]
)  # fmt: skip
_UNKNOWN, _NAMELESS = -1, -2


class Across(NamedTuple):
    """The four columns of group O, and how many venues had a mid; each float64[stamps, venues]."""

    xv_mid_dev_bps: np.ndarray
    xv_dispersion_bps: np.ndarray
    xv_lead_return_1s: np.ndarray
    xv_ofi_norm_5s: np.ndarray
    venues: np.ndarray


def across(mids: np.ndarray, returns: np.ndarray, flows: np.ndarray) -> Across:
    """Group O of float64[stamps, venues], NaN where a venue has no value or is not there.

    Sums go over the venues in their order, so that a value depends on nothing but its own line.
    """
    there = np.sort(mids, axis=1)  # NaN comes last
    count = np.count_nonzero(~np.isnan(mids), axis=1)
    line = np.arange(len(mids))
    last = np.maximum(count - 1, 0)
    median = (there[line, last // 2] + there[line, (last + 1) // 2]) / 2.0
    median[count < 2] = np.nan
    dispersion = 1e4 * (there[line, last] - there[line, 0]) / median
    return Across(
        1e4 * (mids - median[:, None]) / median[:, None],
        np.repeat(dispersion[:, None], mids.shape[1], axis=1),
        _mean_of_others(returns) - returns,
        _mean_of_others(flows),
        np.repeat(count[:, None], mids.shape[1], axis=1),
    )


def _mean_of_others(values: np.ndarray) -> np.ndarray:
    """Of each venue: the mean over the others that have a value, NaN where none has."""
    there = ~np.isnan(values)
    known = np.where(there, values, 0.0)
    out = np.empty_like(values)
    for own in range(values.shape[1]):
        total, count = np.zeros(len(values)), np.zeros(len(values))
        for other in range(values.shape[1]):
            if other != own:
                total += known[:, other]
                count += there[:, other]
        out[:, own] = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    return out


def across_dtype(columns: Sequence[str]) -> np.dtype:
    """A row of a ``.xv`` ring: ``venues`` had a mid at this stamp; ``row_flags`` are those of all rows compared."""
    identity = [("seq", "<i8"), ("ts_ns", "<i8"), ("instrument", "<u2"), ("venues", "<u2"), ("row_flags", "<u4")]
    return np.dtype(identity + [(name, "<f8") for name in columns])


class Join:
    """Rows of ``exchanges`` on one grid in, rows of group O out, stamp after stamp.

    A row takes part where its ``ts_recv`` is at most ``delay_ns`` after its stamp; a stamp is done once every exchange
    is known to have come further than that. Both are facts of the rows, whatever the order in which they are added.
    ``name_of(exchange, number)`` gives the unified name of an instrument, empty for none.
    """

    def __init__(
        self, exchanges: int, columns: Sequence[str], delay_ns: int, name_of: Callable[[int, int], str]
    ) -> None:
        self.dtype = across_dtype(columns)
        self.late = 0
        """Rows that came behind their time: they have no values, and no other row has theirs."""
        self._columns = tuple(columns)
        self._delay_ns = delay_ns
        self._name_of = name_of
        self._groups: dict[str, int] = {}
        self._group_of = np.full((exchanges, MAX_INSTRUMENTS), _UNKNOWN, np.int32)
        self._torn = [False] * exchanges
        self._lost_until = 0
        self._done_ns = 0  # stamps before this are out
        self._waiting = np.empty(0, _WAITING)
        self._added: list[np.ndarray] = []

    def add(self, exchange: int, rows: np.ndarray) -> None:
        """Take in rows of one exchange, in the order of their ring."""
        if not len(rows):
            return
        if self._torn[exchange]:
            self._torn[exchange] = False
            self._lost_until = max(self._lost_until, int(rows["ts_ns"][0]))
        groups = self._groups_of(exchange, rows["instrument"])
        in_time = (rows["ts_recv"] - rows["ts_ns"] <= self._delay_ns) & (rows["row_flags"] & _PARTIAL == 0)
        in_time &= rows["ts_ns"] >= self._done_ns
        self.late += int(np.count_nonzero(~in_time))
        mine = np.flatnonzero(in_time & (groups >= 0))
        taken = np.zeros(len(mine), _WAITING)
        taken["exchange"], taken["group"] = exchange, groups[mine]
        for name in ("ts_ns", "instrument", "row_flags"):
            taken[name] = rows[name][mine]
        for name in (MID, RETURN, FLOW):
            taken[name] = rows[name][mine] if name in (rows.dtype.names or ()) else np.nan
        self._added.append(taken)

    def lose(self, exchange: int) -> None:
        """Rows are missing before the next ones of ``exchange``: what stands at their stamps carries LOST."""
        self._torn[exchange] = True

    def done(self, known: Sequence[int]) -> list[np.ndarray]:
        """The rows of every stamp that is done, of each exchange by stamp and instrument; ``seq`` is left to the owner.

        ``known``: of each exchange the ``ts_recv`` below which every row was added; FOREVER where nothing will come.
        """
        if self._added:
            self._waiting = np.concatenate([self._waiting, *self._added])
            self._added = []
        until, extra = min(known), 0
        if len(self._waiting) > MAX_WAITING:
            until, extra = max(one for one in (*known, 0) if one < FOREVER), _OVERRUN
        self._done_ns = max(self._done_ns, until - self._delay_ns)
        ripe = self._waiting["ts_ns"] < self._done_ns
        rows = self._waiting[ripe]
        self._waiting = self._waiting[~ripe]
        rows["row_flags"] |= extra
        rows["row_flags"][rows["ts_ns"] <= self._lost_until] |= _LOST
        return self._joined(rows)

    def _joined(self, rows: np.ndarray) -> list[np.ndarray]:
        out = np.zeros(len(rows), self.dtype)
        order = np.lexsort((rows["instrument"], rows["exchange"], rows["group"], rows["ts_ns"]))
        rows = rows[order]
        if len(rows):
            begins = np.ones(len(rows), bool)
            begins[1:] = (rows["ts_ns"][1:] != rows["ts_ns"][:-1]) | (rows["group"][1:] != rows["group"][:-1])
            line = np.cumsum(begins) - 1
            first = np.flatnonzero(begins)
            place = np.arange(len(rows)) - first[line]
            found = across(*(_spread(rows[name], line, place) for name in (MID, RETURN, FLOW)))
            for name in ("ts_ns", "instrument"):
                out[name] = rows[name]
            for name in ("venues", *self._columns):
                out[name] = getattr(found, name)[line, place]
            out["row_flags"] = np.bitwise_or.reduceat(rows["row_flags"], first)[line]
        parts = []
        for exchange in range(len(self._torn)):
            own = out[rows["exchange"] == exchange]
            parts.append(own[np.lexsort((own["instrument"], own["ts_ns"]))])
        return parts

    def _groups_of(self, exchange: int, numbers: np.ndarray) -> np.ndarray:
        """The group of each row's instrument, below 0 for one without a unified name."""
        known = self._group_of[exchange]
        for number in np.unique(numbers[known[numbers] == _UNKNOWN]).tolist():
            name = self._name_of(exchange, number)
            known[number] = self._groups.setdefault(name, len(self._groups)) if name else _NAMELESS
        return known[numbers]


def _spread(values: np.ndarray, line: np.ndarray, place: np.ndarray) -> np.ndarray:
    """``values`` as float64[stamps, venues], NaN where there is none."""
    out = np.full((int(line[-1]) + 1, int(place.max()) + 1), np.nan)
    out[line, place] = values
    return out
