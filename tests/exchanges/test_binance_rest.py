"""REST bodies: snapshots and open interest as records, instrument lists as metadata."""

from __future__ import annotations

import math
from pathlib import Path

import orjson
import pytest

from ringcollect.errors import ConfigError, RejectedFrame
from ringcollect.exchanges import binance
from ringcollect.exchanges.protocol import Listing, Outcome, Purpose, RestMeaning
from ringcollect.records import Channel, Flag, Kind
from tests.exchanges.frames import lines, new_decoder

NOW = 1_723_161_254_152_322_667


def snapshot(body: bytes, market: str = "spot"):
    decoder = new_decoder(("BTCUSDT",))
    decoded = decoder.rest(RestMeaning(market, Purpose.SNAPSHOT, "BTCUSDT"), body, NOW)
    assert decoded.outcome is Outcome.DECODED
    (batch,) = decoded.batches
    return batch


def test_a_snapshot_clears_the_book_and_holds_every_level_bids_first() -> None:
    batch = snapshot(b'{"lastUpdateId":160,"bids":[["0.0024","10"],["0.0023","1e2"]],"asks":[["0.0026","100"]]}')
    records = batch.records
    assert (batch.channel, batch.last_id) == (Channel.BOOK, 160)
    assert records["price"].tolist() == [0.0024, 0.0023, 0.0026]
    assert records["size"].tolist() == [10.0, 100.0, 100.0]
    assert records["side"].tolist() == [1, 1, -1]
    both = Flag.SNAPSHOT | Flag.REST
    assert records["flags"].tolist() == [both | Flag.CLEAR, both, both | Flag.LAST]
    assert set(records["kind"].tolist()) == {Kind.BOOK_SNAPSHOT}
    assert (set(records["id"].tolist()), set(records["aux"].tolist())) == ({160}, {-1})
    assert set(records["ts_event"].tolist()) == {0}  # spot sends no time


def test_a_usdm_snapshot_has_the_engine_time() -> None:
    body = b'{"lastUpdateId":5,"E":1723161256501,"T":1723161256493,"bids":[],"asks":[["1","2"]]}'
    assert snapshot(body, "linear").records["ts_event"].tolist() == [1723161256493 * 10**6]


@pytest.mark.parametrize("identity", [160, -1])
def test_an_empty_book_is_one_record_that_clears(identity: int) -> None:
    batch = snapshot(f'{{"lastUpdateId":{identity},"bids":[],"asks":[]}}'.encode())
    (row,) = batch.records
    assert (row["side"], row["id"], batch.last_id) == (0, identity, identity)
    assert row["flags"] == Flag.CLEAR | Flag.SNAPSHOT | Flag.REST | Flag.LAST
    assert math.isnan(row["price"])


def test_captured_snapshots_come_out_level_by_level(captures: Path) -> None:
    seen = 0
    for name in ("binance_spot_2024", "binance_spot_2021", "binance_usdm_2021b"):
        for line in lines(captures / f"{name}.jsonl.gz"):
            meaning = binance.read_rest(line["u"]) if line["d"] == "rest" else None
            if meaning is None or meaning.purpose is not Purpose.SNAPSHOT:
                continue
            decoder = new_decoder((meaning.symbol,))
            (batch,) = decoder.rest(meaning, line["f"].encode(), line["t"]).batches
            body = orjson.loads(line["f"])
            expected = [(float(p), float(q), side) for side, key in ((1, "bids"), (-1, "asks")) for p, q in body[key]]
            got = [tuple(row) for row in batch.records[["price", "size", "side"]].tolist()]
            assert got == expected
            assert batch.last_id == body["lastUpdateId"]
            seen += 1
    assert seen == 2 + 4 + 5


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>",
        b'{"code":-1121,"msg":"Invalid symbol."}',
        b'{"lastUpdateId":1,"bids":[["x","1"]],"asks":[]}',
        b'{"lastUpdateId":1,"bids":[["1","1"]]}',
        b'{"lastUpdateId":"1","bids":[],"asks":[]}',
        b"[" * 100_000,
        b'{"lastUpdateId":1,"bids":[["1\\n2","1"]],"asks":[]}',
        b'{"lastUpdateId":1,"bids":[["\\"1\\"","1"]],"asks":[]}',
        b'{"lastUpdateId":1,"bids":[["1e999","1"]],"asks":[]}',
    ],
)
def test_a_body_that_is_no_snapshot_is_rejected(body: bytes) -> None:
    decoder = new_decoder(("BTCUSDT",))
    with pytest.raises(RejectedFrame):
        decoder.rest(RestMeaning("spot", Purpose.SNAPSHOT, "BTCUSDT"), body, NOW)


