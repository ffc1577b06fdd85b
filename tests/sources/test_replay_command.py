"""``ringcollect replay`` as a user meets it: options, output, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringcollect.cli import run
from ringcollect.store.verify import verify
from tests.replay.run import cut


@pytest.fixture
def part(captures: Path, tmp_path: Path) -> Path:
    return cut(captures / "binance_spot_2024.jsonl.gz", tmp_path / "part.jsonl.gz", 200)


def replay(*args: object) -> int:
    return run(["replay", *map(str, args)])


FLAGS = ("--exchange", "binance", "--market", "spot")


def test_a_whole_capture_ends_with_a_summary_and_exit_0(
    part: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(part, *FLAGS, "--data", tmp_path / "lake") == 0
    out = capsys.readouterr().out
    assert "frames in     198 = 198 decoded" in out
    assert "0 problems" in out
    assert out.rstrip().endswith("nothing was lost")
    assert list((tmp_path / "lake" / "raw" / "trades").rglob("*.parquet"))


def test_json_is_the_only_thing_on_standard_output(
    part: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(part, *FLAGS, "--data", tmp_path / "lake", "--json", "--raw-only") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is True
    exchange = said["replays"][0]["exchanges"][0]
    assert exchange["counters"]["frames_in"] == 198
    assert exchange["stages"]["decode+publish"]["frames_per_s"] > 0
    assert "sync" not in exchange["stages"]
    assert said["verify"]["problems"] == []


def test_rejected_frames_or_lines_end_with_exit_1_and_are_named(
    part: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"t":1700000000000000000,"c":0,"d":"in","f":"{\\"e\\":"}\n{"t":}\n')
    assert replay(part, bad, *FLAGS, "--data", tmp_path / "lake") == 1
    out = capsys.readouterr().out
    assert "PROBLEM: binance: 1 frames rejected" in out
    assert f"PROBLEM: {bad}:2: " in out
    assert out.rstrip().endswith("see above")


def test_usage_and_environment_have_their_own_exit_codes(part: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    assert replay(part, "--data", lake) == 2  # no URL in the capture and no flags
    assert replay(part, *FLAGS, "--data", lake, "--speed", "fast") == 2
    assert replay(part, *FLAGS, "--data", lake, "--speed", "0") == 2
    assert replay(part, "--exchange", "nowhere", "--market", "spot", "--data", lake) == 2
    assert replay(tmp_path / "none.jsonl.gz", *FLAGS, "--data", lake) == 3
    assert replay(tmp_path, *FLAGS, "--data", lake / "other") == 3  # a folder without recorded frames


def test_a_disk_that_refuses_ends_with_exit_4_and_a_second_replay_completes_the_lake(
    part: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-m", "ringcollect.cli", "replay", str(part), *FLAGS, "--data", str(tmp_path / "lake")]
    refused = dict(os.environ) | {"RINGCOLLECT_FAIL": "journal.before_write:1:error"}
    assert subprocess.run(command, env=refused, check=False).returncode == 4
    assert "[Errno 28]" in capfd.readouterr().err
    assert replay(part, *FLAGS, "--data", tmp_path / "lake") == 0
    assert verify(tmp_path / "lake", strict=True).exit_code == 0


def test_journals_that_cannot_be_sealed_are_named_and_sealed_by_the_next_replay(
    part: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RINGCOLLECT_FAIL", "seal.after_write:1:error")  # of the children: this process is past that
    assert replay(part, *FLAGS, "--data", tmp_path / "lake") == 1
    assert "was not sealed" in capsys.readouterr().out
    monkeypatch.delenv("RINGCOLLECT_FAIL")
    assert replay(part, *FLAGS, "--data", tmp_path / "lake") == 0
    assert not list((tmp_path / "lake" / "journal").glob("*.journal"))
