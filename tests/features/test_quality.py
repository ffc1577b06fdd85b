"""Group N: ages and latencies on a real capture, and what broke by cases."""

from __future__ import annotations

import math

import numpy as np

from ringcollect.records import Flag, Kind, Status
from ringcollect.sync import catalogue

from ..sync.streams import NAN, Stream, engine, run
from .comparing import assert_equal_columns, rows_of
from .plain import Row

COLUMNS = tuple(f.name for f in catalogue.FEATURES if f.group == "N")
SECOND = 10**9


def age(close: int, time: int) -> float:
    return (close - time) / 1e6


def expected(rows: list[Row]) -> dict[str, list[float]]:
    out: dict[str, list[float]] = {}
    book = trade = 0
    for row in rows:
        book = max([book, *(u.time for u in row.updates)])
        trade = max([trade, *(t.time for t in row.trades)])
        late = {
            "book": [(u.recv - u.time) / 1e6 for u in row.updates if u.news],
            "trade": [(t.recv - t.time) / 1e6 for t in row.trades],
        }
        values = {
            "book_age_ms": age(row.close, book) if book else NAN,
            "trade_age_ms": age(row.close, trade) if trade else NAN,
            **{
                f"{name}_age_ms": age(row.close, row.states[kind][0]) if kind in row.states else NAN
                for name, kind in (
                    ("funding", Kind.FUNDING), ("oi", Kind.OPEN_INTEREST), ("mark", Kind.MARK_PRICE),
                )
            },
            **{f"latency_{n}_mean_ms": np.mean(x) if x else NAN for n, x in late.items()},
            **{f"latency_{n}_max_ms": max(x) if x else NAN for n, x in late.items()},
            "book_valid": float(row.book is not None and row.book.valid), "crossed_count": 0.0, "seq_gap_count": 0.0,
            "resync_count": 0.0, "ring_drop_count": 0.0,
        }  # fmt: skip
        for name, value in values.items():
            out.setdefault(name, []).append(value)
    return out


def test_ages_and_latencies_on_a_real_capture(linear_records: np.ndarray, linear_rows: list[list[Row]]) -> None:
    made = rows_of(linear_records, COLUMNS)
    for number, rows in enumerate(linear_rows):
        # stamps of 1.8e18 ns: both sides subtract whole numbers, so only the division rounds
        assert_equal_columns(made[number], rows, expected(rows), skip=30)
        assert made[number].dtype.names.count("row_flags") == 1


def test_a_crossed_update_is_counted_and_the_book_is_not_valid() -> None:
    stream = Stream().book(10, (1, 99.0, 1.0), (-1, 101.0, 1.0)).book(20, (1, 102.0, 1.0)).book(30, (1, 102.0, 0.0))
    stream.book(110, (1, 103.0, 1.0)).book(220, (1, 103.0, 0.0)).book(330)
    made = run(engine(columns=COLUMNS), stream.array(), finalize=False)
    assert list(made["crossed_count"]) == [1, 1, 0]
    assert list(made["book_valid"]) == [1, 0, 1]


def test_gaps_silences_resyncs_and_lates_are_counted_in_the_row_behind_them() -> None:
    stream = Stream().book(SECOND, (1, 99.0, 1.0), (-1, 101.0, 1.0)).trade(SECOND)
    stream.add(Kind.STATUS, ts=0, recv=SECOND, id=5, aux=9, sub=Status.SEQ_GAP, side=1)
    stream.book(2 * SECOND, (1, 98.0, 1.0))  # row 2 out
    stream.book(2 * SECOND + 1, (1, 97.0, 1.0), (-1, 101.0, 1.0), kind=Kind.BOOK_SNAPSHOT,
                flags=Flag.CLEAR | Flag.SNAPSHOT, aux=-1)  # fmt: skip
    stream.trade(SECOND + 5, recv=2 * SECOND + 2)  # its row is out
    stream.book(8 * SECOND, (1, 98.0, 1.0))  # six seconds of silence on the book
    stream.book(9 * SECOND)
    stream.book(10 * SECOND)
    made = run(engine(grid=SECOND, columns=COLUMNS), stream.array(), finalize=False)
    assert list(made["ts_ns"] // SECOND) == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert list(made["seq_gap_count"]) == [1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert list(made["resync_count"]) == [0, 1, 0, 0, 0, 0, 0, 0, 0]
    assert list(made["late_count"]) == [0, 1, 0, 0, 0, 0, 0, 0, 0]
    assert list(made["silence_gap_count"]) == [0, 0, 0, 0, 0, 0, 0, 1, 0]


def test_what_the_reader_lost_is_in_the_next_row_of_every_instrument() -> None:
    stream = (
        Stream().book(10, (1, 99.0, 1.0), (-1, 101.0, 1.0)).book(10, (1, 99.0, 1.0), (-1, 101.0, 1.0), instrument=1)
    )
    for ts in (110, 210):
        stream.book(ts, (1, 98.0, 1.0)).book(ts, (1, 98.0, 1.0), instrument=1)
    records = stream.array()
    made = engine(columns=COLUMNS)
    first = made.collect(records[:4])
    made.lost(7)
    rows = np.concatenate([first, made.collect(records[4:])])
    for number in (0, 1):
        assert list(rows[rows["instrument"] == number]["ring_drop_count"]) == [7, 0]


def test_nothing_known_is_nan_for_ages_and_0_for_counts() -> None:
    row = run(engine(mode="trade", columns=COLUMNS), Stream().trade(10).trade(110).array(), finalize=False)[0]
    ages = [name for name in COLUMNS if name.endswith("_ms") and "trade" not in name]
    assert all(math.isnan(row[name]) for name in ages)
    counts = ("book_valid", "crossed_count", "seq_gap_count", "resync_count", "silence_gap_count", "late_count")
    assert [row[name] for name in counts] == [0.0] * 6