def test_numbers_the_kernel_hands_over_are_right_in_snapshots_too() -> None:
    hard = "9007199254740993.0000000000000000000000000000001"
    batch = snapshot(f'{{"lastUpdateId":1,"bids":[["{hard}","1"],["007","1"]],"asks":[[1.5,2]]}}'.encode())
    assert batch.records["price"].tolist() == [9007199254740994.0, 7.0, 1.5]


def test_open_interest_is_a_record_flagged_rest() -> None:
    decoder = new_decoder(("BTCUSDT",))
    body = b'{"openInterest":"10659.509","symbol":"BTCUSDT","time":1589437530011}'
    meaning = RestMeaning("linear", Purpose.OPEN_INTEREST, "BTCUSDT")
    (batch,) = decoder.rest(meaning, body, 1589437530012 * 10**6).batches
    (row,) = batch.records
    assert (row["kind"], row["size"], row["ts_event"]) == (Kind.OPEN_INTEREST, 10659.509, 1589437530011 * 10**6)
    assert row["flags"] == Flag.REST | Flag.LAST
    assert math.isnan(row["price"])
    with pytest.raises(RejectedFrame, match="asked for"):
        decoder.rest(meaning, body.replace(b"BTC", b"ETH"), NOW)


def test_an_answer_about_an_unknown_symbol_is_ignored_and_names_it() -> None:
    decoded = new_decoder().rest(RestMeaning("spot", Purpose.SNAPSHOT, "XUSDT"), b'{"lastUpdateId":1}', NOW)
    assert (decoded.outcome, decoded.unknown) == (Outcome.IGNORED, ("XUSDT",))


LINEAR_INFO = (
    b'{"timezone":"UTC","symbols":[{"symbol":"BLZUSDT","pair":"BLZUSDT","contractType":"PERPETUAL","status":"TRADING",'
    b'"baseAsset":"BLZ","quoteAsset":"USDT","pricePrecision":5,"filters":[{"filterType":"PRICE_FILTER","minPrice":"0.0001",'
    b'"tickSize":"0.0001"},{"filterType":"LOT_SIZE","stepSize":"1"},{"filterType":"MIN_NOTIONAL","notional":"5.0"}]},'
    b'{"symbol":"BTCUSDT_260925","contractType":"CURRENT_QUARTER","status":"SETTLING","baseAsset":"BTC","quoteAsset":"USDT",'
    b'"filters":[{"filterType":"PRICE_FILTER","tickSize":"0.10"},{"filterType":"LOT_SIZE","stepSize":"0.001"}]}]}'
)


def test_metadata_is_read_from_the_filters_and_names_are_unified() -> None:
    perpetual, dated = binance.listings("linear", LINEAR_INFO)
    assert perpetual == Listing(
        "BLZUSDT",
        {
            "unified": "BLZ-USDT-PERP", "base": "BLZ", "quote": "USDT", "size_unit": "base", "multiplier": 1.0,
            "status": "trading", "inferred": False, "tick_size": 0.0001, "price_precision": 4, "lot_size": 1.0,
            "size_precision": 0, "funding_interval_ns": 8 * 3600 * 10**9,
        },
    )  # fmt: skip
    assert "funding_interval_ns" not in dated.metadata  # it has no funding
    assert dated.metadata["unified"] == "BTC-USDT-260925"
    assert dated.metadata["status"] == "settling"
    assert (dated.metadata["tick_size"], dated.metadata["price_precision"]) == (0.1, 1)


def test_a_captured_instrument_list_is_read(captures: Path) -> None:
    bodies = [
        line["f"] for line in lines(captures / "binance_spot_2021.jsonl.gz") if "exchangeInfo" in line.get("u", "")
    ]
    listed = {listing.symbol: listing.metadata for listing in binance.listings("spot", bodies[0].encode())}
    expected = {row["symbol"]: row for row in orjson.loads(bodies[0])["symbols"]}
    assert listed.keys() == expected.keys()
    assert {"NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR"} <= listed.keys()
    for symbol, row in expected.items():
        filters = {entry["filterType"]: entry for entry in row["filters"]}
        assert listed[symbol]["unified"] == f"{row['baseAsset']}-{row['quoteAsset']}"
        assert listed[symbol]["tick_size"] == float(filters["PRICE_FILTER"]["tickSize"])
        assert listed[symbol]["lot_size"] == float(filters["LOT_SIZE"]["stepSize"])


