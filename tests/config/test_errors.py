"""Every error in one go, each with the key's path, what was found, what is allowed."""

from __future__ import annotations

import pytest

from ringcollect.config import parse
from ringcollect.errors import ConfigError
from tests.config.reading import LINEAR, SPOT, fine, problems


def test_every_problem_is_listed_in_one_go_with_line_path_found_and_allowed() -> None:
    text = (
        '[ring]\ncapacity = 1000\n[sync]\ngrid = "0s"\nmode = "clock"\n[websocket]\njitter = 2\n'
        '[[markets]]\nexchange = "binance"\nmarket = "spot"\nsymbols = ["BTCUSDT", ""]\n'
    )
    assert problems(text) == [
        'config.toml:11: markets[0].symbols[1]: found ""; '
        "allowed: 1 to 63 bytes of UTF-8 without blanks or control characters",
        "config.toml:2: ring.capacity: found 1000; allowed: a power of two from 1024 to 16777216",
        'config.toml:4: sync.grid: found "0s"; '
        "allowed: a duration from 1ns to 1d (a number and ns us ms s m h d), or an array of tables",
        'config.toml:5: sync.mode: found "clock"; allowed: "orderbook" | "trade" | "liquidation" | "external"',
        "config.toml:7: websocket.jitter: found 2; allowed: 0 to 1",
    ]  # fmt: skip


def test_the_second_market_and_its_second_symbol_are_named() -> None:
    text = SPOT + '[[markets]]\nexchange = "binance"\nmarket = "linear"\nsymbols = ["BTCUSDT", 7]\n'
    (line,) = problems(text)
    assert line.startswith("config.toml:8: markets[1].symbols[1]: found 7;")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[ring]\ncapcity = 1024", 'config.toml:2: ring.capcity: unknown key; did you mean "capacity"?'),
        ("[storrage]\nflush = '1s'", 'config.toml:1: storrage: unknown key; did you mean "storage"?'),
        ("[http]\nPORT = 1", 'config.toml:2: http.PORT: unknown key; did you mean "port"?'),
        (SPOT + "symbol = 'X'", 'config.toml:5: markets[0].symbol: unknown key; did you mean "symbols"?'),
        ("[log]\nxyzzy = 1", "config.toml:2: log.xyzzy: unknown key; known here: level, format, file, retention_days"),
    ],
)
def test_an_unknown_key_is_an_error_with_the_nearest_known_name(text: str, expected: str) -> None:
    assert problems(text) == [expected]


@pytest.mark.parametrize(
    ("text", "path", "found"),
    [
        ("ring = 5", "ring", "found 5"),
        ("markets = 5", "markets", "found 5"),
        ("markets = [5]", "markets[0]", "found 5"),
        ("[markets]\nexchange = 'binance'", "markets", "found a table"),
        ("[ring]\ncapacity = '1024'", "ring.capacity", 'found "1024"'),
        ("[ring]\ncapacity = 1024.0", "ring.capacity", "found 1024.0"),
        ("[ring]\ncapacity = true", "ring.capacity", "found true"),
        (
            "[ring]\ncapacity = 1024\nframe_bytes = 0xFF" + "F" * 6000,
            "ring.frame_bytes",
            "found an integer of 24008 bits",
        ),
        ("[ring]\ncapacity = -1024", "ring.capacity", "found -1024"),
        ("[websocket]\njitter = nan", "websocket.jitter", "found nan"),
        ("[websocket]\njitter = inf", "websocket.jitter", "found inf"),
        ("[collector]\nstop_feeds_s = 0", "collector.stop_feeds_s", "found 0"),
        ("[collector]\nstop_feeds_s = -1.5", "collector.stop_feeds_s", "found -1.5"),
        ("[collector]\ndata = ''", "collector.data", 'found ""'),
        ('[collector]\ndata = "a\\u0000b"', "collector.data", r'found "a\u0000b"'),
        ("[collector]\nname = '../x'", "collector.name", 'found "../x"'),
        ("[sync]\nenabled = 1", "sync.enabled", "found 1"),
        ("[sync]\ngrid = 100", "sync.grid", "found 100"),
        ("[sync]\ngrid = '2d'", "sync.grid", 'found "2d"'),
        ("[sync]\ngrid = 2020-01-01", "sync.grid", "found 2020-01-01"),
        ("[sync]\nfeatures = 'minimal'", "sync.features", 'found "minimal"'),
        ("[sync]\nfeatures = ['Every thing']", "sync.features[0]", 'found "Every thing"'),
        ("[sync]\nfeatures = []", "sync.features", "found an empty array"),
        ("[storage]\nzstd_level = 99", "storage.zstd_level", "found 99"),
        ("[storage]\nfsync = 'sometimes'", "storage.fsync", 'found "sometimes"'),
        ("[archive]\nmode = 'gcs'", "archive.mode", 'found "gcs"'),
        ("[archive]\nendpoint = 's3.example.net'", "archive.endpoint", 'found "s3.example.net"'),
        ("[archive]\nendpoint = 'https://host/path'", "archive.endpoint", 'found "https://host/path"'),
        ("[archive]\nbucket = 'Up'", "archive.bucket", 'found "Up"'),
        ("[archive]\nprefix = '../x'", "archive.prefix", 'found "../x"'),
        ("[archive]\nprefix = 'a//b'", "archive.prefix", 'found "a//b"'),
        ("[archive]\nserver_name = 'a/b'", "archive.server_name", 'found "a/b"'),
        ("[archive]\ninterval = '2d'", "archive.interval", 'found "2d"'),
        ("[http]\nport = 70000", "http.port", "found 70000"),
        ("[http]\nhost = 'a b'", "http.host", 'found "a b"'),
        ("[log]\nlevel = 'trace'", "log.level", 'found "trace"'),
        ("[log]\nretention_days = 0", "log.retention_days", "found 0"),
        ("[log]\nlevel = {a = 1}", "log.level", "found a table"),
        (SPOT + "url = 'http://x'", "markets[0].url", 'found "http://x"'),
        (SPOT + "url = 'wss://'", "markets[0].url", 'found "wss://"'),
        (SPOT + "url = 'wss://h:99999'", "markets[0].url", 'found "wss://h:99999"'),
        (SPOT + "rest_url = 'ftp://h'", "markets[0].rest_url", 'found "ftp://h"'),
        (SPOT + "depth = 5001", "markets[0].depth", "found 5001"),
        (LINEAR + "depth = 33", "markets[0].depth", "found 33"),
        (SPOT.replace("BTCUSDT", "B" * 64), "markets[0].symbols[0]", 'found "BBBB'),
        (SPOT.replace("BTCUSDT", "€" * 22), "markets[0].symbols[0]", "found"),
        (SPOT.replace("BTCUSDT", "BTC\\nUSDT"), "markets[0].symbols[0]", r'found "BTC\nUSDT"'),
        (SPOT.replace("BTCUSDT", "BTC USDT"), "markets[0].symbols[0]", 'found "BTC USDT"'),
        (SPOT + "channels = ['tickers']", "markets[0].channels[0]", 'found "tickers"'),
        (SPOT + "channels = []", "markets[0].channels", "found an empty array"),
        (SPOT.replace('["BTCUSDT"]', "[]"), "markets[0].symbols", "found an empty array"),
        (SPOT.replace("spot", "inverse"), "markets[0].market", 'found "inverse"'),
        (SPOT.replace("binance", "finance"), "markets[0].exchange", 'found "finance"'),
    ],
)
def test_a_wrong_value_is_one_error_that_names_path_and_value(text: str, path: str, found: str) -> None:
    (line,) = problems(text)
    place, _, what = line.partition(": ")
    assert place.startswith("config.toml")
    assert what.startswith(f"{path}: {found}")
    assert "allowed: " in what
    assert len(line) < 400


