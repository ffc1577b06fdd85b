"""Streams of the synchronizer's benchmarks, and what their subjects say of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.figures import Case, Section, Series
from benchmarks.report import document
from benchmarks.streams import Stream, simulated
from benchmarks.sync import feeding
from benchmarks.sync.book_own import SUBJECTS
from benchmarks.sync.columns import COLUMNS, differences
from benchmarks.sync.columns_own import Rebuilt
from benchmarks.sync.lake import filled
from benchmarks.sync.levels import levels_of, write
from benchmarks.sync.rows import entry_of
from benchmarks.sync.rows_own import Rows
from ringcollect.records import Flag


@pytest.fixture(scope="module")
def stream() -> Stream:
    """Two seconds of two simulated books."""
    return simulated(("BTCUSDT", "ETHUSDT"), 2.0, 500.0)


def test_a_stream_of_many_instruments_gives_each_the_rows_of_the_one_it_is_a_copy_of(stream: Stream) -> None:
    many = stream.times(5)
    rows = feeding.engine_of(("minimal",), many.of).collect(many.records)
    own = feeding.engine_of(("minimal",), stream.of).collect(stream.records)
    assert len(own) > 20
    for number in range(5):
        copy, mine = rows[rows["instrument"] == number], own[own["instrument"] == number % 2]
        for name in ("ts_ns", "ob_mid_price", "ob_imbalance", "trade_volume", "row_flags"):
            np.testing.assert_array_equal(copy[name], mine[name])


def test_both_subjects_of_ours_end_with_the_books_that_a_dict_has(stream: Stream, tmp_path: Path) -> None:
    levels = levels_of(stream)
    write(levels, 2, tmp_path)
    books: list[list[dict[float, float]]] = [[{}, {}], [{}, {}]]
    for record in levels:
        number = int(record["instrument"])
        if record["flags"] & Flag.CLEAR:
            books[number] = [{}, {}]
        side = books[number][int(record["side"] < 0)]
        side[float(record["price"])] = float(record["size"])
    best = [
        [
            [[price, size] for price, size in sorted(side.items(), reverse=which == 0) if size > 0][:5]
            for which, side in enumerate(book)
        ]
        for book in books
    ]
    spec = {"case": str(tmp_path), "ticks": [one.tick_size for one in stream.instruments], "passes": 1}
    for subject in SUBJECTS.values():
        made = subject(spec)
        for _ in range(2):
            made.prepare()
            assert made.run() == len(levels)
        assert made.evidence() == best


def test_events_for_hftbacktest_are_its_levels_in_time_order(stream: Stream, tmp_path: Path) -> None:
    levels = levels_of(stream)
    write(levels, 2, tmp_path)
    events = np.load(tmp_path / "events_1.npy")
    own = levels[levels["instrument"] == 1]
    assert len(events) == len(own) and events.dtype.itemsize == 64
    np.testing.assert_array_equal(events["px"], own["price"])
    assert (np.diff(events["local_ts"]) >= 0).all()
    assert set((events["ev"] & 7).tolist()) == {1, 4}


def test_a_row_of_every_set_is_counted_and_its_state_told(stream: Stream, tmp_path: Path) -> None:
    path = tmp_path / "records.npy"
    stream.save(path)
    said = {}
    for features, columns in (("minimal", 25), ("core", 332)):
        subject = Rows(entry_of(features, stream, (features,), path).spec)
        subject.prepare()
        assert subject.run() == subject.evidence()["rows"] > 20
        assert subject.evidence()["columns"] == columns
        said[features] = subject.evidence()["bytes"]
    assert 700 < said["minimal"] < 2_000 < 500_000 < said["core"] < 1_000_000


def test_a_table_without_records_has_no_column_for_them() -> None:
    case = Case("core", series=(Series("ringcollect", (2000.0,), True),), columns={"what": "core"})
    assert "| what | ns a row |\n|---|---|\n| core | 2,000 |" in document(
        [Section("c", "C", "ns a row", (case,), one_table=True)]
    )


def test_columns_are_compared_value_by_value(tmp_path: Path) -> None:
    rows = pa.table({"symbol": ["A", "A"], "ts_ns": [1, 2]} | {name: [1.0, np.nan] for name in COLUMNS})
    assert list(differences(rows, rows)) == []
    close = rows.set_column(2, "ob_mid_price", pa.array([1.0 + 1e-12, np.nan]))
    assert list(differences(rows, close)) == []
    wrong = rows.set_column(2, "ob_mid_price", pa.array([1.001, np.nan]))
    assert list(differences(rows, wrong)) == ["ob_mid_price: 1 values, the first in row 0: 1.001 instead of 1.0"]
    assert list(differences(rows, rows.slice(1))) == ["1 rows instead of 2"]


def test_a_lake_of_a_capture_is_rebuilt_the_same_each_round(captures: Path, tmp_path: Path) -> None:
    lake = filled(tmp_path / "lake", captures / "binance_spot_2024.jsonl.gz", 1_500)
    assert lake.records > 5_000 and lake.bytes > 10_000
    spec = {
        "lake": str(lake.folder),
        "columns": list(COLUMNS),
        "result": str(tmp_path / "rows"),
        "folder": str(tmp_path),
    }
    subject = Rebuilt(spec)
    found = []
    for _ in range(2):
        subject.prepare()
        assert subject.run() > 100
        found.append(pq.read_table(subject.evidence()))
    assert list(differences(*found)) == []
    assert len(found[0].column_names) == len(COLUMNS) + 2
