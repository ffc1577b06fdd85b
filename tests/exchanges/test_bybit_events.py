"""What Bybit's messages mean, above all where they mean something else than they seem to."""

from __future__ import annotations

import math

import pytest

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import bybit
from ringcollect.exchanges.protocol import Answer, Code, Outcome, Verdict, Want
from ringcollect.records import Channel, Flag, Kind, LiquidationSub, TickerField, aux_f
from tests.exchanges.bybit_frames import MS, NOW, Desk, orderbook, ticker, trade

HOUR = 3600 * 10**9


def test_the_matching_engines_time_is_taken_before_the_publishers() -> None:
    desk = Desk()
    assert desk.records(orderbook(50, 2, [["1", "2"]], []))[Channel.BOOK]["ts_event"][0] == (MS - 5) * 10**6
    without = orderbook(50, 3, [["1", "2"]], [])
    del without["cts"]
    assert desk.records(without)[Channel.BOOK]["ts_event"][0] == (MS - 1) * 10**6
    assert desk.hot(without) == 1 and desk.decoder.taken(desk.ctx).records["ts_event"][0] == (MS - 1) * 10**6


def test_a_snapshot_with_u_of_1_or_any_other_replaces_the_book() -> None:
    for update in (1, 900):
        records = Desk().records(orderbook(50, update, [["1", "2"]], [["3", "4"]], "snapshot"))[Channel.BOOK]
        assert records["kind"].tolist() == [Kind.BOOK_SNAPSHOT] * 2
        assert [Flag(int(f)) for f in records["flags"]] == [Flag.CLEAR | Flag.SNAPSHOT, Flag.SNAPSHOT | Flag.LAST]
        assert set(records["aux"].tolist()) == {-1} and set(records["id"].tolist()) == {update}


def test_deltas_follow_by_one() -> None:
    rule = bybit.accept("spot")
    assert [rule(7, u, u, -1) for u in (6, 7, 8, 9)] == [Verdict.STALE, Verdict.STALE, Verdict.FITS, Verdict.GAP]


def test_a_frame_without_levels_still_is_a_record_of_the_chain() -> None:
    desk = Desk()
    desk.cold(orderbook(50, 1, [["1", "1"]], [], "snapshot"))
    frame = orderbook(50, 9, [], [])
    (row,) = desk.records(frame)[Channel.BOOK]
    assert (row["side"], row["size"], row["id"], math.isnan(row["price"])) == (0, 0, 9, True)
    assert desk.hot(frame) == 1


def test_depth_1_is_the_best_prices_and_never_mixed_with_the_book() -> None:
    desk = Desk()
    best = desk.records(orderbook(1, 5, [["1", "2"]], [["3", "4"]], "snapshot"))
    assert list(best) == [Channel.BBO]
    assert best[Channel.BBO]["price"].tolist() == [1, 3] and best[Channel.BBO]["id"].tolist() == [5, 5]
    assert desk.hot(orderbook(1, 5, [["1", "2"]], [["3", "4"]], "snapshot")) == 2


def test_deltas_of_depth_1_as_sent_until_2023_are_merged_into_what_the_kernel_or_the_typed_path_saw() -> None:
    for first in (Desk.hot, Desk.cold):
        desk = Desk()
        first(desk, orderbook(1, 5, [["27994.60", "1"]], [["27994.80", "2"]], "snapshot"))
        delta = orderbook(1, 6, [["27994.60", "0"], ["27991.70", "0.777"]], [])
        assert desk.hot(delta) == 2
        best = desk.decoder.taken(desk.ctx).records
        assert best["price"].tolist() == [27991.7, 27994.8] and best["size"].tolist() == [0.777, 2]
        assert best.tobytes() == desk.records(delta)[Channel.BBO].tobytes()


def test_an_instrument_has_one_book_the_depth_that_was_asked_for() -> None:
    desk = Desk(streams=("orderbook.200.BTCUSDT", "orderbook.1.BTCUSDT"))
    assert desk.cold(orderbook(200, 1, [["1", "1"]], [], "snapshot")).outcome is Outcome.DECODED
    other = orderbook(50, 2, [["1", "1"]], [])
    assert desk.cold(other).outcome is Outcome.IGNORED and desk.hot(other) == Code.SLOW
    assert desk.hot(orderbook(200, 2, [["1", "1"]], [])) == 1


def test_a_later_subscription_of_another_depth_takes_over() -> None:
    desk = Desk(streams=("orderbook.200.BTCUSDT",))
    desk.cold(orderbook(200, 1, [["1", "1"]], [], "snapshot"))
    desk.ctx = desk.decoder.context("linear", 3, ("orderbook.50.BTCUSDT",))
    assert desk.cold(orderbook(50, 1, [["1", "1"]], [], "snapshot")).outcome is Outcome.DECODED
    assert desk.hot(orderbook(50, 2, [["1", "1"]], [])) == 1


