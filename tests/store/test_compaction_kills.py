"""Compaction killed -9 at every named step: readers and ``verify`` find each row once at any time, and it goes on."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ringcollect.store.compaction.failpoint_names import EXCHANGE, MANIFEST, MERGE, SETTLE
from ringcollect.store.files import files
from ringcollect.store.location import Lake
from ringcollect.store.scan import scan
from ringcollect.store.selection import select
from ringcollect.store.verify import verify
from tests.store import compacting, lake

FOLDER = "raw/trades/exchange=binance/market=spot/symbol=BTCUSDT/date=2026-09-21"
ROWS = 2500


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five segments of trades, of which three were merged before."""
    folder = tmp_path_factory.mktemp("lake")
    lake.make_lake(folder, lake.trades(ROWS), policy=lake.Policy(records=500))
    data = folder / "data"
    before_ns = int(scan(data, "trades").to_table()["ts_recv"][1500].as_py())
    compacting.compacted(data, before_ns=before_ns)
    assert len(list((data / FOLDER).glob("*.parquet"))) == 3
    return data


def assert_each_row_is_found_once(data: Path) -> None:
    report = verify(data, strict=True)
    assert (report.problems, report.lost) == ([], [])
    assert scan(data, "trades").to_table()["seq"].to_pylist() == list(range(ROWS))


def _kill_and_go_on(fail: str, data: Path, *, exchanges: bool) -> None:
    assert compacting.run(fail, data, exchanges=exchanges) == -signal.SIGKILL, f"{fail} was never reached"
    assert_each_row_is_found_once(data)
    assert compacting.run("", data, exchanges=exchanges) == 0
    assert_each_row_is_found_once(data)
    assert verify(data).notes == []
    assert len(list((data / FOLDER).iterdir())) == 1
    assert len(list(data.rglob("*.compacted"))) == 1
    assert [path.name for path in (data / "compaction").iterdir() if path.suffix not in (".json", ".lock")] == []
    assert [path for path in data.rglob("*") if path.name.endswith(".tmp")] == []


OFTEN = ("compact.record.after_rename", "compact.after_swap", "compact.after_unlink", "compact.after_commit")
"""The others are walked with the slow tests."""
SECOND = ("compact.after_clear",)
"""Passed once before anything is merged, too."""


def walk(names: Iterable[str]) -> list[Any]:
    passages = [f"{name}:2" if name in SECOND else name for name in names]
    return [name if name in OFTEN else pytest.param(name, marks=pytest.mark.slow) for name in passages]


@pytest.mark.parametrize("name", walk([*MERGE, *EXCHANGE, *SETTLE]))
def test_killed_at_any_step_every_row_is_there_once(name: str, sound: Path, ram: Path) -> None:
    data = Path(shutil.copytree(sound, ram / "data"))
    _kill_and_go_on(name, data, exchanges=True)


@pytest.mark.parametrize("name", walk([*MANIFEST, *SETTLE]))
def test_killed_at_any_step_of_a_manifest_too(name: str, sound: Path, ram: Path) -> None:
    data = Path(shutil.copytree(sound, ram / "data"))
    _kill_and_go_on(name, data, exchanges=False)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "exchanges"), [("compact.after_unlink:2", True), ("compact.after_delete:2", False)])
def test_killed_at_later_passages_and_killed_again_while_it_settles(
    name: str, exchanges: bool, sound: Path, ram: Path
) -> None:
    data = Path(shutil.copytree(sound, ram / "data"))
    assert compacting.run(name, data, exchanges=exchanges) == -signal.SIGKILL
    again = "compact.after_unlink" if exchanges else "compact.after_delete"
    _kill_and_go_on(again, data, exchanges=exchanges)


@pytest.mark.slow
def test_a_run_with_the_other_way_to_swap_settles_what_was_left(sound: Path, ram: Path) -> None:
    data = Path(shutil.copytree(sound, ram / "data"))
    assert compacting.run("compact.after_commit", data, exchanges=False) == -signal.SIGKILL
    assert compacting.run("", data, exchanges=True) == 0
    assert_each_row_is_found_once(data)
    assert len(list((data / FOLDER).iterdir())) == 1


def test_what_a_manifest_hides_no_reader_lists(sound: Path, ram: Path) -> None:
    data = Path(shutil.copytree(sound, ram / "data"))
    assert compacting.run("compact.after_put", data, exchanges=False) == -signal.SIGKILL
    assert len(list((data / FOLDER).glob("*.parquet"))) == 4
    assert len(list(files(Lake.open(data), select(types=("trades",))))) == 3
    assert compacting.run("", data, exchanges=False) == 0
    assert len(list((data / FOLDER).glob("*.parquet"))) == 1
