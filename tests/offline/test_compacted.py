"""What reads a lake by its certificates finds every row where compaction put it: builds, snapshots, removal, frames."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from ringcollect.config import Retention, RetentionOverride, Sync, SyncGrid, SyncOutput
from ringcollect.ring.frames import Direction, FrameProducer
from ringcollect.sources import frames
from ringcollect.store.drain import RingJournal
from ringcollect.store.retention.run import retain
from ringcollect.store.rotation import Policy
from ringcollect.store.scan import scan
from ringcollect.store.seal import seal_all
from ringcollect.store.selection import select
from ringcollect.store.snapshots import snapshots
from ringcollect.store.verify import verify
from tests import synthetic
from tests.offline.rows import FEATURES, assert_same_rows, built, quick_lake
from tests.skeleton import ways
from tests.store import lake as small
from tests.store.compacting import compacted

pytestmark = pytest.mark.usefixtures("sealed_here")
EVERYTHING = SyncOutput(
    orderbooks=True, trades=True, liquidations=True, fundings=True, open_interests=True, levels=3,
    bars=True, books=True, book_interval="5s",
)  # fmt: skip
TABLES = (
    "features",
    "bars",
    "orderbooks",
    "trades",
    "liquidations",
    "fundings",
    "open_interests",
    "books",
    "snapshots",
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, sealed_here: None) -> Path:
    return quick_lake(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def merged(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = Path(shutil.copytree(lake, tmp_path_factory.mktemp("merged") / "lake"))
    report = compacted(data)
    assert len(report.merged) > 15 and not report.problems
    assert {one.folder.partition("/exchange=")[0].partition("/duration=")[0] for one in report.merged} >= {"sync/bars"}
    assert verify(data, strict=True).problems == []
    return data


def test_rows_built_from_merged_files_are_the_same(lake: Path, merged: Path, tmp_path: Path) -> None:
    for data, out in ((lake, tmp_path / "small"), (merged, tmp_path / "merged")):
        assert built(data, out).problems() == []
    assert_same_rows(tmp_path / "merged", tmp_path / "small")


def test_a_merged_file_goes_with_the_last_of_its_segments(merged: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "lake", tmp_path / "out"
    shutil.copytree(merged, data)
    shutil.rmtree(data / FEATURES)
    for path in (data / "certificates").rglob("*.row-*.json"):
        path.unlink()
    before = sum(path.stat().st_size for tier in ("raw", "rest") for path in (data / tier).rglob("*.parquet"))
    report = built(data, out, delete_source=True)
    assert report.problems() == []
    assert [path for tier in ("raw", "rest") for path in (data / tier).rglob("*.parquet")] == []
    assert report.removed_bytes == before
    assert [path for path in data.rglob("*.compacted") if '"sync/' not in path.read_text()] == []
    assert verify(data).problems == []


def test_segments_that_retention_took_from_are_left_out_of_a_build(tmp_path: Path) -> None:
    data = tmp_path / "lake"
    ways.replayed(small.over_midnight(900), data, tmp_path / "runtime", rotate="12s")
    override = (RetentionOverride(types=("orderbooks",), age="1d"),)
    retain(data, Retention(override=override), now_ns=synthetic.MIDNIGHT_NS + 86_400_000_000_000)
    assert verify(data).problems == []
    assert built(data, tmp_path / "out").problems() == []
    stamps = scan(tmp_path / "out", "features").to_table()["ts_ns"].to_pylist()
    assert synthetic.MIDNIGHT_NS - 1_000_000_000 < min(stamps) < max(stamps)


@pytest.mark.parametrize("table", TABLES)
def test_every_table_of_the_synchronizer_is_merged_too(table: str, synced: tuple[Path, Path]) -> None:
    one = {"duration": "5s"} if table == "bars" else {}
    rows = [
        str(scan(data, table, mode="sync", **one).to_table().to_pylist()) for data in synced
    ]  # NaN as text is itself
    assert rows[0] == rows[1] and "seq" in rows[0]
    before, after = (sorted((data / "sync" / table).rglob("*.parquet")) for data in synced)
    assert len({path.parent for path in before}) == len(after) < len(before)


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory, sealed_here: None) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("synced")
    sync = Sync(grid=(SyncGrid(grid="200ms"),), output=EVERYTHING)
    ways.replayed(synthetic.stream(600), folder / "small", folder / "runtime", sync=sync, rotate="12s")
    shutil.copytree(folder / "small", folder / "merged")
    assert compacted(folder / "merged").problems == []
    report = verify(folder / "merged", strict=True)
    assert (report.problems, report.notes, report.lost) == ([], [], [])
    return folder / "small", folder / "merged"


def test_snapshots_of_a_merged_lake_are_the_same(synced: tuple[Path, Path]) -> None:
    before, after = ([str(one) for one in snapshots(data)] for data in synced)
    assert before == after and len(before) > 100


def test_frames_and_rejects_are_merged_with_their_exact_bytes(tmp_path: Path) -> None:
    ring = FrameProducer.open(tmp_path / "run", "binance.frm", entries=256, data_bytes=1 << 16, generation=9)
    random, data = np.random.default_rng(5), tmp_path / "data"
    journal: RingJournal | None = None
    for n in range(200):
        ring.publish(
            random.bytes(int(random.integers(1, 900))),
            ts_recv=synthetic.START_NS + n,
            conn=0,
            direction=Direction.REJECT if n % 9 == 0 else Direction.IN,
            reason="bad" if n % 9 == 0 else "",
        )
        journal = journal or RingJournal(data, small.reader(ring.ring), Policy(bytes=20_000))
        journal.drain()
    assert journal is not None
    seal_all(journal.close(final=True), data, sync=False)
    before = list(frames.read(frames.find(data / "frames")[0].files))
    assert len(list((data / "frames").rglob("*.parquet"))) > 2
    compacted(data, select(types=("frames", "rejects")))
    (recording,) = frames.find(data / "frames")
    assert len(recording.files) == 1 and recording.missing == 0
    assert list(frames.read(recording.files)) == before
    report = verify(data, strict=True)
    assert (report.problems, report.records) == ([], 200)
