"""Values against decoders that are not ours: tardis-dev, frame by frame, and the raw JSON where it is silent."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from ringcollect.exchanges.protocol import Batch
from ringcollect.records import Channel, Flag, TickerField
from tests.exchanges.frames import hot, lines, new_decoder

SIDES = {"buy": 1, "sell": -1}


def iso_ns(text: str) -> int:
    """ISO time with up to 6 fractional digits, ns."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole + "+00:00").timestamp())
    return seconds * 10**9 + int(fraction.ljust(9, "0"))


def levels(batch: Batch, side: int) -> list[tuple[float, float]]:
    rows = batch.records[batch.records["side"] == side]
    return list(zip(rows["price"].tolist(), rows["size"].tolist(), strict=True))


def check_oracle(message: dict[str, Any], batch: Batch, event: dict[str, Any]) -> None:
    records = batch.records
    if message["type"] == "trade":
        assert batch.channel is Channel.TRADE
        (row,) = records
        assert str(row["id"]) == message["id"]
        assert (row["price"], row["size"]) == (message["price"], message["amount"])
        assert row["side"] == SIDES[message["side"]]
        assert row["ts_event"] == iso_ns(message["timestamp"])
    elif message["type"] == "book_ticker":
        assert batch.channel is Channel.BBO
        assert records["price"].tolist() == [message["bidPrice"], message["askPrice"]]
        assert records["size"].tolist() == [message["bidAmount"], message["askAmount"]]
        assert records["side"].tolist() == [1, -1]
        assert set(records["ts_event"].tolist()) == {event.get("T", 0) * 10**6}
    else:
        assert message["type"] == "book_change"
        assert batch.channel is Channel.BOOK
        for side, name in ((1, "bids"), (-1, "asks")):
            assert levels(batch, side) == [(level["price"], level["amount"]) for level in message[name]]
        assert iso_ns(message["timestamp"]) == event["E"] * 10**6
        assert set(records["ts_event"].tolist()) == {event.get("T", event["E"]) * 10**6}


def check_common(batch: Batch, event: dict[str, Any], ts_recv: int) -> None:
    records = batch.records
    assert set(records["ts_recv"].tolist()) == {ts_recv}
    assert (records["flags"] & Flag.LAST).tolist() == [0] * (len(records) - 1) + [Flag.LAST]
    if batch.channel is Channel.BOOK:
        assert (batch.first_id, batch.last_id, batch.prev_id) == (event["U"], event["u"], event.get("pu", -1))
        assert set(records["id"].tolist()) == {event["u"]}
    if batch.channel is Channel.BBO:
        assert set(records["id"].tolist()) == {event["u"]}


@pytest.mark.parametrize(
    ("name", "market"),
    [("binance_spot_2024", "spot"), ("binance_spot_2021", "spot"), ("binance_usdm_2021b", "linear")],
)
def test_ids_prices_sizes_sides_and_times_are_the_oracles_in_every_frame(
    captures: Path, name: str, market: str
) -> None:
    decoder = new_decoder()
    ctx = decoder.context(market, 0)
    outputs = {line["i"]: line["out"] for line in lines(captures / "oracle" / f"{name}.jsonl.gz")}
    compared = snapshots = aggregates = 0
    for i, line in enumerate(lines(captures / f"{name}.jsonl.gz")):
        if line["d"] != "in":
            continue
        frame, ts_recv = line["f"].encode(), line["t"]
        if hot(decoder, frame, ctx, ts_recv) <= 0:
            assert i not in outputs
            continue
        batch = decoder.taken(ctx)
        event = orjson.loads(frame)["data"]
        check_common(batch, event, ts_recv)
        for message in outputs.get(i, ()):
            if message.get("isSnapshot"):
                snapshots += 1  # merged with buffered diffs: states are compared elsewhere
                continue
            assert message["symbol"] == event["s"]
            check_oracle(message, batch, event)
            compared += 1
        if event.get("e") == "aggTrade":  # the oracle has none
            (row,) = batch.records
            assert (row["id"], row["aux"], row["sub"]) == (event["l"], event["f"], 16)
            assert (row["price"], row["size"]) == (float(Decimal(event["p"])), float(Decimal(event["q"])))
            assert row["side"] == (-1 if event["m"] else 1)
            assert row["ts_event"] == event["T"] * 10**6
            assert batch.first_id == batch.last_id == event["a"]
            aggregates += 1
    assert snapshots == 0  # they are on the rest lines
    assert compared == {"binance_spot_2024": 179_311, "binance_spot_2021": 256, "binance_usdm_2021b": 7_819}[name]
    assert aggregates == {"binance_spot_2024": 0, "binance_spot_2021": 2, "binance_usdm_2021b": 574}[name]


