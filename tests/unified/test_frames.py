"""What a unified object of ccxt becomes: written out by hand, number by number. Needs no ccxt."""

from __future__ import annotations

import json
import math
import uuid

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.errors import ConfigError, RejectedFrame
from ringcollect.exchanges import load
from ringcollect.exchanges.protocol import Decoded, Outcome, Want
from ringcollect.feed.unified import objects
from ringcollect.records import Channel, Flag, Kind, TickerField

DAY = 86_400 * 10**9
T = 1_700_000_000_000
NOW = T * 10**6 + 5_000_000


def decoded(frame: bytes, name: str = "ccxt_kucoin", market: str = "linear") -> Decoded:
    decoder = load(name).decoder(max_past_ns=DAY, max_future_skew_ns=DAY)
    decoder.add_symbol(market, "BTC/USDT:USDT", 3, funding_interval_ns=8 * 3600 * 10**9)
    return decoder.cold(frame, decoder.context(market, 7), NOW)


def made(build, *args, name: str = "ccxt_kucoin") -> list[np.ndarray]:
    """The records of each batch."""
    return [batch.records for batch in decoded(objects.frame_of(lambda: build(S, *args)), name).batches]


S = "BTC/USDT:USDT"


def test_a_book_is_cut_to_its_depth_and_replaces_the_one_before():
    book = {"bids": [[100.5, 1.0], [100.0, 2.0], [99.0, 3.0]], "asks": [[101.0, 4.0]], "timestamp": T, "nonce": 9}
    [records] = made(objects.book, book, 2)
    assert records["kind"].tolist() == [Kind.BOOK_SNAPSHOT] * 3
    assert records[["side", "price", "size"]].tolist() == [(1, 100.5, 1.0), (1, 100.0, 2.0), (-1, 101.0, 4.0)]
    assert records["flags"].tolist() == [Flag.CLEAR, 0, Flag.LAST]  # news: not SNAPSHOT
    assert set(records["ts_event"]) == {T * 10**6} and set(records["ts_recv"]) == {NOW}
    assert set(records["instrument"]) == {3} and set(records["conn"]) == {7} and set(records["aux"]) == {-1}


def test_orders_of_one_price_are_one_level_and_count_as_one_of_the_depth():
    book = {"bids": [[100.0, 1.0, "a"], [100.0, 2.5, "b"], [99.0, 1.0, "c"], [98.0, 1.0, "d"]], "asks": []}
    [records] = made(objects.book, book, 2)
    assert records[["price", "size"]].tolist() == [(100.0, 3.5), (99.0, 1.0)]
    assert records["ts_event"].tolist() == [0, 0]  # ccxt knows no time: none is made up


def test_an_empty_book_is_one_record_that_clears():
    [records] = made(objects.book, {"bids": [], "asks": [], "timestamp": T}, 5)
    assert len(records) == 1 and math.isnan(records["price"][0])
    assert records["flags"][0] == Flag.CLEAR | Flag.LAST


def trade(identity, t=T, side="buy", price=10.25, amount=2.0):
    return {"id": identity, "timestamp": t, "side": side, "price": price, "amount": amount, "symbol": S}


def test_trades_have_the_takers_side_and_ids_of_any_form():
    one = uuid.UUID("ffffffff-ffff-4fff-8fff-fffffffffffe")
    [records] = made(objects.trades, [trade("77"), trade(str(one), side="sell"), trade("a7-b", side=None)], 1000, 0)
    assert records["side"].tolist() == [1, -1, 0]
    assert records["id"][0] == records["aux"][0] == 77
    halves = int(records["id"][1]) % (1 << 64) << 64 | int(records["aux"][1]) % (1 << 64)
    assert halves == one.int and records["flags"][1] & Flag.UUID
    named = uuid.uuid5(uuid.NAMESPACE_OID, "a7-b").int
    assert int(records["id"][2]) % (1 << 64) << 64 | int(records["aux"][2]) % (1 << 64) == named
    [nameless] = made(objects.trades, [trade(None)], 1000, 0)
    assert (nameless["id"][0], nameless["aux"][0]) == (0, 0)


