"""``ringcollect features build`` as a user meets it: options, output, exit codes, signals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ringcollect.cli import run
from ringcollect.store.verify import verify
from tests.offline.rows import QUICK, assert_same_rows, built, quick_lake, tables

OPEN_JOURNAL = "binance.rec-1790034720000000000-0000000000000009999.journal"
pytestmark = pytest.mark.usefixtures("sealed_here")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, sealed_here: None) -> Path:
    return quick_lake(tmp_path_factory.mktemp("replayed"))


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(f'[storage]\nrotate_time = "{QUICK}"\nfsync = "off"\n')
    monkeypatch.setenv("RINGCOLLECT_CONFIG", str(path))
    return path


def build(*args: object) -> int:
    return run(["features", "build", *map(str, args)])


def test_rows_of_everything_with_a_line_for_people(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build("--data", lake, "--out", tmp_path / "out") == 0
    said = capsys.readouterr()
    assert said.out.startswith("binance.100ms.row (1790034720000000000): ")
    assert "rows up to 2026-09-21 23:53:" in said.out
    assert "records in 8 segments" in said.out
    assert said.err == ""  # no terminal: no bar, and a line only every ten seconds
    assert_same_rows(tmp_path / "out", lake)
    assert build("--data", lake, "--out", tmp_path / "out") == 0  # nothing is built again
    assert capsys.readouterr().out == "nothing new\n"


def test_one_grid_clock_and_choice_of_features_instead_of_the_configured(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("--grid", "1s", "--clock", "trade", "--features", "ob_mid_price,trade_buy_*", "--symbol", "ETHUSDT")
    assert build("--data", lake, "--out", tmp_path / "out", *flags, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["exit_code"], said["problems"], said["built"][0]["ring"]) == (0, [], "binance.1s.row")
    found = tables(tmp_path / "out")
    assert list(found) == ["grid=1s/market=spot/symbol=ETHUSDT"]
    names = found["grid=1s/market=spot/symbol=ETHUSDT"].column_names
    assert [name for name in names if "_" in name][-5:-1] == [
        "ob_mid_price", "trade_buy_volume", "trade_buy_notional", "trade_buy_count",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("args", "code", "word"),
    [
        (("--data", "nowhere"), 3, "no sealed segments"),
        (("--exchange", "kraken"), 3, "nothing to build from"),
        (("--start", "2030-01-01"), 3, "nothing to build from"),
        (("--start", "soon"), 2, "--start: 'soon'"),
        (("--start", "2026-11-21", "--end", "2026-11-20"), 2, "--end"),
        (("--grid", "0s"), 2, "--grid"),
        (("--features", "no_such"), 2, "no_such"),
        (("--poll-interval", "often"), 2, "--poll-interval"),
        (("--delete-source", "--symbol", "BTCUSDT"), 2, "whole segments"),
        (("--clock", "sundial"), 2, "sundial"),
    ],
)
def test_every_mistake_has_its_exit_code_and_says_what_it_is(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], code: int, word: str
) -> None:
    data = () if "--data" in args else ("--data", lake)
    assert build(*data, "--out", tmp_path / "out", *args) == code
    assert word in capsys.readouterr().err
    assert not list((tmp_path / "out").rglob("*.parquet"))


def test_missing_records_end_with_exit_1(lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(lake, tmp_path / "lake")
    sorted((tmp_path / "lake" / "certificates").rglob("*.rec-*.json"))[1].unlink()
    assert build("--data", tmp_path / "lake", "--out", tmp_path / "out") == 1
    assert "PROBLEM: binance.100ms.row: 381 records are in no file of the lake" in capsys.readouterr().out


def test_a_disk_that_refuses_ends_with_exit_4_and_the_next_run_completes_it(lake: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "ringcollect", "features", "build", "--data", str(lake), "--out", str(tmp_path)]
    env = os.environ | {"RINGCOLLECT_FAIL": "seal.after_write:3:error"}
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, "[Errno 28]" in done.stderr, "Traceback" in done.stderr) == (4, True, False)
    assert build("--data", lake, "--out", tmp_path) == 0
    assert_same_rows(tmp_path, lake)


def test_watch_builds_what_is_sealed_meanwhile_and_stops_on_sigterm(lake: Path, tmp_path: Path) -> None:
    """The lake is not there yet, then has half of its segments, then all; the source goes with its rows."""
    data, out = tmp_path / "lake", tmp_path / "out"
    words = [sys.executable, "-m", "ringcollect", "features", "build", "--watch", "--poll-interval", "20ms"]
    words += ["--delete-source", "--data", str(data), "--out", str(out)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ)
    try:
        certificates = sorted((lake / "certificates").rglob("*.rec-*.json"))
        (data / "journal").mkdir(parents=True)
        (data / "journal" / OPEN_JOURNAL).touch()
        for tier in ("raw", "rest"):
            shutil.copytree(lake / tier, data / tier)
        for part in (certificates[:4], certificates[4:]):
            for path in part:
                target = data / path.relative_to(lake)
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary = target.with_suffix(".new")
                shutil.copy(path, temporary)
                temporary.rename(target)
            wanted = len(list(data.rglob("certificates/**/*.rec-*.json")))
            _until(lambda wanted=wanted: len(list(data.rglob("*.removed"))) == wanted, child)
        child.send_signal(signal.SIGTERM)
        said, _ = child.communicate(timeout=30)
    finally:
        child.kill()
    assert child.returncode == 0
    assert "removed" in said
    assert list(data.rglob("*.parquet")) == []
    assert verify(out, strict=True).exit_code == 0
    again = tmp_path / "again"
    shutil.copytree(lake, again)
    (again / "journal").mkdir(exist_ok=True)
    open_journal = next((data / "journal").iterdir()).rename(again / "journal" / OPEN_JOURNAL)
    built(again, tmp_path / "whole")  # as the watched lake, this one may go on
    assert_same_rows(out, tmp_path / "whole")
    open_journal.unlink()
    assert verify(data).problems == []


def _until(condition: object, child: subprocess.Popen[str]) -> None:
    assert callable(condition)
    end = time.monotonic() + 120
    while not condition():
        assert child.poll() is None, child.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.01)
