"""The engine's state: the arrays of layout.py, how they grow, how a checkpoint takes them and gives them back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ringcollect.instruments import SIZE_UNITS, Instrument
from ringcollect.sync import arrays, checksum
from ringcollect.sync import layout as at
from ringcollect.sync.arrays import put
from ringcollect.sync.bar_output import BarOutput
from ringcollect.sync.book_memory import BookMemory
from ringcollect.sync.catalogue.plan import BAR_STATE, Plan
from ringcollect.sync.features import places
from ringcollect.sync.features.kernels import begin_features, kernel_addresses
from ringcollect.sync.settings import Parameters
from ringcollect.sync.snapshot_output import SnapshotOutput
from ringcollect.sync.windows import SIDES, tick_fraction

_FIRST_POOL = 1024


class State:
    """Arrays for ``parameters`` and ``plan``; ``context`` is what the kernels are called with.

    Whatever puts another array in the place of one tells the kernels at once (:meth:`bind`).
    """

    def __init__(self, parameters: Parameters, plan: Plan, out_rows: int, row_words: int) -> None:
        self.plan = plan
        self.params = parameters.words(plan)
        self.out = np.zeros((out_rows, row_words), np.int64)
        self.shared = np.zeros(at.SHARED_AND_LINKS, np.int64)
        self.shared[at.G_FREE_HEAD] = -1
        self.ints = np.zeros((0, at.INTS), np.int64)
        self.floats = np.zeros((0, plan.floats), np.float64)
        self.pool = np.zeros((0, at.POOL_WORDS), np.int64)
        self.books = BookMemory(2 * parameters.book_levels)
        self.snapshots = SnapshotOutput(parameters.snapshots, parameters.levels, parameters.hold_back_records)
        self.bars = BarOutput(parameters.bars, parameters.grid_ns, parameters.hold_back_records)
        self.context = np.zeros(arrays.CONTEXT, np.int64)
        self._wide = np.zeros(plan.wide, np.float64)
        self._event = np.zeros(places.EVENT, np.int64)
        self._kernels = kernel_addresses(plan.groups)
        self.grow_pool()

    @property
    def count(self) -> int:
        """Instruments known so far."""
        return int(self.shared[at.G_INSTRUMENTS])

    def bind(self) -> None:
        """Tell the kernels where the arrays are now."""
        self.shared[at.G_EVENT] = self._event.ctypes.data
        self._event[[places.E_PARAMS, places.E_BOOKS, places.E_WIDE_AT, places.E_KERNELS, places.E_SELF]] = [
            array.ctypes.data for array in (self.params, self.books.slab, self._wide, self._kernels, self._event)
        ]
        self._event[[places.E_CORE_KERNEL, places.E_CORE, places.E_GRID]] = (
            self._kernels[0], self.params[at.P_CORE], self.params[at.P_GRID],
        )  # fmt: skip
        for place, array in (
            (arrays.OUT, self.out),
            (arrays.PARAMS, self.params),
            (arrays.SHARED, self.shared),
            (arrays.INTS, self.ints),
            (arrays.FLOATS, self.floats),
            (arrays.BOOKS, self.books.slab),
            (arrays.POOL, self.pool),
            (arrays.WIDE, self._wide),
        ):
            put(self.context, place, array)
        self.shared[at.G_SNAPSHOTS] = self.snapshots.address()
        self.shared[at.G_BARS] = self._event[places.E_BARS] = self.bars.address()

    # --- growing --------------------------------------------------------------------------------------------------

    def grow_pool(self) -> None:
        """Twice as many slots for records that wait."""
        old = len(self.pool)
        self.pool = _grown(self.pool, max(2 * old, _FIRST_POOL))
        fresh = self.pool[old:]
        fresh[:, at.POOL_NEXT] = np.arange(old + 1, len(self.pool) + 1)
        fresh[-1, at.POOL_NEXT] = self.shared[at.G_FREE_HEAD]
        self.shared[at.G_FREE_HEAD] = old
        self.shared[at.G_FREE] += len(fresh)
        self.bind()

    def grow_book(self, number: int) -> None:
        """What one instrument's book needs before its next level."""
        self.books.grow(number, self.ints[: self.count], self.floats)
        self.bind()

    def add_instruments(self, count: int) -> None:
        """Rows for instruments up to ``count``, in which nothing is known yet."""
        known = self.count
        if count > len(self.ints):
            room = max(count, 2 * len(self.ints), 8)
            self.ints = _grown(self.ints, room)
            self.floats = _grown(self.floats, room)
            self.bind()
        new = self.ints[known:count]
        new[:, at.I_STEP_LEFT] = -1
        new[:, at.I_NUMBER] = np.arange(known, count)
        new[:, at.I_PERIOD] = -1  # nothing is due before the clock is anchored
        new[:, at.I_UPDATES_HEAD : at.I_EVENTS_TAIL + 1] = -1
        new[:, at.I_EVENTS_MIN] = at.UNLIMITED
        new[:, [side + at.BOOK_BEST for side, _ in SIDES]] = -1
        begin_features(self.floats[known:count], self.plan)
        self.shared[at.G_INSTRUMENTS] = count

    def describe(self, number: int, instrument: Instrument, is_wanted: bool) -> None:
        """Take over what is known of instrument ``number``; one that is not wanted has no rows here."""
        row = self.ints[number]
        row[at.I_BOOK_DEPTH] = instrument.book_depth
        row[at.I_SIZE_UNIT] = SIZE_UNITS.index(instrument.size_unit)
        row[at.I_INVERSE] = instrument.inverse
        row[at.I_FUNDING_INTERVAL] = instrument.funding_interval_ns
        row[at.I_CHECKSUM] = checksum.RULES.get(instrument.exchange, at.CHECKSUM_NONE)
        row[at.I_PRICE_DIGITS] = instrument.price_precision
        row[at.I_SIZE_DIGITS] = instrument.size_precision
        self.floats[number, at.F_MULTIPLIER] = instrument.multiplier
        self.floats[number, at.F_LOT] = instrument.lot_size or 0.0
        tick = tick_fraction(instrument.tick_size)
        if tick != tuple(self.floats[number, at.F_TICKS : at.F_TICK_DENOMINATOR + 1]):
            self.books.lay_out(number, tick, self.ints[: self.count], self.floats)
            self.bind()
        row[at.I_EXCLUDED] = not is_wanted
        if not is_wanted:  # a new name may have made it another's: its clock stops here
            row[[at.I_SEEN, at.I_ANCHORED]] = 0

    # --- checkpoints ----------------------------------------------------------------------------------------------

    def dump(self) -> dict[str, np.ndarray]:
        """The whole state, as named arrays that alias these (copy or write them at once)."""
        return {
            "params": self.params,
            "shared": self.shared[: at.SHARED],
            "ints": self.ints[: self.count],
            "floats": self.floats[: self.count],
            "books": self.books.slab,
            "pool": self.pool,
            "snapshots": self.snapshots.dump(),
            "bars": self.bars.dump(),
            "near": self.books.windows.dump(),
        }

    def load(self, state: dict[str, np.ndarray]) -> bool:
        """Take over a dumped state; False (and unchanged) if it belongs to other parameters or another layout."""
        expected: dict[str, Any] = self.dump()
        if set(state) != set(expected) or not np.array_equal(state["params"], self.params):
            return False
        if not self.snapshots.fits(state["snapshots"]) or not self.bars.fits(state["bars"]):
            return False
        if not all(_same_columns(array, expected[name]) for name, array in state.items()):
            return False
        self._take(state)
        self.floats = state["floats"].copy()
        self.snapshots.total = int(state["snapshots"][-1])
        self.bars.load(state["bars"])
        self.bind()
        return True

    def makes_same_rows(self, state: dict[str, np.ndarray]) -> bool:
        """Whether rows and bars that follow a dumped state are here what they were to be there."""
        return np.array_equal(state["params"], self.params) and self.bars.fits(state["bars"])

    def makes_same_snapshots(self, state: dict[str, np.ndarray]) -> bool:
        """Whether the snapshot records that follow are the same too."""
        return self.makes_same_rows(state) and self.snapshots.fits(state["snapshots"])

    def carry_over(self, state: dict[str, np.ndarray], periods: Mapping[int, int]) -> bool:
        """Take over a dump that :meth:`load` refuses, because something about the output was chosen otherwise: clocks,
        books, what waits, carried states. False (and unchanged) if grid, mode or depth of books are others.

        Where other rows follow, windows begin anew; an open row that had something already is marked LOST, and rows up
        to ``periods[instrument]``, which are out, are not written again.
        """
        before = state["params"]
        kept = [at.P_GRID, at.P_MODE, at.P_BOOK_LEVELS]
        expected = self.dump()
        alike = ("shared", "ints", "books", "pool", "near")
        if len(before) < at.P_SELECT or not np.array_equal(before[kept], self.params[kept]):
            return False
        if not all(_same_columns(state[name], expected[name]) for name in alike):
            return False
        self._take(state)
        if self.makes_same_rows(state):
            self.floats = state["floats"].copy()
            self.bars.load(state["bars"])
            self.snapshots.total = int(state["snapshots"][-1])
        else:
            self._begin_windows(before, state["floats"])
            if self.bars.fits(state["bars"]):
                self.floats[:, self._open_bars(self.params)] = state["floats"][:, self._open_bars(before)]
            for number, last in periods.items():
                if number < self.count and last > self.ints[number, at.I_PERIOD]:
                    self._open_behind(number, last)
        self.bind()
        return True

    def _begin_windows(self, before: np.ndarray, floats: np.ndarray) -> None:
        """The state of each instrument with that of the groups as at the beginning; ``before`` are its params."""
        self.floats = np.zeros((len(floats), self.plan.floats), np.float64)
        self.floats[:, : at.F_GROUPS] = floats[:, : at.F_GROUPS]
        begin_features(self.floats, self.plan)
        if before[at.P_GROUPS] & self.params[at.P_GROUPS] & at.GROUP_A:
            self.floats[:, self._sums] = floats[:, before[at.P_SLAB] :][:, : at.GROUP_A_SLAB]
        self.ints[:, at.I_RENEWED] = 1
        begun = self.ints[:, at.I_BIN_UPDATES : at.I_BIN_STATES + 1].any(axis=1)
        open_row = np.where(begun, self.ints[:, at.I_PERIOD] + 1, 0)
        self.ints[:, at.I_LOST_UNTIL] = np.maximum(self.ints[:, at.I_LOST_UNTIL], open_row)

    def _open_behind(self, number: int, last: int) -> None:
        """The row behind ``last`` is open; what was gathered for an earlier one went with it."""
        row = self.ints[number]
        row[at.I_PERIOD] = last
        row[[*range(at.I_BIN_UPDATES, at.I_BIN_FLAGS + 1), at.I_BIN_OTHER, at.I_INPUT_FLAGS]] = 0
        if self.params[at.P_GROUPS] & at.GROUP_A:
            self.floats[number, self._sums] = 0.0
        if self.plan.words[0] & at.GROUP_P:  # what the open bars had is not known any more
            self.floats[number, self._open_bars(self.params)] = 0.0
            row[at.I_LOST_UNTIL] = max(int(row[at.I_LOST_UNTIL]), last + 1)

    def _open_bars(self, params: np.ndarray) -> slice:
        """Where the open bars of each kind stand in a row of ``floats`` with ``params``; empty without bars."""
        first = int(params[at.P_SLAB + at.GROUP_P.bit_length() - 1])
        return slice(first, first + BAR_STATE * self.bars.kinds)

    @property
    def _sums(self) -> slice:
        """Where the running sums of group A stand in a row of ``floats``."""
        first = int(self.params[at.P_SLAB])
        return slice(first, first + at.GROUP_A_SLAB)

    def begin_snapshots(self, periods: Mapping[int, int]) -> None:
        """A ring of snapshots begins: with the first row of each instrument that is open and has no event yet, and is
        not out already (``periods``)."""
        self.snapshots.total = 0
        for number, row in enumerate(self.ints[: self.count]):
            has_events = row[at.I_BIN_TRADES] or row[at.I_BIN_LIQUIDATIONS]
            first = int(row[at.I_PERIOD]) + (2 if has_events else 1)
            row[at.I_SNAPSHOTS_FROM] = max(first, periods.get(number, -1) + 1)

    def _take(self, state: dict[str, np.ndarray]) -> None:
        """What does not depend on the columns."""
        self.shared[: at.SHARED] = state["shared"]
        self.ints = state["ints"].copy()
        self.books.slab = state["books"].copy()
        self.pool = state["pool"].copy()
        self.books.windows.load(self.ints, state["near"])


def _same_columns(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and one.shape[1:] == other.shape[1:]


def _grown(array: np.ndarray, rows: int) -> np.ndarray:
    bigger = np.zeros((rows, array.shape[1]), array.dtype)
    bigger[: len(array)] = array
    return bigger
