"""A lake in a bucket is verified and reported on as if it were a folder."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ringcollect.store.archive.keys import Keys
from ringcollect.store.location import Lake
from ringcollect.store.quality.day import days_of
from ringcollect.store.selection import Selection
from ringcollect.store.verify import verify
from tests.store import lake as made

NOW_NS = 1_795_000_000_000_000_000


def _copied(folder: Path, uri: str) -> tuple[Path, Lake]:
    data = made.make_lake(folder, made.over_midnight(600))
    remote = Lake.open(uri)
    for entry in Lake.open(data).files():
        if not entry.key.startswith("journal/"):
            remote.write(entry.key, (data / entry.key).read_bytes())
    return data, remote


def test_a_lake_in_a_bucket_is_verified_as_a_folder_is(tmp_path: Path, bucket: str) -> None:
    data, remote = _copied(tmp_path, f"{bucket}/lake")
    here, there = verify(data, strict=True), verify(remote, strict=True, jobs=2)
    assert there.exit_code == 0
    assert here.to_dict() | {"data": ""} == there.to_dict() | {"data": ""}
    victim = next(entry.key for entry in remote.files("raw/trades"))
    remote.write(victim, b"not it")
    remote.write("raw/trades/exchange=binance/market=spot/symbol=X/date=2026-09-21/X_trades_raw_x.parquet", b"stray")
    places = {problem.place for problem in verify(remote, strict=True).problems}
    assert victim in places
    assert any("symbol=X" in place for place in places)
    remote.delete(victim)
    assert victim in {problem.place for problem in verify(remote).problems}


def test_the_report_of_a_bucket_is_that_of_the_folder(tmp_path: Path, bucket: str) -> None:
    data, remote = _copied(tmp_path, bucket)
    assert list(days_of(remote, Selection(), NOW_NS)) == list(days_of(Lake.open(data), Selection(), NOW_NS))


def test_an_archive_that_collectors_share_is_checked_and_reported_on_one_by_one(tmp_path: Path, bucket: str) -> None:
    data = made.make_lake(tmp_path, made.over_midnight(600))
    shared = Lake.open(bucket)
    for name in ("tokyo", "oslo"):
        keys = Keys(server=name)
        for entry in Lake.open(data).files():
            if not entry.key.startswith("journal/"):
                shared.write(keys.key(entry.key), (data / entry.key).read_bytes())
    here, there = verify(data, strict=True), verify(shared, strict=True, jobs=2)
    assert (there.problems, there.notes, there.exit_code) == ([], [], 0)
    assert (there.records, there.files) == (2 * here.records, 2 * here.files)
    victim = next(entry.key for entry in shared.files("raw/trades") if "server=oslo" in entry.key)
    shared.write(victim, b"not it")
    for report in (verify(shared), verify(shared, latest=True)):
        assert all(problem.place.startswith("server=oslo: ") for problem in report.problems)
    assert verify(shared).exit_code == 1
    shared.write(victim, (data / victim.replace("server=oslo/", "")).read_bytes())
    days = list(days_of(shared, Selection(), NOW_NS))
    assert {day.name for day in days} == {"binance by oslo", "binance by tokyo"}
    own = list(days_of(Lake.open(data), Selection(), NOW_NS))
    for name in ("oslo", "tokyo"):
        assert [msgspec.structs.replace(day, server="") for day in days if day.server == name] == own
