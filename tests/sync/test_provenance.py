"""What a row says of its inputs: their flags in exactly the rows they touched, and when the row was known."""

from __future__ import annotations

import numpy as np
import pytest

from ringcollect.records import Flag, Kind
from ringcollect.sync.engine import Engine
from ringcollect.sync.rows import RowFlag

from .streams import NAN, Stream, engine, flags, run

BOTH = (1, 10.0, 1.0), (-1, 12.0, 1.0)
WITHOUT_EFFECT = [Flag.DUPLICATE, Flag.SNAPSHOT, Flag.REPLAYED]
WITH_EFFECT = [Flag.GAP, Flag.BACKFILLED, Flag.BAD_TS, Flag.REST, Flag.UUID, Flag.DERIVED]
BOOK_FLAGS = [Flag.CLEAR, Flag.SNAPSHOT, Flag.REPLAYED, Flag.GAP, Flag.BAD_TS, Flag.REST, Flag.UNSYNCED]


def a_stream(flag: Flag, kind: str) -> np.ndarray:
    """Rows 1100 to 1900 in trade mode; the flagged record is stamped 1450 and comes while row 1300 or 1400 is open."""
    stream = Stream().book(1000, *BOTH).trade(1010)
    for ts in range(1110, 2010, 100):
        stream.trade(ts)
        if ts == 1310 and kind == "trade":
            stream.trade(1450, flags=Flag.LAST | flag, recv=1451)
        elif ts == 1310 and kind == "book":
            stream.book(1450, (1, 9.0, 1.0), flags=flag, recv=1451)
        elif ts == 1310:
            stream.add(Kind.FUNDING, ts=1450, price=0.1, size=NAN, flags=Flag.LAST | flag, recv=1451)
    return stream.array()


def rows_with(rows: np.ndarray, flag: Flag) -> list[int]:
    """Stamps of the rows whose inputs have ``flag``; the book of the first row has CLEAR."""
    return [int(r["ts_ns"]) for r in rows if r["input_flags"] & flag and r["ts_ns"] > 1100]


def resumed(made: Engine, records: np.ndarray) -> np.ndarray:
    """A new engine goes on from the state after each record."""
    parts = []
    for i in range(len(records)):
        parts.append(made.collect(records[i : i + 1]))
        state = {name: array.copy() for name, array in made.dump().items()}
        made = engine(mode="trade", hold_back=100)
        assert made.load(state)
    parts.append(made.collect_rest())
    return np.concatenate(parts)


@pytest.mark.parametrize(
    ("kind", "flag"),
    [("trade", flag) for flag in WITHOUT_EFFECT + WITH_EFFECT]
    + [("funding", flag) for flag in (*WITH_EFFECT, Flag.DUPLICATE, Flag.UNSYNCED)]
    + [("book", flag) for flag in BOOK_FLAGS],
    ids=lambda value: value.name if isinstance(value, Flag) else value,
)
def test_a_flag_of_an_input_is_seen_in_the_row_of_its_time_and_in_no_other(kind: str, flag: Flag) -> None:
    records = a_stream(flag, kind)
    rows = run(engine(mode="trade", hold_back=100), records)
    assert rows_with(rows, flag) == [1500]
    assert all(r["input_flags"] & Flag.LAST for r in rows if r["trade_count"])
    assert resumed(engine(mode="trade", hold_back=100), records).tobytes() == rows.tobytes()


def test_a_gap_is_seen_in_every_row_that_may_lack_something_and_as_a_flag_in_the_one_it_came_with() -> None:
    rows = run(engine(mode="trade", hold_back=100), a_stream(Flag.GAP, "trade"))
    assert [int(r["ts_ns"]) for r in rows if flags(r) & RowFlag.GAP] == [1400, 1500]  # 1400 is open then
    assert rows_with(rows, Flag.GAP) == [1500]


def test_records_lost_to_the_synchronizer_are_seen_in_the_rows_they_may_belong_to() -> None:
    records = a_stream(Flag(0), "trade")
    made = engine(mode="trade", hold_back=100)
    before = made.collect(records[:6])
    made.lost(3)
    rows = np.concatenate([before, made.collect(records[6:])])
    lost = [int(r["ts_ns"]) for r in rows if flags(r) & RowFlag.LOST]
    assert lost == [1300, 1400, 1500]  # from the one that was open to that of the first record behind the loss


def test_what_comes_too_late_marks_no_row() -> None:
    stream = Stream().trade(1010).trade(1310).trade(1050, flags=Flag.LAST | Flag.DUPLICATE).trade(1410).trade(1510)
    made = engine(mode="trade")
    rows = run(made, stream.array())
    assert not np.any(rows["input_flags"] & Flag.DUPLICATE)
    late = Stream().trade(1010).trade(1310).trade(1050, flags=Flag.LAST | Flag.BACKFILLED).trade(1410).array()
    made = engine(mode="trade")
    assert not np.any(run(made, late)["input_flags"] & Flag.BACKFILLED)
    assert made.counters()["late_events_dropped"] == 1


def test_what_no_row_is_made_of_marks_none() -> None:
    stream = Stream().trade(1010).add(Kind.BBO, ts=1050, flags=Flag.LAST | Flag.DUPLICATE, side=1)
    stream.add(Kind.BOOK_DELTA, ts=1050, sub=1, side=1, flags=Flag.LAST | Flag.GAP).trade(1110)
    assert not np.any(run(engine(mode="trade"), stream.array())["input_flags"] & (Flag.DUPLICATE | Flag.GAP))


def test_marks_of_more_rows_than_can_wait_are_seen_too_early_rather_than_nowhere() -> None:
    stream = Stream().trade(1010)
    for ts in (1150, 1250, 1350, 1450, 1550, 1650):
        stream.trade(ts, flags=Flag.LAST | Flag.DUPLICATE, recv=1011)
    for ts in range(1110, 2010, 100):
        stream.trade(ts)
    rows = run(engine(mode="trade"), stream.array())
    assert [int(r["ts_ns"]) for r in rows if r["input_flags"] & Flag.DUPLICATE] == [1100, 1200, 1300, 1400, 1500]


def test_a_row_says_when_it_was_known() -> None:
    """The receive time of the record that brought it out, in ExternalClock that of the stream."""
    stream = Stream().trade(1010, recv=1020).trade(1110, recv=1150).trade(1310, recv=1340)
    stream.trade(1320, recv=1345, instrument=1).trade(1330, recv=1325).trade(1410, recv=1330)
    rows = run(engine(mode="trade"), stream.array(), finalize=False)
    assert rows[["ts_ns", "ts_recv"]].tolist() == [(1100, 1150), (1200, 1340), (1300, 1340), (1400, 1340)]
    stream = Stream().time(1000).trade(1010, recv=1020).status(1, recv=1100).trade(1110, recv=1250)
    rows = run(engine(mode="external"), stream.array(), finalize=False)
    assert rows[["ts_ns", "ts_recv"]].tolist() == [(1100, 1100), (1200, 1250)]
