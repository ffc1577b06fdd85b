"""The engine: takes records in, hands rows, snapshots and bars out, and gives the kernels what they ask for.

A pure function of one ``.rec`` stream: the rows do not depend on how the stream is cut into calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ringcollect.errors import RingcollectError
from ringcollect.instruments import Instrument
from ringcollect.records import RECORD, RECORD_WORDS
from ringcollect.sync import arrays
from ringcollect.sync import layout as at
from ringcollect.sync.arrays import put
from ringcollect.sync.arrived import Side, apply_waiting, chain_is_whole, waiting_updates
from ringcollect.sync.catalogue.plan import plan
from ringcollect.sync.kernel import consume, lose
from ringcollect.sync.rows import row_dtype
from ringcollect.sync.settings import Parameters
from ringcollect.sync.state import State

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
        self.state = State(parameters, self.plan, out_rows, self.dtype.itemsize // 8)

    # --- the stream ---------------------------------------------------------------------------------------------

    def feed(self, records: np.ndarray, sink: Sink, snapshots: Sink | None = None, bars: Sink | None = None) -> None:
        """Take in ``records`` (dtype RECORD, contiguous, ring order) and hand rows to ``sink`` in order.

        ``snapshots`` takes the snapshot records that come with them, in their own order, ``bars`` the bars.
        """
        words = records.view(np.int64).reshape(-1, RECORD_WORDS)
        position = 0
        while True:
            put(self.state.context, arrays.RECORDS, words[position:])
            code = consume(self.state.context, False)
            position += int(self.state.shared[at.G_CONSUMED])
            self._hand_out(sink, snapshots, bars)
            if code == at.DONE:
                return
            self._provide(code)

    def lost(self, count: int) -> None:
        """``count`` records are missing from the stream here: rows carry LOST, books are in doubt."""
        lose(self.state.context, count)

    def finalize(self, sink: Sink, snapshots: Sink | None = None, bars: Sink | None = None) -> None:
        """Close the stream once and for all (G14, G15); later records are dropped and counted."""
        while True:
            code = consume(self.state.context, True)
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
        n = int(self.state.shared[at.G_ROWS])
        if n:
            sink(self.state.out[:n].reshape(-1).view(self.dtype))
        # Second: who dies between them has no snapshot of a row it does not know.
        self.state.snapshots.hand_out(snapshots)
        self.state.bars.hand_out(bars)

    # --- what the stream asks of the outside ----------------------------------------------------------------------

    def resyncs(self) -> list[int]:
        """Instruments whose chain broke since the last call and is not mended: the feed must resubscribe them."""
        if not self.state.shared[at.G_WANTED]:
            return []
        wanted = np.flatnonzero(self.state.ints[:, at.I_WANT_RESYNC])
        self.state.ints[wanted, at.I_WANT_RESYNC] = 0
        self.state.shared[at.G_WANTED] = 0
        return [int(number) for number in wanted if self.state.ints[number, at.I_BROKEN]]

    @property
    def rows_total(self) -> int:
        """Rows emitted since the stream began; the seq the next row gets."""
        return int(self.state.shared[at.G_ROWS_TOTAL])

    @property
    def snapshots_total(self) -> int:
        """Snapshot records written since the stream began; the seq the next one gets."""
        return self.state.snapshots.total

    @property
    def bars_total(self) -> list[int]:
        """Bars of each kind written since the stream began; the seq the next one gets."""
        return self.state.bars.totals

    @property
    def stream_ns(self) -> int:
        """Stream time: the largest receive time so far, 0 before the first record."""
        return int(self.state.shared[at.G_NOW])

    @property
    def instrument_count(self) -> int:
        """Instruments known so far."""
        return int(self.state.shared[at.G_INSTRUMENTS])

    def counters(self) -> dict[str, int]:
        """Counts since the stream began."""
        return {name: int(self.state.shared[word]) for name, word in COUNTERS.items()}

    def late_events(self) -> np.ndarray:
        """Late events dropped, per instrument (int64)."""
        return self.state.ints[: int(self.state.shared[at.G_INSTRUMENTS]), at.I_LATE_EVENTS].copy()

    def book(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """(bids, asks) of an instrument as applied so far, best first; float64[levels, 2] of price, size."""
        state = self.state
        sides = [state.books.levels(number, which, state.ints, state.floats) for which in range(2)]
        bids, asks = (levels[::-1].copy() for levels in sides)
        asks[:, 0] *= -1.0
        return bids, asks

    def arrived_book(self, number: int) -> tuple[int, int, Side, Side] | None:
        """(last id, effective time, bids, asks) of the book as it arrived; None unless it is proven whole."""
        row = self.state.ints[number]
        if not chain_is_whole(row):
            return None
        bids, asks = (dict(zip(*levels.T.tolist(), strict=True)) for levels in self.book(number))
        waiting = waiting_updates(row, self.state.pool)
        if not apply_waiting(bids, asks, bool(row[at.I_TRUSTED]), waiting, int(row[at.I_BOOK_DEPTH])):
            return None
        return int(row[at.I_LAST_ID]), int(row[at.I_EFFECTIVE]), bids, asks

    def is_trusted(self, number: int) -> bool:
        """Whether the instrument's book as applied so far is proven whole."""
        row = self.state.ints[number]
        return bool(row[at.I_TRUSTED] and not row[at.I_DOUBT])

    # --- what the kernels ask for ---------------------------------------------------------------------------------

    def _provide(self, code: int) -> None:
        argument = int(self.state.shared[at.G_ARGUMENT])
        if code == at.GROW_POOL:
            self.state.grow_pool()
        elif code == at.GROW_BOOK:
            self.state.grow_book(argument)
        elif code == at.NEED_INSTRUMENT:
            self.ensure_instruments(argument + 1)
            self._describe(argument)
            self.state.shared[at.G_FRESH] = 1
        elif code != at.OUT_FULL:
            raise RingcollectError(f"synchronizer kernel ended with unknown code {code}")

    def ensure_instruments(self, count: int) -> None:
        """Make room for instruments 0 .. count-1 and describe the new ones."""
        known = self.state.count
        if count > known:
            self.state.add_instruments(count)
            for number in range(known, count):
                self._describe(number)

    def _describe(self, number: int) -> None:
        instrument = self._instrument_of(number)
        self.state.describe(number, instrument, self._wants is None or self._wants(instrument))

    # --- checkpoints ------------------------------------------------------------------------------------------------

    def dump(self) -> dict[str, np.ndarray]:
        """The whole state, as named arrays that alias the engine's (copy or write them at once)."""
        return self.state.dump()

    def load(self, state: dict[str, np.ndarray]) -> bool:
        """Take over a dumped state; False (and unchanged) if it belongs to other parameters or another layout."""
        return self.state.load(state)

    def carry_over(
        self, state: dict[str, np.ndarray], rows_total: int, periods: Mapping[int, int], *, rows_out: int
    ) -> bool:
        """Go on from a dump that :meth:`load` refuses because outputs or columns were chosen otherwise, with the clocks
        and books of it; False (and unchanged) where that cannot be (see :meth:`State.carry_over`).

        ``rows_out`` rows are in the ring of before; the next one that is not gets number ``rows_total``.
        """
        exact = self.state.makes_same_rows(state)
        if not self.state.carry_over(state, periods):
            return False
        if exact:  # rows that are out already come once more, with numbers before rows_total
            rows_total -= rows_out - int(state["shared"][at.G_ROWS_TOTAL])
        self.state.shared[at.G_ROWS_TOTAL] = rows_total
        return True

    def begin_snapshots(self, periods: Mapping[int, int]) -> None:
        """After :meth:`carry_over`, for a ring of snapshots of its own: from the first whole row on that is not out."""
        self.state.begin_snapshots(periods)

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
            row = self.state.ints[number]
            if row[at.I_EXCLUDED]:  # it had rows here before the configuration moved it to another grid
                continue
            row[[at.I_ANCHORED, at.I_SEEN, at.I_LOST_OPEN]] = 1
            row[at.I_PERIOD] = last
        self.state.shared[at.G_FLOOR] = floor
        self.state.shared[at.G_ROWS_TOTAL] = rows_total
        self.state.snapshots.total = snapshots_total
        if bars_total:
            self.state.bars.totals = bars_total
        if self.parameters.mode == "external" and periods:
            self.state.shared[at.G_ANCHORED] = 1
            self.state.shared[at.G_PERIOD] = max(periods.values())


def warm() -> None:
    """Compile or load every kernel with arrays of the true types."""
    engine = Engine(Parameters(), lambda number: Instrument(
        number=number, exchange="warm", market="spot", symbol="WARM"
    ))  # fmt: skip
    engine.collect(np.zeros(0, RECORD))
    engine.lost(0)
    engine.collect_rest()
