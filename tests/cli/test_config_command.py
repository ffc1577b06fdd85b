"""``ringcollect config init | check | show``, as a user runs them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from ringcollect.config.default_file import default_text
from tests.cli.running import ringcollect


def test_init_writes_the_commented_default_which_checks_and_shows(tmp_path: Path) -> None:
    assert ringcollect("config", "init", cwd=tmp_path).returncode == 0
    assert (tmp_path / "config.toml").read_text() == default_text()
    checked = ringcollect("config", "check", cwd=tmp_path)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.splitlines() == [
        "binance spot: 2 symbols, 6 streams",
        "binance linear: 2 symbols, 16 streams",
        "config.toml: fine",
    ]
    shown = ringcollect("config", "show", cwd=tmp_path)
    assert tomllib.loads(shown.stdout)["ring"]["capacity"] == 131072


def test_init_does_not_overwrite_unless_told(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("# mine\n")
    refused = ringcollect("config", "init", str(file), cwd=tmp_path)
    assert refused.returncode == 2
    assert "is there already" in refused.stderr
    assert file.read_text() == "# mine\n"
    assert ringcollect("config", "init", "--force", str(file), cwd=tmp_path).returncode == 0
    assert file.read_text() == default_text()


def test_init_into_a_folder_that_is_not_there_is_the_environments_refusal(tmp_path: Path) -> None:
    refused = ringcollect("config", "init", "no/such/folder.toml", cwd=tmp_path)
    assert refused.returncode == 4
    assert refused.stderr == "ringcollect: cannot write no/such/folder.toml: No such file or directory\n"


def test_check_names_every_problem_without_a_traceback_and_exits_2(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[ring]\ncapacity = 7\ncapcity = 8\n")
    checked = ringcollect("config", "check", cwd=tmp_path)
    assert checked.returncode == 2
    assert checked.stdout == ""
    assert checked.stderr.splitlines() == [
        "ringcollect: the configuration has 2 problems:",
        '  config.toml:3: ring.capcity: unknown key; did you mean "capacity"?',
        "  config.toml:2: ring.capacity: found 7; allowed: a power of two from 1024 to 16777216",
    ]


def test_check_without_markets_says_what_to_do(tmp_path: Path) -> None:
    checked = ringcollect("config", "check", cwd=tmp_path)
    assert checked.returncode == 2
    assert "ringcollect config init" in checked.stderr


def test_check_prints_warnings_and_exits_0(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(default_text())
    checked = ringcollect("config", "check", cwd=tmp_path, env={"RINGCOLLECT__HTTP__HOST": "0.0.0.0"})
    assert checked.returncode == 0
    assert checked.stderr.startswith("warning: http.host: 0.0.0.0 is not a loopback address")


def test_check_asks_the_catalogue_for_every_feature(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(default_text().replace('["minimal"]', '["trade_*", "moon_phase"]'))
    checked = ringcollect("config", "check", cwd=tmp_path)
    assert checked.returncode == 2
    assert "sync.features" in checked.stderr
    override = '[[markets.override]]\nsymbols = ["ETHUSDT"]\ngrid = "1s"\nfeatures = ["moon_phase"]\n\n[ring]\n'
    (tmp_path / "config.toml").write_text(default_text().replace("[ring]\n", override))
    checked = ringcollect("config", "check", cwd=tmp_path)
    assert checked.returncode == 2
    assert "features of the grid 1s: 'moon_phase'" in checked.stderr
    assert "moon_phase" in checked.stderr


def test_show_as_json_names_the_origin_of_every_value(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("[ring]\ncapacity = 2048\n")
    shown = ringcollect(
        "--config", "other.toml", "--log-level", "debug", "config", "show", "--json",
        cwd=tmp_path, env={"RINGCOLLECT__SYNC__GRID": "1s"},
    )  # fmt: skip
    document = json.loads(shown.stdout)
    assert document["file"] == "other.toml"
    assert document["config"]["sync"]["grid"] == "1s"
    sources = document["sources"]
    assert sources["ring.capacity"] == "other.toml:2"
    assert sources["sync.grid"] == "RINGCOLLECT__SYNC__GRID"
    assert sources["log.level"] == "command line"
    assert sources["http.port"] == "default"


def test_a_usage_error_exits_2(tmp_path: Path) -> None:
    for args in (["strt"], ["config", "chekc"], ["--log-level", "loud", "config", "show"], ["config", "show", "--xml"]):
        done = ringcollect(*args, cwd=tmp_path)
        assert done.returncode == 2, args
        assert "Error: " in done.stderr
        assert "Traceback" not in done.stderr
