"""What Deribit's messages become: values written by hand, and the shared kernel as the typed path."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.errors import ConfigError, RejectedFrame
from ringcollect.exchanges import deribit
from ringcollect.exchanges.protocol import (
    Answer,
    Code,
    Missing,
    Notice,
    Outcome,
    Purpose,
    RestMeaning,
    Verdict,
    Want,
)
from ringcollect.records import Channel, Flag, Kind, TickerField, TradeSub
from tests.exchanges.deribit_frames import EIGHT_HOURS, MS, NOW, SYMBOLS, both, cold, new_decoder, note, quote, ticker
from tests.exchanges.spelling import DAMAGE, damaged

TS = MS * 1_000_000
LIST = {
    "jsonrpc": "2.0",
    "result": [
        {"tick_size": 0.5, "kind": "future", "is_active": True, "instrument_name": "BTC-PERPETUAL",
         "future_type": "reversed", "contract_size": 10.0, "settlement_period": "perpetual"},
        {"tick_size": 0.0001, "kind": "future", "is_active": False, "instrument_name": "XRP_USDC-PERPETUAL",
         "future_type": "linear", "contract_size": 1, "settlement_period": "perpetual"},
        {"tick_size": 2.5, "kind": "future", "is_active": True, "instrument_name": "BTC-2OCT26",
         "future_type": "reversed", "contract_size": 10.0, "settlement_period": "week"},
        {"tick_size": 0.0005, "kind": "option", "is_active": True, "instrument_name": "BTC-24JUN22-52000-P",
         "contract_size": 1.0, "settlement_period": "month"},
    ],
}  # fmt: skip


def book(kind: str = "change", **other: object) -> bytes:
    row = {
        "type": kind, "timestamp": MS, "instrument_name": "BTC_USDC-PERPETUAL", "change_id": 1550724483,
        "bids": [["new", 20977, 0.109], ["delete", 20975.5, 0]], "asks": [["change", 20999, 1.25]],
    }  # fmt: skip
    return note("book.BTC_USDC-PERPETUAL.100ms", row | other)


def trade(**other: object) -> dict[str, object]:
    return {
        "trade_seq": 501899, "trade_id": "USDC-2436803", "timestamp": MS, "tick_direction": 2, "price": 21026,
        "instrument_name": "BTC-PERPETUAL", "direction": "buy", "amount": 580.0,
    } | other  # fmt: skip


def test_a_book_is_a_snapshot_and_then_changes_that_name_the_one_before() -> None:
    (whole,) = cold(book("snapshot", bids=[["new", 20987, 0.487], ["new", 20986, 0.238]], asks=[])).batches
    assert (whole.instrument, whole.channel, whole.last_id, whole.prev_id) == (1, Channel.BOOK, 1550724483, -1)
    assert whole.records["price"].tolist() == [20987, 20986] and whole.records["aux"].tolist() == [-1, -1]
    assert set(whole.records["kind"].tolist()) == {Kind.BOOK_SNAPSHOT} and whole.records["flags"][0] & Flag.CLEAR
    assert all(whole.records["flags"] & Flag.SNAPSHOT)
    (delta,) = cold(book(prev_change_id=1550724481)).batches
    rows = delta.records
    assert (delta.first_id, delta.last_id, delta.prev_id) == (-1, 1550724483, 1550724481)
    assert rows["price"].tolist() == [20977, 20975.5, 20999] and rows["size"].tolist() == [0.109, 0, 1.25]
    assert rows["side"].tolist() == [1, 1, -1] and set(rows["id"].tolist()) == {1550724483}
    assert set(rows["ts_event"].tolist()) == {TS} and set(rows["kind"].tolist()) == {Kind.BOOK_DELTA}
    (deleted,) = cold(book(prev_change_id=1, bids=[["delete", 5, 7.5]], asks=[])).batches
    assert deleted.records["size"].tolist() == [0]
    (empty,) = cold(book(prev_change_id=1, bids=[], asks=[])).batches
    assert len(empty.records) == 1 and empty.records["side"][0] == 0 and np.isnan(empty.records["price"][0])


def test_a_change_follows_what_it_names() -> None:
    for rule in (deribit.accept("linear"), deribit.join("linear")):
        assert rule(100, -1, 105, 100) is Verdict.FITS
        assert rule(100, -1, 105, 101) is Verdict.GAP and rule(100, -1, 105, 99) is Verdict.GAP
        assert rule(100, -1, 100, 98) is Verdict.STALE


def test_prints_have_the_takers_side_a_dense_id_and_say_what_was_forced() -> None:
    rows = [
        trade(), trade(trade_seq=501900, direction="sell", price=21025.5, liquidation="T"),
        trade(trade_seq=501901, block_trade_id="BLOCK-1"),
    ]  # fmt: skip
    (batch,) = cold(note("trades.BTC-PERPETUAL.100ms", rows)).batches
    records = batch.records
    assert (batch.channel, batch.first_id, batch.last_id) == (Channel.TRADE, 501899, 501901)
    assert records["id"].tolist() == records["aux"].tolist() == [501899, 501900, 501901]
    assert records["side"].tolist() == [1, -1, 1] and records["price"].tolist() == [21026, 21025.5, 21026]
    assert records["size"].tolist() == [580] * 3
    assert records["sub"].tolist() == [TradeSub.ORDINARY, TradeSub.LIQUIDATION, TradeSub.BLOCK]
    (one, two) = cold(note("trades.future.BTC.100ms", [trade(), trade(instrument_name="BTC-25SEP26")])).batches
    assert (one.instrument, two.instrument) == (0, 2)


def test_best_prices_are_the_same_both_ways() -> None:
    answer, rows = both(quote())
    assert answer == 2 and rows["kind"].tolist() == [Kind.BBO] * 2 and rows["side"].tolist() == [1, -1]
    assert rows["price"].tolist() == [63908, 63940.5] and rows["size"].tolist() == [20, 40]
    assert rows["ts_event"].tolist() == [TS, TS] and [bool(f & Flag.LAST) for f in rows["flags"]] == [False, True]
    answer, rows = both(quote(best_bid_price=0.0, best_bid_amount=0.0))
    assert answer == 2 and math.isnan(rows["price"][0]) and rows["price"][1] == 63940.5
    answer, rows = both(quote(best_ask_price=None, best_ask_amount=0.0))
    assert answer == Code.SLOW and math.isnan(rows["price"][1]) and rows["size"].tolist() == [20, 0]


def test_a_ticker_is_mark_index_funding_and_interest_both_ways() -> None:
    answer, rows = both(ticker(stats={}, last_price="gone"))
    assert answer == 4
    assert rows["kind"].tolist() == [Kind.MARK_PRICE, Kind.INDEX_PRICE, Kind.FUNDING, Kind.OPEN_INTEREST]
    assert rows["price"].tolist()[:3] == [21109.555, 21122.3937, -0.00010782] and math.isnan(rows["price"][3])
    assert rows["size"][3] == 164.501 and all(np.isnan(rows["size"][:3]))
    assert rows["id"].tolist() == [0, 0, EIGHT_HOURS, 0] and rows["aux"].tolist() == [0] * 4
    assert all(rows["flags"] & Flag.LAST)
    for frame in (ticker("BTC-25SEP26", current_funding="gone"), ticker("BTC-25SEP26", current_funding=None)):
        _, rows = both(frame)
        rows = rows[rows["kind"] != Kind.TICKER]
        assert rows["kind"].tolist() == [Kind.MARK_PRICE, Kind.INDEX_PRICE, Kind.OPEN_INTEREST]
        assert set(rows["instrument"].tolist()) == {2}


@pytest.mark.parametrize("stats", [{"high": 22000.5, "low": 20111.0, "volume": 3.5, "volume_usd": 70000.0}, None])
def test_a_ticker_says_four_statistics_and_what_is_null_is_no_record(stats: dict[str, float] | None) -> None:
    answer, rows = both(ticker(stats=stats))
    assert answer == (8 if stats else Code.SLOW)
    rows = rows[rows["kind"] == Kind.TICKER]
    fields = {TickerField.LAST: 21132.0} | (
        {TickerField.HIGH: 22000.5, TickerField.LOW: 20111.0, TickerField.BASE_VOLUME: 3.5} if stats else {}
    )
    assert dict(zip(rows["sub"].tolist(), rows["price"].tolist(), strict=True)) == fields
    assert rows["flags"].tolist() == [0] * (len(fields) - 1) + [Flag.LAST]


def test_the_kernel_leaves_books_prints_and_answers_to_the_typed_way() -> None:
    for frame in (
        book(prev_change_id=1), note("trades.BTC-PERPETUAL.100ms", [trade()]), quote("BTC-26MAR27"),
        b'{"jsonrpc":"2.0","id":2,"result":["quote.BTC-PERPETUAL"]}',
    ):  # fmt: skip
        answer, _ = both(frame)
        assert answer == Code.SLOW
    assert cold(quote("BTC-26MAR27")).unknown == ("BTC-26MAR27",)
    swapped = json.loads(quote())
    swapped["params"] = dict(reversed(swapped["params"].items()))  # the data before the channel's name
    assert both(json.dumps(dict(reversed(swapped.items()))).encode())[0] == 2


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    is_quote=st.booleans(), how=DAMAGE, where=st.integers(0, 2**31), length=st.integers(1, 12), byte=st.integers(0, 255)
)
def test_a_damaged_message_gives_the_same_records_both_ways_or_none(
    is_quote: bool, how: str, where: int, length: int, byte: int
) -> None:
    bad = damaged(quote() if is_quote else ticker(), how, where, length, byte)
    try:
        both(bad)
    except RejectedFrame:
        decoder = new_decoder()
        assert deribit.decode_hot(bad, decoder.context("inverse", 2), NOW) == Code.SLOW


def test_an_answer_names_what_is_subscribed_and_its_id_says_to_what() -> None:
    good = cold('{"jsonrpc":"2.0","id":14,"result":["book.BTC-PERPETUAL.100ms","ticker.BTC-PERPETUAL.100ms"]}').control
    assert isinstance(good, Answer) and (good.request_id, good.ok) == (7, True)
    assert [want.channel for want in good.wants] == [
        Channel.BOOK, Channel.MARK_PRICE, Channel.INDEX_PRICE, Channel.FUNDING, Channel.OPEN_INTEREST, Channel.TICKER,
    ]  # fmt: skip
    none = cold('{"jsonrpc":"2.0","id":14,"result":[]}').control
    assert none == Answer(7, False, "no such channel")
    error = '{"jsonrpc":"2.0","id":%d,"error":{"message":"Invalid params","data":{"reason":"x"},"code":-32602}}'
    assert cold(error % 14).control == Answer(7, False, "-32602: Invalid params")
    assert cold(error % 15).control == Notice("-32602: Invalid params")
    for text in (
        '{"jsonrpc":"2.0","id":15,"result":["book.BTC-PERPETUAL.100ms"]}',
        '{"jsonrpc":"2.0","id":1,"result":{"version":"1.2.26"}}',
        '{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}',
    ):
        decoded = cold(text)
        assert decoded.outcome is Outcome.CONTROL and decoded.control is None
    assert cold(note("platform_state", {})).outcome is Outcome.IGNORED


@pytest.mark.parametrize(
    "frame",
    [
        b"pong", b"[]", b"{}", note("news.BTC", {}), book(), book("other"), book(prev_change_id=-1),
        book(prev_change_id=1, bids=[["gone", 1, 1]]), book(prev_change_id=1, bids=[["new", 1]]),
        book("snapshot", change_id=2**63), note("trades.BTC-PERPETUAL.100ms", [trade(direction="up")]),
        quote(""), quote(best_bid_price="x"), quote(timestamp=-1), b'{"method":"subscription"}',
        b'{"jsonrpc":"2.0","id":2,"result":5}', b'{"jsonrpc":"2.0","id":2}',
    ],
)  # fmt: skip
def test_what_is_no_message_of_deribit_is_rejected(frame: bytes) -> None:
    with pytest.raises(RejectedFrame):
        cold(frame)


def test_subscriptions_have_even_ids_and_all_else_odd_ones() -> None:
    wants = [Want("BTC-PERPETUAL", channel) for channel in deribit.channels("inverse")]
    (leg,) = deribit.legs("inverse", wants)
    assert leg.url == "wss://www.deribit.com/ws/api/v2" and len(leg.wants) == 8
    (on,) = deribit.subscribe(leg, leg.wants, 7)
    assert json.loads(on.text) == {
        "jsonrpc": "2.0", "id": 14, "method": "public/subscribe",
        "params": {"channels": ["book.BTC-PERPETUAL.100ms", "trades.BTC-PERPETUAL.100ms", "quote.BTC-PERPETUAL",
                                "ticker.BTC-PERPETUAL.100ms"]},
    }  # fmt: skip
    (off,) = deribit.unsubscribe(leg, wants[:1], 8)
    assert json.loads(off.text)["id"] == 17 and json.loads(off.text)["method"] == "public/unsubscribe"
    assert json.loads(deribit.keepalive("linear").text)["id"] % 2 == 1
    many = [Want(f"B{n}-PERPETUAL", Channel.BBO) for n in range(1001)]
    assert [len(leg.streams) for leg in deribit.legs("inverse", many)] == [500, 500, 1]
    assert deribit.read_stream("inverse", "book.BTC-PERPETUAL.none.10.100ms") == ()


def test_the_list_has_both_markets_and_says_what_amounts_are() -> None:
    btc, xrp, dated = deribit.listings("linear", json.dumps(LIST).encode())
    assert [(one.symbol, one.market) for one in (btc, xrp, dated)] == [
        ("BTC-PERPETUAL", "inverse"), ("XRP_USDC-PERPETUAL", "linear"), ("BTC-2OCT26", "inverse"),
    ]  # fmt: skip
    assert [one.metadata["unified"] for one in (btc, xrp, dated)] == ["BTC-USD-PERP", "XRP-USDC-PERP", "BTC-USD-261002"]
    assert [one.metadata["size_unit"] for one in (btc, xrp)] == ["quote", "base"]
    assert (btc.metadata["inverse"], xrp.metadata["inverse"]) == (True, False)
    assert (xrp.metadata["tick_size"], xrp.metadata["price_precision"], xrp.metadata["status"]) == (1e-4, 4, "inactive")
    assert (btc.metadata["lot_size"], btc.metadata["size_precision"]) == (10, 0)
    assert [one.metadata["funding_interval_ns"] for one in (btc, dated)] == [EIGHT_HOURS, 0]
    assert deribit.resolve("inverse", "btc/usd-perp", [btc, dated]) == "BTC-PERPETUAL"
    with pytest.raises(ConfigError, match="BTC-PERPETUAL"):
        deribit.resolve("inverse", "BTCC-USD-PERP", [btc, dated])
    for bad in (b"[]", b'{"error":{"code":1}}', b'{"result":[{"instrument_name":"X"}]}'):
        with pytest.raises(RejectedFrame):
            deribit.listings("linear", bad)
    markets = [deribit.market_of("", s, ()) for s in (*SYMBOLS, "BTC-24JUN22-52000-P", "BTC_USDC", "BTC-99XXX26")]
    assert markets == ["inverse", "linear", "inverse", "", "", ""]


def test_missed_trades_are_asked_for_by_number_and_flagged() -> None:
    call = deribit.trades_call("inverse", "BTC-PERPETUAL", Missing(501899, 501950))
    assert call is not None and "start_seq=501899&end_seq=501950&" in call.url
    assert deribit.read_rest(call.url) == RestMeaning("inverse", Purpose.TRADES, "BTC-PERPETUAL")
    body = json.dumps({"result": {"trades": [trade(), trade(trade_seq=501900)], "has_more": False}}).encode()
    (batch,) = new_decoder().rest(RestMeaning("inverse", Purpose.TRADES, "BTC-PERPETUAL"), body, NOW).batches
    assert batch.records["id"].tolist() == [501899, 501900]
    assert all(batch.records["flags"] & Flag.REST) and all(batch.records["flags"] & Flag.BACKFILLED)
    (last,) = new_decoder().rest(RestMeaning("inverse", Purpose.LAST_TRADE, "BTC-PERPETUAL"), body, NOW).batches
    assert len(last.records) == 0 and last.last_id == 501900


def test_a_rest_book_is_a_snapshot_flagged_rest() -> None:
    result = {"timestamp": MS, "change_id": 9, "bids": [[2.5, 10.0]], "asks": [[3, 20.0], [4, 30.0]]}
    call = deribit.snapshot_call("inverse", "BTC-PERPETUAL")
    meaning = deribit.read_rest(call.url)
    assert meaning == RestMeaning("inverse", Purpose.SNAPSHOT, "BTC-PERPETUAL")
    (batch,) = new_decoder().rest(meaning, json.dumps({"result": result}).encode(), NOW).batches
    assert batch.records["price"].tolist() == [2.5, 3, 4] and all(batch.records["flags"] & Flag.REST)
    assert batch.last_id == 9
    with pytest.raises(RejectedFrame):
        new_decoder().rest(meaning, b'{"error":{"code":-32602,"message":"Invalid params"}}', NOW)
