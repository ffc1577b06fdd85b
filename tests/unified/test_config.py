"""What a configuration may say about exchanges that ccxt reaches."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ringcollect.config import Config, narrowed, parse, unified
from ringcollect.config.show import as_toml
from ringcollect.errors import ConfigError

TEXT = """
[[markets]]
exchange = "ccxt_kucoin"
market = "spot"
symbols = ["BTC-USDT", "ETH/USDT"]
channels = ["book", "trade", "ticker"]
depth = 20

[[ccxt]]
id = "kucoin"
trades_limit = 500
options = { watchOrderBook = { checksum = true }, a = [1, 2.5, "x"] }
[ccxt.urls.api]
public = "https://example.org"
ws = { "a key" = "wss://example.org/ws" }
"""


@pytest.fixture(autouse=True)
def _ccxt_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ccxt with two classes, installed or not on this host."""
    monkeypatch.setattr("ringcollect.config.unified_rules.missing", lambda exchange: "")
    monkeypatch.setattr("ringcollect.config.unified_rules.classes", lambda: ("kraken", "kucoin"))


def problems(text: str) -> str:
    with pytest.raises(ConfigError) as error:
        parse(text)
    return str(error.value)


def test_a_class_of_ccxt_is_an_exchange_and_its_options_and_urls_are_kept_as_they_are():
    config = parse(TEXT).config
    assert config.exchanges() == ["ccxt_kucoin"]
    told = config.ccxt_of("ccxt_kucoin")
    assert told.trades_limit == 500
    assert told.options == {"watchOrderBook": {"checksum": True}, "a": [1, 2.5, "x"]}
    assert told.urls == {"api": {"public": "https://example.org", "ws": {"a key": "wss://example.org/ws"}}}
    assert config.ccxt_of("ccxt_kraken").options == {}


def test_what_config_show_prints_loads_again():
    loaded = parse(TEXT)
    assert parse(as_toml(loaded)).config == loaded.config


def test_a_class_that_ccxt_does_not_have_is_named_with_the_nearest_one():
    assert 'ccxt has no class "kucion" with feeds; did you mean "kucoin"?' in problems(TEXT.replace("kucoin", "kucion"))


def test_without_ccxt_the_error_names_the_extra(monkeypatch):
    monkeypatch.setattr("ringcollect.config.unified_rules.missing", unified.missing)
    monkeypatch.setattr("ringcollect.config.unified.find_spec", lambda name: None)
    assert 'pip install "ringcollect[ccxt]"' in problems(TEXT)


@pytest.mark.parametrize("key", ["apiKey", "secret", "password"])
def test_secrets_are_refused_in_the_file(key):
    assert "come from the environment only" in problems(TEXT.replace("{ watch", f'{{ {key} = "x", watch'))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"https://example.org"', '"ftp://example.org"', "tables of addresses"),
        ("trades_limit = 500", "trades_limit = 5", "50 to 100000"),
        ('market = "spot"', 'market = "option"', '"spot" | "linear" | "inverse" (of ccxt_kucoin)'),
        ('"ticker"]', '"liquidation"]', "(of ccxt_kucoin spot)"),
        ("depth = 20", 'depth = 20\nurl = "wss://example.org"', "[[ccxt]].urls"),
        ('id = "kucoin"', 'id = "Ku Coin"', "lower-case"),
        ("[[ccxt]]", '[[ccxt]]\nid = "kucoin"\n[[ccxt]]', "is already in ccxt[0]"),
    ],
)
def test_what_cannot_be_is_named(old, new, said):
    assert said in problems(TEXT.replace(old, new, 1))


def test_an_entry_that_nobody_uses_is_a_warning_also_when_a_run_is_narrowed():
    text = TEXT + '[[markets]]\nexchange = "binance"\nmarket = "spot"\nsymbols = ["BTCUSDT"]\n'
    assert parse(text.replace('"ccxt_kucoin"', '"ccxt_kraken"')).warnings == (
        'ccxt[0].id: no market has the exchange "ccxt_kucoin"',
    )
    narrow = narrowed(parse(text).config, exchanges=["binance"])
    assert isinstance(narrow, Config) and narrow.exchanges() == ["binance"]


def test_credentials_come_from_the_environment():
    from ringcollect.feed.unified.library import credentials

    env = {
        "RINGCOLLECT_CCXT_KUCOIN_APIKEY": "k",
        "RINGCOLLECT_CCXT_KUCOIN_SECRET": "s",
        "RINGCOLLECT_CCXT_OKX_UID": "u",
    }
    assert credentials("kucoin", env) == {"apiKey": "k", "secret": "s"}


def test_only_the_feed_that_makes_an_instance_imports_ccxt():
    """It is 100 MB: not for the forkserver, which every process is a fork of, and not for whoever reads a recording."""
    program = (
        "import sys, ringcollect.feed.process, ringcollect.feed.unified, ringcollect.exchanges as e; "
        "e.load('ccxt_kraken'); from ringcollect.config import unified; unified.classes(); "
        "sys.exit('ccxt' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0
