"""The kernel and the typed path give the same bytes for every Kraken Futures frame ever captured."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson

from ringcollect.exchanges.protocol import Code
from tests.exchanges.bybit_frames import incoming
from tests.exchanges.frames import same
from tests.exchanges.kraken_futures_frames import Reader


def walk(path: Path) -> tuple[Counter[tuple[str, str]], list[bytes]]:
    """(feed or event, how it was decoded) -> frames; and those that were rejected."""
    reader = Reader()
    seen: Counter[tuple[str, str]] = Counter()
    rejected: list[bytes] = []
    for _, frame, ts_recv, _ in incoming(path):
        answer = reader.hot(frame, ts_recv)
        taken = reader.decoder.all_taken(reader.ctx) if answer >= 0 else None
        decoded = reader.cold(frame, ts_recv)
        if decoded is None:
            assert answer == Code.SLOW
            rejected.append(frame)
            continue
        head = orjson.loads(frame)
        seen[head.get("event", head.get("feed")), "hot" if taken else decoded.outcome.name] += 1
        if taken is not None:
            assert all(same(*pair) for pair in zip(taken, decoded.batches, strict=True)), frame
        else:
            assert answer == Code.SLOW
    return seen, rejected


def test_both_paths_agree_on_every_frame_and_the_kernel_takes_every_hot_one(captures: Path) -> None:
    seen, rejected = walk(captures / "kraken_futures_2021.jsonl.gz")
    assert not rejected
    assert seen == {  # frames by feed: captures/README.md
        ("book", "hot"): 7014, ("trade", "hot"): 3, ("book_snapshot", "hot"): 10,
        ("trade_snapshot", "hot"): 10, ("ticker_lite", "IGNORED"): 107, ("info", "CONTROL"): 1,
        ("subscribed", "CONTROL"): 30,
    }  # fmt: skip


def test_every_single_frame_is_decoded_or_ignored(captures: Path) -> None:
    seen, rejected = walk(captures / "frames_kraken_futures.jsonl.gz")
    assert not rejected
    assert seen == {
        ("book", "hot"): 9,  # one of 2019, without a time
        ("trade", "hot"): 9,  # one of 2019 without uid; two liquidations
        ("book_snapshot", "hot"): 7, ("trade_snapshot", "hot"): 4,
        ("ticker", "hot"): 7, ("ticker", "DECODED"): 6,  # of products nobody knew before
        ("ticker_lite", "IGNORED"): 1, ("info", "CONTROL"): 1, ("subscribed", "CONTROL"): 1, ("alert", "CONTROL"): 1,
    }  # fmt: skip
