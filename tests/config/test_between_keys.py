"""What no key can know alone: streams asked for twice, channels a market has not, contradicting limits."""

from __future__ import annotations

import pytest

from tests.config.reading import LINEAR, SPOT, fine, problems


@pytest.mark.parametrize("channel", ["mark_price", "index_price", "funding", "liquidation", "open_interest"])
def test_a_channel_that_a_spot_market_cannot_have_is_an_error(channel: str) -> None:
    assert problems(SPOT + f"channels = ['book', '{channel}']") == [
        f'config.toml:5: markets[0].channels[1]: found "{channel}"; '
        'allowed: "book" | "trade" | "bbo" | "ticker" (of binance spot)'
    ]


def test_a_linear_market_has_all_eight_channels() -> None:
    channels = ("book", "trade", "bbo", "mark_price", "index_price", "funding", "liquidation", "open_interest")
    assert fine(LINEAR + f"channels = {list(channels)}").config.markets[0].channels == channels


@pytest.mark.parametrize("again", ["BTCUSDT", "btcusdt", "BTC/USDT", "BTC-USDT"])
def test_one_stream_asked_for_by_two_entries_is_an_error_in_every_spelling(again: str) -> None:
    text = SPOT + SPOT.replace("BTCUSDT", again) + "channels = ['bbo', 'book']\n"
    (line,) = problems(text)
    assert line == (
        f'config.toml:8: markets[1].symbols[0]: "{again}" with bbo, book of binance spot '
        "is already in markets[0].symbols[0]"
    )


def test_one_symbol_may_be_split_over_entries_by_channel() -> None:
    text = SPOT + "channels = ['book']\n" + SPOT + "channels = ['trade']\n"
    assert [market.channels for market in fine(text).config.markets] == [("book",), ("trade",)]


def test_spot_and_linear_may_share_a_symbol() -> None:
    assert fine(SPOT + LINEAR).config.exchanges() == ["binance"]


def test_a_symbol_twice_in_one_entry_is_an_error() -> None:
    (line,) = problems(SPOT.replace('"BTCUSDT"', '"BTCUSDT", "btcusdt"'))
    assert "markets[0].symbols[1]" in line
    assert "already in markets[0].symbols[0]" in line


def test_a_perpetual_is_no_spot_symbol() -> None:
    (line,) = problems(SPOT.replace("BTCUSDT", "BTC-USDT-PERP"))
    assert line.endswith('found "BTC-USDT-PERP", a perpetual; allowed: symbols of the spot market')
    fine(LINEAR.replace("BTCUSDT", "BTC-USDT-PERP"))


def test_an_override_must_name_symbols_of_its_market_once() -> None:
    text = LINEAR.replace('"BTCUSDT"', '"BTCUSDT", "ETHUSDT"')
    text += '[[markets.override]]\nsymbols = ["ETHUSD", "btcusdt"]\n[[markets.override]]\nsymbols = ["BTC-USDT-PERP"]\n'
    assert problems(text) == [
        'config.toml:6: markets[0].override[0].symbols[0]: "ETHUSD" is not among markets[0].symbols; '
        'did you mean "ETHUSDT"?',
        'config.toml:8: markets[0].override[1].symbols[0]: "BTC-USDT-PERP" is overridden before, '
        "in markets[0].override[0].symbols[1]",
    ]


def test_an_override_changes_channels_depth_grid_and_features_of_its_symbols_only() -> None:
    text = LINEAR.replace('"BTCUSDT"', '"BTCUSDT", "ETHUSDT"') + "depth = 500\n"
    text += '[[markets.override]]\nsymbols = ["ETH/USDT"]\nchannels = ["trade"]\ndepth = 100\ngrid = "1000ms"\n'
    (market,) = fine(text).config.markets
    assert market.channels_for("ETHUSDT") == ("trade",)
    assert market.depth_for("ethusdt") == 100
    assert market.channels_for("BTCUSDT") == ("book", "trade", "bbo")
    assert market.depth_for("BTCUSDT") == 500
    override = market.override_for("ETH-USDT-PERP")
    assert override is not None
    assert override.grid == "1s"
    assert market.override_for("BTCUSDT") is None