def test_trade_frames_are_news_though_their_type_says_snapshot() -> None:
    (row,) = Desk().records(trade())[Channel.TRADE]
    assert not row["flags"] & (Flag.SNAPSHOT | Flag.CLEAR)
    assert (row["side"], row["size"], row["ts_event"]) == (-1, 0.004, (MS - 3) * 10**6)  # S is the taker's


def test_uuids_keep_both_halves_and_numeric_ids_are_exact() -> None:
    desk = Desk()
    (row,) = desk.records(trade())[Channel.TRADE]
    assert row["flags"] & Flag.UUID
    assert (int(row["id"]) & (2**64 - 1), int(row["aux"]) & (2**64 - 1)) == (0xA9188A0A82BC50DE, 0xBE6003EEDBE3CDD7)
    (row,) = desk.records(trade(i="2280000001739247417"))[Channel.TRADE]
    assert (row["id"], row["aux"], row["flags"] & Flag.UUID) == (2280000001739247417, 2280000001739247417, 0)


@pytest.mark.parametrize(
    ("block", "rpi", "sub"), [(False, False, 0), (True, False, 2), (False, True, 3), (True, True, 2)]
)
def test_block_and_retail_prints_are_told_apart(block: bool, rpi: bool, sub: int) -> None:
    desk = Desk()
    frame = trade(BT=block, RPI=rpi)
    assert desk.records(frame)[Channel.TRADE]["sub"].tolist() == [sub]
    assert desk.hot(frame) == 1 and desk.decoder.taken(desk.ctx).records["sub"].tolist() == [sub]


def test_several_trades_of_one_frame_keep_their_order_times_and_ids_also_with_the_same_seq() -> None:
    desk = Desk()
    frame = trade()
    frame["data"] += [trade(T=MS - 2, i="7", S="Buy")["data"][0], trade(T=MS - 2, i="8")["data"][0]]
    assert desk.hot(frame) == 3
    taken = desk.decoder.taken(desk.ctx)
    assert taken.records["id"].tolist()[1:] == [7, 8]
    assert taken.records["ts_event"].tolist() == [(MS - 3) * 10**6, (MS - 2) * 10**6, (MS - 2) * 10**6]
    assert (taken.first_id, taken.last_id) == (-1, -1)  # no gap test is possible on these ids


