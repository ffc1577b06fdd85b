"""``frames/`` holds everything a replay needs: the records come out as they were, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pyarrow.dataset as ds
import pytest

from ringcollect.errors import ConfigError, NotFoundError
from ringcollect.sources.frames import replay_frames
from ringcollect.sources.stage import Settings
from tests.replay.recorded import record
from tests.replay.run import CONFIG, file_hashes

pytestmark = pytest.mark.usefixtures("sealed_here")


@pytest.fixture(scope="module")
def recording(captures: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    folder = tmp_path_factory.mktemp("recording")
    counters = record(captures / "binance_spot_2021.jsonl.gz", folder / "lake", folder / "runtime")
    return folder / "lake", counters


def records_of(data: Path) -> dict[str, str]:
    """Every Parquet file with records of the exchange."""
    return {name: digest for name, digest in file_hashes(data).items() if name.startswith(("raw/", "rest/"))}


def rejects_of(data: Path) -> list[dict]:
    """The rejects; their place among the frames is another where frames are not recorded again."""
    rows = ds.dataset(data / "rejects").to_table()
    return rows.drop_columns(["seq"]).to_pylist()


def test_the_recorded_session_had_a_life(recording: tuple[Path, dict[str, int]]) -> None:
    """Otherwise the comparison below would prove little."""
    data, counters = recording
    assert counters["rejected"] == 2
    assert counters["reconnects"] >= 1
    assert counters["resyncs_asked"] == 1
    assert counters["rest_blocks"] >= 1
    assert counters["clock_steps"] == 1
    assert counters["records"] > 5000
    directions = ds.dataset(data / "frames").to_table(columns=["direction"])["direction"].to_pylist()
    assert set(directions) == {"in", "out", "rest", "event"}


def test_recorded_frames_give_the_records_they_came_with_byte_for_byte(
    recording: tuple[Path, dict[str, int]], tmp_path: Path
) -> None:
    data, counters = recording
    report = replay_frames(data / "frames", Settings(data=tmp_path, config=CONFIG, raw_only=True))
    assert report.errors == ()
    assert records_of(tmp_path) == records_of(data)
    assert len(records_of(data)) > 10
    assert rejects_of(tmp_path) == rejects_of(data)
    assert report.exchanges[0].counters == counters


def test_a_hole_in_the_recording_is_said(recording: tuple[Path, dict[str, int]], tmp_path: Path) -> None:
    """Frames that a lapped ring or a lost file took away: the replay goes on, and does not claim to be whole."""
    data, _ = recording
    holed = tmp_path / "frames"
    for path in sorted((data / "frames").rglob("*.parquet")):
        target = holed / path.relative_to(data / "frames")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    report = replay_frames(holed, Settings(data=tmp_path / "lake", config=CONFIG, raw_only=True))
    assert any("2 frames of binance" in problem for problem in report.problems())  # the rejects are not beside it


def test_a_folder_without_recordings_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no recorded frames"):
        replay_frames(tmp_path, Settings(data=tmp_path / "lake"))


def test_the_lake_that_holds_the_recording_is_not_written_twice(recording: tuple[Path, dict[str, int]]) -> None:
    data, _ = recording
    with pytest.raises(ConfigError, match="has its records already"):
        replay_frames(data / "frames", Settings(data=data))
