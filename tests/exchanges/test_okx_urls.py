"""URLs, stream names, subscriptions and limits: what is asked where, and what a URL says."""

from __future__ import annotations

import json

import pytest

from ringcollect.config.venues import VENUES
from ringcollect.exchanges import load, okx
from ringcollect.exchanges.protocol import Purpose, RestMeaning, UrlMeaning, Want
from ringcollect.records import CHANNELS_BY_NAME, Channel

ALL = okx.channels("linear")


def test_the_configuration_offers_exactly_the_channels_the_exchange_has() -> None:
    for market in okx.markets:
        assert {CHANNELS_BY_NAME[name] for name in VENUES["okx", market].channels} == set(okx.channels(market))
        assert okx.polled(market) == ()
    assert load("okx").name == "okx"


def test_every_channel_is_asked_for_by_its_own_argument_of_the_public_address() -> None:
    (leg,) = okx.legs("linear", [Want("BTC-USDT-SWAP", channel) for channel in ALL])
    assert leg.url == "wss://ws.okx.com:8443/ws/v5/public"
    (request,) = okx.subscribe(leg, leg.wants, 7)
    sent = json.loads(request.text)
    assert (sent["id"], sent["op"], request.request_id) == ("7", "subscribe", 7)
    swap = {"instId": "BTC-USDT-SWAP"}
    assert sorted(sent["args"], key=str) == sorted(
        [
            {"channel": name} | swap
            for name in ("books", "trades", "bbo-tbt", "tickers", "mark-price", "funding-rate", "open-interest")
        ]
        + [{"channel": "index-tickers", "instId": "BTC-USDT"}]  # by the index, not the instrument
        + [{"channel": "liquidation-orders", "instType": "SWAP"}],  # of all swaps at once
        key=str,
    )
    assert set(request.wants) == set(leg.wants) == {Want("BTC-USDT-SWAP", channel) for channel in ALL}


def test_instruments_that_share_a_stream_subscribe_it_once() -> None:
    wants = [Want(s, c) for s in ("A-USDT-SWAP", "A-USDT-261225") for c in (Channel.INDEX_PRICE, Channel.LIQUIDATION)]
    (leg,) = okx.legs("linear", wants)
    assert leg.streams == ("index-tickers:A-USDT", "liquidation-orders:SWAP", "liquidation-orders:FUTURES")
    assert set(leg.wants) == set(wants)
    (request,) = okx.unsubscribe(leg, wants[:1], 3)
    assert json.loads(request.text)["op"] == "unsubscribe"
    assert json.loads(request.text)["args"] == [{"channel": "index-tickers", "instId": "A-USDT"}]


def test_no_connection_carries_more_books_or_streams_than_the_venue_likes() -> None:
    wants = [Want(f"S{i}-USDT", c) for i in range(120) for c in (Channel.BOOK, Channel.TRADE, Channel.BBO)]
    legs = okx.legs("spot", wants, "ws://127.0.0.1:9000/")
    assert {leg.url for leg in legs} == {"ws://127.0.0.1:9000/ws/v5/public"}
    for leg in legs:
        assert sum(name.startswith("books:") for name in leg.streams) < 30
        assert len(leg.streams) <= okx.limits("spot").streams_per_connection
    assert {want for leg in legs for want in leg.wants} == set(wants)
    assert sum(len(leg.wants) for leg in legs) == len(wants)


def test_a_request_is_never_longer_than_64_kb() -> None:
    wants = [Want(f"{'X' * 50}{i}-USDT", Channel.TRADE) for i in range(2000)]
    leg = okx.legs("spot", wants[:1])[0]
    requests = okx.subscribe(leg, wants, 1)
    assert 1 < len(requests) < 10
    assert all(len(request.text) < 64_000 for request in requests)
    assert [want for request in requests for want in request.wants] == wants
    assert [request.request_id for request in requests] == list(range(1, len(requests) + 1))


