"""URLs, subscriptions, limits and metadata: what is asked where, and what an answer says."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

from ringcollect.config.venues import VENUES
from ringcollect.errors import ConfigError, RejectedFrame
from ringcollect.exchanges import load, upbit
from ringcollect.exchanges.protocol import Outcome, Purpose, RestMeaning, UrlMeaning, Want
from ringcollect.records import CHANNELS_BY_NAME, Channel, Flag
from tests.exchanges.frames import lines
from tests.exchanges.upbit_frames import NOW, new_decoder

ALL = (Channel.BOOK, Channel.TRADE, Channel.BBO)


def test_the_configuration_offers_exactly_the_channels_the_exchange_has() -> None:
    assert {CHANNELS_BY_NAME[name] for name in VENUES["upbit", "spot"].channels} == set(upbit.channels("spot"))
    assert load("upbit").name == "upbit"
    assert not load("upbit").acknowledges
    assert not load("upbit").numbered_books("spot")
    assert not load("upbit").dense_trade_ids("spot")  # sequential ids are not consecutive: untracked


def test_a_request_names_everything_the_connection_carries_because_it_replaces_the_one_before() -> None:
    wants = [Want(code, channel) for code in ("KRW-BTC", "BTC-ETH") for channel in ALL]
    (leg,) = upbit.legs("spot", wants)
    assert leg.url == "wss://api.upbit.com/websocket/v1"
    assert leg.streams == ("orderbook:KRW-BTC", "trade:KRW-BTC", "orderbook:BTC-ETH", "trade:BTC-ETH")
    assert set(leg.wants) == set(wants)
    for some in (wants, wants[:1]):
        (request,) = upbit.subscribe(leg, some, 4)
        assert json.loads(request.text) == [
            {"ticket": "ringcollect-4"},
            {"type": "orderbook", "codes": ["KRW-BTC", "BTC-ETH"]},
            {"type": "trade", "codes": ["KRW-BTC", "BTC-ETH"]},
            {"format": "DEFAULT"},
        ]
        assert request.wants == tuple(some)
    assert upbit.unsubscribe(leg, wants, 5) == []


def test_fewer_units_are_asked_for_by_the_code_and_best_prices_come_with_them() -> None:
    (leg,) = upbit.legs("spot", [Want("KRW-BTC", Channel.BBO, 5), Want("KRW-BTC", Channel.BOOK, 5)])
    assert leg.streams == ("orderbook:KRW-BTC.5",)
    (leg,) = upbit.legs("spot", [Want("KRW-BTC", Channel.BBO)])
    assert leg.streams == ("orderbook:KRW-BTC.1",)
    assert upbit.read_stream("spot", "orderbook:KRW-BTC.5") == (
        Want("KRW-BTC", Channel.BOOK, 5), Want("KRW-BTC", Channel.BBO, 5),
    )  # fmt: skip
    assert upbit.read_stream("spot", "ticker:KRW-BTC") == (Want("KRW-BTC", Channel.TICKER),)
    assert upbit.read_stream("spot", "candle.1s:KRW-BTC") == upbit.read_stream("spot", "trade") == ()


def test_no_connection_carries_more_streams_than_we_allow_it() -> None:
    wants = [Want(f"KRW-S{i}", channel) for i in range(250) for channel in ALL]
    legs = upbit.legs("spot", wants, "ws://127.0.0.1:1/")
    assert {leg.url for leg in legs} == {"ws://127.0.0.1:1/websocket/v1"}
    assert all(len(leg.streams) <= upbit.limits("spot").streams_per_connection for leg in legs)
    assert sorted((w.symbol, w.channel) for leg in legs for w in leg.wants) == sorted(
        (w.symbol, w.channel) for w in wants
    )


@pytest.mark.parametrize(
    ("url", "meaning"),
    [
        ("wss://api.upbit.com/websocket/v1", UrlMeaning("spot", (), True)),
        ("wss://sg-api.upbit.com/websocket/v1/", UrlMeaning("spot", (), True)),
        ("ws://127.0.0.1:9/websocket/v1", UrlMeaning("spot", (), True)),
        ("wss://api.upbit.com/websocket/v1/private", None),
        ("https://api.upbit.com/websocket/v1", None),
        ("ws://[", None),
    ],
)
def test_what_a_url_says(url: str, meaning: UrlMeaning | None) -> None:
    assert upbit.read_url(url) == meaning


def test_rest_calls_are_read_back() -> None:
    call = upbit.snapshot_call("spot", "KRW-BTC")
    assert call.url == "https://api.upbit.com/v1/orderbook?markets=KRW-BTC&count=30"
    assert upbit.read_rest(call.url) == RestMeaning("spot", Purpose.SNAPSHOT, "KRW-BTC")
    (call,) = upbit.instruments_calls("spot", "http://127.0.0.1:1/")
    assert call.url == "http://127.0.0.1:1/v1/market/all?is_details=true"
    assert upbit.read_rest(call.url) == RestMeaning("spot", Purpose.INSTRUMENTS)
    assert upbit.next_instruments_call(call, b"[]") is None
    for url in ("https://x/v1/orderbook?markets=A,B", "https://x/v1/ticker", "https://x/v1/orderbook", "https://["):
        assert upbit.read_rest(url) is None


def test_a_rest_book_is_a_record_flagged_rest() -> None:
    unit = '{"ask_price":2,"bid_price":1,"ask_size":3,"bid_size":4}'
    body = f'[{{"market":"KRW-BTC","timestamp":5,"orderbook_units":[{unit}]}}]'.encode()
    meaning = RestMeaning("spot", Purpose.SNAPSHOT, "KRW-BTC")
    (batch,) = new_decoder().rest(meaning, body, NOW).batches
    assert batch.records["flags"][0] == Flag.CLEAR | Flag.SNAPSHOT | Flag.REST | Flag.BAD_TS
    assert new_decoder(()).rest(meaning, body, NOW).outcome is Outcome.IGNORED
    for bad in (b"[]", b"{}", body.replace(b"KRW", b"BTC"), b"x"):
        with pytest.raises(RejectedFrame):
            new_decoder().rest(meaning, bad, NOW)


def test_a_captured_instrument_list_is_read_and_names_are_turned_round(captures: Path) -> None:
    (body,) = [line["f"] for line in lines(captures / "upbit_2021.jsonl.gz") if line["d"] == "rest"]
    listed = {one.symbol: one.metadata for one in upbit.listings("spot", body.encode())}
    assert listed.keys() == {row["market"] for row in orjson.loads(body)}
    assert listed["KRW-LAMB"]["unified"] == "LAMB-KRW"
    assert (listed["BTC-ETH"]["base"], listed["BTC-ETH"]["quote"]) == ("ETH", "BTC")
    with pytest.raises(RejectedFrame):
        upbit.listings("spot", b'[{"x":1}]')


@pytest.mark.parametrize(
    ("spelling", "native"),
    [
        ("KRW-BTC", "KRW-BTC"), ("BTC-KRW", "KRW-BTC"), ("btc/krw", "KRW-BTC"), ("BTC-ETH", "BTC-ETH"),
        ("ETH-BTC", "BTC-ETH"), ("ETH/BTC", "BTC-ETH"), ("USDT-BTC", "USDT-BTC"), ("BTC-USDT", "USDT-BTC"),
    ],
)  # fmt: skip
def test_a_symbol_is_known_in_every_accepted_spelling(spelling: str, native: str) -> None:
    known = [upbit.guessed("spot", symbol) for symbol in ("KRW-BTC", "BTC-ETH", "USDT-BTC")]
    assert upbit.resolve("spot", spelling, known) == upbit.resolve("spot", spelling, []) == native


def test_an_unknown_symbol_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="KRW-BTC"):
        upbit.resolve("spot", "KRW-BTX", [upbit.guessed("spot", "KRW-BTC")])
