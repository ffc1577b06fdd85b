"""One capture, one lake: whatever the speed, the sizes in which consumers read, or how often it is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringcollect.config import Config, Storage
from ringcollect.ring.attach import Reader
from ringcollect.sources.pipeline import Pipeline
from tests.replay.run import cut, file_hashes, replayed

pytestmark = pytest.mark.usefixtures("sealed_here")

QUICK = Config(storage=Storage(fsync="off", rotate_records=5000))


@pytest.fixture(scope="module")
def part(captures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first frames of the long capture: bridges of two books, thousands of records, several segments."""
    return cut(captures / "binance_spot_2024.jsonl.gz", tmp_path_factory.mktemp("part") / "part.jsonl.gz", 1500)


@pytest.fixture(scope="module")
def reference(part: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    data = tmp_path_factory.mktemp("reference")
    report = replayed(part, data, market="spot", config=QUICK)
    assert report.problems() == []
    files = file_hashes(data)
    assert len([name for name in files if "/orderbooks/" in name]) >= 6
    assert any("/features/" in name for name in files)
    return files


def test_a_second_replay_writes_the_same_bytes(part: Path, reference: dict[str, str], tmp_path: Path) -> None:
    replayed(part, tmp_path, market="spot", config=QUICK)
    assert file_hashes(tmp_path) == reference


def test_a_replay_into_a_lake_that_has_it_already_doubles_nothing(
    part: Path, reference: dict[str, str], tmp_path: Path
) -> None:
    replayed(part, tmp_path, market="spot", config=QUICK)
    replayed(part, tmp_path, market="spot", config=QUICK)
    assert file_hashes(tmp_path) == reference


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_consumers_that_read_in_small_pieces_get_the_same_bytes(
    part: Path, reference: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    whole = Reader.read
    monkeypatch.setattr(Reader, "read", lambda self, n=None: whole(self, size if n is None else min(n, size)))
    replayed(part, tmp_path, market="spot", config=QUICK)
    assert file_hashes(tmp_path) == reference


def test_consumers_let_in_at_every_event_get_the_same_bytes(
    part: Path, reference: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pipeline, "make_room", Pipeline.pump)
    replayed(part, tmp_path, market="spot", config=QUICK)
    assert file_hashes(tmp_path) == reference


def test_the_pace_changes_the_time_it_takes_and_nothing_else(
    part: Path, reference: dict[str, str], tmp_path: Path
) -> None:
    """The part spans some seconds; at 20 times its own pace it cannot be over sooner than a twentieth of them."""
    report = replayed(part, tmp_path, market="spot", config=QUICK, speed=20.0)
    assert file_hashes(tmp_path) == reference
    assert report.seconds >= _span_s(part) / 20


def test_without_the_synchronizer_the_records_are_the_same(
    part: Path, reference: dict[str, str], tmp_path: Path
) -> None:
    replayed(part, tmp_path, market="spot", config=QUICK, raw_only=True)
    raw = {name: digest for name, digest in reference.items() if name.startswith(("raw/", "rest/"))}
    assert {name: digest for name, digest in file_hashes(tmp_path).items() if name.endswith(".parquet")} == raw


def _span_s(capture: Path) -> float:
    import gzip
    import json

    with gzip.open(capture) as lines:
        times = [json.loads(line)["t"] for line in lines]
    return (times[-1] - times[0]) / 1e9
