"""Rows of the synchronizer beside columns of a reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..sync.streams import Stream, engine, run
from .plain import Row
from .wandering import MAX_GAP_FILL, SECOND

GRID = 100_000_000
HOLD_BACK = 250_000_000


def rows_of(records: np.ndarray, columns: Sequence[str], **settings: object) -> list[np.ndarray]:
    """Rows of 100 ms with ``columns``, per instrument; what happens to have a hold-back loses no trade."""
    made = engine(grid=GRID, hold_back=HOLD_BACK, max_future_skew_ns=0, columns=tuple(columns), **settings)
    rows = np.concatenate([made.collect(records), made.collect_rest()])
    return [rows[rows["instrument"] == number] for number in range(int(rows["instrument"].max()) + 1)]


def assert_equal_columns(
    made: np.ndarray, rows: Sequence[Row], expected: Mapping[str, Sequence[float]], *, skip: int = 0,
    rtol: float = 1e-9, atol: Mapping[str, float] | None = None, least: int = 100,
) -> None:  # fmt: skip
    """Every expected column equals the made one at the rows' stamps, NaN where NaN; the first ``skip`` are left out."""
    stamps = np.array([row.close for row in rows])
    own = made[np.searchsorted(made["ts_ns"], stamps)]
    assert np.array_equal(own["ts_ns"], stamps)
    assert len(own) - skip > least
    for name, values in expected.items():
        np.testing.assert_allclose(
            own[name][skip:], np.array(values, np.float64)[skip:], rtol=rtol, atol=(atol or {}).get(name, 1e-9),
            err_msg=name,
        )  # fmt: skip


def seconds_of(records: np.ndarray, columns: Sequence[str], **settings: object) -> np.ndarray:
    """Rows of 1 s of the seeded market (wandering.py)."""
    made = engine(grid=SECOND, columns=tuple(columns), max_gap_fill=MAX_GAP_FILL, max_future_skew_ns=0, **settings)
    return made.collect(records)


def book_row(columns: Sequence[str], *levels: tuple[int, float, float], **settings: object) -> np.void:
    """A row of 1 s that closes on the book of ``levels``; without levels, on none."""
    stream = Stream().trade(10)
    if levels:
        stream.book(20, *levels)
    made = engine(grid=SECOND, mode="trade", max_gap_fill=1, columns=tuple(columns), **settings)
    return run(made, stream.trade(10 * SECOND).array(), finalize=False)[0]
