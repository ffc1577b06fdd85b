"""What Kraken Futures' messages mean, above all where they mean something else than they seem to."""

from __future__ import annotations

import math

import orjson
import pytest

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import kraken_futures
from ringcollect.exchanges.protocol import Answer, Code, Outcome, Verdict, Want
from ringcollect.records import Channel, Flag, Kind, LiquidationSub, TradeSub, aux_f
from tests.exchanges.frames import same
from tests.exchanges.kraken_futures_frames import MS, NOW, Desk, delta, history, snapshot, ticker, trade

HOUR = 3600 * 10**9
OTHER_UID = "1893f0aa-0084-4289-b02f-67444b325728"


def test_a_book_frame_is_one_level_and_its_seq_counts_by_one_from_the_snapshot_on() -> None:
    desk = Desk()
    (row,) = desk.records(delta())[Channel.BOOK]
    assert (row["side"], row["price"], row["size"], row["id"]) == (-1, 64416.0, 0.0568, 16733631)
    assert row["ts_event"] == (MS - 5) * 10**6 and row["kind"] == Kind.BOOK_DELTA and row["flags"] == Flag.LAST
    assert desk.records(delta(side="buy"))[Channel.BOOK]["side"].tolist() == [1]
    rule = kraken_futures.join("linear")
    assert [rule(7, seq, seq, -1) for seq in (6, 7, 8, 9)] == [
        Verdict.STALE, Verdict.STALE, Verdict.FITS, Verdict.GAP,
    ]  # fmt: skip
    assert (kraken_futures.book_base("linear"), kraken_futures.book_depth("linear", 10)) == ("stream", 0)


def test_a_snapshot_replaces_the_book_and_its_rows_of_size_0_are_no_levels() -> None:
    frame = snapshot([(34892.5, 6385), (34892.0, 0), (34891.5, 100)], [(34911.5, 0), (34912.0, 2300), (34913.0, -4)])
    records = Desk().records(frame)[Channel.BOOK]
    assert records["price"].tolist() == [34892.5, 34891.5, 34912.0]
    assert records["side"].tolist() == [1, 1, -1] and set(records["id"].tolist()) == {16733630}
    assert set(records["aux"].tolist()) == {-1} and set(records["kind"].tolist()) == {Kind.BOOK_SNAPSHOT}
    first, *_, last = (Flag(int(flags)) for flags in records["flags"])
    assert (first, last) == (Flag.CLEAR | Flag.SNAPSHOT, Flag.SNAPSHOT | Flag.LAST)
    (empty,) = Desk().records(snapshot([], []))[Channel.BOOK]
    assert empty["side"] == 0 and math.isnan(empty["price"])


def test_a_size_below_zero_means_that_nothing_stands_there() -> None:
    desk = Desk()
    for size in (-3.5, 0.0, -0.0):
        (row,) = desk.records(delta(qty=size))[Channel.BOOK]
        assert (row["size"], math.copysign(1, row["size"])) == (0, 1)
        assert desk.hot(delta(qty=size)) == 1
        assert desk.decoder.taken(desk.ctx).records.tobytes() == row.tobytes()


def test_products_come_in_capitals_whatever_was_asked_for_and_are_joined_in_capitals() -> None:
    desk = Desk()
    assert desk.records(delta(product_id="pf_xbtusd"))[Channel.BOOK]["instrument"].tolist() == [0]
    assert desk.hot(delta(product_id="pf_xbtusd")) == Code.SLOW
    answer = desk.cold({"event": "subscribed", "feed": "book", "product_ids": ["pi_xbtusd"]}).control
    assert answer == Answer(None, True, "", (Want("PI_XBTUSD", Channel.BOOK),))


def test_a_print_is_named_by_its_uuid_and_counted_by_its_seq() -> None:
    desk = Desk()
    (batch,) = desk.cold(trade()).batches
    (row,) = batch.records
    assert (batch.first_id, batch.last_id) == (45847, 45847) and kraken_futures.dense_trade_ids("linear")
    assert (int(row["id"]) & (2**64 - 1), int(row["aux"]) & (2**64 - 1)) == (0x896CB85183224946, 0xA123945C453AA17F)
    assert row["flags"] == Flag.UUID | Flag.LAST and row["sub"] == TradeSub.ORDINARY
    assert (row["side"], row["price"], row["size"]) == (-1, 64401.0, 0.0046)  # the taker's side, as it is sent
    assert row["ts_event"] == (MS - 3) * 10**6
    assert desk.hot(trade()) == 1
    taken = desk.decoder.taken(desk.ctx)
    assert (taken.first_id, taken.last_id) == (45847, 45847) and taken.records.tobytes() == row.tobytes()


