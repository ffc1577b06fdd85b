"""Sealed files: what every reader can open, what they never contain, and sealing again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from ringcollect.errors import LakeError
from ringcollect.instruments import Instrument
from ringcollect.store.cursor import journal_files, left_behind
from ringcollect.store.drain import RingJournal
from ringcollect.store.rotation import Policy
from ringcollect.store.seal import main, seal, seal_all
from ringcollect.store.verify import verify
from tests.store import lake

NOT_LIVE = 1 << 5 | 1 << 6 | 1 << 7  # REPLAYED, BACKFILLED, REST


@pytest.fixture(scope="module")
def records() -> np.ndarray:
    return lake.over_midnight(1200)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, records: np.ndarray) -> Path:
    return lake.make_lake(tmp_path_factory.mktemp("lake"), records)


def test_raw_holds_nothing_but_live_records_in_arrival_order(data: Path) -> None:
    files = lake.parquet_files(data, "raw")
    assert len(files) > 20
    for path in files:
        table = pq.read_table(path, partitioning=None, columns=["seq", "flags"])
        seqs = table["seq"].to_pylist()
        assert seqs == sorted(seqs)
        assert not any(flags & NOT_LIVE for flags in table["flags"].to_pylist())
    for path in lake.parquet_files(data, "rest"):
        assert all(f & NOT_LIVE for f in pq.read_table(path, partitioning=None, columns=["flags"])["flags"].to_pylist())


def test_the_rest_of_the_books_is_in_rest(data: Path, records: np.ndarray) -> None:
    """raw and rest together are every book record, in ring order: what rebuilding a book needs."""
    books = records[(records["kind"] == 1) | (records["kind"] == 2)]
    seqs = [
        seq
        for tier in ("raw", "rest")
        for path in lake.parquet_files(data, tier, "orderbooks")
        for seq in pq.read_table(path, partitioning=None, columns=["seq"])["seq"].to_pylist()
    ]
    assert sorted(seqs) == books["seq"].tolist()


def test_pyarrow_duckdb_polars_and_pandas_read_the_same_trades(data: Path, records: np.ndarray) -> None:
    folder = data / "raw" / "trades"
    expected = records[(records["kind"] == 4) & (records["instrument"] != 2)]
    arrow = ds.dataset(folder, partitioning="hive").to_table(filter=ds.field("market") == "spot").to_pandas()
    duck = duckdb.sql(
        f"select * from read_parquet('{folder}/**/*.parquet', hive_partitioning=true) where market = 'spot'"
    ).df()
    polar = pl.scan_parquet(folder, hive_partitioning=True).filter(pl.col("market") == "spot").collect().to_pandas()
    panda = pd.read_parquet(folder, filters=[("market", "==", "spot")])
    for frame in (arrow, duck, polar, panda):
        frame = frame.sort_values("seq")
        assert frame["seq"].tolist() == expected["seq"].tolist()
        assert frame["price"].tolist() == expected["price"].tolist()
        assert set(frame["symbol"].astype(str)) == set(frame["native_symbol"]) == {"BTCUSDT", "ETHUSDT"}


def test_a_symbol_with_a_slash_reads_back_in_every_reader(tmp_path: Path) -> None:
    ring = lake.producer(tmp_path / "run")
    ring.instruments.put(Instrument(number=3, exchange="binance", market="spot", symbol="BTC/USD %_é"))
    records = lake.trades(10)
    records["instrument"] = 3
    lake.publish(ring, records)
    journal = RingJournal(tmp_path / "data", lake.reader(ring), resume=False)
    journal.drain()
    seal_all(journal.close(final=True), tmp_path / "data", sync=False)
    folder = tmp_path / "data" / "raw" / "trades"
    symbols = [
        ds.dataset(folder, partitioning="hive").to_table()["symbol"].to_pylist()[0],
        duckdb.sql(f"select symbol from read_parquet('{folder}/**/*.parquet', hive_partitioning=true)").fetchall()[0][
            0
        ],
        pl.scan_parquet(folder, hive_partitioning=True).collect()["symbol"][0],
        str(pd.read_parquet(folder)["symbol"][0]),
    ]
    assert set(symbols) == {"BTC/USD %_é"}


def test_no_file_repeats_what_its_folders_say(data: Path) -> None:
    for path in lake.parquet_files(data):
        names = pq.read_schema(path).names
        assert not {"exchange", "market", "symbol", "date", "grid"} & set(names)
        assert names[-1] == "native_symbol"


def test_metadata_says_what_is_in_the_file_and_nothing_about_this_host(data: Path) -> None:
    path = lake.parquet_files(data, "raw", "trades")[0]
    metadata = json.loads(pq.read_schema(path).metadata[b"ringcollect"])
    assert metadata["identity"]["ring"] == "binance.rec"
    assert metadata["identity"]["table"] == "raw/trades"
    assert metadata["schema_version"] == 2
    assert metadata["size_unit"] == "base" and metadata["book_depth"] == 0
    assert metadata["native_symbol"] == "BTCUSDT"
    assert metadata["claims"]["records"] == pq.read_metadata(path).num_rows
    assert not {"pid", "host", "written", "created", "tick_size", "version"} & metadata.keys()


def test_sealing_again_gives_the_same_files_and_no_second_copy(tmp_path: Path, records: np.ndarray) -> None:
    ring, data = lake.producer(tmp_path / "run"), tmp_path / "data"
    lake.publish(ring, records)
    journal = RingJournal(data, lake.reader(ring), lake.SMALL, resume=False)
    journal.drain()
    finished = journal.close(final=True)
    copies = [shutil.copy(path, tmp_path / path.name) for path in finished]
    seal_all(finished, data, sync=False)
    first = lake.hashes(data)
    for copy, path in zip(copies, finished, strict=True):
        shutil.copy(copy, path)
    seal_all(finished, data, sync=False)
    assert lake.hashes(data) == first


def test_a_name_taken_by_another_identity_gets_a_suffix(tmp_path: Path) -> None:
    """Many segments within one millisecond: every record is still there once, and the names are what they were."""
    ring, data = lake.producer(tmp_path / "run"), tmp_path / "data"
    lake.publish(ring, lake.trades(50, step_ns=1))
    journal = RingJournal(data, lake.reader(ring), Policy(records=10), resume=False)
    journal.drain()
    seal_all(journal.close(final=True), data, sync=False)
    names = [path.name for path in lake.parquet_files(data)]
    stem = "BTCUSDT_trades_raw_20260921_235200.000"
    assert sorted(names) == sorted([f"{stem}.parquet"] + [f"{stem}-{n}.parquet" for n in (10, 20, 30, 40)])
    assert sorted(lake.rows_by_seq(data)) == list(range(50))
    assert verify(data, strict=True).problems == []


def test_records_of_an_unknown_instrument_are_kept(tmp_path: Path) -> None:
    ring, data = lake.producer(tmp_path / "run"), tmp_path / "data"
    records = lake.trades(3)
    records["instrument"] = 77
    lake.publish(ring, records)
    journal = RingJournal(data, lake.reader(ring), resume=False)
    journal.drain()
    seal_all(journal.close(final=True), data, sync=False)
    assert [p.parts[-4:-2] for p in lake.parquet_files(data)] == [("market=_unknown", "symbol=_instrument-77")]
    assert verify(data, strict=True).problems == []


def test_the_sealer_as_a_program_seals_deletes_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ring, data = lake.producer(tmp_path / "run"), tmp_path / "data"
    lake.publish(ring, lake.trades(5))
    journal = RingJournal(data, lake.reader(ring))
    journal.drain()
    (path,) = journal.close()
    broken = path.with_name("binance.rec-1-0000000000000000000.journal")
    broken.write_bytes(b"no journal at all")
    assert main(["--data", str(data), "--no-fsync", str(broken), str(path), str(path)]) == 1
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert [lines[0]["rows"], lines[1]] == [5, None], "gone already is not an error"
    assert "kept as binance.rec-1-0000000000000000000.damaged" in err
    assert [file.seq_from for file in journal_files(data)] == [5]
    assert verify(data).problems[0].place.endswith(".damaged")


def test_a_torn_journal_left_behind_is_sealed_as_far_as_it_goes(tmp_path: Path) -> None:
    ring, data = lake.producer(tmp_path / "run"), tmp_path / "data"
    lake.publish(ring, lake.trades(9))
    journal = RingJournal(data, lake.reader(ring))
    for _ in range(3):
        journal.drain(3)
    journal.abandon()
    content = journal.path.read_bytes()
    journal.path.write_bytes(content[:-5])
    sealed = seal(journal.path, data, sync=False)
    assert sealed is not None and sealed.rows == 6
    assert sorted(lake.rows_by_seq(data)) == list(range(6))
    assert verify(data, strict=True).problems == []


def _replay(folder: Path, data: Path, records: np.ndarray, policy: Policy) -> None:
    ring = lake.producer(folder)
    lake.publish(ring, records)
    journal = RingJournal(data, lake.reader(ring), policy, resume=False)
    journal.drain()
    seal_all(journal.close(final=True), data, sync=False)
    ring.close()


def test_the_same_records_cut_differently_are_refused_and_never_doubled(tmp_path: Path) -> None:
    records, data = lake.trades(100), tmp_path / "data"
    _replay(tmp_path / "a", data, records[:60], Policy(records=20))
    with pytest.raises(LakeError, match="cut differently"):
        _replay(tmp_path / "b", data, records, Policy(records=50))
    assert sorted(lake.rows_by_seq(data)) == list(range(60))
    _replay(tmp_path / "c", data, records, Policy(records=20))
    assert sorted(lake.rows_by_seq(data)) == list(range(100))
    assert verify(data, strict=True).problems == []


def test_a_journal_sealed_before_it_could_be_deleted_is_not_written_again(tmp_path: Path) -> None:
    """Sealed as left behind without END, its ring away; then the ring is back and the journal still there."""
    ring, data = lake.producer(tmp_path / "run"), tmp_path / "data"
    records = lake.trades(30)
    lake.publish(ring, records[:10])
    journal = RingJournal(data, lake.reader(ring))
    journal.drain()
    journal.abandon()
    copy = shutil.copy(journal.path, tmp_path / "copy")
    seal(journal.path, data, sync=False)
    shutil.copy(copy, journal.path)
    lake.publish(ring, records[10:])
    again = RingJournal(data, lake.reader(ring))
    again.drain()
    assert left_behind(data, {again.path}) == [journal.path]
    seal_all([journal.path, *again.close()], data, sync=False)
    assert sorted(lake.rows_by_seq(data)) == list(range(30))
    assert verify(data, strict=True).problems == []