@pytest.mark.parametrize(
    "body", [b"{}", b"[1]", b'{"symbols":[{"symbol":"A"}]}', b"x", LINEAR_INFO.replace(b'"0.10"', b'"x"')]
)
def test_a_body_that_is_no_instrument_list_is_rejected(body: bytes) -> None:
    with pytest.raises(RejectedFrame):
        binance.listings("linear", body)


@pytest.mark.parametrize(
    ("market", "symbol", "unified"),
    [
        ("spot", "BTCUSDT", "BTC-USDT"),
        ("spot", "BNBFDUSD", "BNB-FDUSD"),
        ("spot", "ETHBTC", "ETH-BTC"),
        ("linear", "BTCUSDT", "BTC-USDT-PERP"),
        ("linear", "BTCUSDT_260925", "BTC-USDT-260925"),
        ("linear", "BTCUSDC", "BTC-USDC-PERP"),
        ("spot", "RUNEEUR", "RUNE-EUR"),
        ("spot", "币安人生USDT", "币安人生-USDT"),
    ],
)
def test_a_name_is_guessed_where_there_is_no_metadata(market: str, symbol: str, unified: str) -> None:
    assert binance.guessed(market, symbol).metadata["unified"] == unified


def test_nothing_is_guessed_from_a_symbol_that_says_nothing() -> None:
    assert "unified" not in binance.guessed("spot", "USDT").metadata
    assert "unified" not in binance.guessed("spot", "QQQ").metadata


@pytest.mark.parametrize(
    ("market", "spelling", "native"),
    [
        ("spot", "BTCUSDT", "BTCUSDT"),
        ("spot", "btcusdt", "BTCUSDT"),
        ("spot", "BTC/USDT", "BTCUSDT"),
        ("spot", "btc-usdt", "BTCUSDT"),
        ("linear", "BTC-USDT-PERP", "BTCUSDT"),
        ("linear", "BTC/USDT:USDT", "BTCUSDT"),
        ("linear", "BTC-USDT-260925", "BTCUSDT_260925"),
        ("linear", "btcusdt_260925", "BTCUSDT_260925"),
        ("linear", " BTCUSDT ", "BTCUSDT"),
    ],
)
def test_a_symbol_is_known_in_every_accepted_spelling(market: str, spelling: str, native: str) -> None:
    known = [binance.guessed(market, symbol) for symbol in ("ETHUSDT", "BTCUSDT", "BTCUSDT_260925")]
    assert binance.resolve(market, spelling, known) == native
    assert binance.resolve(market, spelling, []) == native


def test_an_unknown_symbol_is_an_error_that_names_the_nearest() -> None:
    known = [binance.guessed("spot", symbol) for symbol in ("ETHUSDT", "BTCUSDT")]
    with pytest.raises(ConfigError, match="BTCUSDT"):
        binance.resolve("spot", "BTCUSD", known)
    with pytest.raises(ConfigError, match="no symbol"):
        binance.resolve("spot", "-", known)


def test_intervals_other_than_eight_hours_come_from_a_list_of_their_own() -> None:
    body = (
        b'[{"symbol":"BLZUSDT","adjustedFundingRateCap":"0.02","adjustedFundingRateFloor":"-0.02",'
        b'"fundingIntervalHours":4,"disclaimer":false}]'
    )
    assert binance.listings("linear", body) == [
        Listing("BLZUSDT", {"funding_interval_ns": 4 * 3600 * 10**9}, partial=True)
    ]
    urls = [call.url for call in binance.instruments_calls("linear")]
    assert urls == ["https://fapi.binance.com/fapi/v1/exchangeInfo", "https://fapi.binance.com/fapi/v1/fundingInfo"]
    assert all(binance.read_rest(url) == RestMeaning("linear", Purpose.INSTRUMENTS) for url in urls)
    assert len(binance.instruments_calls("spot")) == 1
    for wrong in (
        b"[{}]",
        b'[{"symbol":"A","fundingIntervalHours":0}]',
        b'[{"symbol":"A","fundingIntervalHours":"8"}]',
    ):
        with pytest.raises(RejectedFrame):
            binance.listings("linear", wrong)
