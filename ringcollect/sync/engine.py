"""The engine: the arrays, and what the kernels ask of Python between two calls (bigger arrays, metadata).

A pure function of one ``.rec`` stream: the rows do not depend on how the stream is cut into calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ringcollect.errors import RingcollectError
from ringcollect.instruments import SIZE_UNITS, Instrument
from ringcollect.records import RECORD, RECORD_WORDS
from ringcollect.sync import arrays, checksum
from ringcollect.sync import layout as at
from ringcollect.sync.arrays import put
from ringcollect.sync.arrived import Side, apply_waiting, chain_is_whole, waiting_updates
from ringcollect.sync.bar_output import BarOutput
from ringcollect.sync.catalogue.plan import plan
from ringcollect.sync.features import places
from ringcollect.sync.features.kernels import begin_features, kernel_addresses
from ringcollect.sync.kernel import consume, lose
from ringcollect.sync.rows import row_dtype
from ringcollect.sync.settings import Parameters
from ringcollect.sync.snapshot_output import SnapshotOutput
from ringcollect.sync.windows import SIDES, Windows, tick_fraction

_FIRST_POOL = 1024
_FIRST_SIDE = 64
_OUT_ROWS = 1024

Sink = Callable[[np.ndarray], None]
"""Takes rows (dtype :func:`row_dtype`); the array is only valid during the call."""


COUNTERS = {
    "sync_records": at.G_RECORDS,
    "rows": at.G_ROWS_TOTAL,
    "late_events_dropped": at.G_LATE_EVENTS,
    "late_updates": at.G_LATE_UPDATES,
    "clock_outliers": at.G_CLOCK_OUTLIERS,
    "overruns": at.G_OVERRUNS,
    "skipped_rows": at.G_SKIPPED_ROWS,
    "book_levels_dropped": at.G_LEVELS_DROPPED,
    "chain_breaks": at.G_CHAIN_BREAKS,
    "sync_lost": at.G_LOST,
    "after_finalize": at.G_REFUSED,
    "checksums": at.G_CHECKSUMS,
    "checksums_bad": at.G_CHECKSUMS_BAD,
    "checksums_unknown": at.G_CHECKSUMS_UNKNOWN,
}
"""Published counters of a row ring and the words of ``shared`` they come from."""


class Engine:
    """Synchronizer of one ring on one grid. ``instrument_of(number)`` gives the latest version of an instrument.

    ``wants``, if given, says which instruments have rows; records of the others move stream time and nothing else.
    """

    def __init__(
        self,
        parameters: Parameters,
        instrument_of: Callable[[int], Instrument],
        *,
        wants: Callable[[Instrument], bool] | None = None,
        out_rows: int = _OUT_ROWS,
    ) -> None:
        parameters.check()
        self.parameters = parameters
        self.plan = plan(parameters.columns, parameters.grid_ns, parameters.options, len(parameters.bars))
        self.dtype = row_dtype(self.plan.columns)
        self._instrument_of = instrument_of
        self._wants = wants
        self._params = parameters.words(self.plan)
        self._out = np.zeros((out_rows, self.dtype.itemsize // 8), np.int64)
        self._wide = np.zeros(self.plan.wide, np.float64)
        self._event = np.zeros(places.EVENT, np.int64)
        self._kernels = kernel_addresses(self.plan.groups)
        self._shared = np.zeros(at.SHARED_AND_LINKS, np.int64)
        self._shared[at.G_FREE_HEAD] = -1
        self._ints = np.zeros((0, at.INTS), np.int64)
        self._floats = np.zeros((0, self.plan.floats), np.float64)
        self._books = np.zeros((0, 2), np.float64)
        self._pool = np.zeros((0, at.POOL_WORDS), np.int64)
        self._windows = Windows()
        self._snapshots = SnapshotOutput(parameters.snapshots, parameters.levels, parameters.hold_back_records)
        self._bars = BarOutput(parameters.bars, parameters.grid_ns, parameters.hold_back_records)
        self._context = np.zeros(arrays.CONTEXT, np.int64)
        self._grow_pool()

    # --- the stream ---------------------------------------------------------------------------------------------

    def feed(self, records: np.ndarray, sink: Sink, snapshots: Sink | None = None, bars: Sink | None = None) -> None:
        """Take in ``records`` (dtype RECORD, contiguous, ring order) and hand rows to ``sink`` in order.

        ``snapshots`` takes the snapshot records that come with them, in their own order, ``bars`` the bars.
        """
        words = records.view(np.int64).reshape(-1, RECORD_WORDS)
        position = 0
        while True:
            put(self._context, arrays.RECORDS, words[position:])
            code = consume(self._context, False)
            position += int(self._shared[at.G_CONSUMED])
            self._hand_out(sink, snapshots, bars)
            if code == at.DONE:
                return
            self._provide(code)

    def lost(self, count: int) -> None:
        """``count`` records are missing from the stream here: rows carry LOST, books are in doubt."""
        lose(self._context, count)

    def finalize(self, sink: Sink, snapshots: Sink | None = None, bars: Sink | None = None) -> None:
        """Close the stream once and for all (G14, G15); later records are dropped and counted."""
        while True:
            code = consume(self._context, True)
            self._hand_out(sink, snapshots, bars)
            if code == at.DONE:
                return
            self._provide(code)

    def collect(self, records: np.ndarray) -> np.ndarray:
        """Rows that ``records`` bring, as one new array (tests, notebooks)."""
        parts: list[np.ndarray] = []
        self.feed(records, lambda rows: parts.append(rows.copy()))
        return np.concatenate(parts) if parts else np.zeros(0, self.dtype)

    def collect_rest(self) -> np.ndarray:
        """Rows that :meth:`finalize` brings, as one new array."""
        parts: list[np.ndarray] = []
        self.finalize(lambda rows: parts.append(rows.copy()))
        return np.concatenate(parts) if parts else np.zeros(0, self.dtype)

    def _hand_out(self, sink: Sink, snapshots: Sink | None, bars: Sink | None) -> None:
        n = int(self._shared[at.G_ROWS])
        if n:
            sink(self._out[:n].reshape(-1).view(self.dtype))
        self._snapshots.hand_out(snapshots)  # second: who dies between them has no snapshot of a row it does not know
        self._bars.hand_out(bars)

    # --- what the stream asks of the outside ----------------------------------------------------------------------

    def resyncs(self) -> list[int]:
        """Instruments whose chain broke since the last call and is not mended: the feed must resubscribe them."""
        if not self._shared[at.G_WANTED]:
            return []
        wanted = np.flatnonzero(self._ints[:, at.I_WANT_RESYNC])
        self._ints[wanted, at.I_WANT_RESYNC] = 0
        self._shared[at.G_WANTED] = 0
        return [int(number) for number in wanted if self._ints[number, at.I_BROKEN]]

    @property
    def rows_total(self) -> int:
        """Rows emitted since the stream began; the seq the next row gets."""
        return int(self._shared[at.G_ROWS_TOTAL])

    @property
    def snapshots_total(self) -> int:
        """Snapshot records written since the stream began; the seq the next one gets."""
        return self._snapshots.total

    @property
    def bars_total(self) -> list[int]:
        """Bars of each kind written since the stream began; the seq the next one gets."""
        return self._bars.totals

    @property
    def stream_ns(self) -> int:
        """Stream time: the largest receive time so far, 0 before the first record."""
        return int(self._shared[at.G_NOW])

    @property
    def instrument_count(self) -> int:
        """Instruments known so far."""
        return int(self._shared[at.G_INSTRUMENTS])

    def counters(self) -> dict[str, int]:
        """Counts since the stream began."""
        return {name: int(self._shared[word]) for name, word in COUNTERS.items()}

    def late_events(self) -> np.ndarray:
        """Late events dropped, per instrument (int64)."""
        return self._ints[: int(self._shared[at.G_INSTRUMENTS]), at.I_LATE_EVENTS].copy()

    def book(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """(bids, asks) of an instrument as applied so far, best first; float64[levels, 2] of price, size."""
        bids, asks = (self._levels(number, which)[::-1].copy() for which in range(2))
        asks[:, 0] *= -1.0
        return bids, asks

    def _levels(self, number: int, which: int) -> np.ndarray:
        """(key, size) of one side, worst first."""
        row, side = self._ints[number], SIDES[which][0]
        far = self._books[row[side + at.BOOK_LOW] : row[side + at.BOOK_HIGH]]
        levels = np.concatenate((far, self._windows.levels(number, row, self._floats[number], which)))
        return levels[np.argsort(levels[:, 0], kind="stable")]

    def arrived_book(self, number: int) -> tuple[int, int, Side, Side] | None:
        """(last id, effective time, bids, asks) of the book as it arrived; None unless it is proven whole."""
        row = self._ints[number]
        if not chain_is_whole(row):
            return None
        bids, asks = (dict(zip(*levels.T.tolist(), strict=True)) for levels in self.book(number))
        waiting = waiting_updates(row, self._pool)
        if not apply_waiting(bids, asks, bool(row[at.I_TRUSTED]), waiting, int(row[at.I_BOOK_DEPTH])):
            return None
        return int(row[at.I_LAST_ID]), int(row[at.I_EFFECTIVE]), bids, asks

    def is_trusted(self, number: int) -> bool:
        """Whether the instrument's book as applied so far is proven whole."""
        row = self._ints[number]
        return bool(row[at.I_TRUSTED] and not row[at.I_DOUBT])

    # --- arrays ---------------------------------------------------------------------------------------------------

    def _bind(self) -> None:
        """Tell the kernels where the arrays are now."""
        self._shared[at.G_EVENT] = self._event.ctypes.data
        self._event[[places.E_PARAMS, places.E_BOOKS, places.E_WIDE_AT, places.E_KERNELS, places.E_SELF]] = [
            array.ctypes.data for array in (self._params, self._books, self._wide, self._kernels, self._event)
        ]
        self._event[[places.E_CORE_KERNEL, places.E_CORE, places.E_GRID]] = (
            self._kernels[0], self._params[at.P_CORE], self._params[at.P_GRID],
        )  # fmt: skip
        for place, array in (
            (arrays.OUT, self._out),
            (arrays.PARAMS, self._params),
            (arrays.SHARED, self._shared),
            (arrays.INTS, self._ints),
            (arrays.FLOATS, self._floats),
            (arrays.BOOKS, self._books),
            (arrays.POOL, self._pool),
            (arrays.WIDE, self._wide),
        ):
            put(self._context, place, array)
        self._shared[at.G_SNAPSHOTS] = self._snapshots.address()
        self._shared[at.G_BARS] = self._event[places.E_BARS] = self._bars.address()

    def _provide(self, code: int) -> None:
        argument = int(self._shared[at.G_ARGUMENT])
        if code == at.GROW_POOL:
            self._grow_pool()
        elif code == at.GROW_BOOK:
            self._grow_book(argument)
        elif code == at.NEED_INSTRUMENT:
            self.ensure_instruments(argument + 1)
            self._describe(argument)
            self._shared[at.G_FRESH] = 1
        elif code != at.OUT_FULL:
            raise RingcollectError(f"synchronizer kernel ended with unknown code {code}")

    def ensure_instruments(self, count: int) -> None:
        """Make room for instruments 0 .. count-1 and describe the new ones."""
        known = int(self._shared[at.G_INSTRUMENTS])
        if count <= known:
            return
        if count > len(self._ints):
            room = max(count, 2 * len(self._ints), 8)
            self._ints = _grown(self._ints, room)
            self._floats = _grown(self._floats, room)
            self._bind()
        new = self._ints[known:count]
        new[:, at.I_STEP_LEFT] = -1
        new[:, at.I_NUMBER] = np.arange(known, count)
        new[:, at.I_PERIOD] = -1  # nothing is due before the clock is anchored
        new[:, at.I_UPDATES_HEAD : at.I_EVENTS_TAIL + 1] = -1
        new[:, at.I_EVENTS_MIN] = at.UNLIMITED
        new[:, [side + at.BOOK_BEST for side, _ in SIDES]] = -1
        begin_features(self._floats[known:count], self.plan)
        self._shared[at.G_INSTRUMENTS] = count
        for number in range(known, count):
            self._describe(number)

    def _describe(self, number: int) -> None:
        instrument = self._instrument_of(number)
        row = self._ints[number]
        row[at.I_BOOK_DEPTH] = instrument.book_depth
        row[at.I_SIZE_UNIT] = SIZE_UNITS.index(instrument.size_unit)
        row[at.I_INVERSE] = instrument.inverse
        row[at.I_FUNDING_INTERVAL] = instrument.funding_interval_ns
        row[at.I_CHECKSUM] = checksum.RULES.get(instrument.exchange, at.CHECKSUM_NONE)
        row[at.I_PRICE_DIGITS] = instrument.price_precision
        row[at.I_SIZE_DIGITS] = instrument.size_precision
        self._floats[number, at.F_MULTIPLIER] = instrument.multiplier
        self._floats[number, at.F_LOT] = instrument.lot_size or 0.0
        tick = tick_fraction(instrument.tick_size)
        if tick != tuple(self._floats[number, at.F_TICKS : at.F_TICK_DENOMINATOR + 1]):
            self._lay_out(number, tick)
        row[at.I_EXCLUDED] = self._wants is not None and not self._wants(instrument)
        if row[at.I_EXCLUDED]:  # a new name may have made it another's: its clock stops here
            row[[at.I_SEEN, at.I_ANCHORED]] = 0

    def _grow_pool(self) -> None:
        old = len(self._pool)
        self._pool = _grown(self._pool, max(2 * old, _FIRST_POOL))
        fresh = self._pool[old:]
        fresh[:, at.POOL_NEXT] = np.arange(old + 1, len(self._pool) + 1)
        fresh[-1, at.POOL_NEXT] = self._shared[at.G_FREE_HEAD]
        self._shared[at.G_FREE_HEAD] = old
        self._shared[at.G_FREE] += len(fresh)
        self._bind()

    def _grow_book(self, number: int) -> None:
        """What one instrument's book needs before the next level: windows around its best, or room for the rest."""
        row = self._ints[number]
        if row[at.I_LAY_OUT]:
            self._lay_out(number, tuple(self._floats[number, at.F_TICKS : at.F_TICK_DENOMINATOR + 1]))
        for side, _ in SIDES:
            self._make_room(number, side, int(row[side + at.BOOK_HIGH] - row[side + at.BOOK_LOW]) + 1)

    def _make_room(self, number: int, side: int, levels: int) -> None:
        """Double the region of a side until ``levels`` fill at most half of it, or it is as large as it may be."""
        most = 2 * self.parameters.book_levels
        capacity = int(self._ints[number, side + at.BOOK_CAPACITY])
        wanted = capacity
        while wanted < most and 2 * levels > wanted:
            wanted = min(max(2 * wanted, _FIRST_SIDE), most)
        if wanted != capacity:
            self._resize_side(number, side, wanted)

    def _lay_out(self, number: int, tick: tuple[float, ...]) -> None:
        """Divide the levels of both sides anew between window and sorted rest, with ticks of this size."""
        row, values = self._ints[number], self._floats[number]
        sides = [self._levels(number, which) for which in range(2)]
        values[at.F_TICKS : at.F_TICK_DENOMINATOR + 1] = tick
        row[at.I_LAY_OUT] = 0
        if tick[0]:
            self._windows.open(number, row)
        else:
            self._windows.close(number, row)
        for which, levels in enumerate(sides):
            side = SIDES[which][0]
            row[side + at.BOOK_LOW] = row[side + at.BOOK_HIGH] = row[side + at.BOOK_OFFSET]
            rest = self._windows.place(number, row, values, which, levels) if tick[0] and len(levels) else levels
            self._make_room(number, side, len(rest) + 1)
            low = int(row[side + at.BOOK_OFFSET] + (row[side + at.BOOK_CAPACITY] - len(rest)) // 2)
            self._books[low : low + len(rest)] = rest
            row[side + at.BOOK_LOW], row[side + at.BOOK_HIGH] = low, low + len(rest)

    def _resize_side(self, number: int, side: int, capacity: int) -> None:
        ints = self._ints
        total = int(ints[:, at.I_BID + at.BOOK_CAPACITY].sum() + ints[:, at.I_ASK + at.BOOK_CAPACITY].sum())
        books = np.zeros((total - int(ints[number, side + at.BOOK_CAPACITY]) + capacity, 2), np.float64)
        offset = 0
        for owner in range(int(self._shared[at.G_INSTRUMENTS])):
            row = ints[owner]
            for word in (at.I_BID, at.I_ASK):
                room = capacity if (owner, word) == (number, side) else int(row[word + at.BOOK_CAPACITY])
                low, high = int(row[word + at.BOOK_LOW]), int(row[word + at.BOOK_HIGH])
                to = offset + (room - (high - low)) // 2
                books[to : to + high - low] = self._books[low:high]
                row[word + at.BOOK_OFFSET] = offset
                row[word + at.BOOK_CAPACITY] = room
                row[word + at.BOOK_LOW] = to
                row[word + at.BOOK_HIGH] = to + high - low
                offset += room
        self._books = books
        self._bind()

    # --- checkpoints ------------------------------------------------------------------------------------------------

    def dump(self) -> dict[str, np.ndarray]:
        """The whole state, as named arrays that alias the engine's (copy or write them at once)."""
        count = int(self._shared[at.G_INSTRUMENTS])
        return {
            "params": self._params,
            "shared": self._shared[: at.SHARED],
            "ints": self._ints[:count],
            "floats": self._floats[:count],
            "books": self._books,
            "pool": self._pool,
            "snapshots": self._snapshots.dump(),
            "bars": self._bars.dump(),
            "near": self._windows.dump(),
        }

    def load(self, state: dict[str, np.ndarray]) -> bool:
        """Take over a dumped state; False (and unchanged) if it belongs to other parameters or another layout."""
        expected: dict[str, Any] = self.dump()
        if set(state) != set(expected) or not np.array_equal(state["params"], self._params):
            return False
        if not self._snapshots.fits(state["snapshots"]) or not self._bars.fits(state["bars"]):
            return False
        for name, array in state.items():
            own = expected[name]
            if array.dtype != own.dtype or array.shape[1:] != own.shape[1:]:
                return False
        self._shared[: at.SHARED] = state["shared"]
        self._ints = state["ints"].copy()
        self._floats = state["floats"].copy()
        self._books = state["books"].copy()
        self._pool = state["pool"].copy()
        self._snapshots.total = int(state["snapshots"][-1])
        self._bars.load(state["bars"])
        self._windows.load(self._ints, state["near"])
        self._bind()
        return True

    def resume_after(
        self,
        periods: dict[int, int],
        floor: int = 0,
        rows_total: int = 0,
        snapshots_total: int = 0,
        bars_total: Sequence[int] = (),
    ) -> None:
        """Without a checkpoint: rows up to ``periods[instrument]`` are out already and are not emitted again.

        The next row gets number ``rows_total``, the next snapshot record ``snapshots_total``, the
        next bar of each kind ``bars_total``. Instruments that are not
        named start behind period ``floor``. Books are void, and rows carry LOST until an instrument's first record,
        since what came before it is unknown.
        """
        self.ensure_instruments(max(periods, default=-1) + 1)
        for number, last in periods.items():
            row = self._ints[number]
            if row[at.I_EXCLUDED]:  # it had rows here before the configuration moved it to another grid
                continue
            row[[at.I_ANCHORED, at.I_SEEN, at.I_LOST_OPEN]] = 1
            row[at.I_PERIOD] = last
        self._shared[at.G_FLOOR] = floor
        self._shared[at.G_ROWS_TOTAL] = rows_total
        self._snapshots.total = snapshots_total
        if bars_total:
            self._bars.totals = bars_total
        if self.parameters.mode == "external" and periods:
            self._shared[at.G_ANCHORED] = 1
            self._shared[at.G_PERIOD] = max(periods.values())


def _grown(array: np.ndarray, rows: int) -> np.ndarray:
    bigger = np.zeros((rows, array.shape[1]), array.dtype)
    bigger[: len(array)] = array
    return bigger


def warm() -> None:
    """Compile or load every kernel with arrays of the true types."""
    engine = Engine(Parameters(), lambda number: Instrument(
        number=number, exchange="warm", market="spot", symbol="WARM"
    ))  # fmt: skip
    engine.collect(np.zeros(0, RECORD))
    engine.lost(0)
    engine.collect_rest()
