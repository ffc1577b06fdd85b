"""Two grids in one run: two row rings, two folders, and replay still writes what live writes."""

from __future__ import annotations

from pathlib import Path

import pyarrow.dataset as ds
import pytest

from ringcollect.config import Market, Override
from ringcollect.ring.attach import attach
from ringcollect.store.verify import verify
from tests import synthetic
from tests.skeleton import ways

STREAM = synthetic.stream()
MARKETS = (
    Market(
        exchange="binance", market="spot", symbols=("BTCUSDT", "ETHUSDT"),
        override=(Override(symbols=("eth/usdt",), grid="1s"),),
    ),
    Market(
        exchange="binance", market="linear", symbols=("BTCUSDT",),
        override=(Override(symbols=("BTC-USDT-PERP",), grid="1s"),),
    ),
)  # fmt: skip


def features(paths: dict[str, str]) -> set[tuple[str, ...]]:
    """(grid, market, symbol) of every features folder."""
    parts = [path.split("/") for path in paths if path.startswith("sync/features/")]
    return {(part[2], part[4], part[5]) for part in parts}


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replayed")
    ways.replayed(STREAM, folder / "lake", folder / "runtime", MARKETS)
    return folder


def test_each_symbol_has_rows_on_its_grid_and_on_no_other(replayed: Path) -> None:
    assert features(ways.parquet_hashes(replayed / "lake")) == {
        ("grid=100ms", "market=spot", "symbol=BTCUSDT"),
        ("grid=1s", "market=spot", "symbol=ETHUSDT"),
        ("grid=1s", "market=linear", "symbol=BTCUSDT"),
    }
    assert verify(replayed / "lake", strict=True).problems == []


@pytest.mark.parametrize(("grid", "period_ns"), [("100ms", 100_000_000), ("1s", 1_000_000_000)])
def test_each_grid_is_a_row_ring_and_all_of_it_is_in_its_folder(replayed: Path, grid: str, period_ns: int) -> None:
    reader = attach(f"binance.{grid}.row", directory=replayed / "runtime")
    stored = ds.dataset(replayed / "lake/sync/features" / f"grid={grid}", partitioning=None)
    rows = stored.to_table(columns=["seq", "ts_ns"])
    assert sorted(rows["seq"].to_pylist()) == list(range(reader.head))
    assert reader.head > 100
    assert {stamp % period_ns for stamp in rows["ts_ns"].cast("int64").to_pylist()} == {0}


def test_rows_of_the_first_grid_are_those_of_a_run_without_the_second(replayed: Path, tmp_path: Path) -> None:
    """But for their place in the ring: they share it with fewer others."""
    ways.replayed(STREAM, tmp_path / "lake", tmp_path / "runtime")

    def rows(lake: Path) -> list[dict[str, object]]:
        place = "sync/features/grid=100ms/exchange=binance/market=spot/symbol=BTCUSDT"
        table = ds.dataset(lake / place, partitioning=None).to_table()
        return table.drop_columns("seq").sort_by("ts_ns").to_pylist()

    assert str(rows(replayed / "lake")) == str(rows(tmp_path / "lake"))


def test_live_processes_with_two_grids_write_the_same_bytes(replayed: Path, tmp_path: Path) -> None:
    ways.live(STREAM, tmp_path / "lake", tmp_path / "runtime", 1, MARKETS)
    assert ways.parquet_hashes(tmp_path / "lake") == ways.parquet_hashes(replayed / "lake")


def test_replay_in_small_pieces_writes_the_same_bytes(
    replayed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways.read_in_pieces(monkeypatch, lambda: 7)
    ways.replayed(STREAM, tmp_path / "lake", tmp_path / "runtime", MARKETS)
    assert ways.parquet_hashes(tmp_path / "lake") == ways.parquet_hashes(replayed / "lake")
