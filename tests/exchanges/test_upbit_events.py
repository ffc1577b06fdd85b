"""The typed path, message by message: fields, traps of the venue, answers, and what is known but not recorded."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.protocol import Answer, Outcome
from ringcollect.records import Channel, Flag, Kind, TickerField
from tests.exchanges.upbit_frames import MS, book, cold, trade


def test_every_message_is_a_complete_book_that_replaces_the_one_before_and_is_news() -> None:
    book_, best = cold(book()).batches
    assert book_.records["flags"].tolist() == [Flag.CLEAR, 0, 0, Flag.LAST]
    assert set(book_.records["kind"].tolist()) == {Kind.BOOK_SNAPSHOT}
    assert book_.records["price"].tolist() == [126.0, 125.0, 127.0, 128.0]
    assert book_.records["size"].tolist() == [68.25, 2.0, 28.5, 1.5]
    assert (set(book_.records["id"].tolist()), set(book_.records["aux"].tolist())) == ({0}, {-1})
    assert (book_.first_id, book_.last_id, book_.prev_id) == (-1, -1, -1)  # nothing numbers them
    assert best.channel is Channel.BBO
    assert (best.records["price"].tolist(), best.records["size"].tolist()) == ([126.0, 127.0], [68.25, 28.5])
    assert best.records["flags"].tolist() == [0, Flag.LAST]


def test_what_is_sent_again_on_subscribing_is_history() -> None:
    """G20: stream_type SNAPSHOT."""
    (batch,) = cold(trade(stream_type="SNAPSHOT")).batches
    assert batch.records["flags"].tolist() == [Flag.SNAPSHOT | Flag.LAST]
    book_, best = cold(book(stream_type="SNAPSHOT")).batches
    assert book_.records["flags"][0] == Flag.CLEAR | Flag.SNAPSHOT
    assert best.records["flags"].tolist() == [Flag.SNAPSHOT, Flag.SNAPSHOT | Flag.LAST]


def test_zero_prices_that_pad_a_thin_side_are_no_levels() -> None:
    book_, best = cold(book([(41840, 41730, 103.6, 47.5), (0, 41720, 0, 250)])).batches
    assert book_.records["price"].tolist() == [41730.0, 41720.0, 41840.0]
    book_, best = cold(book([(0, 41730, 0.0, 47.5)])).batches
    assert book_.records["side"].tolist() == [1]
    assert math.isnan(best.records["price"][1]) and best.records["size"][1] == 0.0
    book_, best = cold(book([])).batches
    assert (book_.records["side"].tolist(), len(best.records)) == ([0], 2)


def test_prices_in_exponent_form_are_read() -> None:
    text = (
        '{"type":"orderbook","code":"KRW-BTC","timestamp":1,"orderbook_units":[{"ask_price":1.16539E8,'
        '"bid_price":1.16538E8,"ask_size":8.428e-05,"bid_size":0.08120946}]}'
    )
    assert cold(text).batches[0].records["price"].tolist() == [116538000.0, 116539000.0]
    assert cold(text).batches[0].records["size"].tolist() == [0.08120946, 8.428e-05]


def test_ids_of_17_digits_are_kept_to_the_last_one() -> None:
    for identity in (17883351803770004, 17883351803770005):  # one float64
        (batch,) = cold(trade(sequential_id=identity)).batches
        assert (batch.records["id"][0], batch.records["aux"][0]) == (identity, identity)
        assert (batch.first_id, batch.last_id) == (-1, -1)  # not dense: untracked


def test_the_time_of_a_trade_is_the_messages_not_the_whole_second_beside_it() -> None:
    (batch,) = cold(trade(trade_timestamp=MS // 1000 * 1000, trade_time="18:17")).batches  # 18:17:00, never parsed
    assert batch.records["ts_event"][0] == MS * 10**6
    assert cold(trade(timestamp=MS * 1000 + 7)).batches[0].records["ts_event"][0] == MS * 10**6 + 7000


@pytest.mark.parametrize(("side", "sign"), [("BID", 1), ("ASK", -1)])
def test_bid_is_a_taker_who_buys(side: str, sign: int) -> None:
    assert cold(trade(ask_bid=side)).batches[0].records["side"][0] == sign


def test_the_format_simple_says_the_same() -> None:
    simple = {"ty": "trade", "cd": "KRW-BTC", "tms": MS, "td": "x", "ttms": 5, "tp": 106691000.0, "tv": 0.00009372,
              "ab": "ASK", "sid": 17883351803770004, "st": "REALTIME"}  # fmt: skip
    assert cold(simple).batches[0].records.tobytes() == cold(trade()).batches[0].records.tobytes()
    units = [{"ap": 127.0, "bp": 126.0, "as": 28.5, "bs": 68.25}, {"ap": 128.0, "bp": 125.0, "as": 1.5, "bs": 2.0}]
    simple = {"ty": "orderbook", "cd": "KRW-BTC", "tms": MS, "tas": 1, "tbs": 2, "obu": units, "st": "REALTIME"}
    for one, two in zip(cold(simple).batches, cold(book()).batches, strict=True):
        assert one.records.tobytes() == two.records.tobytes()


def test_a_list_of_messages_is_all_of_them() -> None:
    decoded = cold([trade(), book(), trade(code="KRW-ZZZ")])
    assert [batch.channel for batch in decoded.batches] == [Channel.TRADE, Channel.BOOK, Channel.BBO]
    assert decoded.unknown == ("KRW-ZZZ",)


@pytest.mark.parametrize("frame", ['{"status":"UP"}', '{"method":"LIST_SUBSCRIPTIONS","result":[],"ticket":"x"}'])
def test_answers_without_data_are_control(frame: str) -> None:
    assert (cold(frame).outcome, cold(frame).control) == (Outcome.CONTROL, None)


def test_an_error_says_what_was_wrong_and_not_with_what() -> None:
    decoded = cold('{"error":{"name":"NO_CODES","message":"codes is empty"}}')
    assert decoded.control == Answer(None, False, "NO_CODES: codes is empty")


def test_a_ticker_says_what_was_traded_in_24_h_and_not_the_days_own_prices() -> None:
    day = {"opening_price": 1, "high_price": 2, "low_price": 3, "acc_trade_price": 4, "acc_trade_volume": 5}
    frame = {"type": "ticker", "code": "KRW-BTC", "timestamp": MS, "trade_price": 116539000.5, **day}
    volumes = {"acc_trade_price_24h": 8320.40577449, "acc_trade_volume_24h": 0.22569412}
    short = {"ty": "ticker", "cd": "KRW-BTC", "tms": MS, "tp": 116539000.5, "op": 1, "atp24h": 8320.40577449}
    for message in (frame | volumes | {"stream_type": "REALTIME"}, short | {"atv24h": 0.22569412}):
        (batch,) = cold(message).batches
        assert batch.channel is Channel.TICKER
        assert batch.records["sub"].tolist() == [
            TickerField.LAST, TickerField.BASE_VOLUME, TickerField.QUOTE_VOLUME,
        ]  # fmt: skip
        assert batch.records["price"].tolist() == [116539000.5, 0.22569412, 8320.40577449]
        assert set(batch.records["ts_event"].tolist()) == {MS * 10**6}
    (batch,) = cold(frame | volumes | {"acc_trade_price_24h": None, "stream_type": "SNAPSHOT"}).batches
    assert batch.records["sub"].tolist() == [TickerField.LAST, TickerField.BASE_VOLUME]
    assert all(batch.records["flags"] & Flag.SNAPSHOT)
    assert cold({"type": "ticker", "code": "KRW-BTC", "timestamp": MS}).outcome is Outcome.IGNORED


@pytest.mark.parametrize("kind", ["candle.1s", "candle.1m", "myOrder"])
def test_other_types_are_known_and_not_recorded(kind: str) -> None:
    assert cold({"type": kind, "code": "KRW-BTC"}).outcome is Outcome.IGNORED


@pytest.mark.parametrize(
    "frame",
    [
        {}, {"type": "nonsense"}, {"type": "trade"}, trade(ask_bid="BUY"), trade(code=""), trade(sequential_id=-1),
        trade(sequential_id=2**63), trade(sequential_id=1.5), trade(timestamp=-1), trade(timestamp=10**14),
        trade(trade_price="x"), trade(trade_volume=None), book(timestamp="1"), book([(1, None, 2, 3)]), "PING", "",
        "[1]",
    ],
)  # fmt: skip
def test_what_is_no_message_of_upbit_is_rejected(frame: Any) -> None:
    with pytest.raises(RejectedFrame):
        cold(frame)