def test_coinbase_trades_are_turned_to_the_takers_side_which_ccxt_does_not_do():
    for name, side in (("ccxt_coinbase", -1), ("ccxt_kucoin", 1)):
        [records] = made(objects.trades, [trade("1", side="buy")], 1000, 0, name=name)
        assert records["side"][0] == side


def test_what_is_older_than_the_subscription_is_history_in_the_first_delivery_only():
    prints = [trade("1", T - 60_000), trade("2", T - 1), trade("3", T)]
    [first] = made(objects.trades, prints, 1000, T)
    assert (first["flags"] & int(Flag.SNAPSHOT) != 0).tolist() == [True, True, False]
    [later] = made(objects.trades, prints, 1000, 0)
    assert not (later["flags"] & int(Flag.SNAPSHOT)).any()


def test_as_many_trades_as_ccxt_keeps_are_a_possible_loss_before_them():
    prints = [trade(str(i)) for i in range(4)]
    for limit, lossy in ((4, True), (5, False)):
        [batch] = decoded(objects.frame_of(lambda: objects.trades(S, prints, limit, 0))).batches  # noqa: B023
        assert batch.lossy is lossy and len(batch.records) == 4 and batch.first_id == -1


def test_where_ids_are_dense_they_say_what_is_missing_and_the_cache_need_not():
    frame = objects.frame_of(lambda: objects.trades(S, [trade("5"), trade("9"), trade("6")], 3, 0))
    [batch] = decoded(frame, "ccxt_binanceusdm").batches
    assert (batch.first_id, batch.last_id, batch.lossy) == (5, 9, False)
    assert batch.records["id"].tolist() == batch.records["aux"].tolist() == [5, 9, 6]


def test_a_print_of_no_size_is_no_trade_but_spends_its_id():
    """Binance sends them on USD-M with ``X`` "NA"; ccxt hands them on like any other."""
    prints = [trade("5"), trade("6", price=0.0, amount=0.0), trade("7")]
    batches = decoded(objects.frame_of(lambda: objects.trades(S, prints, 1000, 0)), "ccxt_binanceusdm").batches
    assert [(b.first_id, b.last_id, len(b.records)) for b in batches] == [(5, 5, 1), (6, 6, 0), (7, 7, 1)]


@pytest.mark.parametrize("nested", [True, False])  # watchBidsAsks answers by symbol, watchTicker does not
def test_best_prices(nested):
    best = {"bid": 1.5, "bidVolume": 2.0, "ask": None, "askVolume": None, "timestamp": T}
    [records] = made(objects.best, {S: best} if nested else best)
    assert records["side"].tolist() == [1, -1] and records["kind"].tolist() == [Kind.BBO] * 2
    assert records["price"][0] == 1.5 and math.isnan(records["price"][1])
    assert records["size"].tolist() == [2.0, 0.0]


def test_a_ticker_without_best_prices_is_ignored_as_best_prices():
    frame = objects.frame_of(lambda: objects.best(S, {"last": 3.0, "timestamp": T}))
    assert decoded(frame).outcome is Outcome.IGNORED


def test_a_ticker_is_one_record_per_field_that_is_there():
    [records] = made(objects.ticker, {"last": 5.0, "high": 6.0, "baseVolume": 70.0, "timestamp": T})
    expected = [(TickerField.LAST, 5.0), (TickerField.HIGH, 6.0), (TickerField.BASE_VOLUME, 70.0)]
    assert records[["sub", "price"]].tolist() == expected and np.isnan(records["size"]).all()


def test_a_funding_rate_says_when_it_applies_and_how_it_came():
    found = {"fundingRate": 0.0001, "fundingTimestamp": T + 1000, "interval": "4h", "timestamp": T}
    for rest in (True, False):
        [records] = made(objects.funding, found, rest)
        assert (records["price"][0], records["id"][0], records["aux"][0]) == (
            0.0001,
            4 * 3600 * 10**9,
            (T + 1000) * 10**6,
        )
        assert bool(records["flags"][0] & Flag.REST) is rest
    [records] = made(objects.funding, {"fundingRate": 0.0}, True)
    assert (records["id"][0], records["aux"][0]) == (8 * 3600 * 10**9, 0)  # the instrument's own interval; no time


