"""``[websocket]`` holds for every exchange, ``[[websocket.override]]`` for one; wrong keys are named by their path."""

from __future__ import annotations

import json
import tomllib

import msgspec
import pytest

from ringcollect.config import Websocket, WebsocketOverride, parse
from ringcollect.config.show import as_toml
from ringcollect.feed.plan import plan_from_config
from tests.config.reading import SPOT, fine, problems

OKX = '[[markets]]\nexchange = "okx"\nmarket = "spot"\nsymbols = ["BTC-USDT"]\n'
OTHER = {
    "transport": "picows", "redundancy": 2, "retry_first": "3s", "retry_max": "90s", "jitter": 0.0, "max_attempts": 7,
    "stale": "11s", "ack_deadline": "12s", "data_deadline": "13s", "open_interest_poll": "14s",
    "silence_market": "15s", "silence_price": "16s", "silence_rate": "17s", "align": False,
    "backfill": True, "instruments_refresh": "18s",
    "proxy": "http://10.0.0.1:3128", "ca_file": "/etc/ours.pem",
}  # fmt: skip


def keys(struct: type[msgspec.Struct], *but: str) -> list[str]:
    return [field.name for field in msgspec.structs.fields(struct) if field.name not in but]


def test_the_defaults_are_a_second_doubling_to_a_minute_spread_by_a_quarter_and_stale_after_half_a_minute():
    options = plan_from_config(fine(SPOT).config, "binance").options
    second = 10**9
    assert (options.retry_first_ns, options.retry_max_ns, options.jitter) == (second, 60 * second, 0.25)
    assert (options.stale_ns, options.max_attempts, options.redundancy) == (30 * second, 0, 1)


def test_every_key_can_be_overridden_for_one_exchange_and_the_others_keep_theirs():
    assert keys(WebsocketOverride, "exchange") == keys(Websocket, "override") == list(OTHER)
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in OTHER.items())
    config = fine(SPOT + OKX + '[[websocket.override]]\nexchange = "okx"\n' + lines).config
    found = msgspec.structs.asdict(config.websocket.of("okx"))
    expected = {key: "1m30s" if value == "90s" else value for key, value in OTHER.items()}
    assert {key: found[key] for key in OTHER} == expected | {"retry_max": found["retry_max"]}
    assert config.websocket.of("okx").retry_max_ns == 90 * 10**9
    assert config.websocket.of("binance") == Websocket()
    assert plan_from_config(config, "okx").options.redundancy == 2
    assert plan_from_config(config, "binance").options.redundancy == 1


def test_what_an_override_leaves_out_is_that_of_all():
    text = SPOT + '[websocket]\nstale = "7s"\nredundancy = 2\n[[websocket.override]]\nexchange = "binance"\n'
    settings = fine(text + "jitter = 0").config.websocket.of("binance")
    assert (settings.stale, settings.redundancy, settings.jitter) == ("7s", 2, 0.0)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("redundancy = 3", "websocket.override[0].redundancy: found 3; allowed: 1 to 2"),
        ('retry_first = "2m"', 'websocket.override[0].retry_first: found "2m"; allowed: at most'),
        ('stale = "soon"', 'websocket.override[0].stale: found "soon"; allowed: a duration from 1s to 1d'),
        ("patience = 1", "websocket.override[0].patience: unknown key"),
        ('proxy = "socks4://h:1"', 'websocket.override[0].proxy: found "socks4://h:1"; allowed: http://host:port'),
    ],
)
def test_a_wrong_key_of_an_override_is_named_by_its_path(lines, message):
    (line,) = problems(SPOT + f'[[websocket.override]]\nexchange = "binance"\n{lines}\n')
    assert message in line


def test_an_exchange_is_overridden_once_and_is_one_that_exists():
    block = '[[websocket.override]]\nexchange = "okx"\n'
    (line,) = problems(OKX + block + block)
    assert 'websocket.override[1].exchange: "okx" is overridden before, in websocket.override[0]' in line
    (line,) = problems(OKX + block.replace("okx", "oxk"))
    assert "websocket.override[0].exchange" in line
    (line,) = problems(OKX + "[[websocket.override]]\nstale = '5s'\n")
    assert "websocket.override[0].exchange: missing" in line


def test_an_override_of_an_exchange_that_is_not_collected_is_a_warning():
    loaded = fine(SPOT + '[[websocket.override]]\nexchange = "okx"\n')
    assert loaded.warnings == ('websocket.override[0].exchange: no market has the exchange "okx"',)


@pytest.mark.parametrize("url", ["http://me:hunter2@10.0.0.1:3128", "socks5://me@10.0.0.1:1080"])
def test_credentials_of_a_proxy_are_refused_in_the_configuration_and_not_shown(url):
    (line,) = problems(SPOT + f'[websocket]\nproxy = "{url}"\n')
    assert "websocket.proxy" in line and "RINGCOLLECT_PROXY_AUTH" in line and "hunter2" not in line


def test_a_shown_configuration_with_overrides_loads_again():
    loaded = fine(SPOT + '[[websocket.override]]\nexchange = "binance"\nredundancy = 2\n')
    again = parse(as_toml(loaded)).config
    assert again == loaded.config and tomllib.loads(as_toml(loaded))["websocket"]["override"][0]["redundancy"] == 2


def test_an_override_can_come_from_the_environment():
    env = {
        "RINGCOLLECT__WEBSOCKET__OVERRIDE__0__EXCHANGE": "binance",
        "RINGCOLLECT__WEBSOCKET__OVERRIDE__0__REDUNDANCY": "2",
    }
    assert fine(SPOT, env).config.websocket.of("binance").redundancy == 2
