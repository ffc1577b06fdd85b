"""What decides the rows of one grid, as the engine takes it. No kernel here: the supervisor checks it, too."""

from __future__ import annotations

import msgspec
import numpy as np

from ringcollect.bar_kinds import Bar, bars_problem
from ringcollect.errors import ConfigError
from ringcollect.sync import catalogue
from ringcollect.sync import layout as at
from ringcollect.sync.catalogue.plan import Plan
from ringcollect.sync.snapshot_record import check_tables


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """What decides the rows, all times in ns. ``hold_back_ns=None``: 250 ms in driven modes, 1 s in external."""

    grid_ns: int = 100_000_000
    mode: str = "orderbook"
    hold_back_ns: int | None = None
    max_gap_fill: int = 10_000
    max_future_skew_ns: int = 30_000_000_000  # 0 switches the guard off
    hold_back_records: int = 65_536
    book_levels: int = 65_536
    max_row_latency_ns: int = 0  # 0 = off (G21)
    columns: tuple[str, ...] = tuple(catalogue.select(["minimal"]))
    across: tuple[str, ...] = ()  # columns of group O, made of these rows and those of other exchanges (across.py)
    options: catalogue.Options = catalogue.Options()
    snapshots: tuple[str, ...] = ()  # tables of snapshot records (snapshot_record.py); none: no such output
    levels: int = 10  # of a book in a snapshot, per side
    bars: tuple[Bar, ...] = ()  # kinds of bars

    def resolved_hold_back_ns(self) -> int:
        """The hold-back in force."""
        if self.hold_back_ns is not None:
            return self.hold_back_ns
        return 1_000_000_000 if self.mode == "external" else 250_000_000

    def check(self) -> None:
        """Raise ConfigError for what no grid can be."""
        if self.mode not in at.MODES:
            raise ConfigError(f"sync.mode: {self.mode!r} is none of {', '.join(at.MODES)}")
        for name, least in (
            ("grid_ns", 1),
            ("max_gap_fill", 1),
            ("max_future_skew_ns", 0),
            ("hold_back_records", 1),
            ("book_levels", 1),
            ("max_row_latency_ns", 0),
        ):
            if getattr(self, name) < least:
                raise ConfigError(f"sync.{name}: {getattr(self, name)} is less than {least}")
        if self.resolved_hold_back_ns() < 0:
            raise ConfigError(f"sync.hold_back: {self.hold_back_ns} is less than 0")
        check_tables(self.snapshots, self.levels)
        problem = bars_problem(self.bars, self.grid_ns)
        if problem:
            raise ConfigError(f"sync.features.bar_durations: {problem}")

    def words(self, plan: Plan) -> np.ndarray:
        """The ``params`` array of the kernels."""
        words = np.zeros(at.P_GROUPS + len(plan.words), np.int64)
        words[at.P_GRID] = self.grid_ns
        words[at.P_HOLD_BACK] = self.resolved_hold_back_ns()
        words[at.P_MODE] = at.MODES[self.mode]
        words[at.P_MAX_GAP] = self.max_gap_fill
        words[at.P_MAX_SKEW] = self.max_future_skew_ns or at.UNLIMITED
        words[at.P_MAX_HELD] = self.hold_back_records
        words[at.P_BOOK_LEVELS] = self.book_levels
        words[at.P_MAX_LATENCY] = self.max_row_latency_ns
        words[at.P_GROUPS :] = plan.words
        return words
