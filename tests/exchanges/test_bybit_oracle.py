"""Values against decoders that are not ours: tardis-dev frame by frame, and books replayed by others."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from ringcollect.exchanges import bybit
from ringcollect.exchanges.protocol import Batch
from ringcollect.records import Channel, Flag, Kind
from tests.exchanges.bybit_frames import Reader, incoming
from tests.exchanges.frames import lines
from tests.exchanges.test_binance_oracle import SIDES, iso_ns, levels

MS = 10**6


def identity(row: np.void) -> str:
    """A trade's id as the venue writes it."""
    if row["flags"] & Flag.UUID:
        return str(uuid.UUID(bytes=int(row["id"]).to_bytes(8, signed=True) + int(row["aux"]).to_bytes(8, signed=True)))
    assert row["id"] == row["aux"]
    return str(row["id"])


def outputs(captures: Path, name: str) -> dict[int, list[dict[str, Any]]]:
    return {line["i"]: line["out"] for line in lines(captures / "oracle" / f"{name}.jsonl.gz")}


def check_trades(batch: Batch, messages: list[dict[str, Any]]) -> int:
    assert len(batch.records) == len(messages)
    for row, message in zip(batch.records, messages, strict=True):
        assert (identity(row), row["price"], row["size"]) == (message["id"], message["price"], message["amount"])
        assert (row["side"], row["ts_event"]) == (SIDES[message["side"]], iso_ns(message["timestamp"]))
    return len(messages)


def check_book(batch: Batch, message: dict[str, Any]) -> None:
    for side, name in ((1, "bids"), (-1, "asks")):
        assert levels(batch, side) == [(level["price"], level["amount"]) for level in message[name]]
    assert (batch.records["kind"][0] == Kind.BOOK_SNAPSHOT) == message["isSnapshot"]
    # the oracle has the publisher's time, we the matching engine's: up to 104 ms before it
    assert all(0 <= iso_ns(message["timestamp"]) - t <= 150 * MS for t in batch.records["ts_event"].tolist())


def test_trades_books_and_derivative_values_are_the_oracles_in_every_frame(captures: Path) -> None:
    expected = outputs(captures, "bybit_v5_2026")
    reader = Reader()
    last: dict[tuple[int, Channel], np.void] = {}
    trades = books = derivatives = 0
    for i, frame, ts_recv, conn in incoming(captures / "bybit_v5_2026.jsonl.gz"):
        decoded = reader.cold(frame, ts_recv, conn)
        assert decoded is not None
        batches = {batch.channel: batch for batch in decoded.batches}
        last.update({(batch.instrument, batch.channel): batch.records[-1] for batch in decoded.batches})
        messages = expected.get(i, [])
        assert all(batch.records["ts_recv"][0] == ts_recv for batch in batches.values())
        if Channel.TRADE in batches:
            trades += check_trades(batches[Channel.TRADE], messages)
        elif Channel.BOOK in batches:
            check_book(batches[Channel.BOOK], *messages)
            books += 1
        elif messages:
            (message,) = messages
            number = reader.numbers[reader.markets[conn], message["symbol"]]
            mark, index, rate, interest = (
                last[number, channel]
                for channel in (Channel.MARK_PRICE, Channel.INDEX_PRICE, Channel.FUNDING, Channel.OPEN_INTEREST)
            )
            assert (mark["price"], index["price"]) == (message["markPrice"], message["indexPrice"])
            assert (rate["price"], rate["aux"]) == (message["fundingRate"], iso_ns(message["fundingTimestamp"]))
            assert rate["id"] == 8 * 3600 * 10**9
            # the oracle counts both sides, and the venue rounds the single one to the lot step
            assert abs(2 * interest["size"] / message["openInterest"] - 1) < 1e-7
            assert {r["ts_event"] for b in batches.values() for r in b.records} <= {iso_ns(message["timestamp"])}
            derivatives += 1
    assert (trades, books, derivatives) == (347, 2148, 192)


def test_single_trades_have_the_oracles_values(captures: Path) -> None:
    expected = outputs(captures, "frames_bybit_v5")
    done = 0
    for i, frame, ts_recv, _ in incoming(captures / "frames_bybit_v5.jsonl.gz"):
        decoded = Reader().cold(frame, ts_recv)
        messages = [message for message in expected.get(i, []) if message["type"] == "trade"]
        if decoded is not None and messages:
            done += check_trades(decoded.batches[0], messages)
    assert done == 16


def test_liquidations_have_the_oracles_side_price_and_size(captures: Path) -> None:
    done = 0
    for line in lines(captures / "oracle" / "tardis_vectors.jsonl.gz"):
        messages = [message for message in line["out"] if message["type"] == "liquidation"]
        raw = line["raw"] if isinstance(line["raw"], str) else orjson.dumps(line["raw"]).decode()
        if not line["exchange"].startswith("bybit") or "allLiquidation" not in raw or not messages:
            continue
        decoded = Reader().cold(raw.encode(), iso_ns(line["local"]))
        assert decoded is not None
        for row, message in zip(decoded.batches[0].records, messages, strict=True):
            assert (row["price"], row["size"]) == (message["price"], message["amount"])
            assert (row["side"], row["ts_event"]) == (SIDES[message["side"]], iso_ns(message["timestamp"]))
            done += 1
    assert done > 0


def test_books_are_the_oracles_at_every_checkpoint(captures: Path) -> None:
    states = {line["i"]: line for line in lines(captures / "oracle" / "books_bybit_v5_2026.jsonl.gz")}
    reader = Reader()
    books: dict[int, dict[int, dict[float, float]]] = {}
    known: dict[int, int] = {}
    for i, frame, ts_recv, conn in incoming(captures / "bybit_v5_2026.jsonl.gz"):
        decoded = reader.cold(frame, ts_recv, conn)
        for batch in decoded.batches if decoded else ():
            if batch.channel is not Channel.BOOK:
                continue
            if batch.records["flags"][0] & Flag.CLEAR:
                books[batch.instrument] = {1: {}, -1: {}}
            else:  # no id of the capture breaks the chain
                assert bybit.accept("linear")(known[batch.instrument], batch.first_id, batch.last_id, -1) == 0
            known[batch.instrument] = batch.last_id
            for row in batch.records:
                book = books[batch.instrument][int(row["side"])]
                book[float(row["price"])] = float(row["size"])
                if not row["size"]:
                    del book[float(row["price"])]
        if i in states:
            state = states[i]
            book_ = books[reader.numbers[reader.markets[conn], state["s"]]]
            for side, name, count in ((1, "b", "nb"), (-1, "a", "na")):
                assert len(book_[side]) == state[count]  # so what falls out of the depth is removed by deltas
                top = sorted(book_[side].items(), reverse=side == 1)[:10]
                assert top == [(float(price), float(size)) for price, size in state[name]]
    assert len(states) == 89