@pytest.mark.parametrize(
    ("url", "meaning"),
    [
        ("wss://ws.okx.com:8443/ws/v5/public", UrlMeaning("spot", (), True)),
        ("wss://wsus.okx.com/ws/v5/business", UrlMeaning("spot", (), True)),
        ("ws://127.0.0.1:80/ws/v5/public", UrlMeaning("spot", (), True)),
        ("wss://ws.okx.com:8443/ws/v5/private", None),
        ("https://ws.okx.com/ws/v5/public", None),
        ("wss://stream.binance.com/ws/btcusdt@depth", None),
        ("nonsense", None),
        ("ws://[", None),
    ],
)
def test_what_a_url_says(url: str, meaning: UrlMeaning | None) -> None:
    assert okx.read_url(url) == meaning
    if meaning is not None:
        assert load("binance").read_url(url) is None  # /ws/v5/public is no list of its streams


@pytest.mark.parametrize(
    ("market", "stream", "wants"),
    [
        ("spot", "books:BTC-USDT", [Want("BTC-USDT", Channel.BOOK)]),
        ("spot", "books5:BTC-USDT", [Want("BTC-USDT", Channel.BOOK)]),
        ("linear", "trades-all:BTC-USDT-SWAP", [Want("BTC-USDT-SWAP", Channel.TRADE)]),
        ("spot", "mark-price:BTC-USDT", []),
        ("linear", "index-tickers:BTC-USDT", []),
        ("linear", "candle1m:BTC-USDT-SWAP", []),
        ("linear", "books", []),
    ],
)
def test_what_a_stream_carries(market: str, stream: str, wants: list[Want]) -> None:
    assert list(okx.read_stream(market, stream)) == wants


@pytest.mark.parametrize(
    ("symbol", "market"),
    [
        ("BTC-USDT", "spot"), ("BTC-USDT-SWAP", "linear"), ("BTC-USD-SWAP", "inverse"), ("BTC-USD-220527", "inverse"),
        ("BTC-USDC-261225", "linear"), ("BTC-USD_UM-261225", "linear"), ("BTC-USD_UM_XPERP-310404", "linear"),
        ("BTC-USD-261225-70000-C", ""), ("BTCUSDT", ""), ("A-B-C", ""), ("-", ""), ("", ""),
    ],
)  # fmt: skip
def test_the_market_of_a_symbol_that_no_list_names_is_told_by_its_spelling(symbol: str, market: str) -> None:
    assert okx.market_of("spot", symbol, ()) == market
    assert okx.market_of("spot", symbol, ["inverse"]) == "inverse"  # what the list says counts


def test_rest_calls_are_read_back() -> None:
    call = okx.snapshot_call("linear", "BTC-USDT-SWAP", 0, "http://127.0.0.1:1/")
    assert call.url == "http://127.0.0.1:1/api/v5/market/books?instId=BTC-USDT-SWAP&sz=400"
    assert okx.read_rest(call.url) == RestMeaning("linear", Purpose.SNAPSHOT, "BTC-USDT-SWAP")
    call = okx.open_interest_call("inverse", "BTC-USD-SWAP")
    assert okx.read_rest(call.url) == RestMeaning("inverse", Purpose.OPEN_INTEREST, "BTC-USD-SWAP")
    assert [call.url.partition("?")[2] for call in okx.instruments_calls("inverse")] == [
        "instType=SWAP", "instType=FUTURES",
    ]  # fmt: skip
    assert okx.read_rest(okx.instruments_calls("spot")[0].url) == RestMeaning("spot", Purpose.INSTRUMENTS)
    for url in (
        "https://www.okx.com/api/v5/public/instruments?instType=OPTION&uly=BTC-USD", "https://x/api/v5/market/books",
        "https://x/api/v5/public/time", "https://[", "", "https://x/api/v5/public/open-interest?instId=BTC-USDT",
    ):  # fmt: skip
        assert okx.read_rest(url) is None
