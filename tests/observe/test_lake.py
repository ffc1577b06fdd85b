"""What waits in the lake is counted from its folders."""

from __future__ import annotations

from pathlib import Path

from ringcollect.observe.lake import Waiting, waiting


def test_files_of_a_day_folder_wait_for_compaction_once_there_is_more_than_one(tmp_path: Path) -> None:
    for tier, symbol, names in (
        ("raw/trades", "A", ["1.parquet", "2.parquet", ".3.parquet.tmp"]),
        ("raw/trades", "B", ["1.parquet"]),
        ("sync/features", "A", ["1.parquet", "2.parquet", "3.parquet"]),
        ("raw/trades", "C", ["1-0-5.parquet", "2-0-9.parquet"]),
        ("journal", "A", ["1.parquet", "2.parquet"]),
    ):
        folder = tmp_path / tier / f"symbol={symbol}" / "date=2026-11-21"
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).write_bytes(b"0123456789")
    assert waiting(tmp_path) == Waiting(compaction=5, folders=2, bytes=50, archive=None)


def test_a_lake_that_is_not_there_yet_has_nothing_waiting(tmp_path: Path) -> None:
    assert waiting(tmp_path / "data") == Waiting()


def test_merged_files_of_two_generations_wait_for_nothing_until_another_file_comes(tmp_path: Path) -> None:
    folder = tmp_path / "raw" / "trades" / "date=2026-11-21"
    folder.mkdir(parents=True)
    for name in ("A_trades_raw_20261121_000000.123-0-500.parquet", "A_trades_raw_20261121_120000.123-0-70.parquet"):
        (folder / name).write_bytes(b"0123456789")
    assert waiting(tmp_path).compaction == 0
    (folder / "A_trades_raw_20261121_230000.123.parquet").write_bytes(b"0123456789")
    assert waiting(tmp_path).compaction == 3
