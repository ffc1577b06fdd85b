"""Rows built from a lake's files are the rows that came live: the same columns bit for bit, the same bytes of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringcollect.sources.offline.build import build
from ringcollect.sources.offline.settings import Settings
from tests import synthetic
from tests.skeleton import ways

pytestmark = pytest.mark.usefixtures("sealed_here")


def hashes_of_rows(data: Path) -> dict[str, str]:
    return {path: sha for path, sha in ways.parquet_hashes(data).items() if path.startswith("sync/features/")}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, sealed_here: None) -> Path:
    """Nine minutes around midnight, replayed: four segments and more, with everything that is awkward."""
    folder = tmp_path_factory.mktemp("replayed")
    ways.replayed(synthetic.stream(), folder / "lake", folder / "runtime")
    return folder / "lake"


def test_a_build_of_everything_writes_the_bytes_of_the_replay(lake: Path, tmp_path: Path) -> None:
    report = build(Settings(data=lake, out=tmp_path, config=ways.config_for(lake, lake)))
    assert report.problems() == []
    assert hashes_of_rows(tmp_path) == hashes_of_rows(lake)
    assert hashes_of_rows(lake)
