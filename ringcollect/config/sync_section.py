"""``[sync]``: what rows there are. Several grids at once are tables: ``[[sync.grid]]``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from ringcollect.bar_kinds import Bar
from ringcollect.config.feature_options import FeatureName, SyncFeatures
from ringcollect.config.rules import Duration, OneOf, PowerOfTwo, Range
from ringcollect.durations import parse_duration

DRIVEN_HOLD_BACK = "250ms"
EXTERNAL_HOLD_BACK = "1s"
MODES = ("orderbook", "trade", "liquidation", "external")
GRID_BOUNDS = ("1ns", "1d")

Grid = Annotated[str, Duration(*GRID_BOUNDS)]


class SyncGrid(msgspec.Struct, frozen=True, kw_only=True):
    """``[[sync.grid]]``: one grid, with rows of every instrument; an empty value is that of ``[sync]``."""

    grid: Grid
    mode: Annotated[str, OneOf((*MODES, ""))] = ""
    hold_back: Annotated[str, Duration("0s", "1h", optional=True)] = ""
    features: tuple[FeatureName, ...] = ()

    @property
    def grid_ns(self) -> int:
        return parse_duration(self.grid)

    @property
    def hold_back_ns(self) -> int:
        """The configured hold-back, else the default of the mode."""
        default = EXTERNAL_HOLD_BACK if self.mode == "external" else DRIVEN_HOLD_BACK
        return parse_duration(self.hold_back or default)


class SyncOutput(msgspec.Struct, frozen=True, kw_only=True):
    """``[sync.output]``: what of each row goes to the lake, and how many levels of a book."""

    features: bool = True
    orderbooks: bool = False
    trades: bool = False
    liquidations: bool = False
    fundings: bool = False
    open_interests: bool = False
    bars: bool = False
    levels: Annotated[int, Range(1, 1000)] = 10
    books: bool = True
    book_interval: Annotated[str, Duration("1s", "1d", optional=True)] = "1h"

    @property
    def book_interval_ns(self) -> int:
        """How often whole books are written, 0: at midnight and on request only."""
        return parse_duration(self.book_interval) if self.book_interval else 0

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables of snapshots that are on, apart from ``keep_raw_arrays``."""
        names = ("orderbooks", "trades", "liquidations", "fundings", "open_interests")
        return tuple(name for name in names if getattr(self, name))


class Sync(msgspec.Struct, frozen=True, kw_only=True):
    """``[sync]``: the synchronizer's grids, clocks and limits. ``grid`` is a period, or an array of grids."""

    enabled: bool = True
    grid: Grid | tuple[SyncGrid, ...] = "100ms"
    mode: Annotated[str, OneOf(MODES)] = "orderbook"
    hold_back: Annotated[str, Duration("0s", "1h", optional=True)] = ""
    max_gap_fill: Annotated[int, Range(1, 10_000_000)] = 10_000
    max_future_skew: Annotated[str, Duration("1ms", "1d")] = "30s"
    max_row_latency: Annotated[str, Duration("1ms", "1h", optional=True)] = ""
    hold_back_records: Annotated[int, Range(1024, 1 << 24)] = 65_536
    book_levels: Annotated[int, PowerOfTwo(64, 1 << 20)] = 65_536
    checkpoint_interval: Annotated[str, Duration("100ms", "1h")] = "10s"
    features: SyncFeatures | tuple[FeatureName, ...] = SyncFeatures()
    output: SyncOutput = SyncOutput()

    @property
    def written(self) -> tuple[SyncGrid, ...]:
        """Every grid as it was written, with empty values for what ``[sync]`` says.

        One grid with a wide set is short for two: group A on that grid, everything on that of ``hf_emit_interval``.
        """
        if not isinstance(self.grid, str):
            return self.grid
        choice, one = self.choice, SyncGrid(grid=self.grid)
        if not choice.is_wide or choice.emit_interval_ns <= one.grid_ns:
            return (one,)
        return SyncGrid(grid=self.grid, features=("minimal",)), SyncGrid(grid=choice.hf_emit_interval)

    @property
    def choice(self) -> SyncFeatures:
        """``[sync.features]``, whichever way it was written."""
        return self.features if isinstance(self.features, SyncFeatures) else SyncFeatures(select=self.features)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables of snapshots that are on; ``keep_raw_arrays`` is another word for that of books."""
        books = ("orderbooks",) if self.choice.keep_raw_arrays and not self.output.orderbooks else ()
        return (*books, *self.output.tables)

    @property
    def bars(self) -> tuple[Bar, ...]:
        """The kinds of bars that are made; none where they are off."""
        return (*self.choice.time_bars, *self.choice.size_bars) if self.output.bars else ()

    @property
    def grids(self) -> tuple[SyncGrid, ...]:
        """Every grid with all of its values; the first is the base: what has no grid of its own has rows there."""
        return tuple(
            SyncGrid(
                grid=one.grid,
                mode=one.mode or self.mode,
                hold_back=one.hold_back or self.hold_back,
                features=one.features or self.choice.select,
            )
            for one in self.written
        )

    @property
    def base(self) -> SyncGrid:
        """The first grid."""
        return self.grids[0]

    @property
    def grid_ns(self) -> int:
        """The period of the first grid."""
        return self.base.grid_ns

    @property
    def hold_back_ns(self) -> int:
        """The hold-back of the first grid."""
        return self.base.hold_back_ns

    @property
    def max_future_skew_ns(self) -> int:
        return parse_duration(self.max_future_skew)

    @property
    def max_row_latency_ns(self) -> int:
        """How long a silent driver may hold finished rows back, 0: as long as it is silent."""
        return parse_duration(self.max_row_latency) if self.max_row_latency else 0

    @property
    def checkpoint_interval_ns(self) -> int:
        return parse_duration(self.checkpoint_interval)
