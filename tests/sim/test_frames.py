"""Every frame has the documented fields and exact texts, and says what the market did."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.sim.desk import MS, SECOND, START, Desk, truth_lines

_EIGHT_HOURS = 8 * 3600 * SECOND

# Field order as the exchange documents it.
DOCUMENTED = {
    ("spot", "trade"): "e E s t p q T m M",
    ("spot", "aggTrade"): "e E s a p q f l T m M",
    ("spot", "bookTicker"): "u s b B a A",
    ("spot", "depth@100ms"): "e E s U u b a",
    ("linear", "trade"): "e E T s t p q X m",
    ("linear", "bookTicker"): "e u s b B a A T E",
    ("linear", "depth@100ms"): "e E T s U u pu b a",
    ("linear", "aggTrade"): "e E s a p q nq f l T m",
    ("linear", "markPrice@1s"): "e E s p ap i P r T",
    ("linear", "forceOrder"): "e E o",
    ("linear", "kline_1m"): "e E s k",
    ("spot", "miniTicker"): "e E s c o h l v q",
    ("spot", "ticker"): "e E s p P w x c Q b B a A o h l v q O C F L n",
    ("linear", "ticker"): "e E s p P w c Q o h l v q O C F L n",
}
PUBLIC = ("trade", "bookTicker", "depth@100ms")


def target(market: str, topic: str) -> str:
    path = "/stream" if market == "spot" else "/public/stream" if topic in PUBLIC else "/market/stream"
    return f"{path}?streams=btcusdt@{topic}"


@pytest.mark.parametrize(("market", "topic"), list(DOCUMENTED))
def test_fields_come_as_documented(market: str, topic: str) -> None:
    desk = Desk()
    line = desk.open(target(market, topic))
    desk.run(60 * SECOND if topic == "forceOrder" else 3 * SECOND)
    frames = line.data(f"btcusdt@{topic}")
    assert frames
    assert {" ".join(frame) for frame in frames} == {DOCUMENTED[market, topic]}


@pytest.mark.parametrize(
    ("market", "price", "size"),
    [("spot", r"\d+\.\d{8}", r"\d+\.\d{8}"), ("linear", r"\d+\.\d{2}", r"\d+\.\d{3}")],
)
def test_numbers_are_padded_as_the_venue_pads_them(market: str, price: str, size: str) -> None:
    desk = Desk()
    line = desk.open(f"{'' if market == 'spot' else '/public'}/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker")
    desk.run(3 * SECOND)
    rows = [row for frame in line.data("btcusdt@depth@100ms") for row in frame["b"] + frame["a"]]
    rows += [pair for f in line.data("btcusdt@bookTicker") for pair in ((f["b"], f["B"]), (f["a"], f["A"]))]
    assert len(rows) > 100
    for row in rows:
        assert re.fullmatch(price, row[0])
        assert re.fullmatch(size, row[1])


@pytest.mark.parametrize("market", ["spot", "linear"])
def test_trades_are_the_markets_trades_with_consecutive_ids(tmp_path: Path, market: str) -> None:
    truth = tmp_path / "truth.jsonl"
    desk = Desk(truth=truth)
    line = desk.open(target(market, "trade"))
    desk.run(20 * SECOND)
    desk.finish()
    frames = line.data("btcusdt@trade")
    assert len(frames) > 100
    assert all(b["t"] == a["t"] + 1 for a, b in pairwise(frames))
    told = [row for row in truth_lines(truth, "trade") if row["m"] == market]
    mine = [(f["t"], f["p"], f["q"], -1 if f["m"] else 1, f["T"], f.get("X", "MARKET")) for f in frames]
    assert mine == [(r["id"], r["p"], r["q"], r["side"], r["t"] // MS, r.get("x", "MARKET")) for r in told]
    assert all(frame["E"] >= frame["T"] for frame in frames)


def test_usdm_spends_trade_ids_on_frames_that_are_no_trades() -> None:
    desk = Desk(rate=2000.0)
    line = desk.open(target("linear", "trade"))
    desk.run(30 * SECOND)
    causes = defaultdict(list)
    for frame in line.data("btcusdt@trade"):
        causes[frame["X"]].append(frame)
    assert set(causes) == {"MARKET", "NA", "INSURANCE_FUND"}
    assert {(frame["p"], frame["q"]) for frame in causes["NA"]} == {("0", "0")}
    assert all(Decimal(frame["p"]) > 0 and Decimal(frame["q"]) > 0 for frame in causes["MARKET"])


@pytest.mark.parametrize("market", ["spot", "linear"])
def test_aggregates_cover_the_markets_trades_exactly(tmp_path: Path, market: str) -> None:
    truth = tmp_path / "truth.jsonl"
    desk = Desk(truth=truth)
    line = desk.open(target(market, "aggTrade"))
    desk.run(20 * SECOND)
    desk.finish()
    trades = {row["id"]: row for row in truth_lines(truth, "trade") if row["m"] == market and "x" not in row}
    aggregates = line.data("btcusdt@aggTrade")
    assert all(b["a"] == a["a"] + 1 for a, b in pairwise(aggregates))
    covered: list[int] = []
    for frame in aggregates:
        members = range(frame["f"], frame["l"] + 1)
        covered += members
        assert {(trades[i]["p"], trades[i]["side"]) for i in members} == {(frame["p"], -1 if frame["m"] else 1)}
        assert sum(Decimal(trades[i]["q"]) for i in members) == Decimal(frame["q"])
    assert covered == sorted(trades)


def test_a_candle_is_the_sum_of_its_trades(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    desk = Desk(truth=truth, start_ns=START // (60 * SECOND) * 60 * SECOND + 1)
    line = desk.open(target("linear", "kline_1m"))
    desk.run(121 * SECOND)
    desk.finish()
    closed = [frame["k"] for frame in line.data("btcusdt@kline_1m") if frame["k"]["x"]]
    assert len(closed) == 2
    for bar in closed:
        rows = [
            row
            for row in truth_lines(truth, "trade")
            if row["m"] == "linear" and "x" not in row and bar["t"] <= row["t"] // MS <= bar["T"]
        ]
        prices = [Decimal(row["p"]) for row in rows]
        assert [Decimal(bar[key]) for key in "ohlc"] == [prices[0], max(prices), min(prices), prices[-1]]
        assert (bar["f"], bar["L"], bar["n"]) == (rows[0]["id"], rows[-1]["id"], len(rows))
        assert Decimal(bar["v"]) == sum(Decimal(row["q"]) for row in rows)
        assert Decimal(bar["q"]) == sum(Decimal(row["q"]) * Decimal(row["p"]) for row in rows)
        assert Decimal(bar["V"]) == sum(Decimal(row["q"]) for row in rows if row["side"] > 0)


@pytest.mark.parametrize("market", ["spot", "linear"])
def test_the_statistics_of_a_day_are_those_of_its_trades(tmp_path: Path, market: str) -> None:
    truth = tmp_path / "truth.jsonl"
    desk = Desk(truth=truth)
    line = desk.open(target(market, "ticker"))
    desk.run(30 * SECOND)
    desk.finish()
    frame = line.data("btcusdt@ticker")[-1]
    rows = [r for r in truth_lines(truth, "trade") if r["m"] == market and r["s"] == "BTCUSDT" and "x" not in r]
    rows = [r for r in rows if r["id"] <= frame["L"]]
    prices = [Decimal(r["p"]) for r in rows]
    assert [Decimal(frame[k]) for k in "ohlc"] == [prices[0], max(prices), min(prices), prices[-1]]
    assert (frame["F"], frame["n"], frame["Q"]) == (rows[0]["id"], len(rows), rows[-1]["q"])
    assert Decimal(frame["v"]) == sum(Decimal(r["q"]) for r in rows)
    assert Decimal(frame["q"]) == sum(Decimal(r["q"]) * Decimal(r["p"]) for r in rows)
    assert Decimal(frame["p"]) == prices[-1] - prices[0]


def test_mark_price_comes_each_second_and_its_t_is_the_next_funding_time() -> None:
    desk = Desk()
    line = desk.open("/market/stream?streams=btcusdt@markPrice@1s/btcusdt@markPrice/!markPrice@arr@1s")
    desk.run(12 * SECOND)
    frames = line.data("btcusdt@markPrice@1s")
    assert len(frames) == 12
    assert len(line.data("btcusdt@markPrice")) == 4
    for frame in frames:
        assert frame["T"] == (frame["E"] * MS // _EIGHT_HOURS + 1) * _EIGHT_HOURS // MS
        assert re.fullmatch(r"\d+\.\d{8}", frame["p"])
        assert re.fullmatch(r"-?0\.\d{8}", frame["r"])
    arrays = line.data("!markPrice@arr@1s")
    assert [array[0] for array in arrays] == frames


def test_at_most_one_liquidation_per_symbol_and_second() -> None:
    desk = Desk(rate=2000.0)
    line = desk.open(target("linear", "forceOrder"))
    desk.run(120 * SECOND)
    orders = line.data("btcusdt@forceOrder")
    assert orders
    assert all(b["E"] - a["E"] >= 1000 for a, b in pairwise(orders))
    assert {frame["o"]["X"] for frame in orders} == {"FILLED"}
    assert {frame["o"]["S"] for frame in orders} <= {"BUY", "SELL"}


def test_microseconds_on_spot_are_the_same_instants_finer() -> None:
    desk = Desk()
    coarse = desk.open("/stream?streams=btcusdt@trade")
    fine = desk.open("/stream?timeUnit=microsecond&streams=btcusdt@trade")
    desk.run(3 * SECOND)
    pairs = list(zip(coarse.data("btcusdt@trade"), fine.data("btcusdt@trade"), strict=True))
    assert pairs
    for a, b in pairs:
        assert (b["T"] // 1000, b["E"] // 1000, b["t"]) == (a["T"], a["E"], a["t"])


def test_a_raw_frame_is_the_combined_ones_data() -> None:
    desk = Desk()
    combined = desk.open("/stream?streams=btcusdt@depth@100ms")
    raw = desk.open("/ws/btcusdt@depth@100ms")
    desk.run(3 * SECOND)
    assert raw.texts
    assert [f'{{"stream":"btcusdt@depth@100ms","data":{text}}}' for text in raw.texts] == combined.texts


def test_the_stream_is_a_function_of_seed_and_start_and_not_of_who_listens() -> None:
    def run(seed: int, *others: str) -> list[str]:
        desk = Desk(seed=seed, spot=("BTCUSDT", "ETHUSDT"))
        line = desk.open("/stream?streams=btcusdt@trade/btcusdt@depth@100ms/btcusdt@bookTicker")
        for other in others:
            desk.open(other)
        desk.run(5 * SECOND, step_ns=(7 if others else 10) * MS)
        return line.texts

    alone = run(1)
    assert len(alone) > 200
    assert alone == run(1, "/stream?streams=ethusdt@depth/btcusdt@depth/btcusdt@kline_1m", "/market/ws")
    assert alone != run(2)


def test_rest_rows_and_metadata_agree_with_the_streams() -> None:
    desk = Desk()
    line = desk.open("/stream?streams=btcusdt@trade/btcusdt@aggTrade")
    desk.run(10 * SECOND)
    frames = {frame["t"]: frame for frame in line.data("btcusdt@trade")}
    for row in desk.get("/api/v3/trades?symbol=BTCUSDT&limit=20"):
        frame = frames[row["id"]]
        assert (row["price"], row["qty"], row["time"], row["isBuyerMaker"]) == tuple(frame[k] for k in "pqTm")
        assert Decimal(row["quoteQty"]) == Decimal(row["price"]) * Decimal(row["qty"])
    first = desk.get("/api/v3/trades?symbol=BTCUSDT&limit=20")[3]["id"]
    page = desk.get(f"/api/v3/historicalTrades?symbol=BTCUSDT&fromId={first}&limit=5")
    assert [row["id"] for row in page] == list(range(first, first + 5))
    merged = {frame["a"]: frame for frame in line.data("btcusdt@aggTrade")}
    for row in desk.get("/api/v3/aggTrades?symbol=BTCUSDT&limit=5"):
        assert {key: merged[row["a"]][key] for key in row} == row
    (spot,) = desk.get("/api/v3/exchangeInfo")["symbols"]
    filters = {entry["filterType"]: entry for entry in spot["filters"]}
    assert (filters["PRICE_FILTER"]["tickSize"], filters["LOT_SIZE"]["stepSize"]) == ("0.01000000", "0.00001000")
    assert (spot["symbol"], spot["baseAsset"], spot["quoteAsset"]) == ("BTCUSDT", "BTC", "USDT")
    (linear,) = desk.get("/fapi/v1/exchangeInfo")["symbols"]
    filters = {entry["filterType"]: entry for entry in linear["filters"]}
    assert (filters["PRICE_FILTER"]["tickSize"], filters["LOT_SIZE"]["stepSize"]) == ("0.1", "0.001")
    assert (linear["contractType"], linear["pricePrecision"]) == ("PERPETUAL", 2)


def test_prices_stand_on_the_tick_grid_that_the_metadata_names() -> None:
    desk = Desk(linear=("BTCUSDT", "ETHUSDT", "DOGEUSDT"), rate=600.0)
    ticks = {
        row["symbol"]: Decimal(row["filters"][0]["tickSize"]) for row in desk.get("/fapi/v1/exchangeInfo")["symbols"]
    }
    line = desk.open("/public/stream?streams=" + "/".join(f"{symbol.lower()}@depth@100ms" for symbol in ticks))
    desk.run(2 * SECOND)
    for symbol, tick in ticks.items():
        prices = [row[0] for f in line.data(f"{symbol.lower()}@depth@100ms") for row in f["b"] + f["a"]]
        assert prices
        assert all(Decimal(price) % tick == 0 for price in prices)


def test_derivative_values_answer_over_rest() -> None:
    desk = Desk()
    line = desk.open("/market/stream?streams=btcusdt@markPrice@1s")
    desk.run(5 * SECOND)
    row: dict[str, Any] = desk.get("/fapi/v1/premiumIndex?symbol=BTCUSDT")
    last = line.data("btcusdt@markPrice@1s")[-1]
    assert abs(Decimal(row["markPrice"]) - Decimal(last["p"])) < 100
    assert row["nextFundingTime"] == last["T"]
    interest = desk.get("/fapi/v1/openInterest?symbol=BTCUSDT")
    assert re.fullmatch(r"\d+\.\d{3}", interest["openInterest"])
    assert interest["time"] == desk.now // MS
    assert desk.get("/fapi/v1/fundingInfo") == []
    assert json.dumps(desk.get("/fapi/v1/ping")) == "{}"