def test_prints_of_recordings_without_uid_are_named_by_their_seq() -> None:
    frame = trade()
    del frame["uid"]
    (row,) = Desk().records(frame)[Channel.TRADE]
    assert (row["id"], row["aux"], row["flags"] & Flag.UUID) == (45847, 45847, 0)
    assert Desk().hot(frame) == 1


@pytest.mark.parametrize(
    ("kind", "sub"), [("fill", 0), ("liquidation", 1), ("block", 2), ("assignment", 4), ("termination", 4)]
)
def test_the_type_of_a_print_is_kept(kind: str, sub: int) -> None:
    desk = Desk()
    assert desk.records(trade(type=kind))[Channel.TRADE]["sub"].tolist() == [sub]
    assert desk.hot(trade(type=kind)) == (2 if kind == "liquidation" else 1)  # a forced order is told twice
    assert desk.decoder.batch["sub"][0] == sub


def test_a_forced_order_is_a_trade_and_a_liquidation_of_the_side_that_is_sent() -> None:
    desk = Desk()
    records = desk.records(trade(type="liquidation", side="sell"))
    (traded,), (forced,) = records[Channel.TRADE], records[Channel.LIQUIDATION]
    assert (forced["side"], forced["price"], forced["size"]) == (-1, 64401.0, 0.0046)
    assert (forced["id"], forced["sub"]) == (45847, LiquidationSub.AVERAGE) and math.isnan(aux_f(forced.reshape(1))[0])
    assert traded["ts_event"] == forced["ts_event"]
    for kind in ("fill", "block", "assignment", "termination"):
        assert Channel.LIQUIDATION not in desk.records(trade(type=kind))


def test_the_history_on_subscribing_is_oldest_first_and_no_news() -> None:
    desk = Desk()
    frame = history(trade(seq=9, type="liquidation"), trade(seq=8, uid=OTHER_UID), trade(seq=7, time=MS - 7))
    batches = desk.cold(frame).batches
    assert [(b.channel, b.first_id, b.last_id) for b in batches] == [
        (Channel.TRADE, 7, 7), (Channel.TRADE, 8, 8), (Channel.TRADE, 9, 9), (Channel.LIQUIDATION, -1, -1),
    ]  # fmt: skip
    assert all(row["flags"] & Flag.SNAPSHOT for batch in batches for row in batch.records)
    assert desk.hot(frame) == 4
    assert all(same(*pair) for pair in zip(desk.decoder.all_taken(desk.ctx), batches, strict=True))
    assert desk.cold(history()).outcome is Outcome.IGNORED


def test_a_ticker_is_best_prices_mark_index_funding_and_open_interest() -> None:
    records = Desk().records(ticker())
    assert set(records) == set(kraken_futures.channels("linear")) - {
        Channel.BOOK, Channel.TRADE, Channel.LIQUIDATION,
    }  # fmt: skip
    best = records[Channel.BBO]
    assert best["price"].tolist() == [64401.0, 64402.0] and best["size"].tolist() == [0.1239, 0.1179]
    assert best["side"].tolist() == [1, -1] and best["flags"].tolist() == [0, Flag.LAST]
    assert {row["ts_event"] for part in records.values() for row in part} == {(MS - 2) * 10**6}
    values = {channel: records[channel][0]["price"] for channel in (Channel.MARK_PRICE, Channel.INDEX_PRICE)}
    assert list(values.values()) == [64399.68035588646, 64401.07]
    assert records[Channel.OPEN_INTEREST]["size"].tolist() == [2157.6281]


def test_the_funding_rate_is_the_relative_one_per_hour_not_the_absolute_one() -> None:
    (row,) = Desk().records(ticker())[Channel.FUNDING]
    assert (row["price"], row["size"]) == (2.747066666667e-6, -7.043125e-7)
    assert (row["id"], row["aux"]) == (HOUR, (MS + 1000) * 10**6)
    tiny = ticker(relative_funding_rate=-6.2604214e-11)
    assert Desk().records(tiny)[Channel.FUNDING]["price"].tolist() == [-6.2604214e-11]


