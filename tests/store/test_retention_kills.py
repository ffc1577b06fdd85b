"""Retention killed -9 at every named step: verify finds no problem at any time, and it goes on."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from ringcollect.config import Retention, RetentionOverride
from ringcollect.store.retention.failpoint_names import FAILPOINTS
from ringcollect.store.verify import verify
from tests.store import compacting, lake


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lake.make_lake(tmp_path_factory.mktemp("lake"), lake.over_midnight(1000))


@pytest.mark.parametrize("name", FAILPOINTS)
def test_killed_at_any_step_the_lake_is_sound_and_the_next_run_goes_on(name: str, sound: Path, ram: Path) -> None:
    data = Path(shutil.copytree(sound, ram / "data"))
    chosen = Retention(override=(RetentionOverride(types=("trades",), age="1d"),))
    if name == "retain.after_forget":
        compacting.compacted(data)
    assert compacting.retained(name, data, chosen) == -signal.SIGKILL, f"{name} was never reached"
    assert verify(data, strict=True).problems == []
    assert compacting.retained("", data, chosen) == 0
    report = verify(data, strict=True)
    assert (report.problems, report.notes) == ([], [])
    assert not list((data / "raw" / "trades").rglob("*.parquet"))
    assert not list((data / "compaction").glob("*.going"))
