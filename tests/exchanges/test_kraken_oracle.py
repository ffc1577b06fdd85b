"""Every Kraken v2 frame ever captured: both paths agree, and the values are those of a decoder that is not ours."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import orjson
import pytest

from ringcollect.exchanges.protocol import Code
from ringcollect.instruments import Instrument
from ringcollect.records import Channel, Flag, Kind
from ringcollect.sync.engine import Engine
from ringcollect.sync.settings import Parameters
from tests.exchanges.frames import lines
from tests.exchanges.kraken_frames import agree, new_decoder
from tests.exchanges.okx_frames import incoming
from tests.exchanges.sessions import run
from tests.exchanges.test_binance_oracle import SIDES, iso_ns

COUNTS = {
    "kraken_v2_2026": {
        ("book", "update"): 2347, ("book", "snapshot"): 6, ("heartbeat", ""): 110, ("subscribe", ""): 9,
        ("unsubscribe", ""): 7, ("status", "update"): 2,
    },
    "frames_kraken_v2": {
        ("book", "update"): 4, ("book", "snapshot"): 4, ("trade", "update"): 6, ("trade", "snapshot"): 1,
        ("ticker", "update"): 4, ("ticker", "snapshot"): 1, ("level3", "snapshot"): 2, ("level3", "update"): 4,
        ("ohlc", "update"): 3, ("subscribe", ""): 4, ("pong", ""): 1, ("status", "update"): 2,
    },
}  # fmt: skip


def levels(records: np.ndarray, side: int) -> list[tuple[float, float]]:
    rows = records[records["side"] == side]
    return list(zip(rows["price"].tolist(), rows["size"].tolist(), strict=True))


def compare(message: dict[str, Any], event: dict[str, Any], batches: dict[Channel, np.ndarray]) -> None:
    ts = iso_ns(message["timestamp"])
    if message["type"] == "trade":
        (row,) = [r for r in batches[Channel.TRADE] if str(r["id"]) == message["id"]]
        assert (row["price"], row["size"], row["side"]) == (
            message["price"], message["amount"], SIDES[message["side"]],
        )  # fmt: skip
        assert (row["ts_event"], row["aux"]) == (ts, row["id"])
    elif message["type"] == "book_ticker":
        bid, ask = batches[Channel.BBO]
        assert (bid["price"], bid["size"]) == (message["bidPrice"], message["bidAmount"])
        assert (ask["price"], ask["size"]) == (message["askPrice"], message["askAmount"])
        assert bid["ts_event"] == ask["ts_event"] == iso_ns(event["data"][0].get("timestamp", message["timestamp"]))
    else:
        book = batches[Channel.BOOK]
        for side, name in ((1, "bids"), (-1, "asks")):
            assert levels(book, side) == [(one["price"], one["amount"]) for one in message[name]]
        kind = Kind.BOOK_SNAPSHOT if message["isSnapshot"] else Kind.BOOK_DELTA
        assert set(book["kind"].tolist()) <= {kind, Kind.BOOK_CHECK}
        assert set(book["ts_event"].tolist()) == {ts}
        check = book[book["kind"] == Kind.BOOK_CHECK]
        assert check["aux"].tolist() == [event["data"][0][k] for k in ("checksum",) if k in event["data"][0]]


@pytest.mark.parametrize("name", COUNTS)
def test_both_paths_agree_and_the_values_are_the_oracles_in_every_frame(captures: Path, name: str) -> None:
    outputs = {line["i"]: line["out"] for line in lines(captures / "oracle" / f"{name}.jsonl.gz")}
    decoder = new_decoder(())
    ctx = decoder.context("spot", 0)
    seen: Counter[tuple[str, str]] = Counter()
    compared = 0
    for i, frame, ts_recv in incoming(captures / f"{name}.jsonl.gz"):
        event = orjson.loads(frame)
        kind = (event.get("channel", event.get("method", "")), event.get("type", ""))
        seen[kind] += 1
        answer, decoded = agree(decoder, ctx, frame, ts_recv)
        is_hot = kind[0] in ("book", "trade", "ticker")
        assert (answer >= 0) == is_hot or (answer == Code.SLOW and not is_hot), frame
        joined: dict[Channel, Any] = {}
        for batch in decoded.batches:
            joined.setdefault(batch.channel, []).append(batch.records)
        for message in outputs.get(i, ()):
            compare(message, event, {channel: np.concatenate(parts) for channel, parts in joined.items()})
            compared += 1
    assert seen == COUNTS[name]
    assert compared == {"kraken_v2_2026": 2353, "frames_kraken_v2": 18}[name]


def test_re_sent_prints_and_tickers_are_marked_as_no_news(captures: Path) -> None:
    decoder = new_decoder()
    ctx = decoder.context("spot", 0)
    for _, frame, ts_recv in incoming(captures / "frames_kraken_v2.jsonl.gz"):
        event = orjson.loads(frame)
        for batch in decoder.cold(frame, ctx, ts_recv).batches:
            is_old = event["type"] == "snapshot"
            data = batch.records[batch.records["kind"] != Kind.BOOK_CHECK]
            assert all(bool(flags & Flag.SNAPSHOT) == is_old for flags in data["flags"])


def test_the_synchronizer_finds_every_checksum_of_the_capture_right(captures: Path, tmp_path: Path) -> None:
    """The checksum is the venue's own word on the book: 2,353 of them, with the precisions the frames show."""
    made = run(captures / "kraken_v2_2026.jsonl.gz", "kraken", tmp_path)
    rows = (tmp_path / "instruments.jsonl").read_bytes().splitlines()
    known = [msgspec.json.decode(row, type=Instrument) for row in rows]
    now = 0
    engine = Engine(Parameters(mode="orderbook"), lambda _: [one for one in known if one.valid_from_ns <= now][-1])
    for second in np.split(made.records, np.flatnonzero(np.diff(made.records["ts_recv"])) + 1):
        now = int(second["ts_recv"][0])  # the depth of the book changes on the way
        engine.collect(second)
    engine.collect_rest()
    counters = engine.counters()
    assert counters["checksums_bad"] == 0
    assert counters["checksums"] + counters["checksums_unknown"] == 2353
    assert counters["checksums"] > 2300
