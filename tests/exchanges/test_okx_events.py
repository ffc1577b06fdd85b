"""The typed path, message by message: fields, traps of the venue, control frames, what is known but not recorded."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import okx
from ringcollect.exchanges.protocol import Answer, Code, Notice, Outcome, Want
from ringcollect.records import Channel, Flag, Kind, LiquidationSub, TradeSub, aux_f
from tests.exchanges.okx_frames import MS, NOW, cold, new_decoder, one

CLEARS = Flag.CLEAR | Flag.SNAPSHOT


def book(action: str = "update", channel: str = "books", **fields: Any) -> dict[str, Any]:
    row = {"asks": [["2", "3", "0", "1"]], "bids": [["1", "5", "0", "2"]], "ts": str(MS), "checksum": 0}
    row |= {"seqId": 12, "prevSeqId": 11} | fields
    frame = {"arg": {"channel": channel, "instId": "BTC-USDT-SWAP"}, "action": action, "data": [row]}
    if not action:
        del frame["action"]
    return frame


def trade(**fields: Any) -> dict[str, Any]:
    row = {"instId": "BTC-USDT-SWAP", "tradeId": "900", "px": "64311", "sz": "31.27", "side": "buy", "ts": str(MS)}
    return {"arg": {"channel": "trades", "instId": "BTC-USDT-SWAP"}, "data": [row | fields]}


def about(channel: str, **row: Any) -> dict[str, Any]:
    return {"arg": {"channel": channel, "instId": row["instId"]}, "data": [row]}


def test_a_snapshot_clears_the_book_and_an_update_names_what_it_follows() -> None:
    (batch,) = cold(book("snapshot", prevSeqId=-1)).batches
    assert batch.records["flags"].tolist() == [CLEARS, Flag.SNAPSHOT | Flag.LAST]
    assert set(batch.records["kind"].tolist()) == {Kind.BOOK_SNAPSHOT}
    assert (batch.records["side"].tolist(), batch.records["aux"].tolist()) == ([1, -1], [-1, -1])
    assert (batch.last_id, batch.prev_id) == (12, -1)
    (batch,) = cold(book()).batches
    assert (batch.first_id, batch.last_id, batch.prev_id) == (-1, 12, 11)
    assert batch.records["id"].tolist() == [12, 12]
    assert batch.records["ts_event"].tolist() == [MS * 10**6] * 2


def test_the_checksum_that_is_zero_since_june_2026_is_no_check() -> None:
    """Whoever compares it resyncs for ever; before, it is kept beside the book it belongs to."""
    assert cold(book(checksum=0)).batches[0].records["kind"].tolist() == [Kind.BOOK_DELTA] * 2
    levels, checks = cold(book(checksum=-855196043)).batches
    (check,) = checks.records
    assert (check["kind"], check["id"], check["aux"], check["flags"]) == (Kind.BOOK_CHECK, 12, -855196043, Flag.LAST)
    assert levels.records["flags"].tolist() == [0, Flag.LAST]


def test_a_heartbeat_without_levels_is_one_record_so_that_the_chain_closes() -> None:
    (batch,) = cold(book(asks=[], bids=[], seqId=11)).batches
    (row,) = batch.records
    assert (row["side"], row["size"], row["id"], batch.prev_id) == (0, 0.0, 11, 11)
    assert math.isnan(row["price"])


def test_books_without_ids_of_old_recordings_say_so() -> None:
    frame = book()
    del frame["data"][0]["seqId"], frame["data"][0]["prevSeqId"]
    (batch,) = cold(frame).batches
    assert (batch.first_id, batch.last_id, batch.prev_id, batch.records["id"][0]) == (-1, -1, -1, 0)


def test_the_short_book_is_complete_each_time_and_never_mixed_into_the_whole_one() -> None:
    decoder = new_decoder()
    ctx = decoder.context("linear", 0, ("books5:BTC-USDT-SWAP",))
    import orjson

    short = orjson.dumps(book("", "books5"))
    (batch,) = decoder.cold(short, ctx, NOW).batches
    assert set(batch.records["kind"].tolist()) == {Kind.BOOK_SNAPSHOT}
    assert batch.records["flags"].tolist() == [Flag.CLEAR, Flag.LAST]  # no SNAPSHOT: each is news and drives the clock
    decoder.cold(orjson.dumps(book("snapshot")), ctx, NOW)
    assert decoder.cold(short, ctx, NOW).outcome is Outcome.IGNORED


def test_sizes_of_contracts_stay_contracts() -> None:
    """31.27 contracts of 0.01 BTC: what a contract is, the instrument table says."""
    _, row = one(trade())
    assert row["size"] == 31.27


@pytest.mark.parametrize(
    ("count", "first", "sub"), [(None, 900, 0), ("1", 900, TradeSub.AGGREGATED), ("8", 893, TradeSub.AGGREGATED)]
)
def test_a_merged_print_spans_its_fills_and_its_id_is_the_last(count: str | None, first: int, sub: int) -> None:
    batch, row = one(trade() if count is None else trade(count=count, source="0", seqId=323647402789))
    assert (row["id"], row["aux"], row["sub"]) == (900, first, sub)
    assert (batch.first_id, batch.last_id) == (first, 900)


def test_the_gap_test_of_merged_prints_leaves_no_hole() -> None:
    """tradeId - count is the last tradeId: 900 of 8 follows 892."""
    assert one(trade(tradeId="900", count="8"))[0].first_id == one(trade(tradeId="892", count="3"))[0].last_id + 1


def test_a_retail_order_is_marked_and_a_source_nobody_knows_is_still_a_trade() -> None:
    assert one(trade(count="1", source="1"))[1]["sub"] == TradeSub.AGGREGATED + TradeSub.RPI
    assert one(trade(count="1", source="7"))[1]["sub"] == TradeSub.AGGREGATED


@pytest.mark.parametrize(("side", "sign"), [("buy", 1), ("sell", -1)])
def test_the_side_of_a_trade_is_the_takers_as_sent(side: str, sign: int) -> None:
    assert one(trade(side=side))[1]["side"] == sign


def test_several_prints_of_a_frame_are_one_batch_in_the_order_sent() -> None:
    frame = trade()
    frame["data"] = [frame["data"][0] | {"tradeId": str(i), "ts": str(MS + i)} for i in (901, 903, 902)]
    (batch,) = cold(frame).batches
    assert batch.records["id"].tolist() == [901, 903, 902]
    assert (batch.first_id, batch.last_id) == (901, 903)
    assert batch.records["ts_event"].tolist() == [(MS + i) * 10**6 for i in (901, 903, 902)]


ACK = b'{"event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT-SWAP"},"connId":"a4d3ae55"}'


def test_the_last_trade_replayed_on_subscribing_is_history_however_old_it_is() -> None:
    """G20: hours old, seen before perhaps; the next one is news."""
    import orjson

    decoder = new_decoder()
    ctx = decoder.context("linear", 0, ("trades:BTC-USDT-SWAP",))
    old = orjson.dumps(trade(ts=str(MS - 20 * 3_600_000)))
    new = orjson.dumps(trade(tradeId="901", ts=str(MS + 50)))
    decoder.cold(ACK, ctx, NOW)
    assert okx.decode_hot(old, ctx, NOW + 1000) == Code.SLOW  # the kernel leaves it to the typed path
    (batch,) = decoder.cold(old, ctx, NOW + 1000).batches
    assert batch.records["flags"].tolist() == [Flag.LAST | Flag.SNAPSHOT]
    for payload in (new, old):
        assert okx.decode_hot(payload, ctx, NOW + 2000) == 1
        assert decoder.cold(payload, ctx, NOW + 2000).batches[0].records["flags"].tolist() == [Flag.LAST]


def test_what_happened_after_the_acknowledgement_is_news_and_so_is_what_comes_late() -> None:
    import orjson

    for ts, later_ns in ((MS + 1, 1000), (MS - 1000, 11 * 10**9)):
        decoder = new_decoder()
        ctx = decoder.context("linear", 0, ("trades:BTC-USDT-SWAP",))
        decoder.cold(ACK, ctx, NOW)
        (batch,) = decoder.cold(orjson.dumps(trade(ts=str(ts))), ctx, NOW + later_ns).batches
        assert batch.records["flags"].tolist() == [Flag.LAST]
        assert okx.decode_hot(orjson.dumps(trade()), ctx, NOW + later_ns) == 1  # nothing is awaited any more


def test_best_prices_of_an_empty_side_are_missing_not_zero() -> None:
    (batch,) = cold(book("", "bbo-tbt", bids=[])).batches
    assert math.isnan(batch.records["price"][0]) and batch.records["price"][1] == 2.0
    assert batch.records["size"].tolist() == [0.0, 3.0]
    assert (batch.last_id, batch.records["id"].tolist()) == (12, [12, 12])


FUNDING = {
    "instId": "BTC-USD-SWAP", "fundingRate": "0.0001875391284828", "fundingTime": "1700726400000",
    "nextFundingRate": "", "nextFundingTime": "1700755200000", "method": "current_period", "ts": "1700724675402",
}  # fmt: skip


def test_funding_applies_at_funding_time_and_next_funding_time_is_the_one_after_it() -> None:
    batch, row = one(about("funding-rate", **FUNDING), "inverse")
    assert batch.channel is Channel.FUNDING
    assert (row["price"], row["aux"]) == (0.0001875391284828, 1700726400000 * 10**6)
    assert row["id"] == 8 * 3600 * 10**9  # the interval: their difference
    assert row["ts_event"] == 1700724675402 * 10**6
    assert math.isnan(row["size"])


def test_funding_of_old_recordings_has_no_interval_and_no_time() -> None:
    old = {k: v for k, v in FUNDING.items() if k not in ("nextFundingTime", "ts")} | {"nextFundingRate": "0.0002"}
    _, row = one(about("funding-rate", **old), "inverse")
    assert (row["id"], row["ts_event"], row["size"]) == (0, 0, 0.0002)


def test_an_index_concerns_every_derivative_that_follows_it_in_the_connections_market() -> None:
    frame = about("index-tickers", instId="BTC-USDT", idxPx="43350", ts=str(MS))
    assert [batch.instrument for batch in cold(frame, "linear", ("x",)).batches] == [1, 2]
    assert {batch.channel for batch in cold(frame).batches} == {Channel.INDEX_PRICE}
    assert cold(about("index-tickers", instId="BTC-USD", idxPx="1", ts="1"), "inverse").batches[0].instrument == 3
    assert cold(about("index-tickers", instId="ETH-USDT", idxPx="1", ts="1")).outcome is Outcome.IGNORED


def test_open_interest_is_in_contracts_and_its_value_in_dollars() -> None:
    frame = about(
        "open-interest", instId="BTC-USDT-SWAP", oi="2216113.01000000309", oiCcy="2", oiUsd="19.5", ts=str(MS)
    )
    batch, row = one(frame)
    assert (batch.channel, row["size"], row["price"]) == (Channel.OPEN_INTEREST, 2216113.01000000309, 19.5)
    del frame["data"][0]["oiUsd"]
    assert math.isnan(one(frame)[1]["price"])


def test_a_mark_price() -> None:
    batch, row = one(about("mark-price", instId="BTC-USDT-261225", markPx="0.1", ts=str(MS)))
    assert (batch.channel, row["price"], row["ts_event"]) == (Channel.MARK_PRICE, 0.1, MS * 10**6)


def forced(*symbols: str) -> dict[str, Any]:
    order = {"bkLoss": "0", "bkPx": "0.007831", "ccy": "", "posSide": "short", "side": "buy", "sz": "13", "ts": str(MS)}
    rows = [{"details": [order, order], "instId": symbol, "instType": "SWAP"} for symbol in symbols]
    return {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": rows}


def test_a_liquidation_has_the_bankruptcy_price_and_the_orders_side() -> None:
    (batch,) = cold(forced("BTC-USDT-SWAP")).batches
    row = batch.records[0]
    assert (row["price"], row["size"], row["side"]) == (0.007831, 13.0, 1)  # a short was liquidated: it is bought back
    assert row["sub"] == LiquidationSub.BANKRUPTCY
    assert math.isnan(aux_f(batch.records)[0])
    assert batch.records["flags"].tolist() == [0, Flag.LAST]


def test_of_the_liquidations_of_all_instruments_only_the_configured_ones_are_taken() -> None:
    decoded = cold(forced("IOST-USDT-SWAP", "BTC-USDT-SWAP", "BTC-USD-SWAP", "X-USDT-SWAP"), "linear", ("x",))
    assert [batch.instrument for batch in decoded.batches] == [1]  # the inverse one comes by the inverse connection
    assert decoded.unknown == ("IOST-USDT-SWAP", "X-USDT-SWAP")
    assert cold(forced("IOST-USDT-SWAP")).outcome is Outcome.IGNORED


def test_the_first_liquidations_after_subscribing_are_a_replay() -> None:
    import orjson

    decoder = new_decoder()
    ctx = decoder.context("linear", 0, ("liquidation-orders:SWAP",))
    decoder.cold(b'{"event":"subscribe","arg":{"channel":"liquidation-orders","instType":"SWAP"}}', ctx, NOW + 1)
    payload = orjson.dumps(forced("BTC-USDT-SWAP"))
    flags = [decoder.cold(payload, ctx, NOW + 2).batches[0].records["flags"].tolist() for _ in range(2)]
    assert flags == [[Flag.SNAPSHOT, Flag.SNAPSHOT | Flag.LAST], [0, Flag.LAST]]


def test_the_answer_to_our_ping_is_text_and_no_json() -> None:
    assert cold("pong") == cold("pong")
    assert cold("pong").outcome is Outcome.CONTROL
    decoder = new_decoder()
    assert okx.decode_hot(b"pong", decoder.context("spot", 0), NOW) == Code.SLOW


def test_every_argument_is_acknowledged_by_itself_whatever_the_requests_number() -> None:
    decoded = cold('{"id":"7","event":"subscribe","arg":{"channel":"books","instId":"BTC-USDT-SWAP"},"connId":"a"}')
    assert decoded.outcome is Outcome.CONTROL
    assert decoded.control == Answer(None, True, wants=(Want("BTC-USDT-SWAP", Channel.BOOK),))
    shared = '{"event":"subscribe","arg":{"channel":"index-tickers","instId":"BTC-USDT"}}'
    control = cold(shared).control
    assert isinstance(control, Answer)
    assert set(control.wants) == {Want(s, Channel.INDEX_PRICE) for s in ("BTC-USDT-SWAP", "BTC-USDT-261225")}
    control = cold('{"event":"subscribe","arg":{"channel":"liquidation-orders","instType":"SWAP"}}').control
    assert isinstance(control, Answer)
    assert set(control.wants) == {Want(s, Channel.LIQUIDATION) for s in ("BTC-USDT-SWAP", "BTC-USD-SWAP")}


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        (
            '{"event":"error","code":"60018","msg":"Wrong URL or channel:trades,instId:BTC-USDTX doesn\'t exist. '
            'Please use the correct URL, channel and parameters referring to API document.","connId":"a"}',
            (None, (Want("BTC-USDTX", Channel.TRADE),)),
        ),
        ('{"id":"3","event":"error","code":"60012","msg":"Invalid request: {...}","connId":"a4d3ae55"}', (3, ())),
        ('{"event":"error","code":"60014","msg":"Requests too frequent"}', (None, ())),
    ],
)
def test_a_refused_argument_is_named_and_the_socket_stays(frame: str, answer: tuple[Any, ...]) -> None:
    control = cold(frame).control
    assert isinstance(control, Answer) and not control.ok
    assert (control.request_id, control.wants) == answer
    assert control.message.startswith("600")


def test_a_service_upgrade_announces_that_the_connection_will_be_cut() -> None:
    text = "The connection will soon be closed for a service upgrade. Please reconnect."
    control = cold(f'{{"event":"notice","code":"64008","msg":"{text}","connId":"a"}}').control
    assert control == Notice(f"64008: {text}", closing=True)
    assert cold('{"event":"notice","code":"1","msg":"hello"}').control == Notice("1: hello", closing=False)


@pytest.mark.parametrize("event", ["login", "channel-conn-count", "channel-conn-count-error", "unsubscribe"])
def test_other_events_are_control(event: str) -> None:
    decoded = cold(f'{{"event":"{event}","arg":{{"channel":"orders"}},"channel":"orders","connCount":"1"}}')
    assert (decoded.outcome, decoded.control) == (Outcome.CONTROL, None)


@pytest.mark.parametrize(
    "frame",
    [
        {"event": "nonsense"}, {"arg": {"channel": "nonsense"}, "data": []}, {"arg": {"channel": "books"}},
        {"data": []},
        {"arg": {}, "data": []}, book("partial"), book(""), book(seqId=-2), book(checksum=2**31), book(ts="x"),
        book(bids=[["1"]]), book(bids=[[True, "1"]]), book(bids=[[None, "1"]]), book(asks=[["nan", "1"]]),
        trade(side="BUY"), trade(tradeId="x"), trade(count="0"), trade(count="902"), trade(ts="-1"), trade(instId=""),
        trade(px=""), about("mark-price", instId="BTC-USDT-SWAP", markPx="", ts="1"),
    ],
)  # fmt: skip
def test_what_is_no_message_of_okx_is_rejected(frame: dict[str, Any]) -> None:
    with pytest.raises(RejectedFrame):
        cold(frame)


def test_options_are_not_collected_and_not_registered() -> None:
    option = "BTC-USD-261225-50000-C"
    frame = trade(instId=option)
    frame["arg"]["instId"] = option
    decoded = cold(frame)
    assert (decoded.outcome, decoded.unknown) == (Outcome.IGNORED, ())
