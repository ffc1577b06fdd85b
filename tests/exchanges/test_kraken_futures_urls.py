"""Where Kraken Futures is asked what, what the answers list, and what products are called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ringcollect.config.venues import VENUES
from ringcollect.errors import ConfigError, RejectedFrame
from ringcollect.exchanges import kraken_futures, load
from ringcollect.exchanges.protocol import Listing, Purpose, RestMeaning, UrlMeaning, Want
from ringcollect.instruments import Instrument, to_base
from ringcollect.records import CHANNELS_BY_NAME, Channel
from tests.exchanges.frames import lines

HOUR = 3600 * 10**9
ALL = kraken_futures.channels("linear")


def test_the_configuration_offers_exactly_the_channels_the_exchange_has() -> None:
    for market in kraken_futures.markets:
        assert {CHANNELS_BY_NAME[name] for name in VENUES["kraken_futures", market].channels} == set(ALL)
        assert kraken_futures.polled(market) == ()
    assert load("kraken_futures").name == "kraken_futures"


def test_eight_channels_come_by_three_feeds() -> None:
    wants = [Want("PF_XBTUSD", channel) for channel in ALL]
    (leg,) = kraken_futures.legs("linear", wants)
    assert leg.url == "wss://futures.kraken.com/ws/v1"
    assert leg.streams == ("book:PF_XBTUSD", "trade:PF_XBTUSD", "ticker:PF_XBTUSD") and set(leg.wants) == set(wants)
    assert {want for name in leg.streams for want in kraken_futures.read_stream("linear", name)} == set(wants)
    requests = kraken_futures.subscribe(leg, leg.wants, 5)
    assert [json.loads(request.text) for request in requests] == [
        {"event": "subscribe", "feed": feed, "product_ids": ["PF_XBTUSD"]} for feed in ("book", "trade", "ticker")
    ]
    assert [request.request_id for request in requests] == [5, 6, 7]
    assert {want for request in requests for want in request.wants} == set(wants)
    (request,) = kraken_futures.unsubscribe(leg, [wants[0]], 9)
    assert json.loads(request.text) == {"event": "unsubscribe", "feed": "book", "product_ids": ["PF_XBTUSD"]}
    for other in ("ticker_lite:PF_XBTUSD", "book", "book:"):
        assert kraken_futures.read_stream("linear", other) == ()


def test_requests_name_fifty_products_and_connections_carry_a_bounded_number_of_streams() -> None:
    wants = [Want(f"PF_S{i}USD", channel) for i in range(300) for channel in (Channel.BOOK, Channel.TRADE, Channel.BBO)]
    legs = kraken_futures.legs("linear", wants, "ws://127.0.0.1:9000/")
    assert {leg.url for leg in legs} == {"ws://127.0.0.1:9000/ws/v1"} and len(legs) == 2
    assert all(len(leg.streams) <= kraken_futures.limits("linear").streams_per_connection for leg in legs)
    assert [want for leg in legs for want in leg.wants] == wants
    requests = kraken_futures.subscribe(legs[0], legs[0].wants, 1)
    assert {len(json.loads(request.text)["product_ids"]) for request in requests} == {50}
    assert {want for request in requests for want in request.wants} == set(legs[0].wants)


def test_a_client_that_says_nothing_for_60_s_is_cut_off_so_we_ping() -> None:
    keepalive = kraken_futures.keepalive("linear")
    assert keepalive.kind == "frame" and keepalive.interval_ns < 60 * 10**9


@pytest.mark.parametrize(
    ("url", "meaning"),
    [
        ("wss://futures.kraken.com/ws/v1", UrlMeaning("linear", (), True)),
        ("wss://demo-futures.kraken.com/ws/v1/", UrlMeaning("linear", (), True)),
        ("wss://ws.kraken.com/v2", None), ("https://futures.kraken.com/ws/v1", None), ("ws://[", None), ("", None),
    ],
)  # fmt: skip
def test_what_a_url_says(url: str, meaning: UrlMeaning | None) -> None:
    assert kraken_futures.read_url(url) == meaning
    if meaning is not None:
        assert load("okx").read_url(url) is None


def test_rest_calls_are_read_back() -> None:
    (call,) = kraken_futures.instruments_calls("inverse", "http://127.0.0.1:1/")
    assert call.url == "http://127.0.0.1:1/derivatives/api/v3/instruments"
    meaning = kraken_futures.read_rest(call.url)
    assert meaning is not None and meaning.purpose is Purpose.INSTRUMENTS
    assert meaning == RestMeaning(meaning.market, Purpose.INSTRUMENTS)
    assert kraken_futures.next_instruments_call(call, b"") is None
    for url in ("https://x/derivatives/api/v3/tickers", "https://[", ""):
        assert kraken_futures.read_rest(url) is None


@pytest.mark.parametrize(
    ("symbol", "market", "unified"),
    [
        ("PF_XBTUSD", "linear", "BTC-USD-PERP"), ("FF_XBTUSD_260807", "linear", "BTC-USD-260807"),
        ("PI_XBTUSD", "inverse", "BTC-USD-PERP"), ("FI_ETHUSD_211231", "inverse", "ETH-USD-211231"),
        ("PF_ETHUSDT", "linear", "ETH-USDT-PERP"), ("PF_1000XUSD", "linear", "1000X-USD-PERP"),
    ],
)  # fmt: skip
def test_a_product_says_its_market_and_its_unified_name_by_its_spelling(symbol: str, market: str, unified: str) -> None:
    assert kraken_futures.market_of("linear", symbol, ()) == market
    assert kraken_futures.guessed(market, symbol).metadata["unified"] == unified
    for spelling in (symbol, symbol.lower(), unified, unified.lower(), unified.replace("-", "/", 1)):
        assert kraken_futures.resolve(market, spelling, ()) == symbol


def test_what_is_no_contract_of_ours_has_no_market() -> None:
    for symbol in ("IN_XBTUSD", "RR_XBTUSD", "XBTUSD", ""):
        assert kraken_futures.market_of("linear", symbol, ()) == ""
    assert kraken_futures.market_of("linear", "PI_XBTUSD", ["inverse"]) == "inverse"
    assert "unified" not in kraken_futures.guessed("linear", "PF_???").metadata
    assert kraken_futures.resolve("linear", "BTC/USD", ()) == "PF_XBTUSD"
    assert kraken_futures.resolve("inverse", "btc-usd", ()) == "PI_XBTUSD"


def body(*rows: dict[str, Any], result: str = "success", **more: Any) -> bytes:
    return json.dumps({"result": result, "instruments": rows, "serverTime": "2026-01-01T00:00:00Z"} | more).encode()


LINEAR = {
    "symbol": "PF_ETHUSD", "type": "flexible_futures", "tickSize": 0.1, "contractSize": 1, "tradeable": True,
    "contractValueTradePrecision": 3, "base": "ETH", "quote": "USD", "pair": "ETH:USD",
}  # fmt: skip
INVERSE = {
    "symbol": "PI_XBTUSD", "type": "futures_inverse", "underlying": "rr_xbtusd", "tickSize": 0.5, "contractSize": 1,
    "tradeable": True, "fundingRateCoefficient": 24, "maxRelativeFundingRate": 0.0025, "postOnly": False,
    "contractValueTradePrecision": 0, "base": "BTC", "quote": "USD", "pair": "BTC:USD",
}  # fmt: skip


def test_linear_sizes_are_base_coin_and_inverse_sizes_are_contracts_of_dollars() -> None:
    linear, inverse = kraken_futures.listings("linear", body(LINEAR, INVERSE))
    assert linear == Listing(
        "PF_ETHUSD",
        {
            "size_unit": "base", "inverse": False, "unified": "ETH-USD-PERP", "base": "ETH", "quote": "USD",
            "multiplier": 1.0, "status": "trading", "inferred": False, "funding_interval_ns": HOUR, "tick_size": 0.1,
            "price_precision": 1, "lot_size": 0.001, "size_precision": 3,
        },
        "linear",
    )  # fmt: skip
    assert inverse.market == "inverse" and inverse.metadata["unified"] == "BTC-USD-PERP"
    instrument = Instrument(number=0, exchange="x", market="inverse", symbol="PI_XBTUSD", **inverse.metadata)
    assert to_base(5000.0, 50_000.0, instrument) == 0.1
    assert (
        to_base(0.5, 50_000.0, Instrument(number=0, exchange="x", market="linear", symbol="P", **linear.metadata))
        == 0.5
    )


def test_a_negative_precision_is_a_lot_of_many() -> None:
    (listing,) = kraken_futures.listings("linear", body(LINEAR | {"contractValueTradePrecision": -3}))
    assert (listing.metadata["lot_size"], listing.metadata["size_precision"]) == (1000.0, 0)
    (listing,) = kraken_futures.listings("linear", body(LINEAR | {"tickSize": 1e-7, "tradeable": False}))
    assert (listing.metadata["tick_size"], listing.metadata["price_precision"]) == (1e-7, 7)
    assert listing.metadata["status"] == "suspended"


def test_the_captured_list_in_lower_case_is_read_in_capitals_without_its_indices(captures: Path) -> None:
    first = next(iter(lines(captures / "kraken_futures_2021.jsonl.gz")))
    rows = json.loads(first["f"])["instruments"]
    listed = {one.symbol: one for one in kraken_futures.listings("inverse", first["f"].encode())}
    assert set(listed) == {row["symbol"].upper() for row in rows if row["type"] != "spot index"} and len(listed) == 17
    assert {one.market for one in listed.values()} == {"inverse"}
    metadata = listed["FI_XBTUSD_210924"].metadata
    assert (metadata["unified"], metadata["tick_size"], metadata["multiplier"]) == ("BTC-USD-210924", 0.5, 1.0)
    assert (metadata["size_unit"], metadata["funding_interval_ns"]) == ("contract", 0)
    assert listed["PI_ETHUSD"].metadata["funding_interval_ns"] == HOUR


def test_volumes_rank_products_by_dollars() -> None:
    rows = [
        {"symbol": "PF_XBTUSD", "volumeQuote": 236982977.0066}, {"symbol": "pi_xbtusd", "volumeQuote": 31403908},
        {"symbol": "in_xbtusd"}, {"symbol": "PF_NEWUSD"},
    ]  # fmt: skip
    (call,) = kraken_futures.volumes_calls("linear")
    assert call.purpose is Purpose.VOLUMES
    answer = json.dumps({"result": "success", "tickers": rows}).encode()
    assert kraken_futures.volumes("linear", answer) == {
        "PF_XBTUSD": 236982977.0066, "PI_XBTUSD": 31403908.0, "PF_NEWUSD": 0.0,
    }  # fmt: skip


def test_a_symbol_that_is_not_listed_is_named_with_the_nearest_of_its_market() -> None:
    known = kraken_futures.listings("linear", body(LINEAR, INVERSE))
    assert kraken_futures.resolve("linear", "eth-usd-perp", known) == "PF_ETHUSD"
    with pytest.raises(ConfigError, match="PF_ETHUSD"):
        kraken_futures.resolve("linear", "PF_ETHUSDX", known)
    with pytest.raises(ConfigError):
        kraken_futures.resolve("linear", "PI_XBTUSD", known)


@pytest.mark.parametrize(
    "bad", [b"", b"[]", b"{}", body(result="error", error="apiLimitExceeded"), body({"tickSize": 1}),
            body(LINEAR | {"contractValueTradePrecision": 400})],
)  # fmt: skip
def test_a_body_that_is_no_list_is_rejected_also_errors_that_come_with_http_200(bad: bytes) -> None:
    with pytest.raises(RejectedFrame):
        kraken_futures.listings("linear", bad)
