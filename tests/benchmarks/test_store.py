"""Bytes and pauses of the writer: what is counted, and that every subject writes the same rows."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.store.disk import PAGE, written
from benchmarks.store.rows import lake_of, pieces, records_of, simulated
from benchmarks.store.writers import writers
from tests.store import lake

SECOND = 1_000_000_000


def test_each_flush_costs_the_last_page_again() -> None:
    records = lake.trades(2000, step_ns=10_000_000)
    often, seldom = written(records, SECOND, 1), written(records, 10 * SECOND, 1)
    assert often[0] > seldom[0], "frames of few records compress less"
    assert (often[1] - seldom[1]) // PAGE >= 2 * (20 - 2) - (often[0] - seldom[0]) // PAGE
    assert often[2] == seldom[2], "files do not depend on flushes"
    assert all(pages % PAGE == 0 and pages >= journal for journal, pages, _ in (often, seldom))


def test_every_writer_writes_the_rows_there_are(tmp_path: Path) -> None:
    data = lake_of(simulated(tmp_path, 5), tmp_path / "lake")
    found = list(pieces(data))
    assert {"orderbooks", "trades", "mark_prices", "fundings"} <= {piece.table for piece in found}
    subjects, _ = writers(found)
    for name, write in subjects.items():
        for piece in found:
            write(piece, tmp_path / "one.parquet")
            back = pq.read_table(tmp_path / "one.parquet")
            assert back["seq"].to_pylist() == piece.arrow["seq"].to_pylist(), name
    records = records_of(data)
    assert records["seq"].tolist() == list(range(len(records)))
