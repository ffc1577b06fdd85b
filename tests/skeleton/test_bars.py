"""Bars to the lake: what a replay writes is what the engine says, every claim holds. Live: test_snapshots.py."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import ringcollect
from ringcollect.config import Market, Override, Sync, SyncFeatures, SyncOutput
from ringcollect.errors import ConfigError
from ringcollect.ring.attach import attach
from ringcollect.store.rotation import Policy
from ringcollect.store.seal import seal_all
from ringcollect.store.verify import verify
from ringcollect.sync.bar_record import BAR, COLUMNS
from ringcollect.sync.engine import Engine
from ringcollect.sync.parameters import parameters_of
from tests import synthetic
from tests.skeleton import ways
from tests.skeleton.everything import BARS, STREAM, SYNC
from tests.store.compacting import compacted

SECOND = 10**9
WHOLE = ("count", "bar_trade_count")


@pytest.fixture
def replayed(with_everything: Path) -> Path:
    return with_everything


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    """By name, the bars of an engine alone, to the end of the stream."""
    made = Engine(parameters_of(ways.config_for(Path("-"), Path("-"), sync=SYNC)), synthetic.instruments().__getitem__)
    parts: list[np.ndarray] = []
    for step in (made.feed, lambda _, *sinks: made.finalize(*sinks)):
        step(STREAM, lambda rows: None, None, lambda found: parts.append(found.copy()))
    bars = np.concatenate(parts)
    return {name: bars[bars["bar"] == kind] for kind, name in enumerate(BARS)}


@pytest.mark.parametrize("name", BARS)
def test_the_ring_of_a_kind_describes_itself_and_holds_what_the_engine_says(
    replayed: Path, expected: dict[str, np.ndarray], name: str
) -> None:
    reader = attach(f"binance.{name}.bar", directory=replayed / "runtime")
    assert reader.dtype == BAR
    assert (reader.meta["kind"], reader.meta["bar"], reader.meta["grid"]) == ("bar", name, "200ms")
    assert [one.symbol for one in reader.instruments()] == ["BTCUSDT", "ETHUSDT", "BTCUSDT"]
    bars = reader.last(reader.capacity)
    assert reader.head == len(bars) == len(expected[name]) > 30
    for field in ("seq", "ts_open_ns", "ts_close_ns", "instrument", "row_flags", *COLUMNS):
        assert bars[field].tobytes() == expected[name][field].tobytes(), field
    assert not bars["bar"].any()


@pytest.mark.parametrize("name", BARS)
def test_every_bar_is_in_the_lake_with_both_stamps_and_all_columns_under_the_documented_name(
    replayed: Path, expected: dict[str, np.ndarray], name: str
) -> None:
    files = sorted((replayed / f"lake/sync/bars/duration={name}").rglob("*.parquet"))
    stored = ds.dataset(files).to_table().sort_by("seq")
    assert stored.column_names == [
        "generation", "seq", "ts_open_ns", "ts_close_ns", "row_flags", *COLUMNS, "native_symbol",
    ]  # fmt: skip
    for field in ("seq", "ts_open_ns", "ts_close_ns", "row_flags", *COLUMNS):
        assert stored.schema.field(field).type in (["uint64"] if field in WHOLE else ["int64", "uint32", "double"])
        np.testing.assert_array_equal(stored[field].to_numpy(), expected[name][field], err_msg=field)
    for path in files:
        values = dict(part.split("=") for part in path.parts if "=" in part)
        bars = pq.ParquetFile(path).read()
        symbol = bars["native_symbol"][0].as_py()
        assert (values["exchange"], values["duration"], unquote(values["symbol"])) == ("binance", name, symbol)
        assert path.name.startswith(f"{symbol}_bars_sync_{values['date'].replace('-', '')}_")
    assert len({path.parent for path in files}) == 3  # instruments


def test_a_bar_lies_in_the_day_that_its_interval_ends_in(tmp_path: Path) -> None:
    midnight = 20_000 * 86_400 * SECOND
    bars = np.zeros(3, BAR)
    bars["seq"] = range(3)
    bars["ts_close_ns"] = midnight, midnight + SECOND, midnight + 86_400 * SECOND
    bars["ts_open_ns"] = midnight - SECOND, midnight, midnight
    paths = ways._journals(bars, "binance.1s.bar", {}, tmp_path, Policy(), 10)
    seal_all(paths, tmp_path, sync=False)
    found: dict[str, set[int]] = {}
    for path in tmp_path.rglob("*.parquet"):
        found.setdefault(path.parent.name, set()).update(pq.ParquetFile(path).read()["seq"].to_pylist())
    assert found == {"date=2024-10-03": {0}, "date=2024-10-04": {1, 2}}
    assert verify(tmp_path, strict=True).problems == []


def test_a_scan_of_a_span_has_the_bars_that_end_in_it_and_a_kind_is_named(
    replayed: Path, expected: dict[str, np.ndarray]
) -> None:
    bars = expected["5s"][expected["5s"]["instrument"] == 0]
    start, end = (int(bars["ts_open_ns"][i]) for i in (3, 9))
    choice = {"symbol": "BTCUSDT", "market": "spot", "duration": "5s", "start": start, "end": end}
    found = ringcollect.scan(replayed / "lake", "bars", **choice).to_table()
    assert found["ts_open_ns"].to_pylist() == bars["ts_open_ns"][3:9].tolist()
    with pytest.raises(ConfigError, match="name one"):
        ringcollect.scan(replayed / "lake", "bars")


def test_merged_files_of_bars_hold_every_bar(replayed: Path, tmp_path: Path, expected: dict[str, np.ndarray]) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(replayed / "lake", lake)
    assert compacted(lake).problems == []
    for name in BARS:
        assert len(list((lake / f"sync/bars/duration={name}").rglob("*.parquet"))) == 3
        found = ringcollect.scan(lake, "bars", duration=name).to_table().sort_by("seq")
        assert found["ts_close_ns"].to_pylist() == expected[name]["ts_close_ns"].tolist()
    assert verify(lake, strict=True).problems == []


def test_replay_is_certified_and_every_claim_holds(replayed: Path) -> None:
    report = verify(replayed / "lake", strict=True)
    assert report.problems == []
    assert {f"binance.{name}.bar" for name in BARS} <= {one.ring for one in report.coverage}


def test_a_changed_bar_is_found(replayed: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(replayed / "lake", lake)
    path = next((lake / "sync/bars/duration=5s").rglob("*.parquet"))
    file = pq.ParquetFile(path)
    table = file.read()
    place = table.column_names.index("volume")
    changed = table.set_column(place, table.schema.field(place), [table["volume"].to_numpy() + 1.0])
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), path)
    problems = verify(lake).problems
    assert any("differs from what was certified" in problem.what for problem in problems), problems


def test_instruments_with_a_grid_of_their_own_have_bars_of_theirs(tmp_path: Path) -> None:
    """Each instrument has each bar once, on whatever grid its rows are."""
    market = Market(
        exchange="binance", market="spot", symbols=("BTCUSDT", "ETHUSDT"),
        override=(Override(symbols=("ETHUSDT",), grid="200ms"),),
    )  # fmt: skip
    sync = Sync(features=SyncFeatures(bar_durations=("1s",)), output=SyncOutput(features=False, bars=True))
    ways.replayed(STREAM[:1500], tmp_path / "lake", tmp_path / "runtime", markets=(market,), sync=sync)
    symbols = {}
    for name, grid in (("1s", "100ms"), ("1s_200ms", "200ms")):
        reader = attach(f"binance.{name}.bar", directory=tmp_path / "runtime")
        assert reader.meta["grid"] == grid
        bars = reader.last(reader.capacity)
        symbols[name] = {(reader.instrument(n).market, reader.instrument(n).symbol) for n in set(bars["instrument"])}
    assert symbols == {"1s": {("spot", "BTCUSDT"), ("linear", "BTCUSDT")}, "1s_200ms": {("spot", "ETHUSDT")}}
    assert {path.name for path in (tmp_path / "lake/sync/bars").iterdir()} == {"duration=1s"}
    assert verify(tmp_path / "lake", strict=True).problems == []
