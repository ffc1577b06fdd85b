"""Snapshots of two grids to the lake: live writes what replay writes (bars too), all of it is what the engine says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.dataset as ds
import pytest

from ringcollect.config import Sync, SyncGrid, SyncOutput
from ringcollect.records import Kind
from ringcollect.ring.attach import attach
from ringcollect.store.verify import verify
from ringcollect.sync.engine import Engine
from ringcollect.sync.parameters import parameters_of
from ringcollect.sync.snapshot_record import KINDS_OF_TABLE, ROW_KIND, SNAPSHOT
from tests import synthetic
from tests.skeleton import ways
from tests.skeleton.everything import STREAM, SYNC

TOKENS = {
    "orderbooks": "ob", "trades": "trades", "liquidations": "liquidations", "fundings": "funding",
    "open_interests": "oi", "snapshots": "snapshots",
}  # fmt: skip


@pytest.fixture
def replayed(with_everything: Path) -> Path:
    return with_everything


def expected(grid: SyncGrid) -> np.ndarray:
    """The snapshot records by an engine alone."""
    config = ways.config_for(Path("-"), Path("-"), sync=SYNC)
    plan = next(plan for plan in config.row_plans("binance") if plan.grid == grid.grid)
    made = Engine(parameters_of(config, plan), synthetic.instruments().__getitem__)
    parts: list[np.ndarray] = []
    for step in (made.feed, lambda _, *sinks: made.finalize(*sinks)):
        step(STREAM, lambda rows: None, lambda found: parts.append(found.copy()))
    return np.concatenate(parts)


@pytest.mark.parametrize("grid", SYNC.grids, ids=lambda grid: grid.grid)
def test_the_ring_of_a_grid_describes_itself_and_holds_what_the_engine_says(replayed: Path, grid: SyncGrid) -> None:
    reader = attach(f"binance.{grid.grid}.sync", directory=replayed / "runtime")
    assert reader.dtype == SNAPSHOT
    assert (reader.meta["kind"], reader.meta["grid_ns"], reader.meta["levels"]) == ("sync", grid.grid_ns, 3)
    assert reader.meta["tables"] == list(KINDS_OF_TABLE)
    assert [one.symbol for one in reader.instruments()] == ["BTCUSDT", "ETHUSDT", "BTCUSDT"]
    records = expected(grid)
    assert reader.head == len(records) < reader.capacity
    assert reader.last(reader.capacity).tobytes() == records.tobytes()
    only = attach(f"binance.{grid.grid}.sync", directory=replayed / "runtime", channels=["trade"]).read().records
    assert set(only["kind"].tolist()) == {Kind.TRADE}


@pytest.mark.parametrize("grid", SYNC.grids, ids=lambda grid: grid.grid)
def test_every_record_is_in_one_table_of_its_grid_under_the_documented_name(replayed: Path, grid: SyncGrid) -> None:
    records = expected(grid)
    kinds = {**KINDS_OF_TABLE, "snapshots": ROW_KIND}
    seqs = []
    for table, kind in kinds.items():
        folder = replayed / "lake/sync" / table / f"grid={grid.grid}"
        files = sorted(folder.rglob("*.parquet"))
        assert all(path.name.startswith(f"{path.name.split('_')[0]}_{TOKENS[table]}_sync_20260921_") or
                   f"_{TOKENS[table]}_sync_20260922_" in path.name for path in files)  # fmt: skip
        stored = ds.dataset(files).to_table().sort_by("seq").to_pydict()
        mine = records[records["kind"] == kind]
        assert stored["seq"] == mine["seq"].tolist()
        assert stored["ts_ns"] == mine["ts_ns"].tolist()
        seqs += stored["seq"]
        if table == "orderbooks":
            columns = ["side", "level", "price", "size", "ts_event"]
            assert [stored[name] for name in columns] == [mine[name].tolist() for name in columns]
        if table == "trades":
            columns = [("id", "id"), ("first_id", "aux"), ("sub", "level"), ("size", "size"), ("flags", "flags")]
            assert [stored[name] for name, _ in columns] == [mine[field].tolist() for _, field in columns]
    assert sorted(seqs) == list(range(len(records)))
    assert (records["kind"] == ROW_KIND).sum() > 100


def test_replay_is_certified_and_every_claim_holds(replayed: Path) -> None:
    report = verify(replayed / "lake", strict=True)
    assert report.problems == []
    assert {f"binance.{grid.grid}.sync" for grid in SYNC.grids} <= {one.ring for one in report.coverage}


def test_live_processes_write_the_same_bytes(replayed: Path, tmp_path: Path) -> None:
    ways.live(STREAM, tmp_path / "lake", tmp_path / "runtime", 1, sync=SYNC)
    assert ways.parquet_hashes(tmp_path / "lake") == ways.parquet_hashes(replayed / "lake")
    assert verify(tmp_path / "lake", strict=True).problems == []


def test_what_is_off_is_written_nowhere_and_rows_that_are_not_stored_are_still_in_their_ring(tmp_path: Path) -> None:
    only = Sync(grid="1s", output=SyncOutput(features=False, trades=True, books=False))
    ways.live(STREAM[:2000], tmp_path / "lake", tmp_path / "runtime", 1, sync=only)
    assert {path.name for path in (tmp_path / "lake/sync").iterdir()} == {"trades", "snapshots"}
    assert attach("binance.1s.row", directory=tmp_path / "runtime").head > 10
    ways.replayed(STREAM[:2000], tmp_path / "again", tmp_path / "other", sync=only)
    assert ways.parquet_hashes(tmp_path / "lake") == ways.parquet_hashes(tmp_path / "again")
