"""URLs, stream names, subscriptions and limits: what is asked where, and what a URL of a capture says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ringcollect.config.venues import VENUES
from ringcollect.errors import ConfigError
from ringcollect.exchanges import binance, load
from ringcollect.exchanges.protocol import Purpose, RestMeaning, UrlMeaning, Want
from ringcollect.records import CHANNELS_BY_NAME, Channel
from tests.exchanges.frames import lines

ALL_LINEAR = tuple(c for c in binance.channels("linear") if c not in binance.polled("linear"))


def test_the_configuration_offers_exactly_the_channels_the_exchange_has() -> None:
    for market in binance.markets:
        offered = {CHANNELS_BY_NAME[name] for name in VENUES["binance", market].channels}
        assert offered == set(binance.channels(market))


def test_usdm_streams_go_to_the_path_that_carries_them() -> None:
    legs = binance.legs("linear", [Want("BTCUSDT", channel) for channel in ALL_LINEAR])
    found = {leg.url: set(leg.streams) for leg in legs}
    assert found == {
        "wss://fstream.binance.com/public/stream": {"btcusdt@depth@100ms", "btcusdt@trade", "btcusdt@bookTicker"},
        "wss://fstream.binance.com/market/stream": {"btcusdt@markPrice@1s", "btcusdt@forceOrder", "btcusdt@ticker"},
    }
    assert {want.channel for leg in legs for want in leg.wants} == set(ALL_LINEAR)


def test_spot_is_one_connection_with_microseconds_and_a_base_of_ones_own() -> None:
    (leg,) = binance.legs("spot", [Want("BTCUSDT", Channel.BOOK)], "ws://127.0.0.1:9000/")
    assert leg.url == "ws://127.0.0.1:9000/stream?timeUnit=MICROSECOND"
    assert binance.read_url(leg.url) == UrlMeaning("spot", (), combined=True)


def test_no_connection_carries_more_streams_than_the_venue_allows_and_requests_are_few() -> None:
    wants = [Want(f"S{i}USDT", channel) for i in range(500) for channel in (Channel.BOOK, Channel.TRADE, Channel.BBO)]
    legs = binance.legs("spot", wants)
    assert [len(leg.streams) for leg in legs] == [1024, 476]
    assert [want for leg in legs for want in leg.wants] == wants
    requests = binance.subscribe(legs[0], legs[0].wants, 7)
    assert len(requests) == 11
    assert [request.request_id for request in requests] == list(range(7, 18))
    sent = [json.loads(request.text) for request in requests]
    assert all(frame["method"] == "SUBSCRIBE" and len(frame["params"]) <= 100 for frame in sent)
    assert [name for frame in sent for name in frame["params"]] == list(legs[0].streams)
    assert [frame["id"] for frame in sent] == [request.request_id for request in requests]


def test_channels_that_share_a_stream_are_subscribed_once() -> None:
    marks = [Want("BTCUSDT", c) for c in (Channel.MARK_PRICE, Channel.INDEX_PRICE, Channel.FUNDING)]
    (leg,) = binance.legs("linear", marks)
    (request,) = binance.subscribe(leg, leg.wants, 1)
    assert json.loads(request.text)["params"] == ["btcusdt@markPrice@1s"]
    assert request.wants == tuple(marks)
    (request,) = binance.unsubscribe(leg, leg.wants[:1], 2)
    assert json.loads(request.text) == {"method": "UNSUBSCRIBE", "params": ["btcusdt@markPrice@1s"], "id": 2}


@pytest.mark.parametrize(
    ("url", "meaning"),
    [
        (
            "wss://stream.binance.com:9443/stream?streams=btcusdt@trade/ethusdt@depth@100ms",
            UrlMeaning("spot", ("btcusdt@trade", "ethusdt@depth@100ms"), True),
        ),
        ("wss://stream.binance.com:443/ws/btcusdt@depth", UrlMeaning("spot", ("btcusdt@depth",), False)),
        ("wss://data-stream.binance.vision/stream", UrlMeaning("spot", (), True)),
        (
            "wss://fstream.binance.com/stream?streams=btcusdt@aggTrade",
            UrlMeaning("linear", ("btcusdt@aggTrade",), True),
        ),
        ("wss://fstream.binance.com/public/stream", UrlMeaning("linear", (), True)),
        (
            "wss://fstream.binance.com/market/ws/btcusdt@markPrice/x@y",
            UrlMeaning("linear", ("btcusdt@markPrice", "x@y"), False),
        ),
        ("ws://127.0.0.1:8080/public/stream", UrlMeaning("linear", (), True)),
        ("ws://127.0.0.1:8080/ws", UrlMeaning("spot", (), False)),
        ("wss://dstream.binance.com/stream?streams=btcusd_perp@trade", None),
        ("wss://stream.bybit.com/v5/public/linear", None),
        ("https://api.binance.com/stream", None),
        ("nonsense", None),
        ("ws://[", None),
    ],
)
def test_what_a_url_says(url: str, meaning: UrlMeaning | None) -> None:
    assert binance.read_url(url) == meaning


@pytest.mark.parametrize(
    ("market", "stream", "channels"),
    [
        ("spot", "btcusdt@depth@100ms", [Channel.BOOK]),
        ("spot", "btcusdt@depth20", []),
        ("spot", "btcusdt@trade", [Channel.TRADE]),
        ("linear", "btcusdt@aggTrade", [Channel.TRADE]),
        ("spot", "btcusdt@kline_1m", []),
        ("spot", "!bookTicker", []),
        ("spot", "", []),
        ("linear", "btcusdt@markPrice@1s", [Channel.MARK_PRICE, Channel.INDEX_PRICE, Channel.FUNDING]),
        ("spot", "btcusdt@markPrice", []),
        ("linear", "btcusdt@forceOrder", [Channel.LIQUIDATION]),
        ("linear", "btcusdt@rpiDepth@500ms", []),
    ],
)
def test_what_a_stream_carries(market: str, stream: str, channels: list[Channel]) -> None:
    assert binance.read_stream(market, stream) == tuple(Want("BTCUSDT", channel) for channel in channels)


def test_every_stream_we_subscribe_is_read_back() -> None:
    for market in binance.markets:
        wanted = [Want("BTCUSDT_260925", c) for c in binance.channels(market) if c not in binance.polled(market)]
        for leg in binance.legs(market, wanted):
            assert {want for name in leg.streams for want in binance.read_stream(market, name)} == set(leg.wants)


def test_rest_calls_cost_what_the_venue_says_and_are_read_back() -> None:
    for limit, weight in ((100, 5), (500, 25), (1000, 50), (5000, 250), (0, 50)):
        call = binance.snapshot_call("spot", "BTCUSDT", limit)
        assert call.url == f"https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit={limit or 1000}"
        assert call.weight == weight
        assert binance.read_rest(call.url) == RestMeaning("spot", Purpose.SNAPSHOT, "BTCUSDT")
    for limit, weight in ((5, 2), (50, 2), (100, 5), (500, 10), (1000, 20)):
        assert binance.snapshot_call("linear", "BTCUSDT", limit).weight == weight
    call = binance.open_interest_call("linear", "BTCUSDT_260925", "http://127.0.0.1:1/")
    assert call.url == "http://127.0.0.1:1/fapi/v1/openInterest?symbol=BTCUSDT_260925"
    assert binance.read_rest(call.url) == RestMeaning("linear", Purpose.OPEN_INTEREST, "BTCUSDT_260925")
    for market, weight in (("spot", 20), ("linear", 1)):
        call = binance.instruments_calls(market)[0]
        assert (call.weight, binance.read_rest(call.url)) == (weight, RestMeaning(market, Purpose.INSTRUMENTS))
    named = binance.snapshot_call("spot", "币安人生USDT")
    assert named.url.isascii()
    assert binance.read_rest(named.url) == RestMeaning("spot", Purpose.SNAPSHOT, "币安人生USDT")


@pytest.mark.parametrize(
    "url", ["https://api.binance.com/api/v3/time", "https://x/api/v3/depth", "nonsense", "https://[", ""]
)
def test_a_rest_url_we_never_ask_means_nothing(url: str) -> None:
    assert binance.read_rest(url) is None


def test_limits_are_those_of_the_documentation() -> None:
    spot, linear = binance.limits("spot"), binance.limits("linear")
    assert (spot.messages_per_s, linear.messages_per_s) == (5, 10)
    assert (spot.rest_weight, linear.rest_weight) == (6000, 2400)
    assert spot.lifetime_ns == linear.lifetime_ns == 24 * 3600 * 10**9
    assert spot.rest_budget != linear.rest_budget


def test_the_urls_in_the_captures_are_understood(captures: Path) -> None:
    for name, market in (("binance_spot_2021", "spot"), ("binance_usdm_2021b", "linear")):
        opened = [line["u"] for line in lines(captures / f"{name}.jsonl.gz") if line["d"] == "out"]
        (meaning,) = [binance.read_url(url) for url in opened]
        assert meaning is not None and meaning.market == market and meaning.combined
        assert len(meaning.streams) in (15, 16)


def test_an_exchange_is_loaded_by_name_and_an_unknown_one_is_named() -> None:
    assert load("binance").name == "binance"
    with pytest.raises(ConfigError, match="'nowhere'"):
        load("nowhere")
