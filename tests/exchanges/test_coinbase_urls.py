"""URLs, subscriptions, limits and metadata: what is asked where, and what an answer says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ringcollect.config.venues import VENUES
from ringcollect.errors import ConfigError, RejectedFrame
from ringcollect.exchanges import coinbase, load
from ringcollect.exchanges.protocol import Purpose, RestMeaning, UrlMeaning, Want
from ringcollect.feed.transport.interface import MAX_MESSAGE_BYTES
from ringcollect.records import CHANNELS_BY_NAME, Channel
from tests.exchanges.coinbase_frames import NOW, new_decoder
from tests.exchanges.frames import lines

ALL = (Channel.BOOK, Channel.TRADE, Channel.BBO, Channel.TICKER)
EXCHANGE_FEED = "wss://ws-feed.exchange.coinbase.com"


def sent(url: str = "", op: str = "subscribe") -> list[dict[str, object]]:
    """What is sent for two products with all channels."""
    wants = [Want(product, channel) for product in ("BTC-USD", "ETH-USD") for channel in ALL]
    (leg,) = coinbase.legs("spot", wants, url)
    requests = coinbase.subscribe(leg, wants, 4) if op == "subscribe" else coinbase.unsubscribe(leg, wants, 4)
    assert [request.request_id for request in requests] == list(range(4, 4 + len(requests)))
    assert {want for request in requests for want in request.wants} == set(wants)
    return [json.loads(request.text) for request in requests]


def test_the_configuration_offers_exactly_the_channels_the_exchange_has() -> None:
    assert {CHANNELS_BY_NAME[name] for name in VENUES["coinbase", "spot"].channels} == set(coinbase.channels("spot"))
    assert load("coinbase").name == "coinbase"
    assert load("coinbase").acknowledges
    assert not load("coinbase").numbered_books("spot")
    assert load("coinbase").dense_trade_ids("spot")
    assert load("coinbase").book_base("spot") == "stream"
    assert "always complete" in VENUES["coinbase", "spot"].depths_in_words


def test_advanced_trade_is_asked_one_channel_at_a_time_heartbeats_first_and_books_last() -> None:
    products = {"product_ids": ["BTC-USD", "ETH-USD"]}
    assert sent() == [
        {"type": "subscribe", "channel": "heartbeats"},
        {"type": "subscribe", "channel": "market_trades"} | products,
        {"type": "subscribe", "channel": "ticker"} | products,
        {"type": "subscribe", "channel": "level2"} | products,
    ]
    assert [frame["channel"] for frame in sent(op="unsubscribe")] == ["market_trades", "ticker", "level2"]


def test_the_exchange_feed_is_chosen_by_its_address_and_asked_for_level2_batch() -> None:
    """Trap 5: level2 is refused without authentication."""
    products = {"product_ids": ["BTC-USD", "ETH-USD"]}
    for url in (EXCHANGE_FEED, "wss://ws-direct.exchange.coinbase.com/", "ws://127.0.0.1:9/ws-feed"):
        assert sent(url) == [
            {"type": "subscribe", "channels": [name]} | products
            for name in ("heartbeat", "matches", "ticker", "level2_batch")
        ]


def test_no_connection_carries_more_books_than_the_venue_takes() -> None:
    wants = [Want(f"S{i}-USD", channel) for i in range(60) for channel in ALL]
    legs = coinbase.legs("spot", wants, "ws://127.0.0.1:1/")
    assert {leg.url for leg in legs} == {"ws://127.0.0.1:1"}
    assert [sum(name.startswith("level2:") for name in leg.streams) for leg in legs] == [25, 25, 10]
    assert sorted((w.symbol, w.channel) for leg in legs for w in leg.wants) == sorted(
        (w.symbol, w.channel) for w in wants
    )
    many = [Want(f"S{i}-USD", Channel.TRADE) for i in range(150)]
    (leg,) = coinbase.legs("spot", many)
    assert [len(request.wants) for request in coinbase.subscribe(leg, many, 1)] == [0, 100, 50]


def test_the_5_mb_message_is_within_every_limit_on_its_way() -> None:
    """Trap 4: python's websockets stop at 1 MB."""
    assert MAX_MESSAGE_BYTES > 3 * 5_079_379
    frame = b'{"channel":"heartbeats","events":[]' + b" " * 6_000_000 + b"}"
    decoder = new_decoder()
    assert decoder.cold(frame, decoder.context("spot", 0), NOW).control is None
    with pytest.raises(RejectedFrame, match="more than"):
        decoder.cold(frame * 3, decoder.context("spot", 0), NOW)


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("wss://advanced-trade-ws.coinbase.com", True), ("wss://advanced-trade-ws.coinbase.com/", True),
        (EXCHANGE_FEED, True), ("wss://ws-feed.pro.coinbase.com", True), ("ws://127.0.0.1:9/ws-feed", True),
        ("ws://127.0.0.1:9/advanced-trade-ws", True), ("wss://advanced-trade-ws-user.coinbase.com", False),
        ("https://advanced-trade-ws.coinbase.com", False), ("ws://127.0.0.1:9", False), ("wss://x.com", False),
        ("ws://[", False),
    ],
)  # fmt: skip
def test_what_a_url_says(url: str, ours: bool) -> None:
    assert coinbase.read_url(url) == (UrlMeaning("spot", (), True) if ours else None)


