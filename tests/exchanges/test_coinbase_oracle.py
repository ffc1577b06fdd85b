"""Every Coinbase frame ever captured: both paths agree, and the values are those of decoders that are not ours."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.protocol import Code
from ringcollect.records import Channel, Flag, Kind
from tests.exchanges.coinbase_frames import agree, new_decoder
from tests.exchanges.frames import lines
from tests.exchanges.okx_frames import incoming
from tests.exchanges.test_binance_oracle import SIDES, iso_ns

COUNTS = {
    "coinbase_adv_2026": {
        ("l2_data", "hot"): 775, ("ticker", "hot"): 160, ("market_trades", "hot"): 59, ("heartbeats", "slow"): 25,
        ("candles", "slow"): 6, ("subscriptions", "slow"): 5,
    },
    "coinbase_exchange_2021": {
        ("l2update", "hot"): 9719, ("ticker", "slow"): 107, ("match", "hot"): 97, ("snapshot", "hot"): 10,
        ("last_match", "hot"): 10, ("subscriptions", "slow"): 3,
    },
}  # captures/README.md  # fmt: skip
COMPARED = {"coinbase_adv_2026": {"trade": 279, "book_change": 775, "book_ticker": 160},
            "coinbase_exchange_2021": {"trade": 97, "book_change": 9729, "book_ticker": 0}}  # fmt: skip

SINGLE = {
    "frames_coinbase_adv": {
        "rejected": [6, 9, 10, 11, 12, 15],  # events of the type "moo", or of none
        "DECODED": [0, 2, 13, 14, 18, 19, 20, 22, 27, 28, 29, 30, 31],
        "IGNORED": [4, 5, 7, 8, 16, 23, 25, 26],  # status, candles, ticker_batch
        "CONTROL": [1, 3, 17, 21, 24],
    },
    "frames_coinbase_exchange": {
        "rejected": [],
        "DECODED": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15],
        "IGNORED": [12],  # an order of the full feed
        "CONTROL": [14],
    },
}  # what each is: the capture's own notes


def by_line(path: Path) -> dict[int, list[dict[str, Any]]]:
    return {line["i"]: line["out"] for line in lines(path)}


def nanoseconds(text: str) -> int:
    """An ISO time to the last of its digits, which the oracle's have not."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return iso_ns(whole + "Z") + int(fraction.ljust(9, "0"))


def levels(records: np.ndarray, side: int) -> list[tuple[float, float]]:
    rows = records[records["side"] == side]
    return list(zip(rows["price"].tolist(), rows["size"].tolist(), strict=True))


@pytest.mark.parametrize("name", COUNTS)
def test_both_paths_agree_and_the_values_are_the_oracles_in_every_frame(captures: Path, name: str) -> None:
    outputs = by_line(captures / "oracle" / f"{name}.jsonl.gz")
    decoder = new_decoder(())
    ctx = decoder.context("spot", 0)
    seen: Counter[tuple[str, str]] = Counter()
    compared: Counter[str] = Counter({"trade": 0, "book_change": 0, "book_ticker": 0})
    for i, frame, ts_recv in incoming(captures / f"{name}.jsonl.gz"):
        event = orjson.loads(frame)
        answer, decoded = agree(decoder, ctx, frame, ts_recv)
        seen[event.get("channel", event.get("type", "")), "hot" if answer >= 0 else "slow"] += 1
        assert answer >= 0 or answer == Code.SLOW
        messages = [m for m in outputs.get(i, ()) if m["type"] in compared]
        trades = [m for m in messages if m["type"] == "trade"]
        if trades:
            records = np.concatenate([batch.records for batch in decoded.batches])
            if (
                event.get("channel") == "market_trades"
                and trades[0]["id"] != event["events"][0]["trades"][0]["trade_id"]
            ):
                trades.reverse()  # the oracle's are oldest first
            assert records["id"].tolist() == records["aux"].tolist() == [int(m["id"]) for m in trades]
            assert records["price"].tolist() == [m["price"] for m in trades]
            assert records["size"].tolist() == [m["amount"] for m in trades]
            assert records["side"].tolist() == [SIDES[m["side"]] for m in trades]
            assert records["ts_event"].tolist() == [iso_ns(m["timestamp"]) for m in trades]
            assert set(records["ts_recv"].tolist()) == {ts_recv}
            compared["trade"] += len(trades)
        for message in messages:
            if message["type"] == "trade":
                continue
            batch = decoded.batches[0]
            if message["type"] == "book_ticker" and "bidAmount" not in message:
                assert batch.channel is Channel.TICKER  # best prices without their sizes, until 2022
                continue
            if message["type"] == "book_change":
                assert batch is not None and batch.channel is Channel.BOOK
                for side, side_name in ((1, "bids"), (-1, "asks")):
                    assert levels(batch.records, side) == [(x["price"], x["amount"]) for x in message[side_name]]
                kind = Kind.BOOK_SNAPSHOT if message["isSnapshot"] else Kind.BOOK_DELTA
                assert set(batch.records["kind"].tolist()) == {kind}
                check_book_times(event, batch.records)
            else:
                assert batch is not None and batch.channel is Channel.BBO
                assert batch.records["price"].tolist() == [message["bidPrice"], message["askPrice"]]
                assert batch.records["size"].tolist() == [message["bidAmount"], message["askAmount"]]
                assert set(batch.records["ts_event"].tolist()) == {nanoseconds(event["timestamp"])}
            compared[message["type"]] += 1
    assert seen == COUNTS[name]
    assert compared == COMPARED[name]


