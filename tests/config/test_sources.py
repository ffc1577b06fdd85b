"""Which file is read, what goes over what, and where each value came from."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ringcollect.config import Config, load, parse
from ringcollect.config.show import as_json, as_toml
from ringcollect.errors import ConfigError
from tests.config.reading import LINEAR, SPOT, fine, problems


@pytest.fixture
def three_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three files that differ in [collector] name; ``config.toml`` of it is in reach."""
    for name in ("option", "variable", "config"):
        (tmp_path / f"{name}.toml").write_text(f'[collector]\nname = "{name}"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_option_wins_over_the_variable_and_that_over_the_file_here(three_files: Path) -> None:
    env = {"RINGCOLLECT_CONFIG": str(three_files / "variable.toml")}
    assert load(three_files / "option.toml", env).config.collector.name == "option"
    assert load(None, env).config.collector.name == "variable"
    assert load(None, {}).config.collector.name == "config"
    assert load(None, {"RINGCOLLECT_CONFIG": ""}).config.collector.name == "config"


def test_the_system_file_is_the_last_resort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    system = tmp_path / "etc.toml"
    monkeypatch.setattr("ringcollect.config.loading.SYSTEM_FILE", system)
    assert load(None, {}).file is None
    system.write_text('[collector]\nname = "system"\n')
    assert load(None, {}).config.collector.name == "system"


def test_a_named_file_that_is_missing_is_an_error_that_says_who_named_it(three_files: Path) -> None:
    with pytest.raises(ConfigError, match=r"--config names nope\.toml, which is not a file"):
        load(Path("nope.toml"), {})
    with pytest.raises(ConfigError, match=r"RINGCOLLECT_CONFIG names /nope, which"):
        load(None, {"RINGCOLLECT_CONFIG": "/nope"})
    with pytest.raises(ConfigError, match="not a file"):
        load(three_files, {})


def test_without_any_file_the_defaults_stand_and_only_collecting_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ringcollect.config.loading.SYSTEM_FILE", tmp_path / "none.toml")
    loaded = load(None, {})
    assert loaded.config == Config()
    with pytest.raises(ConfigError, match="`ringcollect config init` writes"):
        loaded.require_markets()
    (tmp_path / "config.toml").write_text("[ring]\n")
    with pytest.raises(ConfigError, match=r"config\.toml has no \[\[markets\]\]"):
        load(None, {}).require_markets()


@pytest.mark.parametrize(
    ("variable", "text", "path", "value"),
    [
        ("RINGCOLLECT__RING__CAPACITY", "65536", ("ring", "capacity"), 65536),
        ("RINGCOLLECT__COLLECTOR__DATA", "/srv/lake", ("collector", "data"), "/srv/lake"),
        ("RINGCOLLECT__COLLECTOR__NAME", "true", ("collector", "name"), "true"),
        ("RINGCOLLECT__COLLECTOR__STOP_FEEDS_S", "3", ("collector", "stop_feeds_s"), 3.0),
        ("RINGCOLLECT__SYNC__ENABLED", "False", ("sync", "enabled"), False),
        ("RINGCOLLECT__SYNC__FEATURES", "minimal", ("sync", "features"), ("minimal",)),
        ("RINGCOLLECT__SYNC__GRID", "1000ms", ("sync", "grid"), "1s"),
        ("RINGCOLLECT__MARKETS__0__SYMBOLS", "A, B", ("markets", 0, "symbols"), ("A", "B")),
        ("RINGCOLLECT__MARKETS__0__SYMBOLS", '["A", "B"]', ("markets", 0, "symbols"), ("A", "B")),
        ("RINGCOLLECT__MARKETS__0__DEPTH", "100", ("markets", 0, "depth"), 100),
    ],
)
def test_any_key_can_be_overridden_by_a_variable(
    variable: str, text: str, path: tuple[str | int, ...], value: object
) -> None:
    node: object = fine(SPOT, {variable: text}).config
    for step in path:
        node = node[step] if isinstance(step, int) else getattr(node, step)  # type: ignore[index]
    assert node == value


def test_a_container_needs_no_file_at_all() -> None:
    env = {
        "RINGCOLLECT__MARKETS__1__EXCHANGE": "binance",
        "RINGCOLLECT__MARKETS__1__MARKET": "linear",
        "RINGCOLLECT__MARKETS__1__SYMBOLS": "ETHUSDT",
        "RINGCOLLECT__MARKETS__0__EXCHANGE": "binance",
        "RINGCOLLECT__MARKETS__0__MARKET": "spot",
        "RINGCOLLECT__MARKETS__0__SYMBOLS": "BTCUSDT,ETHUSDT",
        "RINGCOLLECT__MARKETS__0__OVERRIDE__0__SYMBOLS": "ETHUSDT",
        "RINGCOLLECT__MARKETS__0__OVERRIDE__0__CHANNELS": "trade",
    }
    spot, linear = fine("", env).config.markets
    assert spot.symbols == ("BTCUSDT", "ETHUSDT")
    assert spot.channels_for("ETHUSDT") == ("trade",)
    assert linear.market == "linear"


SECTIONS = "collector, markets, ccxt, ring, wait, sync, storage, archive, retention, websocket, http, log"
CAPACITY = "allowed: a power of two from 1024 to 16777216"


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("RING__CAPCITY", "1", 'ring.capcity: unknown key; did you mean "capacity"?'),
        ("RNG__CAPACITY", "1", 'rng: unknown key; did you mean "ring"?'),
        ("RING", "1", "ring: is a table: set its keys one by one"),
        ("MARKETS", "1", "markets: is a table: set its keys one by one"),
        ("MARKETS__FIRST__DEPTH", "1", 'markets.first: "first" is not a position in the array (0, 1, ...)'),
        ("MARKETS__5__DEPTH", "1", "markets[5].depth: position 5 does not exist: the array has 1 entries"),
        ("RING__CAPACITY__MORE", "1", "ring.capacity.more: is a value, not a table: it has no keys of its own"),
        ("RING__CAPACITY", "lots", f'ring.capacity: found "lots"; {CAPACITY}'),
        ("RING__CAPACITY", "1024\n[x]", f'ring.capacity: found "1024\\n[x]"; {CAPACITY}'),
        ("SYNC__ENABLED", "yes", 'sync.enabled: found "yes"; allowed: true or false'),
        ("", "1", f"unknown key; known here: {SECTIONS}"),
    ],
)
def test_a_variable_that_is_wrong_is_an_error_that_names_it(variable: str, text: str, expected: str) -> None:
    (line,) = problems(SPOT, {f"RINGCOLLECT__{variable}": text})
    assert line == f"RINGCOLLECT__{variable}: {expected}"


