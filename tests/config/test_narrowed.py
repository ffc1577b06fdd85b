"""One run's narrower view: ``start --exchange --symbols --channels --raw-only --record-frames``."""

from __future__ import annotations

import pytest

from ringcollect.config import Config, narrowed
from ringcollect.errors import ConfigError
from tests.config.reading import LINEAR, SPOT, fine

BOTH = fine(
    SPOT.replace('"BTCUSDT"', '"BTCUSDT", "ETHUSDT"')
    + LINEAR
    + "channels = ['book', 'funding']\n"
    + '[[markets.override]]\nsymbols = ["BTCUSDT"]\nchannels = ["trade"]\ndepth = 100\n'
).config


def streams(config: Config) -> dict[str, dict[str, tuple[str, ...]]]:
    """Market to symbol to channels."""
    return {m.market: {symbol: m.channels_for(symbol) for symbol in m.symbols} for m in config.markets}


def test_without_arguments_nothing_changes() -> None:
    assert narrowed(BOTH) == BOTH
    assert narrowed(BOTH, exchanges=["binance"]) == BOTH


def test_symbols_are_kept_where_they_are_configured_in_every_spelling() -> None:
    assert streams(narrowed(BOTH, symbols=["eth/usdt"])) == {"spot": {"ETHUSDT": ("book", "trade", "bbo")}}
    assert list(streams(narrowed(BOTH, symbols=["BTC-USDT-PERP"]))) == ["linear"]
    assert list(streams(narrowed(BOTH, symbols=["btcusdt"]))) == ["spot", "linear"]


def test_a_symbol_that_is_configured_nowhere_is_collected_where_it_can_be() -> None:
    got = streams(narrowed(BOTH, symbols=["SOLUSDT"]))
    assert got == {"spot": {"SOLUSDT": ("book", "trade", "bbo")}, "linear": {"SOLUSDT": ("book", "funding")}}
    assert list(streams(narrowed(BOTH, symbols=["SOL-USDT-PERP"]))) == ["linear"]


def test_overrides_stay_with_their_symbols() -> None:
    (spot, linear) = narrowed(BOTH, symbols=["BTCUSDT"]).markets
    assert linear.depth_for("BTCUSDT") == 100
    assert linear.channels_for("BTCUSDT") == ("trade",)
    assert spot.override == ()


def test_channels_replace_those_of_every_market_that_has_them() -> None:
    assert streams(narrowed(BOTH, channels=["trade", "mark_price"])) == {
        "spot": {"BTCUSDT": ("trade",), "ETHUSDT": ("trade",)},
        "linear": {"BTCUSDT": ("trade", "mark_price")},
    }
    assert list(streams(narrowed(BOTH, channels=["funding"]))) == ["linear"]


def test_raw_only_and_record_frames_are_switches() -> None:
    assert narrowed(BOTH, raw_only=True).sync.enabled is False
    assert narrowed(BOTH, record_frames=True).storage.record_frames is True


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"exchanges": ["bynance"]}, '--exchange: "bynance" is not configured; did you mean "binance"'),
        ({"channels": ["trades"]}, '--channels: no selected market has "trades"; did you mean "trade"'),
        ({"symbols": ["ETHUSDT"], "channels": ["funding"]}, 'no selected market has "funding"'),
        ({"symbols": [""]}, "symbol"),
        ({"symbols": ["B" * 64]}, "symbol"),
    ],
)
def test_what_cannot_be_is_an_error(arguments: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        narrowed(BOTH, **arguments)
