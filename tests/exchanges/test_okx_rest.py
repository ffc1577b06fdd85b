"""REST bodies: snapshots and open interest as records, instrument lists as metadata with contract sizes."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from ringcollect.errors import ConfigError, RejectedFrame
from ringcollect.exchanges import okx
from ringcollect.exchanges.protocol import Listing, Outcome, Purpose, RestMeaning
from ringcollect.instruments import Instrument, to_base
from ringcollect.records import Channel, Flag, Kind
from tests.exchanges.frames import lines
from tests.exchanges.okx_frames import NOW, new_decoder

SNAPSHOT = RestMeaning("linear", Purpose.SNAPSHOT, "BTC-USDT-SWAP")
BOOK = (
    b'{"code":"0","msg":"","data":[{"asks":[["2","3","0","1"]],"bids":[["1","5","0","2"],["0.5","1","0","1"]],'
    b'"ts":"1787612486107","seqId":80274874800}]}'
)


def test_a_snapshot_clears_the_book_and_has_the_id_that_updates_splice_to() -> None:
    (batch,) = new_decoder().rest(SNAPSHOT, BOOK, NOW).batches
    assert (batch.channel, batch.last_id, set(batch.records["id"].tolist())) == (
        Channel.BOOK,
        80274874800,
        {80274874800},
    )
    assert batch.records["price"].tolist() == [1.0, 0.5, 2.0]
    both = Flag.SNAPSHOT | Flag.REST
    assert batch.records["flags"].tolist() == [both | Flag.CLEAR, both, both | Flag.LAST]
    assert set(batch.records["kind"].tolist()) == {Kind.BOOK_SNAPSHOT}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"<html>", b'{"code":"51001","msg":"Instrument ID does not exist","data":[]}',
        b'{"code":"0","data":[]}', BOOK.replace(b'"1"', b'"x"'), BOOK.replace(b"80274874800", b'"1"'), b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_body_that_is_no_snapshot_is_rejected(body: bytes) -> None:
    with pytest.raises(RejectedFrame):
        new_decoder().rest(SNAPSHOT, body, NOW)


def test_open_interest_is_a_record_flagged_rest() -> None:
    meaning = RestMeaning("linear", Purpose.OPEN_INTEREST, "BTC-USDT-SWAP")
    body = b'{"code":"0","data":[{"instId":"BTC-USDT-SWAP","oi":"7.5","oiCcy":"1","oiUsd":"9","ts":"1787612486107"}]}'
    (batch,) = new_decoder().rest(meaning, body, NOW).batches
    assert (batch.records["size"][0], batch.records["flags"][0]) == (7.5, Flag.REST | Flag.LAST)
    with pytest.raises(RejectedFrame, match="asked for"):
        new_decoder().rest(meaning, body.replace(b"BTC-USDT", b"ETH-USDT"), NOW)


def test_an_answer_about_an_unknown_symbol_is_ignored_and_names_it() -> None:
    decoded = new_decoder({}).rest(SNAPSHOT, BOOK, NOW)
    assert (decoded.outcome, decoded.unknown) == (Outcome.IGNORED, ("BTC-USDT-SWAP",))


ROWS = (
    b'{"instType":"SWAP","instId":"BTC-USDT-SWAP","instFamily":"BTC-USDT","settleCcy":"USDT","ctType":"linear",'
    b'"ctVal":"0.01","ctMult":"1","ctValCcy":"BTC","tickSz":"0.1","lotSz":"0.01","minSz":"0.01","state":"live"}',
    b'{"instType":"FUTURES","instId":"BTC-USD-220527","settleCcy":"BTC","ctType":"inverse","ctVal":"100","ctMult":"1",'
    b'"ctValCcy":"USD","tickSz":"0.1","lotSz":"1","state":"suspend"}',
    b'{"instType":"SPOT","instId":"BTC-USD","baseCcy":"BTC","quoteCcy":"USD","tickSz":"0.1","lotSz":"0.00000001",'
    b'"state":"live","ctVal":"","ctMult":"","ctType":""}',
    b'{"instType":"OPTION","instId":"BTC-USD-220514-22000-C","ctType":"","ctVal":"1","ctMult":"0.1","state":"live"}',
)
LIST = b'{"code":"0","msg":"","data":[' + b",".join(ROWS) + b"]}"


def test_metadata_says_what_a_contract_is_and_which_market_it_belongs_to() -> None:
    swap, dated, spot = okx.listings("linear", LIST)
    assert swap == Listing(
        "BTC-USDT-SWAP",
        {
            "unified": "BTC-USDT-PERP", "base": "BTC", "quote": "USDT", "size_unit": "contract", "multiplier": 0.01,
            "inverse": False, "status": "trading", "inferred": False, "tick_size": 0.1, "price_precision": 1,
            "lot_size": 0.01, "size_precision": 2,
        },
        "linear",
    )  # fmt: skip
    assert (dated.market, dated.metadata["unified"], dated.metadata["status"]) == (
        "inverse",
        "BTC-USD-220527",
        "suspend",
    )
    assert (dated.metadata["inverse"], dated.metadata["multiplier"]) == (True, 100.0)
    assert (spot.market, spot.metadata["unified"], spot.metadata["size_unit"]) == ("spot", "BTC-USD", "base")


def test_contracts_come_to_base_by_their_value_and_inverse_ones_by_price_too() -> None:
    swap, dated, _ = okx.listings("linear", LIST)
    linear = Instrument(number=0, exchange="okx", market="linear", symbol=swap.symbol, **swap.metadata)
    inverse = Instrument(number=1, exchange="okx", market="inverse", symbol=dated.symbol, **dated.metadata)
    assert to_base(250.0, 60_000.0, linear) == pytest.approx(2.5)
    assert to_base(300.0, 60_000.0, inverse) == pytest.approx(0.5)


def test_a_captured_instrument_list_is_read(captures: Path) -> None:
    found = {}
    for line in lines(captures / "okx_v5_2022_05.jsonl.gz"):
        if line["d"] != "rest":
            continue
        meaning = okx.read_rest(line["u"])
        if meaning is None:
            assert "OPTION" in line["u"]
            continue
        listed = {one.symbol: one for one in okx.listings(meaning.market, line["f"].encode())}
        rows = {row["instId"]: row for row in orjson.loads(line["f"])["data"]}
        assert listed.keys() == rows.keys()
        for symbol, one in listed.items():
            assert one.market == (rows[symbol]["ctType"] or "spot")
            assert one.metadata["tick_size"] == float(rows[symbol]["tickSz"])
        found |= listed
    names = {symbol: found[symbol].metadata["unified"] for symbol in ("BTC-USDT", "UNI-USD-SWAP", "BTC-USD-220527")}
    assert names == {"BTC-USDT": "BTC-USDT", "UNI-USD-SWAP": "UNI-USD-PERP", "BTC-USD-220527": "BTC-USD-220527"}
    assert found["UNI-USD-SWAP"].metadata["multiplier"] == 10.0


@pytest.mark.parametrize("body", [b"{}", b"[]", b"x", LIST.replace(b'"0.1"', b'"x"'), LIST.replace(b'"100"', b'""')])
def test_a_body_that_is_no_instrument_list_is_rejected(body: bytes) -> None:
    with pytest.raises(RejectedFrame):
        okx.listings("linear", body)


@pytest.mark.parametrize(
    ("market", "symbol", "unified"),
    [
        ("spot", "BTC-USDT", "BTC-USDT"), ("linear", "BTC-USDT-SWAP", "BTC-USDT-PERP"),
        ("linear", "BTC-USDC-SWAP", "BTC-USDC-PERP"), ("inverse", "BTC-USD-220527", "BTC-USD-220527"),
        ("linear", "BTC-USD_UM-261225", "BTC-USD-261225"),
    ],
)  # fmt: skip
def test_a_name_is_guessed_where_there_is_no_metadata(market: str, symbol: str, unified: str) -> None:
    metadata = okx.guessed(market, symbol).metadata
    assert metadata["unified"] == unified
    assert metadata["size_unit"] == ("base" if market == "spot" else "contract")
    assert "unified" not in okx.guessed("linear", "NONSENSE").metadata


@pytest.mark.parametrize(
    ("market", "spelling", "native"),
    [
        ("spot", "BTC-USDT", "BTC-USDT"), ("spot", "btc/usdt", "BTC-USDT"),
        ("linear", "BTC-USDT-PERP", "BTC-USDT-SWAP"),
        ("linear", "BTC/USDT:USDT", "BTC-USDT-SWAP"), ("linear", "btc-usdt-swap", "BTC-USDT-SWAP"),
        ("inverse", "BTC-USD-220527", "BTC-USD-220527"), ("inverse", "BTC-USD", "BTC-USD-SWAP"),
    ],
)  # fmt: skip
def test_a_symbol_is_known_in_every_accepted_spelling(market: str, spelling: str, native: str) -> None:
    known = [
        okx.guessed(market, s) for s in ("ETH-USDT", "BTC-USDT", "BTC-USDT-SWAP", "BTC-USD-SWAP", "BTC-USD-220527")
    ]
    assert okx.resolve(market, spelling, known) == native
    assert okx.resolve(market, spelling, []) == native


def test_an_unknown_symbol_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="BTC-USDT-SWAP"):
        okx.resolve("linear", "BTC-USDX", [okx.guessed("linear", "BTC-USDT-SWAP")])
