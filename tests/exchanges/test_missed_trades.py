"""Trades asked for later, by their ids: what is asked of each exchange, and what its answer becomes."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import load
from ringcollect.exchanges.protocol import Missing, Purpose, RestMeaning
from ringcollect.records import Channel, Flag, TradeSub

NOW = 1_790_134_743_000_000_000
MS = NOW // 10**6
BACKFILLED = Flag.REST | Flag.BACKFILLED
HOLE = Missing(1001, 5000, NOW)

BINANCE = [
    {"id": 7, "price": "61800.30", "qty": "0.006", "quoteQty": "370.8", "time": MS - 3, "isBuyerMaker": False},
    {"id": 8, "price": "61800.20", "qty": "0.5", "time": MS - 2, "isBuyerMaker": True, "isRPITrade": True},
    {"id": 9, "price": "0", "qty": "0", "time": MS - 1, "isBuyerMaker": True},
]  # the last spends an id and is no trade
OKX = {
    "code": "0", "msg": "",
    "data": [
        {"instId": "BTC-USDT", "tradeId": "8", "px": "61800.2", "sz": "0.5", "side": "sell", "ts": str(MS - 2),
         "source": "0"},
        {"instId": "BTC-USDT", "tradeId": "7", "px": "61800.3", "sz": "0.006", "side": "buy", "ts": str(MS - 3),
         "source": "1"},
    ],
}  # fmt: skip
COINBASE = [
    {"trade_id": 8, "side": "buy", "size": "0.5", "price": "61800.2", "time": "2026-09-23T03:39:02.998Z"},
    {"trade_id": 7, "side": "sell", "size": "0.006", "price": "61800.3", "time": "2026-09-23T03:39:02.997Z"},
]  # the maker's sides

KRAKEN = {
    "error": [],
    "result": {
        "XXBTZUSD": [
            ["61800.3", "0.006", 1790134742.997, "b", "m", "", 7], ["61800.2", "0.5", 1790134742.998, "s", "l", "", 8],
        ],
        "last": "1790134742998000000",
    },
}  # fmt: skip

CASES: dict[str, tuple[str, str, Any]] = {
    "binance": ("spot", "BTCUSDT", BINANCE),
    "okx": ("spot", "BTC-USDT", OKX),
    "coinbase": ("spot", "BTC-USD", COINBASE),
    "kraken": ("spot", "BTC/USD", KRAKEN),
}


def answered(exchange: str, purpose: Purpose, body: Any, symbol: str = "") -> Any:
    market, known, _ = CASES[exchange]
    decoder = load(exchange).decoder(max_past_ns=86_400 * 10**9, max_future_skew_ns=30 * 10**9)
    decoder.add_symbol(market, known, 3)
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return decoder.rest(RestMeaning(market, purpose, symbol or known), raw, NOW)


@pytest.mark.parametrize("exchange", CASES)
def test_an_answer_becomes_single_fills_flagged_backfilled_with_the_time_they_came_at(exchange: str) -> None:
    [batch] = answered(exchange, Purpose.TRADES, CASES[exchange][2]).batches
    records = batch.records[batch.records["id"].argsort()]
    assert batch.channel is Channel.TRADE and records["id"].tolist() == records["aux"].tolist() == [7, 8]
    assert records["price"].tolist() == [61800.3, 61800.2] and records["size"].tolist() == [0.006, 0.5]
    assert records["side"].tolist() == [1, -1], "the aggressor's"
    assert records["ts_event"].tolist() == [NOW - 3_000_000, NOW - 2_000_000]
    assert set(records["ts_recv"]) == {NOW} and set(records["conn"]) == {255} and set(records["instrument"]) == {3}
    assert all(Flag(int(f)) & ~Flag.LAST == BACKFILLED for f in records["flags"])


def test_retail_price_improvement_is_told_apart_where_the_exchange_does() -> None:
    subs = {}
    for exchange in ("binance", "okx"):
        [batch] = answered(exchange, Purpose.TRADES, CASES[exchange][2]).batches
        subs[exchange] = dict(zip(batch.records["id"].tolist(), batch.records["sub"].tolist(), strict=True))
    assert subs == {
        "binance": {7: TradeSub.ORDINARY, 8: TradeSub.RPI}, "okx": {7: TradeSub.RPI, 8: TradeSub.ORDINARY},
    }  # fmt: skip


@pytest.mark.parametrize("exchange", CASES)
def test_of_the_newest_trade_only_its_id_is_left(exchange: str) -> None:
    [batch] = answered(exchange, Purpose.LAST_TRADE, CASES[exchange][2]).batches
    assert (len(batch.records), batch.last_id) == (0, 9 if exchange == "binance" else 8)


def test_the_newest_aggregate_of_binance_spot_says_its_last_trade() -> None:
    row = {"a": 5933014, "p": "0.001", "q": "100", "f": 100, "l": 105, "T": MS, "m": True, "M": True}
    [batch] = answered("binance", Purpose.LAST_TRADE, [row]).batches
    assert (len(batch.records), batch.last_id) == (0, 105)


@pytest.mark.parametrize("exchange", CASES)
def test_no_trades_are_no_records_and_what_is_no_answer_is_rejected(exchange: str) -> None:
    empty = {"okx": {"code": "0", "msg": "", "data": []}, "kraken": {"error": [], "result": {"X": [], "last": "0"}}}
    nothing: Any = empty.get(exchange, [])
    for purpose in (Purpose.TRADES, Purpose.LAST_TRADE):
        [batch] = answered(exchange, purpose, nothing).batches
        assert (len(batch.records), batch.last_id) == (0, -1)
        for bad in (b"", b"{", b"oops", b'{"message":"NotFound"}', b"[1]", b'{"code":"51000","msg":"no","data":[]}'):
            with pytest.raises(RejectedFrame):
                answered(exchange, purpose, bad)
        assert answered(exchange, purpose, nothing, "UNKNOWN").unknown == ("UNKNOWN",)


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@pytest.mark.parametrize(
    ("exchange", "path", "asked"),
    [
        ("binance", "/api/v3/historicalTrades", {"symbol": "BTCUSDT", "fromId": "1001", "limit": "1000"}),
        ("okx", "/api/v5/market/history-trades", {"instId": "BTC-USDT", "type": "1", "after": "1101", "limit": "100"}),
        ("coinbase", "/products/BTC-USD/trades", {"after": "2001", "limit": "1000"}),
        ("kraken", "/0/public/Trades", {"pair": "BTC/USD", "since": str(NOW - 10**6), "count": "1000"}),
    ],
)
def test_the_oldest_page_of_a_hole_is_asked_for_first(exchange: str, path: str, asked: dict[str, str]) -> None:
    """Where pages go back from an id, that is the one behind the page's newest."""
    market, symbol, _ = CASES[exchange]
    call = load(exchange).trades_call(market, symbol, HOLE, "https://here")
    assert call is not None and call.purpose is Purpose.TRADES
    assert (urlsplit(call.url).path, query(call.url)) == (path, asked)
    meaning = load(exchange).read_rest(call.url)
    assert meaning is not None and (meaning.purpose, meaning.symbol) == (Purpose.TRADES, symbol)
    short = load(exchange).trades_call(market, symbol, Missing(1001, 1003, NOW))
    assert short is not None
    assert query(short.url).get("after", "1004") == "1004", "no further than the hole"