@pytest.mark.parametrize(("name", "market"), [("frames_binance_spot", "spot"), ("frames_binance_usdm", "linear")])
def test_single_frames_have_the_oracles_values(captures: Path, name: str, market: str) -> None:
    decoder = new_decoder()
    ctx = decoder.context(market, 0)
    outputs = {line["i"]: line["out"] for line in lines(captures / "oracle" / f"{name}.jsonl.gz")}
    compared = 0
    for i, line in enumerate(lines(captures / f"{name}.jsonl.gz")):
        frame = line["f"].encode()
        event = orjson.loads(frame)
        event = event.get("data", event)
        for message in outputs.get(i, ()):
            hot(decoder, frame, ctx, line["t"])
            decoded = decoder.cold(frame, ctx, line["t"])
            for symbol in decoded.unknown:
                decoder.add_symbol(market, symbol, 100 + i)
                decoded = decoder.cold(frame, ctx, line["t"])
            batches = {batch.channel: batch for batch in decoded.batches}
            if message["type"] in ("trade", "book_ticker"):
                check_oracle(message, decoded.batches[0], event)
            elif message["type"] == "liquidation":
                check_liquidation(message, batches[Channel.LIQUIDATION].records)
            elif "lastPrice" in message:
                check_ticker(message, event, batches[Channel.TICKER].records)
            else:
                check_derivative(message, batches)
            compared += 1
    assert compared == {"frames_binance_spot": 9, "frames_binance_usdm": 16}[name]


def check_ticker(message: dict[str, Any], event: dict[str, Any], records: np.ndarray) -> None:
    """The oracle has the last price alone; the rest is compared with what Python reads."""
    assert records["sub"].tolist() == records["aux"].tolist() == list(TickerField)
    assert records["price"].tolist() == [float(event[name]) for name in "cohlvq"]
    assert records["price"][0] == message["lastPrice"]


def check_liquidation(message: dict[str, Any], records: np.ndarray) -> None:
    (row,) = records
    other = records["aux"].view("<f8")[0]
    assert message["price"] in (row["price"], other)  # the oracle gives the order's price, we the average fill first
    assert row["size"] == message["amount"]
    assert row["side"] == SIDES[message["side"]]
    assert row["ts_event"] == iso_ns(message["timestamp"])


def check_derivative(message: dict[str, Any], batches: dict[Channel, Batch]) -> None:
    mark = batches[Channel.MARK_PRICE].records
    assert mark["price"][0] == message["markPrice"]
    assert mark["ts_event"][0] == iso_ns(message["timestamp"])
    assert (Channel.INDEX_PRICE in batches) == ("indexPrice" in message)
    if "indexPrice" in message:
        assert batches[Channel.INDEX_PRICE].records["price"][0] == message["indexPrice"]
    assert (Channel.FUNDING in batches) == ("fundingRate" in message)
    if "fundingRate" in message:
        funding = batches[Channel.FUNDING].records
        assert funding["price"][0] == message["fundingRate"]
        assert funding["aux"][0] == iso_ns(message["fundingTimestamp"])
