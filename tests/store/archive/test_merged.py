"""Compaction and the archive in any order: the archive has every row, once, and is a lake that verifies."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ringcollect.config import Retention, RetentionOverride
from ringcollect.durations import parse_time
from ringcollect.store.archive.failpoint_names import MERGED
from ringcollect.store.archive.marks import Watch
from ringcollect.store.archive.pull import pull, segments_of
from ringcollect.store.archive.send import send
from ringcollect.store.location import Lake
from ringcollect.store.retention.run import retain
from ringcollect.store.scan import scan
from ringcollect.store.selection import select
from ringcollect.store.verify import verify
from tests.store import compacting, lake
from tests.store.archive import segments

FOLDER = "raw/trades/exchange=binance/market=spot/symbol=BTCUSDT/date=2026-09-21"
ROWS = 1500


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five segments of trades."""
    folder = tmp_path_factory.mktemp("lake")
    return lake.make_lake(folder, lake.trades(ROWS), policy=lake.Policy(records=300))


@pytest.fixture
def data(made: Path, ram: Path) -> Path:
    return Path(shutil.copytree(made, ram / "data"))


def assert_whole(archive: Path) -> None:
    report = verify(archive, strict=True)
    assert (report.problems, report.lost) == ([], [])
    assert scan(archive, "trades").to_table()["seq"].to_pylist() == list(range(ROWS))


def names(lake_folder: Path) -> int:
    return len(list((lake_folder / FOLDER).glob("*.parquet")))


def half(data: Path, ram: Path) -> None:
    """Three of the five segments are archived."""
    where = segments.target(ram / "archive")
    for pending in Watch(data, where.mark, removes=False).look()[:3]:
        send(data, pending.certificate, where, where.open(), remove=False, tell=segments.silent)
    assert names(ram / "archive") == 3


@pytest.mark.parametrize("remove", [False, True])
def test_a_lake_that_was_merged_before_is_archived_as_it_is(data: Path, ram: Path, remove: bool) -> None:
    compacting.compacted(data)
    sent = segments.send_all(data, segments.target(ram / "archive"), remove=remove)
    assert_whole(ram / "archive")
    assert (names(ram / "archive"), sum(each.files for each in sent)) == (1, 1)
    assert names(data) == (0 if remove else 1)
    assert verify(data, strict=True).problems == []


@pytest.mark.parametrize("remove", [False, True])
def test_segments_merged_with_archived_ones_take_their_place_there(data: Path, ram: Path, remove: bool) -> None:
    half(data, ram)
    compacting.compacted(data)
    segments.send_all(data, segments.target(ram / "archive"), remove=remove)
    assert_whole(ram / "archive")
    assert (names(ram / "archive"), names(data)) == (1, 0 if remove else 1)


def test_a_file_merged_twice_replaces_the_one_merged_once(data: Path, ram: Path) -> None:
    """And none of the rows in between was ever archived in a file of its own."""
    where = segments.target(ram / "archive")
    times = scan(data, "trades").to_table()["ts_recv"]
    compacting.compacted(data, before_ns=int(times[700].as_py()))
    for pending in Watch(data, where.mark, removes=False).look()[:1]:
        send(data, pending.certificate, where, where.open(), remove=False, tell=segments.silent)
    compacting.compacted(data, before_ns=int(times[1000].as_py()))
    compacting.compacted(data)
    segments.send_all(data, where)
    assert_whole(ram / "archive")
    assert names(ram / "archive") == 1
    assert len(list((ram / "archive").rglob("*.compacted"))) == 1


@pytest.mark.parametrize("server", ["", "tokyo"])
def test_what_the_archive_has_merged_itself_is_not_sent_again(server: str, data: Path, ram: Path) -> None:
    where = segments.target(ram / "archive", server=server)
    segments.send_all(data, where)
    assert compacting.compacted(ram / "archive").merged
    for mark in data.rglob("*.archived"):
        mark.unlink()
    sent = segments.send_all(data, where, remove=True)
    assert (sum(each.files for each in sent), sum(each.there for each in sent)) == (0, 5)
    assert_whole(ram / "archive")
    assert names(data) == 0


@pytest.mark.parametrize("name", MERGED)
def test_interrupted_while_files_take_their_place_no_row_is_found_twice(
    name: str, data: Path, ram: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half(data, ram)
    compacting.compacted(data)

    class Interrupted(BaseException):
        pass

    def fail(point: str) -> None:
        if point == name:
            raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr("ringcollect.store.archive.merged.fail", fail)
        with pytest.raises(Interrupted):
            segments.send_all(data, segments.target(ram / "archive"))
    seen = scan(ram / "archive", "trades").to_table()["seq"].to_pylist()
    assert len(seen) == len(set(seen)) >= 900
    segments.send_all(data, segments.target(ram / "archive"))
    assert_whole(ram / "archive")
    assert names(ram / "archive") == 1


@pytest.mark.parametrize("merged", [False, True])
def test_what_retention_removed_before_there_was_an_archive_is_said_there_and_here(merged: bool, ram: Path) -> None:
    """The rest goes and comes back."""
    data = lake.make_lake(ram, lake.over_midnight(400))
    if merged:
        compacting.compacted(data)
    override = (RetentionOverride(types=("orderbooks",), age="1d"),)
    retain(data, Retention(override=override), now_ns=parse_time("2026-09-30", "now"))
    expected = verify(data, strict=True)
    assert expected.retired_records > 0
    where = segments.target(ram / "archive", server="tokyo")
    segments.send_all(data, where)
    source = where.open()
    pull(
        source, where.keys, list(segments_of(source, where.keys, select())), Lake.open(ram / "new"), lambda *told: None
    )
    for place in (ram / "archive", ram / "new"):
        report = verify(place, strict=True)
        assert (report.problems, report.lost) == ([], [])
        assert (report.records, report.retired_records) == (expected.records, expected.retired_records)
