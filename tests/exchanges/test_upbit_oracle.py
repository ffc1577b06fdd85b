"""Every Upbit frame ever captured: both paths agree, and the values are those of decoders that are not ours."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from ringcollect.exchanges.protocol import Code
from ringcollect.records import Channel, Flag, Kind
from tests.exchanges.frames import lines
from tests.exchanges.okx_frames import incoming
from tests.exchanges.test_binance_oracle import SIDES, iso_ns
from tests.exchanges.upbit_frames import agree, new_decoder

COUNTS = {
    "upbit_2021": {"trade": 304, "orderbook": 145},
    "frames_upbit": {"trade": 3, "orderbook": 6, "ticker": 1, "answer": 1},
}


def by_line(path: Path) -> dict[int, list[dict[str, Any]]]:
    return {line["i"]: line["out"] for line in lines(path)}


def levels(records: np.ndarray, side: int) -> list[tuple[float, float]]:
    rows = records[records["side"] == side]
    return list(zip(rows["price"].tolist(), rows["size"].tolist(), strict=True))


@pytest.mark.parametrize("name", COUNTS)
def test_both_paths_agree_and_the_values_are_the_oracles_in_every_frame(captures: Path, name: str) -> None:
    outputs = by_line(captures / "oracle" / f"{name}.jsonl.gz")
    decoder = new_decoder(())
    ctx = decoder.context("spot", 0)
    seen: Counter[str] = Counter()
    compared = 0
    for i, frame, ts_recv in incoming(captures / f"{name}.jsonl.gz"):
        event = orjson.loads(frame)
        kind = event.get("type", event.get("ty", "answer"))
        seen[kind] += 1
        answer, decoded = agree(decoder, ctx, frame, ts_recv)
        assert (answer == Code.SLOW) == (kind not in ("trade", "orderbook"))
        for message in outputs.get(i, ()):
            batches = {batch.channel: batch.records for batch in decoded.batches}
            timestamp = event.get("timestamp", event.get("tms"))
            if message["type"] == "trade":
                (row,) = batches[Channel.TRADE]
                assert (row["price"], row["size"]) == (message["price"], message["amount"])
                assert row["side"] == SIDES[message["side"]]
                assert row["ts_event"] == timestamp * 10**6  # the oracle has trade_timestamp, whole seconds in 2021
                assert 0 <= row["ts_event"] - iso_ns(message["timestamp"]) < 3 * 10**9
                assert row["id"] == row["aux"] == event.get("sequential_id", event.get("sid"))
                assert float(row["id"]) == float(message["id"])  # the oracle's ids went through doubles
            else:
                book = batches[Channel.BOOK]
                for side, side_name in ((1, "bids"), (-1, "asks")):
                    assert levels(book, side) == [(one["price"], one["amount"]) for one in message[side_name]]
                assert set(book["ts_event"].tolist()) == {iso_ns(message["timestamp"])}
                assert set(book["kind"].tolist()) == {Kind.BOOK_SNAPSHOT} and message["isSnapshot"]
                best = batches[Channel.BBO]
                assert [(r["price"], r["size"]) for r in best] == [
                    (message[n][0]["price"], message[n][0]["amount"]) for n in ("bids", "asks")
                ]
            compared += 1
    assert seen == COUNTS[name]
    assert compared == {"upbit_2021": 449, "frames_upbit": 9}[name]


def test_books_are_the_oracles_at_every_checkpoint(captures: Path) -> None:
    states = {line["i"]: line for line in lines(captures / "oracle" / "books_upbit_2021.jsonl.gz")}
    decoder = new_decoder(())
    ctx = decoder.context("spot", 0)
    for i, frame, ts_recv in incoming(captures / "upbit_2021.jsonl.gz"):
        _, decoded = agree(decoder, ctx, frame, ts_recv)
        if i in states:
            book = decoded.batches[0].records
            assert book["flags"][0] & Flag.CLEAR
            state = states.pop(i)
            assert (len(levels(book, 1)), len(levels(book, -1))) == (state["nb"], state["na"])
            for side, name in ((1, "b"), (-1, "a")):
                assert levels(book, side)[:10] == [(float(price), float(size)) for price, size in state[name]]
    assert not states


def test_the_vectors_of_tardis_have_their_values(captures: Path) -> None:
    done = 0
    for line in lines(captures / "oracle" / "tardis_vectors.jsonl.gz"):
        if line["exchange"] != "upbit":
            continue
        decoder = new_decoder(())
        raw = line["raw"].encode() if isinstance(line["raw"], str) else orjson.dumps(line["raw"])
        _, decoded = agree(decoder, decoder.context("spot", 0), raw, iso_ns(line["local"]))
        records = decoded.batches[0].records
        (message,) = line["out"]
        if message["type"] == "trade":
            assert (records["price"][0], records["size"][0]) == (message["price"], message["amount"])
        else:
            for side, name in ((1, "bids"), (-1, "asks")):
                assert levels(records, side) == [(one["price"], one["amount"]) for one in message[name]]
            assert records["ts_event"][0] == iso_ns(message["timestamp"])  # one of them in microseconds
        done += 1
    assert done == 3