def check_book_times(event: dict[str, Any], records: np.ndarray) -> None:
    """The matching engine's time, which the oracle of Advanced Trade passes over for the publisher's."""
    if "channel" in event:
        times = [nanoseconds(update["event_time"]) for update in event["events"][0]["updates"]]
        assert records["ts_event"].tolist() == times
    elif "time" in event:
        assert set(records["ts_event"].tolist()) == {nanoseconds(event["time"])}
    else:
        assert set(records["ts_event"].tolist()) == {0}


def test_every_message_of_a_connection_has_the_next_number_acknowledgements_included(captures: Path) -> None:
    decoder = new_decoder(())
    ctx = decoder.context("spot", 0)
    numbers = [
        agree(decoder, ctx, frame, t)[1].sequence for _, frame, t in incoming(captures / "coinbase_adv_2026.jsonl.gz")
    ]
    assert numbers == list(range(1030))


def test_the_kernel_decodes_the_5_mb_book_in_one_piece(captures: Path) -> None:
    """Trap 4: message limits of 1 and 4 MB are too small, and the wire says ``offer``."""
    decoder = new_decoder(())
    ctx = decoder.context("spot", 0)
    sizes = {}
    for _, frame, ts_recv in incoming(captures / "coinbase_adv_2026.jsonl.gz"):
        if len(frame) > 1 << 20:
            answer, decoded = agree(decoder, ctx, frame, ts_recv)
            sizes[len(frame)] = answer
            assert decoded.batches[0].records["flags"][0] == Flag.CLEAR | Flag.SNAPSHOT
            assert set(decoded.batches[0].records["side"].tolist()) == {1, -1}
    assert sizes[5_079_379] == 18_764 + 27_236  # the oracle's book
    assert len(sizes) == 2


@pytest.mark.parametrize("name", ["frames_coinbase_adv", "frames_coinbase_exchange"])
def test_every_single_frame_is_decoded_or_ignored_or_rejected_as_it_should_be(captures: Path, name: str) -> None:
    outputs = by_line(captures / "oracle" / f"{name}.jsonl.gz") if name.endswith("exchange") else {}
    decoder = new_decoder(())
    ctx = decoder.context("spot", 0)
    outcomes: dict[str, list[int]] = {"rejected": [], "DECODED": [], "IGNORED": [], "CONTROL": []}
    for i, frame, ts_recv in incoming(captures / f"{name}.jsonl.gz"):
        try:
            _, decoded = agree(decoder, ctx, frame, ts_recv)
        except RejectedFrame:
            outcomes["rejected"].append(i)
            continue
        outcomes[decoded.outcome.name].append(i)
        for message in outputs.get(i, ()):
            if not decoded.batches:
                continue
            records = decoded.batches[0].records
            if message["type"] == "trade":
                assert (records["price"][0], records["size"][0]) == (message["price"], message["amount"])
                assert records["side"][0] == SIDES[message["side"]]
            elif message["type"] == "book_change":
                for side, side_name in ((1, "bids"), (-1, "asks")):
                    assert levels(records, side) == [(x["price"], x["amount"]) for x in message[side_name]], frame
    assert outcomes == SINGLE[name]