def test_an_override_with_a_channel_the_market_has_not_is_an_error() -> None:
    (line,) = problems(SPOT + '[[markets.override]]\nsymbols = ["BTCUSDT"]\nchannels = ["funding"]\n')
    assert line.startswith('config.toml:7: markets[0].override[0].channels[0]: found "funding"; allowed: "book"')


def test_limits_that_contradict_each_other_are_errors() -> None:
    assert problems('[wait]\nmin = "30ms"\n') == [
        'config.toml:2: wait.min: found "30ms"; allowed: at most wait.max, which is 20ms'
    ]
    assert problems('[websocket]\nretry_first = "2m"\nretry_max = "1m"\n') == [
        'config.toml:2: websocket.retry_first: found "2m"; allowed: at most websocket.retry_max, which is 1m'
    ]
    (line,) = problems('[storage]\nflush = "10s"\nrotate_time = "2s"\n')
    assert "storage.flush" in line
    assert "storage.rotate_time" in line


def test_more_symbols_than_a_ring_has_rows_is_an_error() -> None:
    many = [f"S{number}USDT" for number in range(2049)]
    (line,) = problems(SPOT.replace('["BTCUSDT"]', str(many)) + LINEAR.replace('["BTCUSDT"]', str(many)))
    assert line.endswith("markets: 4098 symbols of binance; allowed: at most 4096 per exchange")


def test_a_page_open_to_others_is_a_warning() -> None:
    assert fine("").warnings == ()
    (warning,) = fine('[http]\nhost = "0.0.0.0"').warnings
    assert warning.startswith("http.host: 0.0.0.0 is not a loopback address")
    assert fine('[http]\nhost = "::1"').warnings == ()
    assert fine('[http]\nhost = "localhost"').warnings == ()
    assert fine('[http]\nhost = "0.0.0.0"\nenabled = false').warnings == ()


def test_a_busy_wait_on_a_low_power_host_is_a_warning() -> None:
    low = '[collector]\nprofile = "low-power"\n'
    (warning,) = fine(low + '[wait]\nstrategy = "spin"\n').warnings
    assert warning == 'wait.strategy: "spin" keeps a processor busy, against profile "low-power"'
    assert fine(low).warnings == fine('[wait]\nstrategy = "spin"\n').warnings == ()
    assert fine(low + '[wait]\nstrategy = "yield"\n[sync]\nenabled = false\n').warnings == ()


def test_a_grid_without_its_driver_is_a_warning() -> None:
    (warning,) = fine(SPOT + "channels = ['trade']\n").warnings
    assert warning == (
        'markets[0]: sync.mode "orderbook" makes no rows without the channel "book", which BTCUSDT does not have'
    )
    assert fine(SPOT + "channels = ['trade']\n[sync]\nmode = 'trade'\n").warnings == ()
    assert fine(SPOT + "channels = ['trade']\n[sync]\nmode = 'external'\n").warnings == ()
    assert fine(SPOT + "channels = ['trade']\n[sync]\nenabled = false\n").warnings == ()


def test_the_hold_back_follows_the_mode_unless_it_is_set() -> None:
    assert fine("").config.sync.hold_back_ns == 250_000_000
    assert fine('[sync]\nmode = "external"').config.sync.hold_back_ns == 1_000_000_000
    loaded = fine('[sync]\nmode = "external"\nhold_back = "0s"')
    assert loaded.config.sync.hold_back_ns == 0
    assert loaded.warnings[0].startswith("sync.hold_back: ")


def test_entries_of_one_market_must_lead_to_the_same_place() -> None:
    """They share their connections: of two addresses one would be ignored."""
    here = SPOT + 'url = "wss://me:pw@a.example/ws"\n'
    there = SPOT.replace("BTC", "ETH")
    (line,) = problems(here + there)
    assert line == (
        'config.toml:6: markets[1].url: found ""; allowed: that of markets[0] ("wss://********@a.example/ws"), '
        "the same market"
    )
    fine(here + there + 'url = "wss://me:pw@a.example/ws"\n')
    fine(here + LINEAR)