def test_stream_names_are_read_back() -> None:
    for url in ("", EXCHANGE_FEED):
        wants = [Want("BTC-USD", channel) for channel in ALL]
        (leg,) = coinbase.legs("spot", wants, url)
        assert [want for name in leg.streams for want in coinbase.read_stream("spot", name)] == wants
    assert coinbase.read_stream("spot", "candles:BTC-USD") == coinbase.read_stream("spot", "ticker") == ()


def test_instrument_calls_are_read_back() -> None:
    (call,) = coinbase.instruments_calls("spot", "http://127.0.0.1:1/")
    assert call.url == "http://127.0.0.1:1/api/v3/brokerage/market/products?product_type=SPOT"
    for url in (call.url, "https://api.pro.coinbase.com/products"):
        assert coinbase.read_rest(url) == RestMeaning("spot", Purpose.INSTRUMENTS)
    assert coinbase.next_instruments_call(call, b"{}") is None
    assert coinbase.read_rest("https://x/products/BTC-USD/book") is coinbase.read_rest("https://[") is None
    for never in (coinbase.snapshot_call, coinbase.open_interest_call):
        with pytest.raises(ValueError, match=r"."):
            never("spot", "BTC-USD")
    with pytest.raises(RejectedFrame):
        new_decoder().rest(RestMeaning("spot", Purpose.SNAPSHOT, "BTC-USD"), b"{}", NOW)


@pytest.mark.parametrize(
    ("name", "symbol", "tick", "lot", "decimals"),
    [("coinbase_adv_2026", "BTC-USD", 0.01, 1e-8, (2, 8)), ("coinbase_exchange_2021", "SKL-EUR", 0.0001, 0.1, (4, 1))],
)
def test_a_captured_product_list_of_either_feed_is_read(
    captures: Path, name: str, symbol: str, tick: float, lot: float, decimals: tuple[int, int]
) -> None:
    (body,) = [line["f"] for line in lines(captures / f"{name}.jsonl.gz") if line["d"] == "rest"]
    listed = {one.symbol: one.metadata for one in coinbase.listings("spot", body.encode())}
    of = listed[symbol]
    assert (of["unified"], of["size_unit"], of["status"]) == (symbol, "base", "trading")
    assert (of["tick_size"], of["lot_size"]) == (tick, lot)
    assert (of["price_precision"], of["size_precision"]) == decimals


def test_an_alias_a_future_and_a_disabled_product_are_not_collected() -> None:
    rows = [
        '{"product_id":"BTC-USD","alias":"","status":"online"}',
        '{"product_id":"BTC-USDC","alias":"BTC-USD","status":"online"}',  # its book comes under BTC-USD
        '{"product_id":"BIP-20DEC30-CDE","product_type":"FUTURE","status":"online"}',
        '{"product_id":"A-USD","trading_disabled":true,"status":"online"}',
        '{"product_id":"B-USD","status":"delisted"}',
    ]
    body = '{"products":[' + ",".join(rows) + "]}"
    listed = {one.symbol: one.metadata["status"] for one in coinbase.listings("spot", body.encode())}
    assert listed == {"BTC-USD": "trading", "A-USD": "disabled", "B-USD": "delisted"}
    for bad in (b"x", b"{}", b'[{"x":1}]', b'{"products":[{"product_id":"A-B","price_increment":"x"}]}'):
        with pytest.raises(RejectedFrame):
            coinbase.listings("spot", bad)


@pytest.mark.parametrize("spelling", ["BTC-USD", "btc-usd", "BTC/USD", " btc/usd "])
def test_a_symbol_is_known_in_every_accepted_spelling(spelling: str) -> None:
    known = [coinbase.guessed("spot", symbol) for symbol in ("BTC-USD", "ETH-USD")]
    assert coinbase.resolve("spot", spelling, known) == coinbase.resolve("spot", spelling, []) == "BTC-USD"


def test_an_unknown_symbol_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="BTC-USD"):
        coinbase.resolve("spot", "BTC-USDC", [coinbase.guessed("spot", "BTC-USD")])