def test_variables_of_others_are_left_alone() -> None:
    fine(SPOT, {"RINGCOLLECT_CAPTURES": "/x", "RINGCOLLECT_RUNTIME": "/y", "PATH": "/bin", "ringcollect__ring": "1"})


def test_each_value_knows_where_it_came_from() -> None:
    loaded = parse(
        "[ring]\ncapacity = 2048\nframe_entries = 512\n" + SPOT,
        "here.toml",
        env={"RINGCOLLECT__RING__FRAME_ENTRIES": "1024"},
        options={"log": {"level": "debug"}, "collector": {"profile": "low-power"}},
    )
    sources = loaded.sources
    assert sources["ring.capacity"] == "here.toml:2"
    assert sources["ring.frame_entries"] == "RINGCOLLECT__RING__FRAME_ENTRIES"
    assert sources["ring.frame_bytes"] == "profile low-power"
    assert sources["log.level"] == "command line"
    assert sources["log.format"] == "default"
    assert sources["markets[0].symbols"] == "here.toml:7"
    assert sources["markets[0].channels"] == "default"


def test_every_key_of_the_schema_has_a_source_and_no_other() -> None:
    loaded = fine(LINEAR + '[[markets.override]]\nsymbols = ["BTCUSDT"]\n')
    for path in loaded.sources:
        node: object = loaded.config
        for step in path.replace("[", ".").replace("]", "").split("."):
            node = node[int(step)] if step.isdecimal() else getattr(node, step)  # type: ignore[index]
        assert not isinstance(node, msgspec.Struct)


def test_the_low_power_profile_is_under_the_file() -> None:
    low = fine('[collector]\nprofile = "low-power"\n[storage]\nrotate_records = 5000\n').config
    default = Config()
    assert low.ring.capacity < default.ring.capacity
    assert low.wait.min_ns > default.wait.min_ns and low.wait.max_ns > default.wait.max_ns
    assert low.storage.rotate_records == 5000
    assert low.storage.zstd_level < default.storage.zstd_level
    assert fine("").config == default


def test_what_show_prints_loads_again_and_is_the_same() -> None:
    text = LINEAR + 'depth = 100\n[[markets.override]]\nsymbols = ["BTCUSDT"]\ngrid = "1s"\n' + SPOT
    text += "[collector]\ndata = 'a \"quoted\" \\ path é'\n"
    loaded = fine(text)
    assert parse(as_toml(loaded)).config == loaded.config
    shown = msgspec.json.decode(as_json(loaded))
    assert msgspec.convert(shown["config"], Config) == loaded.config
    assert shown["sources"] == loaded.sources


def test_show_masks_credentials() -> None:
    loaded = fine(SPOT + 'url = "wss://me:hunter2@proxy.example/ws?apiKey=abc123&x=1"\n')
    for text in (as_toml(loaded), as_json(loaded)):
        assert "hunter2" not in text
        assert "abc123" not in text
        assert "proxy.example" in text
    (line,) = problems(SPOT + 'url = "http://me:hunter2@proxy.example"\n')
    assert "hunter2" not in line


def test_options_win_over_variables() -> None:
    loaded = parse("", env={"RINGCOLLECT__LOG__LEVEL": "error"}, options={"log": {"level": "debug"}})
    assert loaded.config.log.level == "debug"


def test_the_runtime_folder_is_the_configured_one_else_the_variable_else_tmpfs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fine('[collector]\nruntime_dir = "/x/y"').config.runtime_path() == Path("/x/y")
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", "/z")
    assert fine("").config.runtime_path() == Path("/z")
    monkeypatch.delenv("RINGCOLLECT_RUNTIME")
    assert fine("").config.runtime_path().name.startswith("ringcollect-")


def test_a_config_reaches_a_child_process_whole() -> None:
    import pickle

    config = fine(LINEAR).config
    assert pickle.loads(pickle.dumps(config)) == config
    with pytest.raises(AttributeError):
        config.ring.capacity = 1  # type: ignore[misc]
