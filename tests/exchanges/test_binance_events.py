"""The typed path, event by event: fields, traps of the venue, control frames, and what is known but not recorded."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import binance
from ringcollect.exchanges.binance.cold import IGNORED_EVENTS
from ringcollect.exchanges.protocol import Answer, Batch, Code, Decoded, Notice, Outcome
from ringcollect.records import Channel, Flag, Kind, LiquidationSub, TradeSub, aux_f
from tests.exchanges.frames import new_decoder

NOW = 1_562_305_380_100_000_000
MS = NOW // 10**6


def cold(frame: str, market: str = "linear", streams: tuple[str, ...] = ()) -> Decoded:
    decoder = new_decoder(("BTCUSDT", "ETHUSDT", "BTCUSDT_260925"))
    return decoder.cold(frame.encode(), decoder.context(market, 2, streams), NOW)


def one(frame: str, market: str = "linear") -> tuple[Batch, np.void]:
    decoded = cold(frame, market)
    assert decoded.outcome is Outcome.DECODED
    (batch,) = decoded.batches
    (row,) = batch.records
    return batch, row


MARK = (
    '{"e":"markPriceUpdate","E":1562305380000,"s":"BTCUSDT","p":"11794.15000000","ap":"11700.1","i":"11784.62659091",'
    '"P":"11784.25641265","r":"0.00038167","T":1562306400000}'
)


def test_a_mark_price_gives_three_batches_and_its_t_is_the_next_funding_time_not_the_event_time() -> None:
    mark, index, funding = cold(MARK).batches
    assert [batch.channel for batch in (mark, index, funding)] == [
        Channel.MARK_PRICE, Channel.INDEX_PRICE, Channel.FUNDING,
    ]  # fmt: skip
    for batch, kind, price in (
        (mark, Kind.MARK_PRICE, 11794.15),
        (index, Kind.INDEX_PRICE, 11784.62659091),
        (funding, Kind.FUNDING, 0.00038167),
    ):
        (row,) = batch.records
        assert (row["kind"], row["price"], row["ts_event"]) == (kind, price, 1562305380000 * 10**6)
        assert math.isnan(row["size"])
        assert (row["flags"], row["conn"], row["ts_recv"], row["instrument"]) == (Flag.LAST, 2, NOW, 0)
    assert funding.records["aux"][0] == 1562306400000 * 10**6
    assert funding.records["id"][0] == 0  # the interval is not in the message


@pytest.mark.parametrize(("rate", "when"), [('""', "1562306400000"), ('"0.00000000"', "0"), ('""', "0")])
def test_a_dated_contract_has_mark_and_index_but_no_funding(rate: str, when: str) -> None:
    frame = MARK.replace('"0.00038167"', rate).replace("1562306400000", when).replace("BTCUSDT", "BTCUSDT_260925")
    assert [batch.channel for batch in cold(frame).batches] == [Channel.MARK_PRICE, Channel.INDEX_PRICE]


def test_an_array_of_mark_prices_gives_each_known_symbol_and_names_the_others() -> None:
    frame = f"[{MARK},{MARK.replace('BTC', 'ZZZ')},{MARK.replace('BTC', 'ETH')}]"
    for text in (frame, f'{{"stream":"!markPrice@arr@1s","data":{frame}}}', " " + frame):
        decoded = cold(text)
        assert decoded.outcome is Outcome.DECODED
        assert [batch.instrument for batch in decoded.batches] == [0, 0, 0, 1, 1, 1]
        assert decoded.unknown == ("ZZZUSDT",)


FORCE = (
    '{"e":"forceOrder","E":1562305380002,"o":{"s":"BTCUSDT","S":"SELL","o":"LIMIT","f":"IOC","q":"0.016","p":"9910",'
    '"ap":"9905.5","X":"FILLED","l":"0.014","z":"0.014","T":1562305380001}}'
)


def test_a_liquidation_has_the_average_fill_the_order_price_beside_it_and_the_orders_side() -> None:
    batch, row = one(FORCE)
    assert batch.channel is Channel.LIQUIDATION
    assert (row["price"], row["size"], row["side"]) == (9905.5, 0.014, -1)  # a long was liquidated
    assert (row["sub"], aux_f(batch.records)[0]) == (LiquidationSub.AVERAGE, 9910.0)
    assert (row["ts_event"], row["id"]) == (1562305380001 * 10**6, 0)


@pytest.mark.parametrize("average", ['"ap":"0",', '"ap":"0.00000000",', ""])
def test_a_liquidation_without_fill_has_the_order_price_and_the_ordered_size(average: str) -> None:
    frame = FORCE.replace('"ap":"9905.5",', average).replace('"z":"0.014"', '"z":"0"').replace("SELL", "BUY")
    batch, row = one(frame)
    assert (row["price"], row["size"], row["side"]) == (9910.0, 0.016, 1)
    assert row["sub"] == LiquidationSub.ORDER
    assert math.isnan(aux_f(batch.records)[0])


def test_a_liquidation_of_an_unknown_side_is_rejected() -> None:
    with pytest.raises(RejectedFrame, match="side"):
        cold(FORCE.replace("SELL", "BOTH"))


def trade(kind: str = "MARKET", price: str = "1.5", size: str = "2", maker: str = "false") -> str:
    ids = f'"e":"trade","E":{MS},"T":{MS - 1},"s":"BTCUSDT","t":77'
    return f'{{{ids},"p":"{price}","q":"{size}","X":"{kind}","m":{maker}}}'


@pytest.mark.parametrize(
    ("kind", "sub"),
    [
        ("MARKET", 0),
        ("INSURANCE_FUND", TradeSub.ADL_INSURANCE),
        ("ADL", TradeSub.ADL_INSURANCE),
        ("LIQUIDATION", TradeSub.LIQUIDATION),
        ("RPI", TradeSub.RPI),
    ],
)
def test_the_type_of_a_trade_is_kept(kind: str, sub: int) -> None:
    batch, row = one(trade(kind))
    assert (row["sub"], row["id"], row["aux"], batch.first_id, batch.last_id) == (sub, 77, 77, 77, 77)
    decoder = new_decoder(("BTCUSDT",))
    ctx = decoder.context("linear", 2)
    assert binance.decode_hot(trade(kind).encode(), ctx, NOW) == 1
    assert decoder.taken(ctx).records.tobytes() == batch.records.tobytes()


@pytest.mark.parametrize("frame", [trade("NA"), trade(price="0"), trade(size="0.000"), trade("ADL", price="0")])
def test_a_trade_of_nothing_has_no_record_but_its_id(frame: str) -> None:
    decoder = new_decoder(("BTCUSDT",))
    ctx = decoder.context("linear", 0)
    (batch,) = decoder.cold(frame.encode(), ctx, NOW).batches
    assert (len(batch.records), batch.first_id, batch.last_id) == (0, 77, 77)
    assert binance.decode_hot(frame.encode(), ctx, NOW) == 0
    assert len(decoder.taken(ctx).records) == 0
    assert decoder.taken(ctx).last_id == 77


def test_a_trade_of_a_type_nobody_knows_is_kept_as_a_reject_and_not_taken_for_an_ordinary_one() -> None:
    with pytest.raises(RejectedFrame, match="unknown type 'SOMETHING'"):
        cold(trade("SOMETHING"))


@pytest.mark.parametrize(("maker", "side"), [("true", -1), ("false", 1)])
def test_the_side_of_a_trade_is_the_takers(maker: str, side: int) -> None:
    assert one(trade(maker=maker))[1]["side"] == side


def test_an_aggregate_is_marked_and_spans_its_fills_while_gaps_are_counted_in_aggregates() -> None:
    frame = (
        f'{{"e":"aggTrade","E":{MS},"s":"BTCUSDT","a":9,"p":"0.001","q":"100","nq":"90","f":100,"l":105,'
        f'"T":{MS},"m":true,"st":1}}'
    )
    batch, row = one(frame)
    assert (row["id"], row["aux"], row["sub"], row["size"]) == (105, 100, TradeSub.AGGREGATED, 100.0)
    assert (batch.first_id, batch.last_id) == (9, 9)


def depth(extra: str = "", levels: str = '"b":[["1","2"]],"a":[]') -> str:
    return f'{{"e":"depthUpdate","E":{MS},"s":"BTCUSDT","U":5,"u":9,{levels}{extra}}}'


def test_a_depth_event_takes_the_engine_time_where_it_is_sent() -> None:
    assert one(depth(f',"T":{MS - 7},"pu":4'))[1]["ts_event"] == (MS - 7) * 10**6
    assert one(depth(), "spot")[1]["ts_event"] == MS * 10**6


def test_a_depth_event_without_levels_still_leaves_one_record() -> None:
    decoder = new_decoder(("BTCUSDT",))
    ctx = decoder.context("spot", 0)
    frame = depth(levels='"b":[],"a":[]')
    (batch,) = decoder.cold(frame.encode(), ctx, NOW).batches
    assert binance.decode_hot(frame.encode(), ctx, NOW) == 1
    assert decoder.taken(ctx).records.tobytes() == batch.records.tobytes()
    (row,) = batch.records
    assert (row["side"], row["size"], row["id"], row["flags"]) == (0, 0.0, 9, Flag.LAST)
    assert math.isnan(row["price"])


def test_microseconds_are_told_from_milliseconds_by_their_size() -> None:
    for text, expected in ((f"{MS}", MS * 10**6), (f"{MS}123", MS * 10**6 + 123_000)):
        frame = depth().replace(f'"E":{MS}', f'"E":{text}')
        assert one(frame, "spot")[1]["ts_event"] == expected


@pytest.mark.parametrize(
    "stream", ["btcusdt@depth20", "btcusdt@depth5@100ms", "btcusdt@rpiDepth@500ms", "btcusdt@trade"]
)
def test_a_partial_depth_looks_like_a_diff_and_is_not_taken_for_one(stream: str) -> None:
    decoder = new_decoder(("BTCUSDT",))
    event = depth(',"pu":4')
    frame = f'{{"stream":"{stream}","data":{event}}}'.encode()
    ctx = decoder.context("linear", 0)
    assert binance.decode_hot(frame, ctx, NOW) == Code.SLOW
    assert decoder.cold(frame, ctx, NOW).outcome is Outcome.IGNORED
    raw = decoder.context("linear", 1, ("btcusdt@depth20",))
    assert binance.decode_hot(event.encode(), raw, NOW) == Code.SLOW
    assert decoder.cold(event.encode(), raw, NOW).outcome is Outcome.IGNORED


@pytest.mark.parametrize(
    "stream", ["btcusdt@depth", "btcusdt@depth@100ms", "btcusdt@depth@0ms", "币安人生usdt@depth@100ms"]
)
def test_a_diff_depth_stream_is_one_at_any_speed(stream: str) -> None:
    decoder = new_decoder(("BTCUSDT",))
    frame = f'{{"stream":"{stream}","data":{depth()}}}'.encode()
    assert binance.decode_hot(frame, decoder.context("spot", 0), NOW) == 1


def test_bare_and_combined_frames_give_the_same_records() -> None:
    for event, stream in ((trade(), "btcusdt@trade"), (depth(',"pu":4'), "btcusdt@depth@100ms")):
        bare, combined = one(event), one(f'{{"data":{event},"stream":"{stream}"}}')
        assert bare[0].records.tobytes() == combined[0].records.tobytes()


def test_a_missing_side_of_the_best_prices_is_nan() -> None:
    (batch,) = cold('{"u":1,"s":"BTCUSDT","b":"0.00000000","B":"0.00000000","a":"1","A":"2"}', "spot").batches
    assert math.isnan(batch.records["price"][0])
    assert batch.records["price"][1] == 1
    assert batch.records["size"].tolist() == [0, 2]


@pytest.mark.parametrize(
    ("frame", "control"),
    [
        ('{"result":null,"id":1}', Answer(1, True)),
        ('{"id":9007199254740993,"result":["btcusdt@trade"]}', Answer(9007199254740993, True)),
        ('{"result":null,"id":"x7"}', Answer(None, True)),
        (
            '{"code":2,"msg":"Invalid request: missing field `method`"}',
            Answer(None, False, "2: Invalid request: missing field `method`"),
        ),
        ('{"code":0,"msg":"Unknown property","id":3}', Answer(3, False, "0: Unknown property")),
        ('{"error":{"code":2,"msg":"Invalid request"},"id":4}', Answer(4, False, "2: Invalid request")),
        ('{"id":5,"error":{"code":3}}', Answer(5, False, "3: ")),
        ('{"e":"serverShutdown","E":1770123456789}', Notice("serverShutdown", closing=True)),
        ('{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}', Notice("serverShutdown", closing=True)),
    ],
)
def test_control_frames(frame: str, control: Answer | Notice) -> None:
    decoded = cold(frame, "spot")
    assert (decoded.outcome, decoded.control, decoded.batches) == (Outcome.CONTROL, control, ())


@pytest.mark.parametrize("event", sorted(IGNORED_EVENTS))
def test_known_events_that_are_not_recorded_are_ignored(event: str) -> None:
    assert cold(f'{{"e":"{event}","E":1,"s":"BTCUSDT","k":{{"t":1}}}}').outcome is Outcome.IGNORED
    assert cold(f'[{{"e":"{event}"}}]').outcome is Outcome.IGNORED


def test_partial_depth_of_spot_is_ignored() -> None:
    partial = '{"lastUpdateId":160,"bids":[["1","2"]],"asks":[]}'
    assert cold(partial, "spot").outcome is Outcome.IGNORED
    assert cold(f'{{"stream":"bnbbtc@depth5","data":{partial}}}', "spot").outcome is Outcome.IGNORED


def test_an_unknown_symbol_is_named_and_ignored() -> None:
    decoded = cold(trade().replace("BTCUSDT", "NEWUSDT"))
    assert (decoded.outcome, decoded.unknown, decoded.batches) == (Outcome.IGNORED, ("NEWUSDT",), ())


def test_an_event_before_1970_plus_a_day_or_far_ahead_is_marked_in_every_kind() -> None:
    for frame in (MARK.replace("1562305380000", "1"), FORCE.replace("1562305380001", "4102444800000")):
        for batch in cold(frame).batches:
            assert batch.records["flags"][0] & Flag.BAD_TS
