"""The typed path and the kernel, message by message: fields, traps of both feeds, answers, what is not recorded."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import orjson
import pytest

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import coinbase, hot
from ringcollect.exchanges.protocol import Answer, Code, Outcome, Want
from ringcollect.records import Channel, Flag, Kind, TickerField
from tests.exchanges.coinbase_frames import (
    MATCHED_NS,
    NOW,
    SENT_NS,
    agree,
    cold,
    envelope,
    exchange_ticker,
    l2_data,
    l2update,
    level,
    market_trades,
    match,
    new_decoder,
    snapshot,
    ticker,
    trade,
)

ALL = (Channel.BOOK, Channel.TRADE, Channel.BBO, Channel.TICKER)


def both(frame: dict[str, Any]) -> np.ndarray:
    """The records of a frame that the kernel takes, and that the typed path gives too."""
    decoder = new_decoder()
    answer, decoded = agree(decoder, decoder.context("spot", 2), orjson.dumps(frame), NOW)
    records = np.concatenate([batch.records for batch in decoded.batches])
    assert answer == len(records)
    return records


def test_one_subscribes_level2_and_gets_l2_data_whose_asks_are_called_offer() -> None:
    """Trap 4."""
    records = both(l2_data(level("bid", "65083.66", "0.2"), level("offer", "65083.67", "0")))
    assert records["side"].tolist() == [1, -1]
    assert records["price"].tolist() == [65083.66, 65083.67]
    assert records["size"].tolist() == [0.2, 0.0]  # removes a level, whether anybody has it or not
    assert set(records["kind"].tolist()) == {Kind.BOOK_DELTA}
    assert records["flags"].tolist() == [0, Flag.LAST]
    with pytest.raises(RejectedFrame, match="ask"):
        cold(l2_data(level("ask", "1", "1")))


def test_a_level_has_the_matching_engines_time_and_the_messages_where_that_is_none() -> None:
    old = "1970-01-01T00:00:00Z"  # what snapshots used to say
    frame = l2_data(level("bid", "1", "1"), level("bid", "2", "1", event_time=old), level("offer", "3", "1"))
    del frame["events"][0]["updates"][2]["event_time"]
    assert both(frame)["ts_event"].tolist() == [MATCHED_NS, SENT_NS, SENT_NS]
    never = l2_data(level("bid", "1", "1", event_time="0001-01-01T00:00:00Z"))
    assert cold(never).batches[0].records["ts_event"].tolist() == [SENT_NS]
    del never["timestamp"]
    assert cold(never).batches[0].records["ts_event"].tolist() == [0]


def test_a_snapshot_is_a_whole_book_and_an_update_without_levels_is_a_link_of_the_chain() -> None:
    records = both(l2_data(level("bid", "1", "2"), level("offer", "3", "4"), kind="snapshot"))
    assert records["flags"].tolist() == [Flag.CLEAR | Flag.SNAPSHOT, Flag.SNAPSHOT | Flag.LAST]
    assert (records["id"].tolist(), records["aux"].tolist()) == ([0, 0], [-1, -1])  # the feed numbers them
    (row,) = both(l2_data())
    assert (row["side"], row["size"], row["kind"]) == (0, 0.0, Kind.BOOK_DELTA) and math.isnan(row["price"])
    (row,) = both(l2_data(kind="snapshot"))
    assert row["flags"] == Flag.CLEAR | Flag.SNAPSHOT | Flag.LAST


@pytest.mark.parametrize(("maker", "taker"), [("BUY", -1), ("SELL", 1)])
def test_side_is_the_makers_on_advanced_trade_and_ours_is_the_aggressors(maker: str, taker: int) -> None:
    """Trap 3."""
    assert both(market_trades(trade(side=maker)))["side"].tolist() == [taker]


@pytest.mark.parametrize(("maker", "taker"), [("buy", -1), ("sell", 1)])
def test_side_is_the_makers_on_the_exchange_feed_too(maker: str, taker: int) -> None:
    """Trap 3."""
    assert both(match(side=maker))["side"].tolist() == [taker]


def test_trades_that_come_newest_first_are_kept_as_sent_and_count_from_smallest_to_largest() -> None:
    frame = market_trades(trade(trade_id="12"), trade(trade_id="11"), trade(trade_id="10", side="BUY"))
    records = both(frame)
    assert records["id"].tolist() == records["aux"].tolist() == [12, 11, 10]
    assert records["side"].tolist() == [1, 1, -1]
    assert records["flags"].tolist() == [0, 0, Flag.LAST]
    (batch,) = cold(frame).batches
    assert (batch.first_id, batch.last_id) == (10, 12)


def test_the_trades_sent_at_the_subscription_are_history_of_several_products() -> None:
    """Trap 9."""
    frame = market_trades(trade(), trade(product_id="ETH-USD", trade_id="7"), trade(trade_id="5"), kind="snapshot")
    decoded = cold(frame)
    assert [(b.instrument, b.records["id"].tolist()) for b in decoded.batches] == [(0, [1068572091, 5]), (1, [7])]
    for batch in decoded.batches:
        assert all(batch.records["flags"] & Flag.SNAPSHOT)
    decoder = new_decoder()
    assert coinbase.decode_hot(orjson.dumps(frame), decoder.context("spot", 0), NOW) == Code.SLOW
    assert both(market_trades(trade(), kind="snapshot"))["flags"].tolist() == [Flag.SNAPSHOT | Flag.LAST]


def test_last_match_repeats_the_trade_before_the_subscription() -> None:
    """Trap 9."""
    assert both(match(type="last_match"))["flags"].tolist() == [Flag.SNAPSHOT | Flag.LAST]
    (row,) = both(match())
    assert (row["id"], row["aux"], row["flags"], row["ts_event"]) == (280232, 280232, Flag.LAST, MATCHED_NS)


def test_a_books_asks_come_first_on_the_exchange_feed_and_its_time_may_be_missing() -> None:
    records = both(snapshot())
    assert records["side"].tolist() == [1, -1, -1]
    assert records["price"].tolist() == [0.00001301, 0.00001305, 0.00001306]
    assert set(records["ts_event"].tolist()) == {0}
    assert records["flags"][0] == Flag.CLEAR | Flag.SNAPSHOT
    assert both(snapshot(time="2026-08-09T21:05:48.170326Z"))["ts_event"][0] == MATCHED_NS


@pytest.mark.parametrize("zero", ["0", "0.0", "0.00", "0.000", "0.00000000", "0e5"])
def test_zero_is_zero_in_every_spelling(zero: str) -> None:
    records = both(l2update(("sell", "0.00001306", zero), ("buy", "0.00001301", "1")))
    assert records["size"].tolist() == [0.0, 1.0]
    assert records["side"].tolist() == [-1, 1]
    assert both(l2_data(level("bid", "1", zero)))["size"].tolist() == [0.0]


def test_a_time_of_the_year_1_is_none() -> None:
    for fraction in ("", ".0", ".000000", ".000000000"):
        records = both(l2update(("buy", "1", "1"), time=f"0001-01-01T00:00:00{fraction}Z"))
        assert records["ts_event"].tolist() == [0]
        assert records["flags"].tolist() == [Flag.LAST]  # not a bad one
    assert cold(l2update(("buy", "1", "1"), time=None)).batches[0].records["ts_event"].tolist() == [0]


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00.Z", "0001-01-01T00:00:00.0000000000Z", "0001-01-01T00:00:01Z"])
def test_another_time_of_the_year_1_is_rejected(time: str) -> None:
    frame = l2update(("buy", "1", "1"), time=time)
    decoder = new_decoder()
    assert coinbase.decode_hot(orjson.dumps(frame), decoder.context("spot", 2), NOW) == Code.SLOW
    with pytest.raises(RejectedFrame):
        cold(frame)


@pytest.mark.parametrize("broken", ["0.-10000", "-1", "-0.5"])
def test_a_size_below_zero_is_no_level_and_the_rest_of_the_book_is(broken: str) -> None:
    (batch,) = cold(snapshot(bids=[["40533.24", "0.02"], ["40531.19", broken]])).batches
    assert batch.records["price"].tolist() == [40533.24, 0.00001305, 0.00001306]
    decoder = new_decoder()
    frame = orjson.dumps(snapshot(bids=[["40531.19", broken]]))
    assert coinbase.decode_hot(frame, decoder.context("spot", 0), NOW) == Code.SLOW
    (batch,) = cold(l2_data(level("bid", "1", broken))).batches
    assert batch.records["side"].tolist() == [0]


def test_best_prices_are_two_records_and_a_side_without_orders_is_nan() -> None:
    records = both(ticker())[:2]
    assert records["price"].tolist() == [65083.66, 65083.67]
    assert records["size"].tolist() == [0.20371215, 0.24290402]
    assert records["flags"].tolist() == [0, Flag.LAST]
    assert set(records["ts_event"].tolist()) == {SENT_NS}
    assert both(ticker(kind="snapshot"))["flags"].tolist()[:2] == [Flag.SNAPSHOT, Flag.SNAPSHOT | Flag.LAST]
    records = both(ticker(best_bid="0", best_bid_quantity="0"))
    assert math.isnan(records["price"][0]) and records["size"][0] == 0.0
    records = cold(ticker(best_ask="", best_ask_quantity="")).batches[0].records
    assert math.isnan(records["price"][1]) and records["price"][0] == 65083.66


def test_a_ticker_of_the_exchange_feed_says_best_prices_where_it_has_their_sizes() -> None:
    records = both(exchange_ticker())[:2]
    assert (records["price"].tolist(), records["size"].tolist()) == (
        [0.00001301, 0.00001305], [0.61540890, 0.18528568],
    )  # fmt: skip
    bare = exchange_ticker()
    del bare["best_bid_size"], bare["best_ask_size"]
    assert [batch.channel for batch in cold(bare).batches] == [Channel.TICKER]


def test_tickers_of_both_feeds_say_statistics_of_24_h_behind_the_best_prices() -> None:
    last, open_, high, low, volume = list(TickerField)[:5]
    advanced = both(ticker(kind="snapshot"))[2:]
    assert advanced["sub"].tolist() == advanced["aux"].tolist() == [last, high, low, volume]
    assert advanced["price"].tolist() == [65086.18, 65252.99, 64675.22, 2867.54]
    assert advanced["flags"].tolist() == [Flag.SNAPSHOT] * 3 + [Flag.SNAPSHOT | Flag.LAST]
    exchange = both(exchange_ticker())[2:]
    assert exchange["sub"].tolist() == exchange["aux"].tolist() == [last, open_, high, low, volume]
    assert exchange["price"].tolist() == [0.00001305, 0.00001299, 0.00001306, 0.00001298, 5.0]
    assert set(exchange["kind"].tolist()) == {Kind.TICKER} and all(map(math.isnan, exchange["size"].tolist()))
    assert [b.channel for b in cold(ticker(price=None, volume_24_h="")).batches] == [Channel.BBO, Channel.TICKER]


def test_several_events_in_a_message_are_all_of_them() -> None:
    events = [
        l2_data(level("bid", "1", "1"), product=product)["events"][0] for product in ("BTC-USD", "ETH-USD", "X-Y")
    ]
    decoded = cold(envelope("l2_data", *events))
    assert [batch.instrument for batch in decoded.batches] == [0, 1]
    assert decoded.unknown == ("X-Y",)


def test_every_message_of_advanced_trade_has_the_number_it_has_on_its_connection() -> None:
    for frame in (l2_data(), market_trades(trade()), ticker(), envelope("heartbeats"), envelope("candles")):
        assert cold(frame | {"sequence_num": 4711}).sequence == 4711
    assert cold(match()).sequence == -1  # ``sequence`` of the Exchange feed counts other channels too
    decoder = new_decoder()
    ctx = decoder.context("spot", 0)
    for frame, number in ((ticker(), 13), (match(), -1)):
        assert coinbase.decode_hot(orjson.dumps(frame), ctx, NOW) > 0
        assert ctx[hot.C_SEQUENCE] == number


def test_a_message_of_an_unknown_kind_is_rejected_and_is_no_hole_but_a_bad_book_is() -> None:
    decoder = new_decoder()
    ctx = decoder.context("spot", 0)
    ctx[hot.C_EXPECTED] = 13
    for frame, expected in ((envelope("news"), 14), (envelope("l2_data", {"type": "x"}, sequence_num=14), 14)):
        with pytest.raises(RejectedFrame):
            decoder.cold(orjson.dumps(frame), ctx, NOW)
        assert ctx[hot.C_EXPECTED] == expected


def test_an_acknowledgement_names_everything_that_is_subscribed() -> None:
    decoded = cold(envelope("subscriptions", {"subscriptions": {"level2": ["BTC-USD"], "heartbeats": ["heartbeats"],
                                                                "market_trades": ["BTC-USD", "ETH-USD"]}}))  # fmt: skip
    wants = (Want("BTC-USD", Channel.BOOK), Want("BTC-USD", Channel.TRADE), Want("ETH-USD", Channel.TRADE))
    assert decoded.control == Answer(None, True, "", wants)
    channels = [{"name": name, "product_ids": ["SKL-BTC"]} for name in ("level2_batch", "heartbeat")]
    decoded = cold({"type": "subscriptions", "channels": channels})
    assert decoded.control == Answer(None, True, "", (Want("SKL-BTC", Channel.BOOK),))
    for nothing in (envelope("subscriptions", {"subscriptions": {}}), {"channel": "subscriptions", "sequence_num": 0}):
        assert (cold(nothing).outcome, cold(nothing).control) == (Outcome.CONTROL, None)


def test_an_error_refuses_the_products_it_names_or_the_request_that_waits() -> None:
    """Trap 5: level2 of the Exchange feed without authentication."""
    reason = "level2, level3, and full channels now require authentication."
    decoded = cold({"type": "error", "message": "Failed to subscribe", "reason": reason})
    assert decoded.control == Answer(None, False, f"Failed to subscribe: {reason}")
    decoded = cold({"type": "error", "message": "Failed to subscribe", "reason": "ETH-FOO is not a valid product"})
    assert isinstance(decoded.control, Answer)
    assert set(decoded.control.wants) == {Want("ETH-FOO", channel) for channel in ALL}
    decoded = cold({"type": "error", "message": "too many L2 streams requested in a single session"})
    assert decoded.control == Answer(None, False, "too many L2 streams requested in a single session")


@pytest.mark.parametrize("frame", [envelope("candles", {"type": "snapshot"}), envelope("ticker_batch"),
                                   {"type": "open", "product_id": "BTC-USD"}, {"type": "status"}])  # fmt: skip
def test_other_channels_are_known_and_not_recorded(frame: dict[str, Any]) -> None:
    assert cold(frame).outcome is Outcome.IGNORED


@pytest.mark.parametrize("frame", [envelope("heartbeats", {"current_time": "x"}), {"type": "heartbeat", "sequence": 9}])
def test_heartbeats_are_control(frame: dict[str, Any]) -> None:
    assert (cold(frame).outcome, cold(frame).control) == (Outcome.CONTROL, None)


@pytest.mark.parametrize(
    "frame",
    [
        {}, "x", "[]", {"type": "nonsense"}, {"channel": "nonsense"}, {"channel": 5}, l2_data(kind="moo"),
        l2_data(level("bid", "x", "1")), l2_data(level("bid", "1", "abc")), l2_data(product=""),
        l2_data(level("bid", "1", "1", event_time="yesterday")), l2_data(timestamp="2262-01-01T00:00:00Z"),
        l2_data(sequence_num=-1), l2_data(sequence_num=2**63), market_trades(trade(side="BID")),
        market_trades(trade(trade_id="x")), market_trades(trade(trade_id="-1")), ticker(best_bid="x"),
        match(side="x"), match(trade_id=-1), match(time="2021-02-30T00:00:00Z"), l2update(("bid", "1", "1")),
        l2update(("buy", "1", "x")), snapshot(bids=[["1"]]), {"type": "match"}, envelope("l2_data", {"type": "update"}),
    ],
)  # fmt: skip
def test_what_is_no_message_of_coinbase_is_rejected(frame: Any) -> None:
    with pytest.raises(RejectedFrame):
        cold(frame)
    payload = frame.encode() if isinstance(frame, str) else orjson.dumps(frame)
    assert coinbase.decode_hot(payload, new_decoder().context("spot", 0), NOW) == Code.SLOW
