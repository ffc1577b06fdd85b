"""What ``--record-frames`` keeps is enough: a replay of it gives the live run's records again, byte for byte."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.promises.system import PATIENCE_S, assert_each_record_exactly_once, command, environment, system


def files(data: Path) -> dict[str, bytes]:
    """Relative path -> content of every record file."""
    found = [path for part in ("raw", "rest") for path in (data / part).rglob("*.parquet")]
    return {str(path.relative_to(data)): path.read_bytes() for path in found}


def test_a_replay_of_recorded_frames_writes_the_same_record_files(tmp_path: Path) -> None:
    with system(tmp_path, record_frames="true") as (exchange, collector):
        collector.start()
        collector.flowing(4000)
        assert collector.stop() == 0, collector.tail_of_log()
        exchange.stop()
        assert_each_record_exactly_once(collector)
        again = tmp_path / "again"
        done = subprocess.run(
            command("--config", str(collector.config), "replay", str(collector.data / "frames"), "--data", str(again)),
            capture_output=True, text=True, env=environment(), timeout=PATIENCE_S,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        live, replayed = files(collector.data), files(again)
        assert live.keys() == replayed.keys()
        assert [name for name in live if live[name] != replayed[name]] == []
