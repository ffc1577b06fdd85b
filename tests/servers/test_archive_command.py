"""``ringcollect archive`` and a whole collector with an archive, against a real store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ringcollect.cli import group, run
from ringcollect.store.verify import verify
from tests.servers import archives
from tests.servers.seaweed import Seaweed
from tests.store.archive import segments


@pytest.fixture
def configured(tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lake, and a configuration with an archive for it; returns the lake."""
    data = segments.make(tmp_path)
    file = tmp_path / "config.toml"
    file.write_text(
        f'[collector]\ndata = "{data}"\n[archive]\nbucket = "{bucket.removeprefix("s3://")}"\nprefix = "lake"\n'
        '[[markets]]\nexchange = "binance"\nmarket = "spot"\nsymbols = ["BTCUSDT"]\n'
    )
    monkeypatch.setenv("RINGCOLLECT_CONFIG", str(file))
    return data


def said(*arguments: str) -> dict[str, object]:
    """What a command says with --json."""
    result = CliRunner().invoke(group, [*arguments, "--json"], standalone_mode=False)
    assert result.exception is None, result.output
    return dict(json.loads(result.stdout))


def test_push_status_and_pull_move_whole_segments_there_and_back(
    configured: Path, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = segments.content(configured)
    files = sum(path.endswith(".parquet") for path in before)
    count = sum(path.endswith(".json") for path in before)
    assert said("archive", "push", "--dry-run")["files"] == files
    assert archives.stored(bucket) == {}
    assert said("archive", "status")["waiting"]["segments"] == count  # type: ignore[index]
    assert said("archive", "push", "--exchange", "okx")["segments"] == 0
    assert said("archive", "push")["files"] == files
    assert archives.stored(f"{bucket}/lake") == before
    assert said("archive", "push")["segments"] == 0
    assert said("archive", "status")["archived"]["segments"] == count  # type: ignore[index]
    assert said("archive", "pull", "--data", str(tmp_path / "new"), "--dry-run")["segments"] == count
    assert not (tmp_path / "new").exists()
    assert said("archive", "pull", "--data", str(tmp_path / "new"))["files"] == files
    assert segments.content(tmp_path / "new") == before
    monkeypatch.setenv("RINGCOLLECT__ARCHIVE__MODE", "s3")
    assert said("archive", "push")["removed"] == files
    assert said("archive", "status")["archived_only"]["files"] == files  # type: ignore[index]


def test_exit_codes(configured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["archive", "pull", "--data", str(tmp_path / "new")]) == 3, "nothing is there yet"
    assert run(["archive", "push", "--data", str(tmp_path / "no-lake")]) == 3
    bad = min((configured / "raw").rglob("*.parquet"))
    bad.write_bytes(bad.read_bytes()[:-1])
    assert run(["archive", "push"]) == 1
    monkeypatch.setenv("RINGCOLLECT__ARCHIVE__MODE", "s3")
    assert run(["archive", "pull"]) == 2, "the archiver would remove it again"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    assert run(["archive", "pull", "--data", str(tmp_path / "new")]) == 4
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert run(["archive", "push"]) == 2


def test_a_whole_collector_leaves_nothing_behind_but_certificates(tmp_path: Path, bucket: str, s3: Seaweed) -> None:
    """The demo with ``mode = s3``: what it sealed is in the bucket when it has stopped, and comes back whole."""
    environment = os.environ | {
        "RINGCOLLECT__ARCHIVE__MODE": "s3",
        "RINGCOLLECT__ARCHIVE__BUCKET": bucket.removeprefix("s3://"),
        "RINGCOLLECT__ARCHIVE__SERVER_NAME": "demo-1",
        "RINGCOLLECT__STORAGE__ROTATE_TIME": "3s",
        "RINGCOLLECT__COLLECTOR__RUNTIME_DIR": str(tmp_path / "runtime"),
        "RINGCOLLECT__COLLECTOR__STOP_WRITER_S": "55",  # a busy machine may need it
        "RINGCOLLECT__COLLECTOR__STOP_ARCHIVE_S": "55",
    }
    demo = [sys.executable, "-m", "ringcollect.cli", "start", "--demo", "--for", "8s"]
    ended = subprocess.run(demo, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    data = tmp_path / "demo-data"
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert not [path for path in segments.content(data) if path.endswith(".parquet")]
    report = verify(data)
    assert (report.problems, report.lost, report.unsealed_journals) == ([], [], 0)
    pull = [sys.executable, "-m", "ringcollect.cli", "archive", "pull", "--data", str(tmp_path / "again"), "--json"]
    config = tmp_path / "config.toml"
    config.write_text('[[markets]]\nexchange = "binance"\nmarket = "spot"\nsymbols = ["BTCUSDT"]\n')
    came = subprocess.run(
        pull, cwd=tmp_path, env=environment | {"RINGCOLLECT_CONFIG": str(config)}, capture_output=True, check=True
    )
    assert json.loads(came.stdout)["files"] > 10
    again = verify(tmp_path / "again", strict=True)
    assert (again.problems, again.lost) == ([], [])
    assert again.records == report.records > 0 or report.records == 0
    assert again.records > 1000
