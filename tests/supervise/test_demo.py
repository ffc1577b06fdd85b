"""What a demo does to its host before and after."""

from __future__ import annotations

import os
from pathlib import Path

from ringcollect.config import Config
from ringcollect.supervise.demo import ABANDONED_S, PREFIX, demo_config, sweep
from ringcollect.supervise.lock import SupervisorLock
from tests.observe.rings import producer


def folder(memory: Path, name: str, age_s: float) -> Path:
    made = memory / f"{PREFIX}{name}"
    made.mkdir()
    (made / "processes.json").write_text("{}")
    os.utime(made, (1e9 - age_s, 1e9 - age_s))
    return made


def test_the_folders_of_killed_demos_go_those_of_running_or_starting_ones_stay(tmp_path: Path) -> None:
    dead, starting = folder(tmp_path, "dead", ABANDONED_S + 1), folder(tmp_path, "starting", ABANDONED_S - 1)
    supervised, collecting = folder(tmp_path, "supervised", 1000), folder(tmp_path, "collecting", 1000)
    lock, ring = SupervisorLock(supervised), producer(collecting)
    for each in (supervised, collecting):
        os.utime(each, (1e9 - 1000, 1e9 - 1000))
    other = tmp_path / "ringcollect-1000"
    other.mkdir()
    sweep(tmp_path, 1e9)
    assert {path.name for path in tmp_path.iterdir()} == {
        starting.name, supervised.name, collecting.name, other.name,
    }  # fmt: skip
    assert not dead.exists()
    lock.release()
    ring.close()


def test_a_demo_collects_every_channel_of_the_simulators_markets_and_keeps_other_settings(tmp_path: Path) -> None:
    ready = {"ws": {"spot": "ws://127.0.0.1:1", "linear": "ws://127.0.0.1:2"}, "rest": {"spot": "http://127.0.0.1:1"}}
    ready["rest"]["linear"] = "http://127.0.0.1:2"
    config = demo_config(Config(), ready, tmp_path / "data", tmp_path / "runtime")
    spot, linear = config.markets
    assert (spot.market, spot.url, spot.rest_url) == ("spot", "ws://127.0.0.1:1", "http://127.0.0.1:1")
    assert set(linear.channels) > set(spot.channels)
    assert "liquidation" in linear.channels
    assert (config.runtime_path(), config.data_path()) == (tmp_path / "runtime", tmp_path / "data")
    assert config.http.port == 0, "a demo must not fight for the port of a real collector"
    assert config.storage == Config().storage
