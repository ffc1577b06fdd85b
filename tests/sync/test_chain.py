"""The chain rule, losses and restarts: when a book is trusted, and when a resync is asked for."""

from __future__ import annotations

from ringcollect.records import Flag, Kind, Status
from ringcollect.sync.rows import RowFlag

from .streams import Stream, engine, flags

BOTH = ((1, 10.0, 1.0), (-1, 12.0, 1.0))


def has_book(rows) -> list[bool]:
    return [bool(flags(row) & RowFlag.HAS_BOOK) for row in rows]


def test_a_whole_chain_is_trusted_and_asks_for_nothing() -> None:
    made = engine()
    rows = made.collect(Stream().book(1000, *BOTH).book(1100, (1, 9.0, 1.0)).book(1200).book(1300).array())
    assert has_book(rows) == [True] * 3
    assert made.resyncs() == []


def test_a_broken_chain_voids_the_book_at_once_and_asks_once_for_this_instrument_only() -> None:
    stream = Stream().book(1000, *BOTH).book(1000, *BOTH, instrument=1).book(1100, (1, 9.0, 1.0), aux=77)
    stream.book(1150, (1, 9.5, 1.0)).book(1150, (1, 9.5, 1.0), instrument=1).book(1200).book(1200, instrument=1)
    made = engine(hold_back=50)
    rows = made.collect(stream.array())
    rows = rows[rows["ts_ns"] > 1000]
    assert {(int(r["instrument"]), has) for r, has in zip(rows, has_book(rows), strict=True)} == {(0, False), (1, True)}
    assert made.resyncs() == [0]
    assert made.resyncs() == []
    assert made.counters()["chain_breaks"] == 1
    fresh = Stream()
    fresh.book(1310, *BOTH, kind=Kind.BOOK_SNAPSHOT, flags=Flag.CLEAR | Flag.SNAPSHOT | Flag.REST)
    rows = made.collect(fresh.book(1320, (1, 9.0, 1.0)).book(1500).array())
    assert has_book(rows)[-1]
    assert flags(rows[-1]) & RowFlag.SEEDED_BY_REST
    assert made.resyncs() == []


def test_a_delta_without_any_base_asks_for_one() -> None:
    made = engine()
    stream = Stream()
    stream.last_id[0] = 41  # the stream begins in the middle
    rows = made.collect(stream.book(1000, (1, 10.0, 1.0)).book(1100).array())
    assert has_book(rows) == [False]
    assert made.resyncs() == [0]


def test_unsynced_deltas_are_applied_by_nobody_and_break_nothing() -> None:
    made = engine()
    stream = (
        Stream().book(1000, *BOTH).book(1010, (1, 11.0, 1.0), flags=Flag.UNSYNCED).book(1020, (1, 10.0, 5.0)).book(1100)
    )
    row = made.collect(stream.array())[0]
    assert row["ob_mid_price"] == 11.0
    assert made.resyncs() == []


def test_a_snapshot_bridge_gives_the_book_of_its_replayed_deltas() -> None:
    stream = Stream()
    for ts, bid in ((1001, 9.1), (1002, 9.2), (1003, 9.3)):
        stream.book(ts, (1, bid, 1.0), flags=Flag.UNSYNCED, id=ts)
    stream.book(
        0, *BOTH, kind=Kind.BOOK_SNAPSHOT, flags=Flag.CLEAR | Flag.SNAPSHOT | Flag.REST, recv=1005, id=1002, aux=-1
    )
    stream.book(1003, (1, 10.5, 1.0), flags=Flag.REPLAYED, id=1003).book(1050, (-1, 11.5, 1.0), id=1004).book(1100)
    row = engine().collect(stream.array())[0]
    assert (row["ob_mid_price"], int(row["ts_book_ns"])) == (11.0, 1050)


