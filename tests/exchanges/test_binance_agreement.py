"""The kernel and the typed path give the same bytes for every frame of every Binance capture."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.protocol import Code, Outcome
from tests.exchanges.frames import hot, lines, new_decoder, same

CAPTURES = [
    ("binance_spot_2024", "spot", {"depth": 12965, "bookTicker": 131932, "trade": 34419}),
    ("binance_spot_2021", "spot", {"depth": 177, "bookTicker": 84, "aggTrade": 2, "kline": 2}),
    ("binance_usdm_2021b", "linear", {"depth": 4423, "bookTicker": 3424, "aggTrade": 574}),
]  # counts: captures/README.md


@pytest.mark.parametrize(("name", "market", "counts"), CAPTURES)
def test_both_paths_agree_on_every_frame_and_the_kernel_takes_every_hot_one(
    captures: Path, name: str, market: str, counts: dict[str, int]
) -> None:
    decoder = new_decoder()
    ctx = decoder.context(market, 3)
    seen: Counter[str] = Counter()
    for line in lines(captures / f"{name}.jsonl.gz"):
        if line["d"] != "in":
            continue
        frame, ts_recv = line["f"].encode(), line["t"]
        stream = frame[11:60].partition(b"@")[2].partition(b'"')[0].partition(b"@")[0].partition(b"_")[0].decode()
        seen[stream] += 1
        answer = hot(decoder, frame, ctx, ts_recv)
        decoded = decoder.cold(frame, ctx, ts_recv)
        if stream == "kline":
            assert (answer, decoded.outcome, decoded.batches) == (0, Outcome.IGNORED, ())
            continue
        assert answer >= 1, frame
        taken = decoder.taken(ctx)
        assert len(taken.records) == answer
        assert len(decoded.batches) == 1
        assert same(taken, decoded.batches[0]), frame
    assert seen == counts


@pytest.mark.parametrize(("name", "market"), [("frames_binance_spot", "spot"), ("frames_binance_usdm", "linear")])
def test_both_paths_agree_on_every_single_frame_of_other_projects(captures: Path, name: str, market: str) -> None:
    decoder = new_decoder()
    ctx = decoder.context(market, 0)
    for line in lines(captures / f"{name}.jsonl.gz"):
        frame = line["f"].encode()
        answer = hot(decoder, frame, ctx, line["t"])
        if answer < 0:
            assert answer == Code.SLOW
            continue
        decoded = decoder.cold(frame, ctx, line["t"])
        taken = decoder.all_taken(ctx)
        assert len(taken) == len(decoded.batches) and all(map(same, taken, decoded.batches)), frame
        assert sum(len(batch.records) for batch in taken) == answer


SPOT_OUTCOMES = {
    "ignored": {13, 27, 28},  # klines
    "rejected": {34},  # "m":"yes"
}
LINEAR_OUTCOMES = {
    "ignored": {22, 26, 27, 28, 32, 33, 45, 48, 49},  # 22 and 49 are partial depth
    "rejected": set(),
}


@pytest.mark.parametrize(
    ("name", "market", "expected"),
    [("frames_binance_spot", "spot", SPOT_OUTCOMES), ("frames_binance_usdm", "linear", LINEAR_OUTCOMES)],
)
def test_every_single_frame_is_decoded_or_ignored_or_rejected_as_it_should_be(
    captures: Path, name: str, market: str, expected: dict[str, set[int]]
) -> None:
    decoder = new_decoder()
    ctx = decoder.context(market, 0)
    found: dict[str, set[int]] = {"ignored": set(), "rejected": set()}
    for i, line in enumerate(lines(captures / f"{name}.jsonl.gz")):
        frame = line["f"].encode()
        try:
            decoded = decoder.cold(frame, ctx, line["t"])
            for symbol in decoded.unknown:
                decoder.add_symbol(market, symbol, i)
                decoded = decoder.cold(frame, ctx, line["t"])
        except RejectedFrame:
            found["rejected"].add(i)
            continue
        if decoded.outcome is Outcome.IGNORED:
            found["ignored"].add(i)
        else:
            assert decoded.outcome is Outcome.DECODED
            assert decoded.batches
    assert found == expected
