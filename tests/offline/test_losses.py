"""What a lake lacks is counted, said, and stands in the rows; what is damaged is named with its place."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from ringcollect.sync.rows import RowFlag
from tests.offline.rows import assert_same_rows, built, quick_lake, tables

pytestmark = pytest.mark.usefixtures("sealed_here")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, sealed_here: None) -> Path:
    return quick_lake(tmp_path_factory.mktemp("replayed"))


@pytest.fixture
def lake(original: Path, tmp_path: Path) -> Path:
    for folder in ("raw", "rest", "certificates"):
        shutil.copytree(original / folder, tmp_path / "lake" / folder)
    return tmp_path / "lake"


def certificates(lake: Path) -> list[Path]:
    return sorted((lake / "certificates").rglob("*.rec-*.json"))


def lost_rows(out: Path) -> int:
    flags = np.concatenate([np.asarray(table["row_flags"]) for table in tables(out).values()])
    return int(np.count_nonzero(flags & RowFlag.LOST))


@pytest.mark.parametrize("symbols", [(), ("ETHUSDT",)], ids=["all", "one symbol"])
def test_a_segment_that_is_gone_is_counted_and_marks_the_rows(
    lake: Path, tmp_path: Path, symbols: tuple[str, ...]
) -> None:
    gone = certificates(lake)[2]
    records = msgspec.json.decode(gone.read_bytes())["records"]
    gone.unlink()
    report = built(lake, tmp_path / "out", symbols=symbols)
    assert report.exit_code == 1
    assert report.built[0].missing == records
    assert report.problems() == [
        f"binance.100ms.row: {records} records are in no file of the lake; rows say LOST there"
    ]
    assert lost_rows(tmp_path / "out") > 0


@pytest.mark.parametrize("symbols", [(), ("BTCUSDT",)], ids=["all", "one symbol"])
def test_what_the_writer_lost_is_told_apart_from_what_is_missing(
    lake: Path, tmp_path: Path, symbols: tuple[str, ...]
) -> None:
    """The same positions lost to the writer, in the middle of a segment: the engine is told where."""
    path = certificates(lake)[1]
    content = msgspec.json.decode(path.read_bytes())
    trades = [entry for entry in content["files"] if entry["table"] == "trades"]
    seqs = _seqs(lake, [entry["path"] for entry in trades])
    content["files"] = [entry for entry in content["files"] if entry["table"] != "trades"]
    content["lost"] = [[int(seq), int(seq) + 1, "lapped"] for seq in seqs]
    path.write_bytes(msgspec.json.encode(content))
    report = built(lake, tmp_path / "out", symbols=symbols)
    one = report.built[0]
    assert (one.lost, one.missing, report.exit_code) == (len(seqs), 0, 1)
    if not symbols:
        end = max(msgspec.json.decode(path.read_bytes())["seq_to"] for path in certificates(lake))
        assert one.records + one.lost == end
    assert lost_rows(tmp_path / "out") > 0


def _seqs(lake: Path, paths: list[str]) -> np.ndarray:
    import pyarrow.parquet as pq

    return np.sort(np.concatenate([np.asarray(pq.ParquetFile(lake / path).read()["seq"]) for path in paths]))


@pytest.mark.parametrize("harm", ["missing", "cut", "flipped", "other rows"])
def test_a_bad_file_is_named_and_the_rows_before_it_are_kept(
    lake: Path, original: Path, tmp_path: Path, harm: str
) -> None:
    content = msgspec.json.decode(certificates(lake)[3].read_bytes())
    entry = next(entry for entry in content["files"] if entry["table"] == "orderbooks")
    path = lake / entry["path"]
    raw = path.read_bytes()
    if harm == "missing":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(raw[:-20])
    elif harm == "flipped":
        middle = len(raw) // 3
        path.write_bytes(raw[:middle] + bytes([raw[middle] ^ 0x40]) + raw[middle + 1 :])
    else:
        shutil.copy(lake / next(e["path"] for e in content["files"] if e["table"] == "trades"), path)
    report = built(lake, tmp_path / "out")
    assert report.exit_code == 1
    assert str(path) in report.problems()[0]
    assert tables(tmp_path / "out")
    path.write_bytes(raw)
    assert built(lake, tmp_path / "out").problems() == []
    assert built(lake, tmp_path / "whole").problems() == []
    assert_same_rows(tmp_path / "out", tmp_path / "whole")


def test_what_is_no_certificate_is_named(lake: Path, tmp_path: Path) -> None:
    path = certificates(lake)[1]
    path.write_text("{}")
    report = built(lake, tmp_path / "out")
    assert report.exit_code == 1
    assert str(path) in report.problems()[0]
