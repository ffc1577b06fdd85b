"""``[[sync.grid]]``: every instrument on several grids at once, each as if alone; live writes what replay writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ringcollect.config import Sync, SyncGrid
from ringcollect.ring.attach import attach
from ringcollect.store.verify import verify
from tests import synthetic
from tests.skeleton import ways

STREAM = synthetic.stream(1500)
GRIDS = (
    SyncGrid(grid="200ms"),
    SyncGrid(grid="1s", mode="external", features=("trade_*",)),
    SyncGrid(grid="700ms", mode="trade", hold_back="100ms", features=("ob_*", "liq_*")),
)
TOGETHER = Sync(grid=GRIDS)


def rows(runtime: Path, grid: str) -> np.ndarray:
    reader = attach(f"binance.{grid}.row", directory=runtime)
    assert reader.head < reader.capacity
    return reader.last(reader.capacity)


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("together")
    ways.replayed(STREAM, folder / "lake", folder / "runtime", sync=TOGETHER)
    return folder


@pytest.mark.parametrize("one", TOGETHER.grids, ids=lambda one: one.grid)
def test_the_rows_of_each_grid_are_those_it_has_alone(together: Path, tmp_path: Path, one: SyncGrid) -> None:
    alone = Sync(grid=one.grid, mode=one.mode, hold_back=one.hold_back, features=one.features)
    ways.replayed(STREAM, tmp_path / "lake", tmp_path / "runtime", sync=alone)
    found, expected = rows(together / "runtime", one.grid), rows(tmp_path / "runtime", one.grid)
    assert found.tobytes() == expected.tobytes()
    assert (found.dtype, set(found["instrument"].tolist())) == (expected.dtype, {0, 1, 2})
    place = f"sync/features/grid={one.grid}/"
    hashes = [ways.parquet_hashes(folder / "lake") for folder in (together, tmp_path)]
    stored, stored_alone = ({path: sha for path, sha in each.items() if path.startswith(place)} for each in hashes)
    assert stored == stored_alone
    assert len(stored) >= 3


def test_live_processes_write_the_same_bytes(together: Path, tmp_path: Path) -> None:
    ways.live(STREAM, tmp_path / "lake", tmp_path / "runtime", 1, sync=TOGETHER)
    assert ways.parquet_hashes(tmp_path / "lake") == ways.parquet_hashes(together / "lake")
    assert verify(tmp_path / "lake", strict=True).problems == []