def test_open_interest_is_polled():
    [records] = made(objects.open_interest, {"openInterestAmount": 9.0, "openInterestValue": None, "timestamp": T})
    assert records["size"][0] == 9.0 and math.isnan(records["price"][0]) and records["flags"][0] & Flag.REST


@pytest.mark.parametrize(
    "build",
    [
        lambda: objects.book(S, {"bids": [["x", 1.0]], "asks": []}, 5),
        lambda: objects.book(S, {}, 5),
        lambda: objects.trades(S, [{"id": "1"}], 1000, 0),
        lambda: objects.trades(S, [trade("1", side="up")], 1000, 0),
        lambda: objects.ticker(S, {"last": [1]}),
        lambda: objects.book("", {"bids": [], "asks": []}, 5),
        lambda: objects.book(S, {"bids": [[math.nan, 1.0]], "asks": []}, 5),
    ],
)
def test_an_object_that_is_not_as_ccxt_promises_is_a_rejected_frame(build):
    with pytest.raises(RejectedFrame):
        decoded(objects.frame_of(build))


def test_an_answer_names_what_it_is_about():
    frame = b'{"id":4,"ok":false,"w":[["BTC/USDT:USDT","book"]],"c":"answer","m":"no such symbol"}'
    answer = decoded(frame).control
    assert answer.request_id == 4 and not answer.ok and answer.message == "no such symbol"
    assert answer.wants == (Want("BTC/USDT:USDT", Channel.BOOK),)


def test_a_symbol_nobody_registered_is_named():
    frame = objects.frame_of(lambda: objects.best("X/Y", {"bid": 1.0}))
    assert decoded(frame).unknown == ("X/Y",)


WORDS = ["book", "trade", "bbo", "ticker", "funding", "open_interest", "answer", "broken", S]
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS)
KEYS = st.sampled_from([*"csbadtw", "lost", "since", "rate", "bid", "last", "amount"])


def nested(inner):
    return st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner)


JSON = st.recursive(PLAIN, nested, max_leaves=12).map(lambda value: json.dumps(value).encode())


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | JSON)
def test_whatever_the_bytes_are_there_are_records_or_a_reject(frame):
    try:
        found = decoded(frame)
    except RejectedFrame:
        return
    assert isinstance(found, Decoded)


def test_instruments_as_ccxt_lists_them():
    rows = [
        {"s": "BTC/USDT", "base": "BTC", "quote": "USDT", "tick": 0.01, "lot": 1e-05},
        {"s": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT", "kind": "swap", "contract": 0.001, "tick": 0.5},
        {
            "s": "BTC/USD:BTC-261225",
            "base": "BTC",
            "quote": "USD",
            "kind": "future",
            "expiry": "261225",
            "contract": 10.0,
        },
    ]
    exchange = load("ccxt_kucoin")
    spot, swap, dated = exchange.listings("inverse", msgspec.json.encode(rows))
    assert (spot.metadata["unified"], spot.metadata["price_precision"], spot.metadata["size_precision"]) == (
        "BTC-USDT", 2, 5,
    )  # fmt: skip
    assert (swap.metadata["unified"], swap.metadata["size_unit"], swap.metadata["multiplier"]) == (
        "BTC-USDT-PERP", "contract", 0.001,
    )  # fmt: skip
    assert dated.metadata["unified"] == "BTC-USD-261225" and dated.metadata["inverse"]
    for market, spelling in (
        ("spot", "btc-usdt"), ("spot", "BTC/USDT"), ("linear", "BTC-USDT-PERP"), ("linear", "BTC/USDT:USDT"),
        ("linear", "btc/usdt"),
    ):  # fmt: skip
        expected = "BTC/USDT" if market == "spot" else "BTC/USDT:USDT"
        assert exchange.resolve(market, spelling, [spot, swap, dated]) == expected
        assert exchange.resolve(market, spelling, ()) == expected
    assert exchange.resolve("inverse", "BTC-USD-261225", ()) == "BTC/USD:BTC-261225"
    with pytest.raises(ConfigError, match="BTC/USDT"):
        exchange.resolve("spot", "BTC-USDX", [spot])
