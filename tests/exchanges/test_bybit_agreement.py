"""The kernel and the typed path give the same bytes for every Bybit frame ever captured."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson

from ringcollect.exchanges.protocol import Code, Outcome
from tests.exchanges.bybit_frames import Reader, incoming
from tests.exchanges.frames import same

TYPED = "typed"


def walk(path: Path) -> tuple[Counter[tuple[str, str]], list[bytes]]:
    """(topic or op, how it was decoded) -> frames; and those that were rejected."""
    reader = Reader()
    seen: Counter[tuple[str, str]] = Counter()
    rejected: list[bytes] = []
    for _, frame, ts_recv, conn in incoming(path):
        conn = conn if path.name.startswith("bybit") else 0
        answer = reader.hot(frame, ts_recv, conn)
        taken = reader.decoder.all_taken(reader.contexts[conn]) if answer >= 0 else None
        decoded = reader.cold(frame, ts_recv, conn)
        if decoded is None:
            assert answer == Code.SLOW
            rejected.append(frame)
            continue
        head = orjson.loads(frame)
        how = "ignored" if decoded.outcome is Outcome.IGNORED else TYPED if taken is None else "hot"
        seen[head.get("topic", head.get("op", "")).split(".")[0], how] += 1
        if taken is not None:
            assert sum(len(batch.records) for batch in taken) == answer
            assert len(taken) == len(decoded.batches) and all(map(same, taken, decoded.batches)), frame
        else:
            assert answer == Code.SLOW
    return seen, rejected


def test_both_paths_agree_on_every_frame_and_the_kernel_takes_every_hot_one(captures: Path) -> None:
    seen, rejected = walk(captures / "bybit_v5_2026.jsonl.gz")
    assert not rejected
    assert seen == {  # frames by topic: captures/README.md; 6 books begin with a snapshot
        ("orderbook", "hot"): 1598 + 550 - 6, ("orderbook", TYPED): 6, ("publicTrade", "hot"): 102 + 18,
        ("subscribe", TYPED): 24, ("kline", "ignored"): 71 + 25,
        # tickers: an instrument's first one makes it known; deltas of best prices alone are ignored
        ("tickers", "hot"): 302, ("tickers", TYPED): 6, ("tickers", "ignored"): 758 + 81 - 308,
    }  # fmt: skip


def test_every_single_frame_is_decoded_or_ignored_or_rejected_as_it_should_be(captures: Path) -> None:
    seen, rejected = walk(captures / "frames_bybit_v5.jsonl.gz")
    assert [orjson.loads(frame)["topic"] for frame in rejected] == [
        "tickers.BTC-USDT",  # about another symbol than its data
        "publicTrade.BTCUSDT.should_not_be_present",
    ]
    assert {key[0] for key in seen if key[1] == "ignored"} == {
        "kline", "liquidation", "priceLimit", "system", "tickers",
    }  # fmt: skip
    assert seen["publicTrade", "hot"] == 9 and ("publicTrade", TYPED) not in seen
    assert seen["allLiquidation", TYPED] == 2
