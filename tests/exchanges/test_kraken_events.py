"""What Kraken says beside data, where it is, and what symbols and subscriptions look like."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ringcollect.errors import ConfigError, RejectedFrame
from ringcollect.exchanges import kraken
from ringcollect.exchanges.protocol import Answer, Notice, Outcome, Purpose, RestMeaning, Want
from ringcollect.records import Channel, Flag, Kind
from tests.exchanges.kraken_frames import NOW, cold, new_decoder

PAIRS = (
    b'{"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","base":"XXBT","quote":"ZUSD",'
    b'"pair_decimals":1,"lot_decimals":8,"tick_size":"0.1","status":"online"},"XDGUSD":{"wsname":"XDG/USD",'
    b'"pair_decimals":7,"lot_decimals":8,"tick_size":"0.0000001","status":"cancel_only"}}}'
)


def answer(text: str) -> Answer:
    control = cold(text).control
    assert isinstance(control, Answer)
    return control


def test_every_symbol_is_acknowledged_or_refused_by_itself() -> None:
    good = answer(
        '{"method":"subscribe","result":{"channel":"book","depth":10,"snapshot":true,"symbol":"BTC/USD"},"success":true}'
    )
    assert good.ok and [(w.symbol, w.channel) for w in good.wants] == [("BTC/USD", Channel.BOOK)]
    bad = answer(
        '{"error":"Currency pair not supported XBT/USD","method":"subscribe","success":false,"symbol":"XBT/USD"}'
    )
    assert not bad.ok and "XBT/USD" in bad.message and {w.symbol for w in bad.wants} == {"XBT/USD"}
    depth = answer('{"error":"Subscription depth not supported","method":"subscribe","success":false,"req_id":4}')
    assert (depth.ok, depth.request_id, depth.wants) == (False, 4, ())


def test_heartbeats_pongs_and_a_healthy_system_are_control_and_an_ill_one_a_notice() -> None:
    assert cold('{"channel":"heartbeat"}').outcome is Outcome.CONTROL
    assert cold('{"method":"pong","req_id":42}').outcome is Outcome.CONTROL
    status = '{"channel":"status","type":"update","data":[{"system":"%s","connection_id":18125794168470749634}]}'
    assert cold(status % "online").control is None
    assert isinstance(cold(status % "maintenance").control, Notice)
    assert isinstance(cold('{"error":"Exceeded msg rate","method":"x"}').control, Notice)


@pytest.mark.parametrize(
    "text",
    [
        "pong", "[]", '{"channel":"news","data":[]}',
        '{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"up","price":1,"qty":1,"trade_id":1,'
        '"timestamp":"2026-08-01T00:00:00Z"}]}',
        '{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[],"asks":[],"checksum":4294967296}]}',
    ],
)  # fmt: skip
def test_what_is_no_message_of_kraken_is_rejected(text: str) -> None:
    with pytest.raises(RejectedFrame):
        cold(text)


def test_a_side_without_orders_is_nan_and_a_book_without_levels_one_record() -> None:
    ticker = (
        '{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":0,"bid_qty":0,"ask":2,"ask_qty":3}]}'
    )
    (batch,) = cold(ticker).batches
    assert np.isnan(batch.records["price"][0]) and batch.records["price"][1] == 2
    empty = '{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[],"asks":[]}]}'
    (batch,) = cold(empty).batches
    assert len(batch.records) == 1 and batch.records["side"][0] == 0 and np.isnan(batch.records["price"][0])


def test_subscriptions_say_depth_snapshot_and_trigger_and_come_one_per_channel() -> None:
    wants = [Want(s, c) for s in ("BTC/USD", "ETH/USD") for c in kraken.channels("spot")]
    (leg,) = kraken.legs("spot", wants)
    assert leg.url == "wss://ws.kraken.com/v2"
    sent = [json.loads(request.text) for request in kraken.subscribe(leg, leg.wants, 7)]
    assert [one["req_id"] for one in sent] == [7, 8, 9]
    by_channel = {one["params"]["channel"]: one["params"] for one in sent}
    assert by_channel["book"] == {"channel": "book", "symbol": ["BTC/USD", "ETH/USD"], "depth": 1000, "snapshot": True}
    assert by_channel["ticker"]["event_trigger"] == "bbo" and by_channel["trade"]["snapshot"] is True
    (off,) = [json.loads(r.text) for r in kraken.unsubscribe(leg, [Want("BTC/USD", Channel.BOOK, 25)], 1)]
    assert off == {
        "method": "unsubscribe",
        "params": {"channel": "book", "symbol": ["BTC/USD"], "depth": 25},
        "req_id": 1,
    }


def test_pairs_are_listed_by_their_v2_names_with_the_decimals_of_the_checksum() -> None:
    btc, doge = kraken.listings("spot", PAIRS)
    assert (btc.symbol, doge.symbol) == ("BTC/USD", "DOGE/USD")
    assert (btc.metadata["unified"], btc.metadata["price_precision"], btc.metadata["size_precision"]) == (
        "BTC-USD",
        1,
        8,
    )
    assert (btc.metadata["tick_size"], btc.metadata["status"], doge.metadata["status"]) == (
        0.1,
        "trading",
        "cancel_only",
    )
    for spelling in ("btc-usd", "XBT/USD", "BTCUSD", "BTC/USD"):
        assert kraken.resolve("spot", spelling, [btc, doge]) == "BTC/USD"
    with pytest.raises(ConfigError, match="DOGE"):
        kraken.resolve("spot", "DOGY/USD", [btc, doge])
    for bad in (
        b"[]",
        b'{"error":["EGeneral:Internal error"]}',
        b'{"error":[],"result":{"X":{"wsname":"A/B","pair_decimals":99}}}',
    ):
        with pytest.raises(RejectedFrame):
            kraken.listings("spot", bad)


def test_a_rest_book_is_a_snapshot_flagged_rest() -> None:
    body = b'{"error":[],"result":{"XXBTZUSD":{"asks":[["2.5","1.0",17]],"bids":[["2.4","3.0",17],["2.3","1",17]]}}}'
    decoder = new_decoder()
    (batch,) = decoder.rest(RestMeaning("spot", Purpose.SNAPSHOT, "BTC/USD"), body, NOW).batches
    rows = batch.records
    assert rows["price"].tolist() == [2.4, 2.3, 2.5] and rows["side"].tolist() == [1, 1, -1]
    assert set(rows["kind"].tolist()) == {Kind.BOOK_SNAPSHOT} and all(rows["flags"] & Flag.REST)
    assert rows["flags"][0] & Flag.CLEAR
    for bad in (
        b"{}",
        b'{"error":["EQuery:Unknown asset pair"]}',
        b'{"error":[],"result":{"X":{"asks":[[1]],"bids":[]}}}',
    ):
        with pytest.raises(RejectedFrame):
            decoder.rest(RestMeaning("spot", Purpose.SNAPSHOT, "BTC/USD"), bad, NOW)


def test_the_depth_of_a_book_is_the_subscribed_one_and_of_a_capture_the_next_that_exists() -> None:
    assert [kraken.book_depth("spot", depth) for depth in (0, 10, 21, 500, 1000)] == [1000, 10, 25, 500, 1000]
    assert kraken.read_stream("spot", "book-25:BTC/USD") == (Want("BTC/USD", Channel.BOOK, 25),)
    assert kraken.read_url("wss://ws.kraken.com/v2") is not None and kraken.read_url("wss://ws.kraken.com") is None
