"""Where Bybit is asked what, what the answers list, and what symbols are called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ringcollect.config.venues import VENUES
from ringcollect.errors import ConfigError, RejectedFrame
from ringcollect.exchanges import bybit
from ringcollect.exchanges.bybit.streams import DEPTHS
from ringcollect.exchanges.protocol import Listing, Purpose, RestMeaning, Want
from ringcollect.instruments import Instrument, to_base
from ringcollect.records import CHANNELS_BY_NAME, Channel
from tests.exchanges.frames import lines

MINUTE = 60 * 10**9


def test_the_same_symbol_on_spot_and_linear_is_told_apart_by_the_connections_url() -> None:
    for market in bybit.markets:
        (leg,) = bybit.legs(market, [Want("BTCUSDT", Channel.TRADE)])
        assert leg.url == f"wss://stream.bybit.com/v5/public/{market}"
        meaning = bybit.read_url(leg.url)
        assert meaning is not None and meaning.market == market
    for url in ("wss://stream.bybit.com/v5/public/option", "wss://stream.bybit.com/v5/private", "https://x", "ws://[x"):
        assert bybit.read_url(url) is None


def test_what_the_configuration_allows_is_what_the_exchange_has() -> None:
    for market in bybit.markets:
        venue = VENUES["bybit", market]
        assert {CHANNELS_BY_NAME[name] for name in venue.channels} == set(bybit.channels(market))
        assert venue.depths == DEPTHS


def test_topics_say_the_depth_and_tickers_carry_five_channels() -> None:
    wants = [Want("BTCUSDT", channel) for channel in bybit.channels("linear")]
    wants[0] = Want("BTCUSDT", Channel.BOOK, 1000)
    (leg,) = bybit.legs("linear", wants)
    assert sorted(leg.streams) == [
        "allLiquidation.BTCUSDT", "orderbook.1.BTCUSDT", "orderbook.1000.BTCUSDT", "publicTrade.BTCUSDT",
        "tickers.BTCUSDT",
    ]  # fmt: skip
    assert set(leg.wants) == set(wants)
    assert {want for name in leg.streams for want in bybit.read_stream("linear", name)} == set(wants)
    assert bybit.read_stream("spot", "tickers.BTCUSDT") == (Want("BTCUSDT", Channel.TICKER),)
    assert bybit.read_stream("linear", "kline.1.BTCUSDT") == ()


def test_a_request_has_at_most_ten_topics_and_a_connection_a_bounded_number_of_characters() -> None:
    wants = [Want(f"S{i}USDT", channel) for i in range(500) for channel in (Channel.BOOK, Channel.TRADE, Channel.BBO)]
    legs = bybit.legs("spot", wants)
    assert all(sum(map(len, leg.streams)) <= 21_000 for leg in legs) and len(legs) == 2
    assert [want for leg in legs for want in leg.wants] == wants
    requests = bybit.subscribe(legs[0], legs[0].wants, 5)
    frames = [json.loads(request.text) for request in requests]
    assert all(frame["op"] == "subscribe" and len(frame["args"]) <= 10 for frame in frames)
    assert [frame["req_id"] for frame in frames] == [str(5 + i) for i in range(len(frames))]
    assert [name for frame in frames for name in frame["args"]] == list(legs[0].streams)
    (request,) = bybit.unsubscribe(legs[0], [wants[0]], 9)
    assert json.loads(request.text) == {"req_id": "9", "op": "unsubscribe", "args": ["orderbook.200.S0USDT"]}


def test_the_ping_is_json_each_20_s() -> None:
    keepalive = bybit.keepalive("spot")
    assert (keepalive.kind, json.loads(keepalive.text)["op"], keepalive.interval_ns) == ("text", "ping", 20 * 10**9)


def body(rows: list[dict[str, Any]], cursor: str | None = "", code: int = 0) -> bytes:
    result = {"category": "linear", "list": rows, "nextPageCursor": cursor}
    return json.dumps({"retCode": code, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": 1}).encode()


def test_pages_are_followed_until_there_is_no_cursor() -> None:
    (first,) = bybit.instruments_calls("linear", "http://127.0.0.1:9000")
    assert "limit=1000" in first.url and bybit.read_rest(first.url) == RestMeaning("linear", Purpose.INSTRUMENTS)
    second = bybit.next_instruments_call(first, body([], "first=A&last=B%2C"))
    assert second is not None and second.url == first.url + "&cursor=first%3DA%26last%3DB%252C"
    third = bybit.next_instruments_call(second, body([], "next"))
    assert third is not None and third.url == first.url + "&cursor=next"
    for end in ("", None):
        assert bybit.next_instruments_call(third, body([], end)) is None
    assert bybit.read_rest("https://api.bybit.com/v5/market/instruments-info?category=option") is None


def row(symbol: str, **fields: Any) -> dict[str, Any]:
    return {
        "symbol": symbol, "status": "Trading", "baseCoin": "BTC", "quoteCoin": "USDT", "deliveryTime": "0",
        "contractType": "LinearPerpetual", "priceFilter": {"tickSize": "0.10"}, "fundingInterval": 480,
        "lotSizeFilter": {"qtyStep": "0.001"},
    } | fields  # fmt: skip


def test_linear_sizes_are_base_coin_and_inverse_sizes_are_usd() -> None:
    (linear,) = bybit.listings("linear", body([row("BTCUSDT")]))
    assert linear == Listing(
        "BTCUSDT",
        {
            "base": "BTC", "quote": "USDT", "size_unit": "base", "inverse": False, "multiplier": 1.0,
            "status": "trading", "inferred": False, "funding_interval_ns": 480 * MINUTE, "unified": "BTC-USDT-PERP",
            "tick_size": 0.1, "price_precision": 1, "lot_size": 0.001, "size_precision": 3,
        },
    )  # fmt: skip
    inverse_row = row("BTCUSD", contractType="InversePerpetual", quoteCoin="USD", lotSizeFilter={"qtyStep": "1"})
    (inverse,) = bybit.listings("inverse", body([inverse_row]))
    assert inverse.metadata["unified"] == "BTC-USD-PERP"
    instrument = Instrument(number=0, exchange="bybit", market="inverse", symbol="BTCUSD", **inverse.metadata)
    assert to_base(5000.0, 50_000.0, instrument) == 0.1


def test_usdc_perpetuals_and_dated_contracts_have_unified_names() -> None:
    dated = {"contractType": "LinearFutures", "deliveryTime": "1774598400000"}  # 2026-03-27 08:00
    rows = [
        row("BTCPERP", quoteCoin="USDC"), row("BTC-27MAR26", quoteCoin="USDC", **dated),
        row("BTCUSDT-27MAR26", **dated),
    ]  # fmt: skip
    names = [listing.metadata["unified"] for listing in bybit.listings("linear", body(rows))]
    assert names == ["BTC-USDC-PERP", "BTC-USDC-260327", "BTC-USDT-260327"]
    for name, listed in zip(names, rows, strict=True):
        assert bybit.resolve("linear", name, ()) == listed["symbol"]
        assert bybit.guessed("linear", listed["symbol"]).metadata["unified"] == name
    quarterly = row("BTCUSDU23", contractType="InverseFutures", quoteCoin="USD", deliveryTime="1695974400000")
    (listing,) = bybit.listings("inverse", body([quarterly]))
    assert listing.metadata["unified"] == "BTC-USD-230929"
    assert bybit.guessed("inverse", "BTCUSDU23").metadata["unified"] == "BTC-USD-230929"
    assert bybit.resolve("inverse", "BTC-USD-230929", ()) == "BTCUSDU23"
    assert bybit.guessed("spot", "ETHBTC").metadata["unified"] == "ETH-BTC"
    assert "unified" not in bybit.guessed("linear", "???").metadata


@pytest.mark.parametrize(
    ("market", "spelling", "native"),
    [
        ("spot", "btc/usdt", "BTCUSDT"), ("spot", "BTC-USDT", "BTCUSDT"), ("linear", "BTC-USDT-PERP", "BTCUSDT"),
        ("linear", "btcperp", "BTCPERP"), ("linear", "BTC-27MAR26", "BTC-27MAR26"),
        ("inverse", "BTC-USD-PERP", "BTCUSD"),
    ],
)  # fmt: skip
def test_symbols_are_accepted_in_unified_and_native_spelling(market: str, spelling: str, native: str) -> None:
    assert bybit.resolve(market, spelling, ()) == native


def test_a_symbol_that_is_not_listed_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="BTCUSDT"):
        bybit.resolve("linear", "BTCUSTD", bybit.listings("linear", body([row("BTCUSDT")])))


def test_the_captured_lists_are_read_whole(captures: Path) -> None:
    rest = [line for line in lines(captures / "bybit_v5_2026.jsonl.gz") if line["d"] == "rest"]
    counts = {}
    for line in rest:
        meaning = bybit.read_rest(line["u"])
        assert meaning is not None
        listed = {one.symbol: one.metadata for one in bybit.listings(meaning.market, line["f"].encode())}
        rows = json.loads(line["f"])["result"]["list"]
        counts[meaning.market] = len(listed)
        for one in rows:
            metadata = listed[one["symbol"]]
            assert metadata["tick_size"] == float(one["priceFilter"]["tickSize"])
            assert metadata.get("funding_interval_ns") == one.get("fundingInterval", 0) * MINUTE
            if meaning.market == "spot" or one["contractType"] == "LinearPerpetual":
                name = f"{one['baseCoin']}-{one['quoteCoin']}" + ("" if meaning.market == "spot" else "-PERP")
                assert metadata["unified"] == name
    assert counts == {"linear": 800, "spot": 557}


@pytest.mark.parametrize(
    "bad",
    [b"", b"[]", b"{}", body([], code=10006), body([row("A", deliveryTime="x", contractType="LinearFutures")]),
     body([row("A", priceFilter={"tickSize": "x"})]), body([{"symbol": "A"}])],
)  # fmt: skip
def test_a_body_that_is_no_list_is_rejected_also_errors_that_come_with_http_200(bad: bytes) -> None:
    with pytest.raises(RejectedFrame):
        bybit.listings("linear", bad)