def test_dated_contracts_have_no_funding() -> None:
    assert Channel.FUNDING not in Desk().records(ticker(next_funding_rate_time=0))
    without = {key: value for key, value in ticker().items() if "funding" not in key}
    assert Channel.FUNDING not in Desk().records(without)


def test_a_side_without_orders_is_no_price() -> None:
    best = Desk().records(ticker(bid=0, bid_size=0))[Channel.BBO]
    assert math.isnan(best["price"][0]) and best["price"][1] == 64402.0


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ({"event": "info", "version": 1}, None),
        ({"feed": "heartbeat", "time": 1534262350627}, None),
        ({"event": "unsubscribed", "feed": "book", "product_ids": ["PI_XBTUSD"]}, None),
        ({"event": "subscribed", "feed": "heartbeat"}, None),
        ({"event": "subscribed", "feed": "ticker_lite", "product_ids": ["PI_XBTUSD"]}, None),
        (
            {"event": "subscribed", "feed": "trade", "product_ids": ["PI_XBTUSD"]},
            Answer(None, True, "", (Want("PI_XBTUSD", Channel.TRADE), Want("PI_XBTUSD", Channel.LIQUIDATION))),
        ),
        (
            {"event": "subscribed_failed", "feed": "book", "product_ids": ["PI_XBTUSD"]},
            Answer(None, False, "", (Want("PI_XBTUSD", Channel.BOOK),)),
        ),
        ({"event": "error", "message": "Invalid product id"}, Answer(None, False, "Invalid product id")),
        (
            {"event": "alert", "message": "Couldn't subscribe to invalid feed"},
            Answer(None, False, "Couldn't subscribe to invalid feed"),
        ),
    ],
)
def test_each_product_is_acknowledged_by_itself_and_errors_name_nothing(frame: dict, answer: Answer | None) -> None:
    decoded = Desk().cold(frame)
    assert (decoded.outcome, decoded.control) == (Outcome.CONTROL, answer)
    assert Desk().hot(frame) == Code.SLOW


def test_ticker_lite_has_neither_time_nor_sizes_and_is_ignored() -> None:
    frame = {"feed": "ticker_lite", "product_id": "PF_XBTUSD", "bid": 64401.0, "ask": 64402.0}
    assert Desk().cold(frame).outcome is Outcome.IGNORED


@pytest.mark.parametrize(
    "frame",
    [
        {}, {"feed": "nosuch", "product_id": "PF_XBTUSD"}, {"event": "nosuch"}, delta(product_id=""), delta(seq=-1),
        delta(side="both"), delta(price="x"), delta(timestamp=2**62), delta(product_id="X" * 300), {"feed": "book"},
        trade(type="nosuch"), trade(uid="x"), trade(side="x"), trade(time="x"), trade(qty=None), ticker(bid="x"),
        history(trade(product_id="PI_XBTUSD")), snapshot([(1, 2)], [(1, 2)], seq=None), ticker(time=None),
        {"feed": "book_snapshot", "product_id": "PF_XBTUSD", "seq": 1, "timestamp": 1, "bids": [[1, 2]], "asks": []},
    ],
)  # fmt: skip
def test_what_is_no_message_is_rejected_with_a_reason_and_the_kernel_leaves_it(frame: dict) -> None:
    desk = Desk()
    assert desk.hot(frame) == Code.SLOW
    with pytest.raises(RejectedFrame) as caught:
        desk.cold(frame)
    assert 0 < len(caught.value.reason) <= 200


def test_an_unknown_product_is_named_by_both_ways() -> None:
    desk = Desk()
    for frame in (delta(product_id="PF_NEWUSD"), trade(product_id="PF_NEWUSD")):
        assert desk.hot(frame) == Code.UNKNOWN_SYMBOL
        assert desk.decoder.unknown_symbol(orjson.dumps(frame), desk.ctx) == "PF_NEWUSD"
        assert desk.cold(frame).unknown == ("PF_NEWUSD",)


def test_a_time_far_from_ours_is_marked() -> None:
    assert Desk().records(delta(timestamp=1))[Channel.BOOK]["flags"][0] & Flag.BAD_TS
    assert NOW // 10**6 == MS and not Desk().records(delta())[Channel.BOOK]["flags"][0] & Flag.BAD_TS
