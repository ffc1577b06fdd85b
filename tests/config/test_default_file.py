"""The commented default: it is right, complete, and says what the defaults are."""

from __future__ import annotations

import tomllib

import msgspec

from ringcollect.config import Config, parse
from ringcollect.config.default_file import default_text
from ringcollect.config.schema import Ccxt, Override


def test_the_default_file_is_fine_and_collects_both_binance_markets() -> None:
    loaded = parse(default_text())
    assert loaded.warnings == ()
    streams = {(m.exchange, m.market): (m.symbols, set(m.channels)) for m in loaded.config.markets}
    every = {"book", "trade", "bbo"}
    futures = {"mark_price", "index_price", "funding", "liquidation", "open_interest"}
    assert streams == {
        ("binance", "spot"): (("BTCUSDT", "ETHUSDT"), every),
        ("binance", "linear"): (("BTCUSDT", "ETHUSDT"), every | futures),
    }


def test_every_default_in_the_file_is_the_default() -> None:
    written = parse(default_text()).config
    assert msgspec.structs.replace(written, markets=()) == Config()


def test_every_key_of_every_section_stands_in_the_file_in_use_or_as_a_comment() -> None:
    text = default_text()
    raw = tomllib.loads(text)
    for name, default in msgspec.structs.asdict(Config()).items():
        if name not in ("markets", "ccxt"):
            assert list(raw[name]) == [key for key in msgspec.structs.asdict(default) if key != "override"], name
    assert "\n# [[websocket.override]]" in text
    for struct in (type(parse(text).config.markets[0]), Override, Ccxt):
        for field in msgspec.structs.fields(struct):
            assert f"\n{field.name} = " in text or f"\n# {field.name} = " in text or f"[[markets.{field.name}]]" in text


def test_the_commented_socket_override_works_when_it_is_uncommented() -> None:
    before, _, after = default_text().partition("# [[websocket.override]]")
    block, separator, rest = after.partition("\n\n")
    lines = [line.removeprefix("# ") for line in block.splitlines()]
    text = before + "[[websocket.override]]" + "\n".join(lines) + separator + rest
    websocket = parse(text).config.websocket
    assert (websocket.of("binance").redundancy, websocket.of("okx").redundancy) == (2, 1)


def test_the_commented_grids_work_when_they_are_uncommented() -> None:
    before, _, after = default_text().partition("# [[sync.grid]]")
    block, separator, rest = after.partition("\n\n")
    lines = [line.removeprefix("# ") for line in block.splitlines()]
    text = before.replace('grid = "100ms"', "") + "[[sync.grid]]" + "\n".join(lines) + separator + rest
    assert [(one.grid, one.mode) for one in parse(text).config.sync.grids] == [
        ("100ms", "orderbook"),
        ("1s", "external"),
    ]


def test_the_commented_override_works_when_it_is_uncommented() -> None:
    before, _, after = default_text().partition("# [[markets.override]]")
    block, separator, rest = after.partition("\n\n")
    lines = [line.removeprefix("# ") for line in block.splitlines()]
    text = before + "[[markets.override]]" + "\n".join(lines) + separator + rest
    assert parse(text).config.markets[1].channels_for("ETHUSDT") == ("trade",)