def test_a_time_of_nine_decimals_is_exact() -> None:
    body = b'{"error":[],"result":{"X":[["1","2",1790134742.998877665,"b","m","",9]],"last":"1"}}'
    [batch] = answered("kraken", Purpose.TRADES, body).batches
    assert batch.records["ts_event"].tolist() == [1_790_134_742_998_877_665]


def test_usd_m_has_no_trades_by_id_without_a_key_but_the_newest() -> None:
    call = load("binance").trades_call("linear", "BTCUSDT", HOLE)
    assert call is not None and "fromId" not in call.url and urlsplit(call.url).path == "/fapi/v1/trades"


@pytest.mark.parametrize(("exchange", "market"), [("bybit", "linear"), ("upbit", "spot")])
def test_ids_that_are_not_dense_are_never_asked_for(exchange: str, market: str) -> None:
    venue = load(exchange)
    assert not venue.dense_trade_ids(market)
    assert venue.last_trade_call(market, "X") is None and venue.trades_call(market, "X", HOLE) is None


@pytest.mark.parametrize(
    ("exchange", "market", "weight"),
    [("binance", "spot", 4), ("binance", "linear", 5), ("okx", "spot", 1), ("kraken", "spot", 1)],
)
def test_the_newest_trade_is_cheap_to_ask_for(exchange: str, market: str, weight: int) -> None:
    call = load(exchange).last_trade_call(market, "X")
    assert call is not None and (call.purpose, call.weight) == (Purpose.LAST_TRADE, weight)
