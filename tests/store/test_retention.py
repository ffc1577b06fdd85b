"""What is too old or too much goes, nothing else does, and the lake says what it was."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from ringcollect.cli.invocation import Invocation
from ringcollect.cli.retain import command
from ringcollect.config import Retention, RetentionOverride
from ringcollect.config.retention import TYPES
from ringcollect.durations import parse_time
from ringcollect.store.archive.marks import archived_name
from ringcollect.store.files import files
from ringcollect.store.location import Lake
from ringcollect.store.naming import TOKENS
from ringcollect.store.retention.plan import GB, Folder, doomed
from ringcollect.store.retention.run import retain
from ringcollect.store.verify import verify
from tests.store import compacting, lake

TRADES = "raw/trades/exchange=binance/market=spot/symbol=BTCUSDT"
"""Of two days: 2026-09-21 and 2026-09-22."""
DAY_NS = 86_400_000_000_000


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lake.make_lake(tmp_path_factory.mktemp("lake"), lake.over_midnight(1000))


@pytest.fixture
def data(sound: Path, ram: Path) -> Path:
    shutil.copytree(sound, ram / "data")
    return ram / "data"


def at(time: str) -> int:
    return parse_time(time, "now")


def dates_of(data: Path) -> set[str]:
    return {file.date for file in files(Lake.open(data))}


def folder(date: str, table: str = "trades", size: int = GB) -> Folder:
    return Folder(f"raw/{table}/date={date}", table, f"raw/{table}", date, 1, size)


def going(folders: list[Folder], retention: Retention, now: str, free: int = 10 * GB) -> list[tuple[str, str, str]]:
    return [(one.folder.date, one.folder.table, one.why) for one in doomed(folders, retention, at(now), free)]


DAYS = [folder(f"2026-01-{day:02d}", table) for day in range(1, 11) for table in ("orderbooks", "trades")]


def test_a_day_goes_once_its_end_is_older_than_the_age() -> None:
    two_days = Retention(age="2d")
    assert going(DAYS, two_days, "2026-01-03T23:59:59") == []
    assert going(DAYS, two_days, "2026-01-04") == [("2026-01-01", "orderbooks", "age"), ("2026-01-01", "trades", "age")]
    assert [date for date, *_ in going(DAYS, two_days, "2026-01-05")] == ["2026-01-01"] * 2 + ["2026-01-02"] * 2


def test_types_have_ages_of_their_own() -> None:
    override = (
        RetentionOverride(types=("orderbooks",), age="1d"),
        RetentionOverride(types=("raw/trades",), age="forever"),
    )
    said = going(DAYS, Retention(age="3d", override=override), "2026-01-10T12:00")
    assert said == [(f"2026-01-{day:02d}", "orderbooks", "age") for day in range(1, 9)]


def test_the_oldest_days_go_until_the_rest_is_small_enough() -> None:
    said = going(DAYS, Retention(max_gb=17), "2026-01-10T12:00")
    assert said == [
        ("2026-01-01", "orderbooks", "size"),
        ("2026-01-01", "trades", "size"),
        ("2026-01-02", "orderbooks", "size"),
    ]
    only = (RetentionOverride(types=("trades",), max_gb=9),)
    assert going(DAYS, Retention(override=only), "2026-01-10T12:00") == [("2026-01-01", "trades", "size")]


def test_the_oldest_days_go_until_enough_is_free() -> None:
    assert len(going(DAYS, Retention(min_free_gb=12), "2026-01-10T12:00", free=10 * GB)) == 2
    assert len(going(DAYS, Retention(min_free_gb=12, age="8d"), "2026-01-10T12:00", free=10 * GB)) == 2
    assert going(DAYS, Retention(min_free_gb=12), "2026-01-10T12:00", free=12 * GB) == []


def test_today_never_goes() -> None:
    said = going(DAYS, Retention(age="1d", max_gb=0.1, min_free_gb=1000), "2026-01-10T12:00", free=0)
    assert len(said) == 18 and "2026-01-10" not in {date for date, *_ in said}


def test_without_limits_nothing_goes(data: Path) -> None:
    assert not Retention().is_on
    assert retain(data, Retention()).folders == []


def test_types_of_the_configuration_are_the_tables_of_the_lake() -> None:
    assert set(TYPES) == set(TOKENS)


def test_a_day_that_went_is_said_by_verify_and_nothing_else_is_missed(data: Path) -> None:
    whole = verify(data, strict=True)
    assert dates_of(data) == {"2026-09-21", "2026-09-22"}
    report = retain(data, Retention(age="1d"), now_ns=at("2026-09-23T00:00:01"))
    assert report.exit_code == 0 and len(report.gone) > 10
    assert dates_of(data) == {"2026-09-22"}
    after = verify(data, strict=True)
    assert (after.problems, after.lost, after.coverage) == ([], [], whole.coverage)
    assert after.records + after.retired_records == whole.records and after.retired_files > 10
    assert any("removed by retention" in line for line in after.lines())


@pytest.mark.parametrize("merged", [False, True])
def test_a_type_of_a_day_goes_and_every_other_row_is_still_proven(merged: bool, data: Path) -> None:
    if merged:
        compacting.compacted(data)
    override = (RetentionOverride(types=("orderbooks",), age="1d"),)
    retain(data, Retention(override=override), now_ns=at("2026-09-30"))
    assert {file.table for file in files(Lake.open(data))}.isdisjoint({"orderbooks"})
    report = verify(data, strict=True)
    assert report.problems == [] and report.retired_records > 500
    next((data / TRADES / "date=2026-09-22").glob("*.parquet")).unlink()
    assert any("is missing" in problem.what for problem in verify(data).problems)
    assert not list((data / "certificates").rglob("*.compacted")) or merged


def test_a_forged_mark_excuses_nothing(data: Path) -> None:
    retain(data, Retention(age="1d"), now_ns=at("2026-09-23T00:00:01"))
    mark = next((data / "certificates").rglob("*.retired"))
    mark.write_bytes(mark.read_bytes().replace(b'"rows": ', b'"rows": 1'))
    assert any("was changed" in problem.what for problem in verify(data).problems)


def test_a_file_nobody_certified_keeps_its_folder(data: Path) -> None:
    stray = data / TRADES / "date=2026-09-21" / "more.parquet"
    shutil.copy(next(stray.parent.glob("*.parquet")), stray)
    report = retain(data, Retention(age="1d"), now_ns=at("2026-09-23T00:00:01"))
    assert [one.folder for one in report.folders if one.kept] == [f"{TRADES}/date=2026-09-21"]
    assert report.exit_code == 1 and stray.exists()


def test_what_is_not_archived_yet_stays(data: Path) -> None:
    """Of an archive with the mark 12345678; one segment of the day is not there yet."""
    days = sorted((data / "certificates" / "exchange=binance").glob("date=*"))
    for certificate in [path for day in days for path in day.glob("*.json")][1:]:
        (certificate.parent / archived_name(certificate.stem, "12345678")).touch()
    before = dates_of(data)
    first = json.loads(next(days[0].glob("*.json")).read_bytes())["files"]
    report = retain(data, Retention(age="1d"), now_ns=at("2026-09-25"), archive="12345678")
    kept = {one.folder for one in report.folders if one.kept}
    assert kept == {entry["path"].rpartition("/")[0] for entry in first} and report.exit_code == 1
    assert {file.path.rpartition("/")[0] for file in files(Lake.open(data))} == kept
    assert "2026-09-22" in before and verify(data, strict=True).problems == []


def test_a_dry_run_says_the_same_and_changes_nothing(data: Path) -> None:
    before = lake.hashes(data)
    said = retain(data, Retention(age="1d"), now_ns=at("2026-09-23T00:00:01"), dry_run=True)
    assert lake.hashes(data) == before
    assert said.folders == retain(data, Retention(age="1d"), now_ns=at("2026-09-23T00:00:01")).folders


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB that can really be full."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("mounting a small tmpfs needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_has_room_again_after_retention(sound: Path, small_disk: Path) -> None:
    data = Path(shutil.copytree(sound, small_disk / "data"))
    whole = verify(data)
    assert retain(data, Retention(min_free_gb=0.000001), now_ns=at("2026-09-23T12:00")).folders == []  # keeps a reserve
    with pytest.raises(OSError, match="No space left"), (small_disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    assert shutil.disk_usage(small_disk).free == 0
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "one more").write_bytes(bytes(200_000))
    report = retain(data, Retention(min_free_gb=0.0001), now_ns=at("2026-09-23T12:00"))
    assert {one.why for one in report.folders} == {"space"} and not any(one.kept for one in report.folders)
    (small_disk / "one more").write_bytes(bytes(200_000))
    after = verify(data)
    assert (after.problems, after.records + after.retired_records) == ([], whole.records) and after.records > 0


def test_the_command_does_what_the_configuration_says(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[collector]\ndata = "{data}"\n[retention]\nage = "1d"\n')

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(command, list(arguments), obj=Invocation(config), standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        return done.return_value, done.output

    code, text = run("--dry-run")
    assert code == 0 and f"would go (age): {TRADES}/date=2026-09-21" in text
    assert json.loads(run("--json")[1])["files"] > 10
    assert run()[1].startswith("0 day folders removed")
