"""Rows built from a lake's files are the rows that came live: the same columns bit for bit, the same bytes of files."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from ringcollect.config import Config
from ringcollect.config.feature_options import SyncFeatures
from ringcollect.config.sync_section import SyncGrid, SyncOutput
from ringcollect.sim.world import Options
from ringcollect.sim.write import write_capture
from ringcollect.sources.offline import merge
from ringcollect.store.verify import verify
from ringcollect.sync.worker import RingWorker
from tests import synthetic
from tests.offline.rows import WITH_BARS, assert_same_rows, built, hashes, quick_config, quick_lake
from tests.replay.run import replayed
from tests.skeleton import ways

pytestmark = pytest.mark.usefixtures("sealed_here")


def grids(config: Config) -> Config:
    """Three grids: another clock on one, another feature set on another."""
    grid = (
        SyncGrid(grid="100ms"),
        SyncGrid(grid="1s", mode="external", features=("ob_mid_price", "trade_*")),
        SyncGrid(grid="250ms", mode="trade"),
    )
    output = SyncOutput(
        orderbooks=True, trades=True, liquidations=True, fundings=True, open_interests=True, bars=True, levels=5
    )
    features = SyncFeatures(bar_durations=("1s", "5s"), bar_sizes=("50ticks", "0.5base", "20000quote"))
    sync = msgspec.structs.replace(config.sync, grid=grid, features=features, output=output)
    return msgspec.structs.replace(config, sync=sync)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, sealed_here: None) -> Path:
    """Nine minutes around midnight, replayed: several segments with everything that is awkward."""
    folder = tmp_path_factory.mktemp("replayed")
    ways.replayed(synthetic.stream(), folder / "lake", folder / "runtime")
    return folder / "lake"


def test_a_build_of_everything_writes_the_bytes_of_the_replay(lake: Path, tmp_path: Path) -> None:
    assert built(lake, tmp_path, ways.config_for(lake, lake)).problems() == []
    assert hashes(tmp_path) == hashes(lake)
    assert len(hashes(lake)) > 10
    assert verify(tmp_path, strict=True).exit_code == 0


@pytest.mark.parametrize("window", [64, 997])
def test_how_much_is_in_memory_at_a_time_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    lake = quick_lake(tmp_path)
    monkeypatch.setattr(merge, "WINDOW", window)
    assert built(lake, tmp_path / "out").problems() == []
    assert hashes(tmp_path / "out") == hashes(lake)


def test_live_processes_wrote_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A collector that is stopped finalizes nothing: its stream may go on."""
    monkeypatch.setattr(RingWorker, "finish", lambda self: None)
    ways.live(synthetic.stream(700), tmp_path / "lake", tmp_path / "runtime", 3, sync=WITH_BARS)
    config = ways.config_for(tmp_path, tmp_path, sync=WITH_BARS)
    assert built(tmp_path / "lake", tmp_path / "out", config).problems() == []
    assert assert_same_rows(tmp_path / "out", tmp_path / "lake") > 1000
    assert assert_same_rows(tmp_path / "out", tmp_path / "lake", table="bars") > 30
    assert hashes(tmp_path / "out") == hashes(tmp_path / "lake")


def test_segments_that_come_later_are_built_when_they_come(tmp_path: Path) -> None:
    """Run after run on a growing lake, with every column and with snapshots; files end elsewhere, rows are the same."""
    lake = quick_lake(tmp_path / "first")
    config = quick_config(lake)
    output = SyncOutput(orderbooks=True, trades=True, bars=True)
    config = msgspec.structs.replace(
        config, sync=msgspec.structs.replace(config.sync, features=("full",), output=output)
    )
    assert built(lake, tmp_path / "whole", config).problems() == []
    certificates = sorted((lake / "certificates").rglob("*.rec-*.json"))
    growing = tmp_path / "growing"
    for folder in ("raw", "rest"):
        shutil.copytree(lake / folder, growing / folder)
    (growing / "journal").mkdir()
    segments = 0
    for part in (certificates[:1], certificates[1:4], certificates[4:]):
        for path in part:
            (growing / path.relative_to(lake)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, growing / path.relative_to(lake))
        journal = growing / "journal" / "binance.rec-{}-{:019d}.journal".format(*_next(part[-1]))
        if part[-1] != certificates[-1]:
            journal.touch()  # the stream goes on: nothing must be finalized
        report = built(growing, tmp_path / "out", config)
        assert report.problems() == []
        segments += report.built[0].segments
        journal.unlink(missing_ok=True)
    assert segments == len(certificates)
    assert built(growing, tmp_path / "out", config).built == []
    for table in ("features", "orderbooks", "trades", "snapshots", "bars"):
        assert assert_same_rows(tmp_path / "out", tmp_path / "whole", table=table) > 100


def _next(certificate: Path) -> tuple[int, int]:
    content = msgspec.json.decode(certificate.read_bytes())
    return content["generation"], content["seq_to"]


def test_several_grids_with_clocks_and_features_of_their_own(tmp_path: Path) -> None:
    """Two markets of a simulated exchange with faults: gaps, resyncs, duplicates, a cut connection."""
    from ringcollect.sim.faults import parse_faults

    options = Options(
        spot=("BTCUSDT", "ETHUSDT"), linear=("BTCUSDT",), rate=300.0, seed=11, start_ns=1_763_700_000_000_000_000,
        faults=parse_faults("drop=0.01,dup=0.01,cut=9s"),
    )  # fmt: skip
    written = write_capture(options, tmp_path / "capture", 20_000_000_000, 0)
    config = grids(ways.config_for(tmp_path, tmp_path))
    config = msgspec.structs.replace(config, storage=msgspec.structs.replace(config.storage, rotate_time="7s"))
    replayed(Path(written["capture"]), tmp_path / "lake", config=config)
    assert built(tmp_path / "lake", tmp_path / "out", config).problems() == []
    assert hashes(tmp_path / "out") == hashes(tmp_path / "lake")
    found = {tuple(name.split("/")[1:3]) for name in hashes(tmp_path / "out")}
    steps = {step for table, step in found if table != "bars"}
    assert steps == {"grid=100ms", "grid=1s", "grid=250ms"}
    bars = {step for table, step in found if table == "bars"}
    assert bars == {f"duration={name}" for name in ("1s", "5s", "50ticks", "0.5base", "20000quote")}
    assert {table for table, _ in found} >= {"features", "orderbooks", "trades", "open_interests", "snapshots"}
