"""The kernel and the typed path give the same bytes for every OKX frame ever captured."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson
import pytest

from ringcollect.exchanges.protocol import Code, Outcome
from tests.exchanges.frames import merged, same
from tests.exchanges.okx_frames import Reader, incoming

SLOW = "slow"
EXPECTED = {
    # books of 2022 have no ids; three trades are history
    "okx_v5_2022_05": {
        ("books", "hot"): 290, ("trades", SLOW): 3, ("trades", "hot"): 71, ("tickers", "hot"): 25,
        ("tickers", SLOW): 3,  # a first frame makes a symbol known
        ("subscribe", SLOW): 18,
    },
    "okx_v5_2026": {("books", "hot"): 7, ("subscribe", SLOW): 1},
}  # counts: captures/README.md  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_both_paths_agree_on_every_frame_and_the_kernel_takes_every_hot_one(captures: Path, name: str) -> None:
    reader = Reader()
    seen: Counter[tuple[str, str]] = Counter()
    for _, frame, ts_recv in incoming(captures / f"{name}.jsonl.gz"):
        head = orjson.loads(frame)
        answer = reader.hot(frame, ts_recv)
        taken = reader.decoder.all_taken(reader.ctx) if answer >= 0 else None
        decoded = reader.cold(frame, ts_recv)
        assert decoded is not None, frame
        seen[head["event"] if "event" in head else head["arg"]["channel"], "hot" if answer >= 0 else SLOW] += 1
        if taken is None:
            assert answer == Code.SLOW
            continue
        assert sum(len(batch.records) for batch in taken) == answer
        expected = merged(decoded.batches)
        assert len(taken) == len(expected) and all(map(same, taken, expected)), frame
    assert seen == EXPECTED[name]


HOT = {
    "trades": 13, "trades-all": 1, "books": 4, "books-l2-tbt": 9, "books5": 4, "bbo-tbt": 8,
    # a first frame makes a symbol known
    "mark-price": 3, "open-interest": 3, "index-tickers": 7, "tickers": 12, "funding-rate": 5,
}  # fmt: skip
REJECTED = {
    79,  # an argument without a channel
    123,  # a book without an action
}
IGNORED_CHANNELS = {
    "instruments", "estimated-price", "price-limit", "opt-summary", "option-trades", "status",
    "economic-calendar", "block-tickers", "liquidations", "public-struc-block-trades",
    "candle1D", "candle1m", "index-candle1D", "index-candle30m", "mark-price-candle1D", "sprd-books5",
    "sprd-public-trades", "sprd-tickers",
}  # fmt: skip


def test_every_single_frame_is_decoded_or_ignored_or_rejected_as_it_should_be(captures: Path) -> None:
    reader = Reader()
    hot: Counter[str] = Counter()
    rejected = set()
    ignored = set()
    for i, frame, ts_recv in incoming(captures / "frames_okx_v5.jsonl.gz"):
        answer = reader.hot(frame, ts_recv)
        taken = reader.decoder.all_taken(reader.ctx) if answer >= 0 else None
        decoded = reader.cold(frame, ts_recv)
        if decoded is None:
            assert answer == Code.SLOW
            rejected.add(i)
            continue
        head = orjson.loads(frame)
        if taken is not None:
            expected = merged(decoded.batches)
            assert len(taken) == len(expected) and all(map(same, taken, expected))
        if taken:
            hot[head["arg"]["channel"]] += 1
        elif decoded.outcome is Outcome.IGNORED:
            symbol = head["arg"].get("instId", "")
            if len(symbol.split("-")) == 5:
                continue  # options are not collected
            ignored.add(head["arg"]["channel"])
    assert rejected == REJECTED
    assert hot == HOT
    assert ignored == IGNORED_CHANNELS | {"index-tickers", "books5"}  # nobody follows it; its whole book comes too
