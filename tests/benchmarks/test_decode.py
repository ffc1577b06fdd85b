"""The decode benchmark times real work: its cases, its own subjects and the comparison with the peers' results."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from benchmarks.decode.captures import Capture, Frames
from benchmarks.decode.evidence import agreement
from benchmarks.decode.own import open_subject
from benchmarks.decode.sorting import Sorter
from benchmarks.decode.targets import BY_FRAME, CRYPTOFEED, ORJSON, WITH_BOOK, of
from tests.exchanges.frames import lines

USDM = Capture("binance_usdm_2021b", "binance", "linear")


@pytest.fixture(scope="module")
def found(captures: Path) -> dict[tuple[str, str], Frames]:
    cases = Sorter(USDM, 200).sort(captures / f"{USDM.name}.jsonl.gz")
    return {(case.way, case.channel): case for case in cases}


def test_frames_are_sorted_by_the_channel_their_stream_names(found: dict[tuple[str, str], Frames]) -> None:
    streams = {"book": "@depth", "trade": "@aggTrade", "bbo": "@bookTicker"}
    for channel, stream in streams.items():
        case = found["hot", channel]
        assert len(case.frames) == 200
        assert all(stream in frame[:60] for _, frame in case.frames)


def test_a_book_case_begins_with_the_frames_that_follow_its_snapshots(
    found: dict[tuple[str, str], Frames], captures: Path
) -> None:
    case = found["hot", "book"]
    assert {seed["symbol"] for seed in case.seeds} == {"BATUSDT", "CTKUSDT", "NEOUSDT", "SANDUSDT", "CHRUSDT"}
    seen: set[str] = set()
    known = {seed["symbol"]: orjson.loads(seed["body"])["lastUpdateId"] for seed in case.seeds}
    for _, text in case.frames:
        data = orjson.loads(text)["data"]
        if data["s"] not in seen:
            assert data["pu"] <= known[data["s"]] < data["u"]
            seen.add(data["s"])
    assert seen == set(known)


def test_our_book_is_the_one_of_an_independent_replay(captures: Path, tmp_path: Path) -> None:
    case = next(
        case for case in Sorter(USDM, 13_000).sort(captures / f"{USDM.name}.jsonl.gz")
        if (case.way, case.channel) == ("hot", "book")
    )  # fmt: skip
    subject = open_subject({"subject": "book", "case": str(case.write(tmp_path))})
    subject.prepare()
    assert subject.run() == len(case.frames)
    whole = subject.evidence()
    last = {point["s"]: point for point in lines(captures / "oracle" / f"books_{USDM.name}.jsonl.gz")}
    assert set(whole) == set(last)
    for symbol, (bids, asks) in whole.items():
        assert [[float(p), float(s)] for p, s in last[symbol]["b"][:5]] == bids
        assert [[float(p), float(s)] for p, s in last[symbol]["a"][:5]] == asks


@pytest.mark.parametrize("subject", ["decode", "publish", "orjson", "msgspec", "msgspec floats"])
@pytest.mark.parametrize("channel", ["book", "trade", "bbo"])
def test_every_subject_goes_over_all_frames(
    found: dict[tuple[str, str], Frames], tmp_path: Path, subject: str, channel: str
) -> None:
    case = found["hot", channel]
    one = open_subject({"subject": subject, "case": str(case.write(tmp_path))})
    one.prepare()
    assert one.run() % len(case.frames) == 0
    one.prepare()
    assert one.run() >= len(case.frames)


def test_who_comes_to_another_result_is_told_what_differs() -> None:
    ours = {"A": [[[1.0, 2.0]], [[3.0, 4.0]]]}
    assert agreement(ours, {"A": [[[1.0, 2.0]], [[3.0, 4.0]]], "B": []}) == ""
    assert agreement(ours, {}) == "nothing of A"
    assert agreement(ours, {"A": [[[1.0, 2.5]], [[3.0, 4.0]]]}).startswith("A: ")
    assert agreement(ours, {"A": [[[1.0, None]], [[3.0, 4.0]]]}) == ""
    assert agreement({}, {}) != ""


def test_the_targets_are_those_the_project_set_itself() -> None:
    spot = {(target.ours, target.peer): target.at_least for target in of("binance_spot_2024", "book", "hot")}
    assert spot == {(WITH_BOOK, CRYPTOFEED): 20.0, (BY_FRAME, ORJSON): 2.5}
    assert [target.at_least for target in of("binance_usdm_2021b", "bbo", "hot")] == [1.5, 1.0]
    assert [round(target.at_least, 3) for target in of("any", "mark_price", "cold")] == [0.333]