def test_after_a_loss_the_chain_proves_a_book_whole_or_broken_and_only_broken_ones_ask() -> None:
    made = engine(mode="external")
    stream = Stream().time(1000)
    for number in range(3):
        stream.book(1010, *BOTH, instrument=number, recv=1010)
    before = made.collect(stream.time(1100).array())
    assert has_book(before) == [True] * 3
    made.lost(17)
    doubtful = made.collect(Stream().time(1200).array())
    assert has_book(doubtful) == [False] * 3
    assert all(flags(r) & RowFlag.SUSPECT and flags(r) & RowFlag.LOST for r in doubtful)
    stream.book(1210, (1, 9.0, 1.0), instrument=0, recv=1210)
    stream.book(1211, (1, 9.0, 1.0), instrument=1, aux=999, recv=1211)
    rows = made.collect(stream.time(1300).time(1400).array()[-4:])
    found = {(int(r["ts_ns"]), int(r["instrument"])): flags(r) for r in rows}
    assert [bool(found[1300, n] & RowFlag.HAS_BOOK) for n in range(3)] == [True, False, False]
    assert [bool(found[1300, n] & RowFlag.LOST) for n in range(3)] == [True, True, True]
    assert [bool(found[1400, n] & RowFlag.LOST) for n in range(3)] == [False, False, True]  # 2 has not spoken yet
    assert made.resyncs() == [1]
    assert made.counters()["sync_lost"] == 17


def test_a_loss_inside_a_batch_breaks_that_book_although_the_ids_fit() -> None:
    """The lost part of a batch has the ids of the part that was read."""
    stream = (
        Stream().book(1000, *BOTH).book(1010, (1, 9.0, 1.0), (1, 9.1, 1.0), (1, 9.2, 1.0)).book(1020, (1, 8.0, 1.0))
    )
    records = stream.array()
    made = engine()
    made.collect(records[:3])  # one of three records of the second batch
    made.lost(2)
    made.collect(records[5:])
    assert made.resyncs() == [0]


def test_a_stream_resumed_inside_a_batch_breaks_that_book_although_the_ids_fit() -> None:
    stream = Stream().book(1000, *BOTH).book(1010, (1, 9.0, 1.0), (1, 9.1, 1.0), (1, 9.2, 1.0))
    records = stream.array()
    made = engine()
    made.collect(records[:2])
    made.lost(1)
    made.collect(records[3:])  # the second batch without its first record
    assert made.resyncs() == [0]


def test_a_start_of_the_feed_voids_every_book_from_its_last_update_on() -> None:
    made = engine(mode="external", hold_back=100)
    stream = Stream().time(1000).book(1010, *BOTH, recv=1010).book(1150, (1, 9.0, 1.0), recv=1150)
    stream.status(Status.START, recv=1160).time(1200).time(1300).time(1400)
    rows = made.collect(stream.array())
    assert [(int(r["ts_ns"]), has) for r, has in zip(rows, has_book(rows), strict=True)] == [
        (1000, False),
        (1100, True),  # closed before the feed died: the book it had
        (1200, False),
        (1300, False),
    ]
    assert made.resyncs() == []  # the feed fetches its books by itself


def test_a_lost_clear_is_asked_for_again() -> None:
    made = engine()
    stream = Stream().book(1000, *BOTH).book(1010, (1, 9.0, 1.0), aux=50)
    made.collect(stream.array())
    assert made.resyncs() == [0]
    made.lost(5)  # the snapshot was among them
    made.collect(stream.book(1020, (1, 9.0, 2.0)).array()[-1:])
    assert made.resyncs() == [0]


def test_a_gap_in_the_input_is_visible_in_the_rows_it_touched() -> None:
    stream = Stream().trade(1000).trade(1350, flags=Flag.LAST | Flag.GAP).trade(1450).trade(1500)
    rows = engine(mode="trade").collect(stream.array())
    assert [(int(r["ts_ns"]), bool(flags(r) & RowFlag.GAP)) for r in rows] == [
        (1100, False),
        (1200, False),
        (1300, False),
        (1400, True),
        (1500, False),
    ]


def test_a_gap_found_while_rows_are_held_back_marks_all_of_them() -> None:
    stream = Stream().trade(1000).trade(1190).trade(1210, flags=Flag.LAST | Flag.GAP).trade(1600)
    rows = engine(mode="trade", hold_back=200).collect(stream.array())
    assert [(int(r["ts_ns"]), bool(flags(r) & RowFlag.GAP)) for r in rows] == [
        (900, False),
        (1000, False),
        (1100, True),
        (1200, True),
        (1300, True),
        (1400, False),
    ]
