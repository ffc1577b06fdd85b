"""Values against decoders that are not ours: tardis-dev frame by frame, and books replayed by others."""

from __future__ import annotations

import zlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from ringcollect.exchanges import okx
from ringcollect.exchanges.protocol import Batch
from ringcollect.records import Channel, Flag, Kind, TickerField
from tests.exchanges.frames import lines, merged
from tests.exchanges.okx_frames import Reader, incoming
from tests.exchanges.test_binance_oracle import SIDES, iso_ns


def by_line(path: Path) -> dict[int, list[dict[str, Any]]]:
    return {line["i"]: line["out"] for line in lines(path)}


def levels(records: np.ndarray, side: int) -> list[tuple[float, float]]:
    rows = records[(records["side"] == side) & (records["kind"] != Kind.BOOK_CHECK)]
    return list(zip(rows["price"].tolist(), rows["size"].tolist(), strict=True))


def check(message: dict[str, Any], batches: dict[Channel, Batch]) -> bool:
    """Compare one message of the oracle with what came out; False for what we do not record."""
    kind = message["type"]
    if kind == "trade":
        (row,) = batches[Channel.TRADE].records
        assert (str(row["id"]), row["price"], row["size"]) == (message["id"], message["price"], message["amount"])
        assert (row["side"], row["ts_event"]) == (SIDES[message["side"]], iso_ns(message["timestamp"]))
    elif kind == "book_change":
        records = batches[Channel.BOOK].records
        for side, name in ((1, "bids"), (-1, "asks")):
            assert levels(records, side) == [(level["price"], level["amount"]) for level in message[name]]
        assert set(records["ts_event"].tolist()) == {iso_ns(message["timestamp"])}
        assert (records["kind"][0] == Kind.BOOK_SNAPSHOT) == message["isSnapshot"]
    elif kind == "book_ticker" and Channel.BBO in batches:
        best = batches[Channel.BBO].records
        prices = [message.get("bidPrice", np.nan), message.get("askPrice", np.nan)]
        sizes = [message.get("bidAmount", 0.0), message.get("askAmount", 0.0)]
        np.testing.assert_array_equal(best["price"], prices)
        np.testing.assert_array_equal(best["size"], sizes)
        assert set(best["ts_event"].tolist()) == {iso_ns(message["timestamp"])}
    elif kind == "liquidation" and Channel.LIQUIDATION in batches:
        (row,) = batches[Channel.LIQUIDATION].records
        assert (row["price"], row["size"]) == (message["price"], message["amount"])
        assert (row["side"], row["ts_event"]) == (SIDES[message["side"]], iso_ns(message["timestamp"]))
    elif kind == "derivative_ticker" and batches:
        return derivative(message, batches)
    else:
        return False
    return True


def derivative(message: dict[str, Any], batches: dict[Channel, Batch]) -> bool:
    """The oracle merges channels: only what this frame brought can be compared."""
    ((channel, batch),) = batches.items()
    row = batch.records[0]
    if channel is Channel.TICKER:  # the oracle has the last price of all of it
        last = batch.records[batch.records["sub"] == TickerField.LAST]
        assert last["price"].tolist() == [message["lastPrice"]]
        return True
    if channel is Channel.FUNDING:
        assert row["aux"] == iso_ns(message["fundingTimestamp"])
        np.testing.assert_equal(row["price"], message.get("fundingRate", np.nan))
        np.testing.assert_equal(row["size"], message.get("predictedFundingRate", np.nan))
    elif channel is Channel.MARK_PRICE:
        assert row["price"] == message["markPrice"]
    elif channel is Channel.OPEN_INTEREST:
        assert row["size"] == message["openInterest"]
    elif channel is Channel.INDEX_PRICE:
        assert row["price"] == message["indexPrice"]
    return True


@pytest.mark.parametrize(("name", "compared"), [("okx_v5_2022_05", 367), ("okx_v5_2026", 7)])
def test_ids_prices_sizes_sides_and_times_are_the_oracles_in_every_frame(
    captures: Path, name: str, compared: int
) -> None:
    outputs = by_line(captures / "oracle" / f"{name}.jsonl.gz")
    reader = Reader()
    done = 0
    for i, frame, ts_recv in incoming(captures / f"{name}.jsonl.gz"):
        decoded = reader.cold(frame, ts_recv)
        assert decoded is not None
        batches = {batch.channel: batch for batch in merged(decoded.batches)}
        symbol = orjson.loads(frame)["arg"]["instId"]
        for message in outputs.get(i, ()):
            assert message["symbol"] == symbol
            if batches:
                assert all(batch.instrument == reader.numbers[symbol] for batch in batches.values())
                done += check(message, batches)
    assert done == compared


def test_single_frames_have_the_oracles_values(captures: Path) -> None:
    outputs = by_line(captures / "oracle" / "frames_okx_v5.jsonl.gz")
    reader = Reader()
    done = {}
    for i, frame, ts_recv in incoming(captures / "frames_okx_v5.jsonl.gz"):
        decoded = reader.cold(frame, ts_recv)
        if decoded is None or b'-P"' in frame or b'-C"' in frame:  # options are not collected
            continue
        for message in outputs.get(i, ()):
            if check(message, {batch.channel: batch for batch in merged(decoded.batches)}):
                done[message["type"]] = done.get(message["type"], 0) + 1
    assert done == FRAME_COUNTS