def test_what_a_market_must_have_is_named_where_the_table_begins() -> None:
    assert (
        problems('[[markets]]\nexchange = "binance"\nmarket = "spot"\n')
        == [
            "config.toml:1: markets[0].symbols: missing; allowed: an array, each "
            "1 to 63 bytes of UTF-8 without blanks or control characters",
            "config.toml:1: markets[0].symbols: found an empty array; allowed: at least one symbol",
        ][:1]
    )


def test_a_wrong_value_does_not_bring_errors_that_only_follow_from_it() -> None:
    (line,) = problems('[websocket]\nretry_first = "soon"\nretry_max = "500ms"\n')
    assert "retry_first" in line
    (line,) = problems(SPOT.replace("binance", "bynance") + "channels = ['book', 'funding']\ndepth = 9999\n")
    assert "did you mean" not in line
    assert "markets[0].exchange" in line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"[ring]\ncapacity = \n", ":2: |at line 2|line 2"),
        (b"[ring\n", "line 1"),
        (b"[ring]\ncapacity = 1024\ncapacity = 2048\n", "line 3"),
        (b"[ring]\ncapacity = 1" + b"0" * 6000, "not valid TOML"),
        (b"x = " + b"[" * 20_000, "nested|not valid TOML"),
        (b"name = '\xff'", ":1: byte 0xff is not UTF-8"),
        (b"# fine\n\xfe", ":2: byte 0xfe is not UTF-8"),
        (b"#" * (5 << 20), "longer than 4 MiB"),
    ],
)
def test_a_broken_file_is_named_with_its_line(text: bytes, expected: str, tmp_path) -> None:
    from ringcollect.config import load

    file = tmp_path / "broken.toml"
    file.write_bytes(text)
    with pytest.raises(ConfigError, match=expected) as caught:
        load(file, {})
    assert str(file) in str(caught.value)


def test_config_errors_exit_with_2() -> None:
    assert ConfigError.exit_code == 2


def test_durations_are_kept_in_one_spelling_so_that_equal_grids_have_equal_ring_names() -> None:
    assert fine('[sync]\ngrid = "0.1s"').config.sync.grid == "100ms"
    assert fine('[sync]\ngrid = "100000us"').config.sync.grid_ns == 100_000_000


def test_a_lone_surrogate_from_the_environment_is_an_error_not_a_crash() -> None:
    (line,) = problems(SPOT, {"RINGCOLLECT__MARKETS__0__SYMBOLS": "BTC\udcff"})
    assert "markets[0].symbols[0]" in line
    line.encode()


def test_the_message_survives_a_parse_of_the_empty_text() -> None:
    assert parse("").config.markets == ()