def test_all_liquidations_side_is_the_positions_so_the_order_is_the_opposite() -> None:
    data = [{"T": MS, "s": "BTCUSDT", "S": side, "v": "2", "p": "3"} for side in ("Buy", "Sell")]
    frame = {"topic": "allLiquidation.BTCUSDT", "type": "snapshot", "ts": MS + 300, "data": data}
    records = Desk().records(frame)[Channel.LIQUIDATION]
    assert records["side"].tolist() == [-1, 1]
    assert set(records["sub"].tolist()) == {LiquidationSub.BANKRUPTCY} and all(math.isnan(x) for x in aux_f(records))
    assert set(records["ts_event"].tolist()) == {NOW // 10**6 * 10**6}


def test_ticker_deltas_are_partial_and_completed_from_what_came_before() -> None:
    desk = Desk()
    whole = ticker(
        "snapshot", markPrice="10", indexPrice="11", fundingRate="0.0001", nextFundingTime=str(MS + 1000),
        fundingIntervalHour="4", openInterest="200", openInterestValue="2000", singleOpenInterest="100",
        singleOpenInterestValue="1000",
    )  # fmt: skip
    first = desk.records(whole)
    assert list(first) == [Channel.MARK_PRICE, Channel.INDEX_PRICE, Channel.FUNDING, Channel.OPEN_INTEREST]
    assert all(records["ts_event"][0] == MS * 10**6 for records in first.values())  # ts sits on the envelope
    changed = desk.records(ticker(fundingRate="0.0002"))
    (row,) = changed.pop(Channel.FUNDING)
    assert not changed
    assert (row["price"], row["aux"], row["id"]) == (0.0002, (MS + 1000) * 10**6, 4 * HOUR)
    (row,) = desk.records(ticker(singleOpenInterest="101", openInterest="202"))[Channel.OPEN_INTEREST]
    assert (row["size"], row["price"]) == (101, 1000)
    assert desk.cold(ticker(bid1Price="9", bid1Size="1")).outcome is Outcome.IGNORED


def test_a_new_connection_begins_with_no_ticker_state() -> None:
    desk = Desk()
    desk.cold(ticker("snapshot", fundingRate="0.0001", nextFundingTime=str(MS + 1000)))
    desk.ctx = desk.decoder.context("linear", 2)
    assert desk.cold(ticker(fundingRate="0.0002")).outcome is Outcome.IGNORED  # a rate without its time


def test_open_interest_counts_both_sides_where_the_single_one_is_not_sent() -> None:
    (row,) = Desk().records(ticker("snapshot", openInterest="59891.732"))[Channel.OPEN_INTEREST]
    assert row["size"] == 59891.732 / 2 and row["flags"] & Flag.DERIVED
    (row,) = Desk().records(ticker("snapshot", openInterest="59891.732", singleOpenInterest="29945.866"))[
        Channel.OPEN_INTEREST
    ]
    assert row["size"] == 29945.866 and not row["flags"] & Flag.DERIVED


def test_dated_contracts_have_no_funding() -> None:
    assert Channel.FUNDING not in Desk().records(ticker("snapshot", markPrice="1", fundingRate="", nextFundingTime=""))
    assert Channel.FUNDING not in Desk().records(ticker("snapshot", fundingRate="0", nextFundingTime="0"))


def test_the_interval_comes_from_the_instrument_list_where_the_ticker_is_silent() -> None:
    desk = Desk()
    desk.decoder.add_symbol("linear", "BTCUSDT", 0, 2 * HOUR)
    (row,) = desk.records(ticker("snapshot", fundingRate="0.1", nextFundingTime=str(MS)))[Channel.FUNDING]
    assert row["id"] == 2 * HOUR


DAY = {
    "lastPrice": "4", "prevPrice24h": "3", "highPrice24h": "5", "lowPrice24h": "2", "volume24h": "60",
    "turnover24h": "210",
}  # fmt: skip


def test_one_changed_statistic_tells_all_six_anew() -> None:
    desk = Desk()
    whole = desk.records(ticker("snapshot", **DAY, markPrice="10"))
    assert list(whole) == [Channel.MARK_PRICE, Channel.TICKER]
    assert whole[Channel.TICKER]["price"].tolist() == [4, 3, 5, 2, 60, 210]
    changed = desk.records(ticker(lastPrice="4.5", bid1Price="4.4"))[Channel.TICKER]
    assert changed["sub"].tolist() == changed["aux"].tolist() == list(TickerField)
    assert changed["price"].tolist() == [4.5, 3, 5, 2, 60, 210]
    assert Channel.TICKER not in desk.records(ticker(markPrice="11"))
    assert desk.records(ticker("snapshot", lastPrice="7"))[Channel.TICKER]["sub"].tolist() == [TickerField.LAST]


def test_volumes_of_inverse_contracts_are_dollars_and_their_turnover_is_coins() -> None:
    for market, volumes in (("spot", [60, 210]), ("linear", [60, 210]), ("inverse", [210, 60])):
        assert Desk(market).records(ticker("snapshot", **DAY))[Channel.TICKER]["price"].tolist()[-2:] == volumes


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ({"success": True, "ret_msg": "subscribe", "conn_id": "x", "op": "subscribe"}, Answer(None, True)),  # spot
        ({"success": True, "ret_msg": "", "conn_id": "x", "req_id": "", "op": "subscribe"}, Answer(None, True)),
        ({"success": True, "ret_msg": "", "conn_id": "x", "req_id": "12", "op": "subscribe"}, Answer(12, True)),
        (
            {"success": False, "ret_msg": "Invalid topic :[orderbook.50.FOO]", "req_id": "3", "op": "subscribe"},
            Answer(3, False, "Invalid topic :[orderbook.50.FOO]", (Want("FOO", Channel.BOOK, 50),)),
        ),
        (
            {"success": False, "ret_msg": "error:handler not found,topic:publicTrade.FOO", "op": "subscribe"},
            Answer(None, False, "error:handler not found,topic:publicTrade.FOO", (Want("FOO", Channel.TRADE),)),
        ),
        ({"success": True, "ret_msg": "pong", "conn_id": "x", "op": "ping"}, None),
        ({"args": ["1672916271846"], "op": "pong"}, None),
        ({"success": True, "ret_msg": "", "req_id": "12", "op": "unsubscribe"}, None),
    ],
)
def test_acknowledgements_differ_by_category_and_one_answers_a_whole_request(
    frame: dict, answer: Answer | None
) -> None:
    decoded = Desk("spot").cold(frame)
    assert (decoded.outcome, decoded.control) == (Outcome.CONTROL, answer)


@pytest.mark.parametrize(
    "frame",
    [
        {}, {"topic": "x"}, {"topic": "orderbook.x.BTCUSDT", "type": "delta", "data": {}}, orderbook(50, -1, [], []),
        orderbook(50, 1, [], [], "other"), orderbook(50, 1, [["1"]], []), orderbook(50, 1, [["x", "1"]], []),
        trade(S="Both"), trade(i="x"), trade(i="99999999999999999999"), trade(s="ETHUSDT"), trade(T=2**62),
        {"topic": "publicTrade.BTCUSDT", "data": []}, ticker(markPrice="x"),
        ticker(nextFundingTime="x", fundingRate="1"),
        {"topic": "publicTrade.", "data": []}, {"topic": "allLiquidation.BTCUSDT", "data": [{"s": "BTCUSDT"}]},
    ],
)  # fmt: skip
def test_what_is_no_message_is_rejected_with_a_reason_and_the_kernel_leaves_it(frame: dict) -> None:
    desk = Desk()
    assert desk.hot(frame) == Code.SLOW
    with pytest.raises(RejectedFrame) as caught:
        desk.cold(frame)
    assert 0 < len(caught.value.reason) <= 200