FRAME_COUNTS = {"trade": 16, "book_change": 13, "derivative_ticker": 24, "book_ticker": 8}


def test_the_vectors_of_tardis_have_their_values(captures: Path) -> None:
    done: dict[str, int] = {}
    for line in lines(captures / "oracle" / "tardis_vectors.jsonl.gz"):
        raw = orjson.loads(line["raw"]) if isinstance(line["raw"], str) else line["raw"]
        if not line["exchange"].startswith("okex") or "arg" not in raw:
            continue
        reader = Reader()
        for message in line["out"]:
            reader.learn(message["symbol"])
        decoded = reader.cold(orjson.dumps(raw), iso_ns(line["local"]))
        assert decoded is not None
        for message in line["out"]:
            batches = {
                b.channel: b for b in merged(decoded.batches) if b.instrument == reader.numbers[message["symbol"]]
            }
            if check(message, batches):
                done[message["type"]] = done.get(message["type"], 0) + 1
    assert done == VECTOR_COUNTS


VECTOR_COUNTS = {"trade": 4, "book_change": 5, "derivative_ticker": 14, "liquidation": 1, "book_ticker": 1}


class Book:
    """A book of texts, as slow and obvious as can be."""

    def __init__(self) -> None:
        self.sides: dict[int, dict[float, float]] = {1: {}, -1: {}}

    def apply(self, records: np.ndarray) -> None:
        for row in records:
            if row["flags"] & Flag.CLEAR:
                self.sides = {1: {}, -1: {}}
            if row["kind"] == Kind.BOOK_CHECK or row["side"] == 0:
                continue
            side = self.sides[int(row["side"])]
            if row["size"] == 0:
                side.pop(float(row["price"]), None)
            else:
                side[float(row["price"])] = float(row["size"])

    def top(self, side: int, n: int) -> list[tuple[float, float]]:
        return sorted(self.sides[side].items(), reverse=side == 1)[:n]


@pytest.mark.parametrize(("name", "checkpoints"), [("okx_v5_2022_05", 46), ("okx_v5_2026", 7)])
def test_books_are_the_oracles_at_every_checkpoint(captures: Path, name: str, checkpoints: int) -> None:
    states: dict[int, dict[str, Any]] = {
        line["i"]: line for line in lines(captures / "oracle" / f"books_{name}.jsonl.gz")
    }
    reader = Reader()
    books: dict[int, Book] = {}
    for i, frame, ts_recv in incoming(captures / f"{name}.jsonl.gz"):
        decoded = reader.cold(frame, ts_recv)
        assert decoded is not None
        for batch in decoded.batches:
            if batch.channel is Channel.BOOK:
                books.setdefault(batch.instrument, Book()).apply(batch.records)
        if i in states:
            state = states[i]
            book = books[reader.numbers[state["s"]]]
            assert (len(book.sides[1]), len(book.sides[-1])) == (state["nb"], state["na"])
            for side, name_ in ((1, "b"), (-1, "a")):
                assert book.top(side, 10) == [(float(price), float(size)) for price, size in state[name_]]
    assert len(states) == checkpoints


def test_the_checksum_kept_beside_each_book_of_2022_is_the_one_of_the_book_as_applied(captures: Path) -> None:
    """The venue's rule over the venue's own texts: what a verifier of our records has to reproduce."""
    reader = Reader()
    texts: dict[tuple[int, int], dict[Decimal, tuple[str, str]]] = {}
    checked = 0
    for _, frame, ts_recv in incoming(captures / "okx_v5_2022_05.jsonl.gz"):
        decoded = reader.cold(frame, ts_recv)
        assert decoded is not None
        for batch in merged(decoded.batches):
            if batch.channel is not Channel.BOOK:
                continue
            data = orjson.loads(frame)["data"][0]
            for side, name in ((1, "bids"), (-1, "asks")):
                levels_ = texts.setdefault((batch.instrument, side), {})
                for price, size, *_ in data[name]:
                    levels_[Decimal(price)] = (price, size)
                    if not Decimal(size):
                        del levels_[Decimal(price)]
            parts = []
            bids = sorted(texts[batch.instrument, 1].items(), reverse=True)[:25]
            asks = sorted(texts[batch.instrument, -1].items())[:25]
            for k in range(25):
                for side_levels in (bids, asks):
                    if k < len(side_levels):
                        parts += side_levels[k][1]
            expected = zlib.crc32(":".join(parts).encode())
            row = batch.records[-1]
            assert (row["kind"], row["aux"] & 0xFFFFFFFF) == (Kind.BOOK_CHECK, expected)
            assert row["flags"] == Flag.LAST and batch.records["flags"][-2] & Flag.LAST
            checked += 1
    assert checked == 290


def test_no_id_of_a_capture_breaks_the_chain(captures: Path) -> None:
    reader = Reader()
    known = None
    for _, frame, ts_recv in incoming(captures / "okx_v5_2026.jsonl.gz"):
        decoded = reader.cold(frame, ts_recv)
        for batch in decoded.batches if decoded else ():
            if known is not None:
                assert okx.accept("spot")(known, batch.first_id, batch.last_id, batch.prev_id) == 0
            known = batch.last_id
    assert known is not None
