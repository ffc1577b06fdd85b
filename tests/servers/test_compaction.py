"""Compaction in a bucket, by manifest, and on dask workers: killed anywhere, each row is found once by every reader."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from functools import partial
from pathlib import Path

import pytest

from ringcollect import failpoints
from ringcollect.errors import EnvironmentRefused
from ringcollect.store.archive.keys import Keys
from ringcollect.store.compaction import lease
from ringcollect.store.compaction.failpoint_names import MANIFEST
from ringcollect.store.compaction.lake_run import compact
from ringcollect.store.compaction.on_dask import on_dask
from ringcollect.store.compaction.run import Settings
from ringcollect.store.location import Lake
from ringcollect.store.scan import scan
from ringcollect.store.selection import select
from ringcollect.store.verify import verify
from tests.store import lake
from tests.store.compacting import compacted

ROWS = 2500


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lake.make_lake(tmp_path_factory.mktemp("lake"), lake.trades(ROWS), policy=lake.Policy(records=500))


@pytest.fixture
def stored(small: Path, bucket: str) -> Lake:
    """The lake in a bucket of its own."""
    return copied(small, Lake.open(f"{bucket}/lake"))


def copied(small: Path, target: Lake) -> Lake:
    source = Lake.open(small)
    for entry in source.files():
        if not entry.key.startswith("journal/"):
            target.write(entry.key, source.read(entry.key))
    return target


def assert_each_row_is_found_once(stored: Lake) -> None:
    report = verify(stored, strict=True)
    assert (report.problems, report.lost) == ([], [])
    assert scan(stored, "trades").to_table()["seq"].to_pylist() == list(range(ROWS))


def parquet_keys(stored: Lake) -> list[str]:
    return [entry.key for entry in stored.files("raw") if entry.key.endswith(".parquet")]


def test_a_bucket_is_compacted_by_manifest_and_every_claim_still_holds(stored: Lake) -> None:
    assert len(parquet_keys(stored)) == 5
    report = compacted(stored.uri)
    assert [one.how for one in report.merged] == ["manifest"] and report.exit_code == 0
    assert len(parquet_keys(stored)) == 1
    assert_each_row_is_found_once(stored)
    assert not stored.exists(lease.KEY)
    assert compacted(stored.uri).folders == []


def _armed(fail: str, uri: str) -> None:
    failpoints._armed.update(failpoints._parse(fail))
    compact(Lake.open(uri), select(), Settings())


def _run(fail: str, uri: str) -> int | None:
    child = multiprocessing.get_context("spawn").Process(target=_armed, args=(fail, uri))
    child.start()
    child.join(timeout=120)
    return child.exitcode


@pytest.mark.parametrize("name", ["compact.after_readback", *MANIFEST, "compact.after_delete:3"])
def test_killed_at_any_step_of_a_bucket(name: str, stored: Lake) -> None:
    assert _run(name, stored.uri) == -signal.SIGKILL, f"{name} was never reached"
    assert_each_row_is_found_once(stored)
    assert _run("", stored.uri) == 0  # the lease of a dead process of this host is no obstacle
    assert_each_row_is_found_once(stored)
    assert len(parquet_keys(stored)) == 1
    assert len([entry for entry in stored.files("certificates") if entry.key.endswith(".compacted")]) == 1


def test_a_second_compaction_of_a_bucket_is_refused_while_the_first_lives(stored: Lake) -> None:
    with lease.Lease(stored):
        with pytest.raises(EnvironmentRefused, match="is being compacted by process"):
            compacted(stored.uri)
        assert len(parquet_keys(stored)) == 5
    assert compacted(stored.uri).merged


def test_a_bucket_that_is_read_all_the_time_gives_each_row_once(stored: Lake) -> None:
    stop, wrong, looks = threading.Event(), [], []

    def read() -> None:
        while not stop.is_set():
            seqs = scan(stored, "trades").to_table()["seq"].to_pylist()
            looks.append(len(seqs))
            if sorted(seqs) != list(range(ROWS)):
                wrong.append(seqs)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        compacted(stored.uri)
        while len(looks) < 6:
            stop.wait(0.05)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert wrong == []


def test_dask_workers_merge_a_folder_each(small: Path, bucket: str, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")

    stored = copied(small, Lake.open(tmp_path / "lake"))
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, protocol="tcp", host="127.0.0.1"
    ) as cluster:
        for place in (stored, copied(small, Lake.open(f"{bucket}/lake"))):
            report = compact(place, select(), Settings(), run=partial(on_dask, cluster.scheduler_address))
            assert [one.files_before for one in report.merged] == [5] and report.exit_code == 0
            assert_each_row_is_found_once(place)


def test_a_scheduler_that_does_not_answer_is_named(small: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    stored = copied(small, Lake.open(tmp_path / "lake"))
    with pytest.raises(EnvironmentRefused, match="no dask scheduler at tcp://127"):
        compact(stored, select(), Settings(), run=partial(on_dask, "tcp://127.0.0.1:1"))
    assert_each_row_is_found_once(stored)


def test_an_archive_that_collectors_share_is_compacted_part_by_part(small: Path, bucket: str) -> None:
    """Both have files of the same names: a manifest of one part hides nothing of the other."""
    whole = Lake.open(bucket)
    for server in ("tokyo", "paris"):
        keys = Keys("hive", server)
        for entry in Lake.open(small).files():
            if "date=" in entry.key:
                whole.write(keys.key(entry.key), Lake.open(small).read(entry.key))
    assert len(parquet_keys(whole)) == 10
    assert _run("compact.after_commit", bucket) == -signal.SIGKILL
    rows = scan(whole, "trades").to_table()["seq"].to_pylist()
    assert sorted(rows) == sorted(2 * list(range(ROWS)))
    report = compacted(bucket)
    assert report.exit_code == 0 and len(parquet_keys(whole)) == 2
    assert {key.rpartition("server=")[2].partition("/")[0] for key in parquet_keys(whole)} == {"tokyo", "paris"}
    assert (verify(whole, strict=True).problems, verify(whole).records) == ([], 2 * ROWS)
