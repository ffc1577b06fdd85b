"""A build killed anywhere goes on where it was: no row missing, none twice, nothing half-written to be seen."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ringcollect.sources.offline import failpoint_names
from ringcollect.sources.offline.failpoint_names import BUILD, REMOVAL
from ringcollect.store.verify import verify
from tests.offline import alone
from tests.offline.rows import FEATURES, assert_same_rows, built, hashes, quick_lake

pytestmark = pytest.mark.usefixtures("sealed_here")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, sealed_here: None) -> Path:
    return quick_lake(tmp_path_factory.mktemp("replayed"))


@pytest.fixture(scope="module")
def reference(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("reference")
    assert built(lake, out).problems() == []
    return out


def assert_all_visible_files_are_whole(out: Path) -> None:
    for path in (out / FEATURES).rglob("*.parquet"):
        pq.ParquetFile(path).read()
    assert verify(out).problems == []


# In a build that is undisturbed each is passed at least this often; a seal's are passed once for each file.
OFTEN = ("build.after_rows", "seal.after_rename:4", "build.mark.after_rename:2", "build.after_unlink:2")
"""The others are walked with the slow tests."""
SEALING = ("journal.after_write:2", "seal.after_write:2", "seal.after_rename:4", "seal.before_delete:1")


def often(names: Iterable[str]) -> list[Any]:
    return [name if name in OFTEN else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.mark.parametrize("name", often([*BUILD, *SEALING]))
def test_killed_at_any_step_it_goes_on_and_doubles_nothing(
    name: str, lake: Path, reference: Path, tmp_path: Path
) -> None:
    assert alone.ended(alone.started(name, lake, tmp_path)) == -signal.SIGKILL
    assert_all_visible_files_are_whole(tmp_path)
    kept = {path: (tmp_path / path).stat().st_ino for path in hashes(tmp_path)}
    report = built(lake, tmp_path)
    assert report.problems() == []
    assert_same_rows(tmp_path, reference)
    assert_same_rows(tmp_path, reference, table="bars")
    assert verify(tmp_path, strict=True).exit_code == 0
    assert [path for path in tmp_path.rglob("*") if path.name.endswith((".tmp", ".new"))] == []
    if not name.startswith("seal"):  # what was sealed by then is not written again
        assert kept == {path: (tmp_path / path).stat().st_ino for path in kept}


@pytest.mark.parametrize("name", often(f"{name}:2" for name in REMOVAL))
def test_killed_while_it_removes_no_record_is_gone_without_its_rows(
    name: str, lake: Path, reference: Path, tmp_path: Path
) -> None:
    data, out = tmp_path / "lake", tmp_path / "out"
    shutil.copytree(lake, data)
    shutil.rmtree(data / "sync")
    for path in (data / "certificates").rglob("*.json"):
        if ".rec-" not in path.name:
            path.unlink()
    assert alone.ended(alone.started(name, data, out, delete_source=True)) == -signal.SIGKILL
    assert_same_rows(out, reference)
    assert_same_rows(out, reference, table="bars")
    assert verify(data).problems == []
    assert built(data, out, by_segment=True, delete_source=True).problems() == []
    assert_same_rows(out, reference)
    assert_same_rows(out, reference, table="bars")
    assert list(data.rglob("*.parquet")) == []
    assert verify(data).problems == []


def test_two_runs_at_once_never_build_the_same(lake: Path, reference: Path, tmp_path: Path) -> None:
    """Two real processes that let go after every segment: the build changes hands, each segment is built by one."""
    children = [alone.started("", lake, tmp_path, piecewise=True) for _ in range(2)]
    assert [alone.ended(child) for child in children] == [0, 0]
    assert_same_rows(tmp_path, reference)
    assert_same_rows(tmp_path, reference, table="bars")
    assert verify(tmp_path, strict=True).exit_code == 0
    logs = [path.read_text().split() for path in tmp_path.glob("built-*")]
    segments = len(list((lake / "certificates").rglob("*.rec-*.json")))
    assert sum(int(count) for log in logs for count in log) == segments
    assert [len(log) >= segments // 2 - 1 for log in logs] == [True, True]


def test_every_failpoint_of_a_build_is_in_its_table() -> None:
    folder = Path(failpoint_names.__file__).parent
    named = re.findall(r'fail\("([a-z_.]+)"\)', "".join(path.read_text() for path in folder.glob("*.py")))
    assert set(named) == {name for name in failpoint_names.FAILPOINTS if not name.startswith("build.mark.")}
