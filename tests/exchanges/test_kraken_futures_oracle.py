"""Values against decoders that are not ours: tardis-dev frame by frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ringcollect.exchanges import kraken_futures
from ringcollect.exchanges.protocol import Batch
from ringcollect.records import Channel, Flag, Kind, LiquidationSub
from tests.exchanges.bybit_frames import incoming
from tests.exchanges.kraken_futures_frames import Reader
from tests.exchanges.test_binance_oracle import SIDES, iso_ns, levels
from tests.exchanges.test_bybit_oracle import identity, outputs

HOUR = 3600 * 10**9


def check_book(batch: Batch, message: dict[str, Any]) -> None:
    is_snapshot = bool(batch.records["kind"][0] == Kind.BOOK_SNAPSHOT)
    assert is_snapshot == message["isSnapshot"]
    for side, name in ((1, "bids"), (-1, "asks")):
        told = [(level["price"], level["amount"]) for level in message[name]]
        assert levels(batch, side) == [level for level in told if level[1] or not is_snapshot]
    time = batch.records["ts_event"][0]
    assert time == iso_ns(message["timestamp"]) or time == 0  # of 2019: none was sent


def check_trade(batch: Batch, message: dict[str, Any]) -> None:
    (row,) = batch.records
    assert (row["price"], row["size"], row["side"]) == (message["price"], message["amount"], SIDES[message["side"]])
    assert row["ts_event"] == iso_ns(message["timestamp"])
    if batch.channel is Channel.TRADE and "id" in message:
        assert identity(row) == message["id"]
    if batch.channel is Channel.LIQUIDATION:
        assert row["sub"] == LiquidationSub.AVERAGE


def check_ticker(batches: dict[Channel, Batch], messages: dict[str, dict[str, Any]]) -> None:
    best = batches[Channel.BBO].records
    told = messages["book_ticker"]
    prices = [told["bidPrice"] or np.nan, told["askPrice"] or np.nan]
    np.testing.assert_array_equal(best["price"], prices)
    assert best["size"].tolist() == [told["bidAmount"], told["askAmount"]]
    assert set(best["ts_event"].tolist()) == {iso_ns(told["timestamp"])}
    derivative = messages.get("derivative_ticker")
    if derivative is None:
        return
    for channel, name in ((Channel.MARK_PRICE, "markPrice"), (Channel.INDEX_PRICE, "indexPrice")):
        assert batches[channel].records["price"].tolist() == [derivative[name]]
    assert batches[Channel.OPEN_INTEREST].records["size"].tolist() == [derivative["openInterest"]]
    assert (Channel.FUNDING in batches) == ("fundingTimestamp" in derivative)
    if Channel.FUNDING in batches:
        (row,) = batches[Channel.FUNDING].records
        assert (row["price"], row["size"]) == (derivative["fundingRate"], derivative["predictedFundingRate"])
        assert (row["aux"], row["id"]) == (iso_ns(derivative["fundingTimestamp"]), HOUR)


def walk(captures: Path, name: str) -> tuple[int, int, int, int]:
    """Books, trades, liquidations and tickers that were compared."""
    expected = outputs(captures, name)
    reader = Reader()
    books = trades = forced = tickers = 0
    for i, frame, ts_recv, _ in incoming(captures / f"{name}.jsonl.gz"):
        decoded = reader.cold(frame, ts_recv)
        assert decoded is not None
        messages = {message["type"]: message for message in expected.get(i, [])}
        if not messages:
            continue
        assert len(messages) == len(expected[i])
        batches = {batch.channel: batch for batch in decoded.batches}
        assert all(batch.records["ts_recv"][0] == ts_recv for batch in decoded.batches)
        assert {message["symbol"] for message in expected[i]} <= set(reader.numbers)
        if "book_change" in messages:
            check_book(batches[Channel.BOOK], messages["book_change"])
            books += 1
        elif "trade" in messages:
            check_trade(batches[Channel.TRADE], messages["trade"])
            assert (Channel.LIQUIDATION in batches) == ("liquidation" in messages)
            if "liquidation" in messages:
                check_trade(batches[Channel.LIQUIDATION], messages["liquidation"])
                forced += 1
            trades += 1
        else:
            check_ticker(batches, messages)
            tickers += 1
    return books, trades, forced, tickers


def test_books_and_trades_are_the_oracles_in_every_frame(captures: Path) -> None:
    assert walk(captures, "kraken_futures_2021") == (7024, 3, 0, 0)


def test_single_frames_have_the_oracles_values(captures: Path) -> None:
    assert walk(captures, "frames_kraken_futures") == (16, 9, 2, 13)


def test_the_history_leads_to_the_first_trade_without_a_hole(captures: Path) -> None:
    reader = Reader()
    newest: dict[int, int] = {}
    steps = 0
    for _, frame, ts_recv, _ in incoming(captures / "kraken_futures_2021.jsonl.gz"):
        decoded = reader.cold(frame, ts_recv)
        for batch in decoded.batches if decoded else ():
            if batch.channel is not Channel.TRADE:
                continue
            known = newest.get(batch.instrument, batch.first_id - 1)
            assert kraken_futures.accept("inverse")(known, batch.first_id, batch.last_id, -1) == 0
            newest[batch.instrument] = batch.last_id
            steps += not batch.records["flags"][0] & Flag.SNAPSHOT
    assert (len(newest), steps) == (10, 3)
