"""Faults: each does what it says, is written down, and is the same for the same seed."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ringcollect.errors import ConfigError
from ringcollect.sim.faults import Silence, parse_faults
from tests.sim.book import Book, Gap
from tests.sim.desk import MS, SECOND, Desk, Line, truth_lines

STREAMS = "btcusdt@trade/btcusdt@depth@100ms/btcusdt@bookTicker"


def _run(tmp_path: Path, faults: str, *targets: str, seconds: int = 10, **options: Any) -> tuple[list[Line], Path]:
    truth = tmp_path / "truth.jsonl"
    desk = Desk(faults, truth=truth, **options)
    lines = [desk.open(target) for target in targets or (f"/stream?streams={STREAMS}",)]
    desk.run(seconds * SECOND)
    desk.finish()
    return lines, truth


def _faults(truth: Path, name: str) -> list[dict[str, Any]]:
    return [line for line in truth_lines(truth, "fault") if line["fault"] == name]


def _genuine(tmp_path: Path, **options: Any) -> list[str]:
    folder = tmp_path / "genuine"
    folder.mkdir(exist_ok=True)
    return _run(folder, "", **options)[0][0].texts


def test_a_plan_is_read_with_defaults_and_durations() -> None:
    plan = parse_faults("drop=0.25, dup ,cut=90s,half_open,silent=btcusdt@trade:5s,silent=*@depth*")
    assert (plan.drop, plan.dup, plan.cut, plan.half_open) == (0.25, 0.001, 90 * SECOND, 10 * SECOND)
    assert plan.silent == (Silence("btcusdt@trade", 5 * SECOND), Silence("*@depth*", 0))
    assert parse_faults("") == parse_faults(" , ")


def test_every_mistake_in_a_plan_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        parse_faults("drop=2,tornado=1,cut=60,dup=often,silent=")
    for named in ("drop=2", "tornado", "cut=60", "dup=often", "silent="):
        assert named in str(refused.value)


def test_dropped_frames_are_the_difference(tmp_path: Path) -> None:
    (line,), truth = _run(tmp_path, "drop=0.1")
    genuine = _genuine(tmp_path)
    withheld = [fault["f"] for fault in _faults(truth, "drop")]
    assert 0.05 < len(withheld) / len(genuine) < 0.15
    assert Counter(genuine) == Counter(line.texts) + Counter(withheld)
    assert line.texts == [row["f"] for row in truth_lines(truth, "sent")]


def test_two_connections_lose_different_frames(tmp_path: Path) -> None:
    (one, two), _ = _run(tmp_path, "drop=0.1", f"/stream?streams={STREAMS}", f"/stream?streams={STREAMS}")
    genuine = _genuine(tmp_path)
    missing = [set(genuine) - set(line.texts) for line in (one, two)]
    assert all(missing)
    both = len(missing[0] & missing[1])
    assert both < 0.3 * len(missing[0])


def test_a_gap_reaches_no_connection_and_breaks_the_chain(tmp_path: Path) -> None:
    (one, two), truth = _run(tmp_path, "gap=0.1", f"/stream?streams={STREAMS}", f"/stream?streams={STREAMS}")
    lost = _faults(truth, "gap")
    assert lost
    assert one.texts == two.texts
    assert {fault["stream"] for fault in lost} == {"btcusdt@depth@100ms"}
    events = one.data("btcusdt@depth@100ms")
    assert any(b["U"] != a["u"] + 1 for a, b in pairwise(events))
    everything = sorted(events + [json.loads(fault["f"]) for fault in lost], key=lambda event: event["u"])
    assert all(b["U"] == a["u"] + 1 for a, b in pairwise(everything))


def test_doubled_frames_come_twice_in_a_row(tmp_path: Path) -> None:
    (line,), truth = _run(tmp_path, "dup=0.1")
    genuine = _genuine(tmp_path)
    doubled = [a for a, b in pairwise(line.texts) if a == b]
    assert doubled == [fault["f"] for fault in _faults(truth, "dup")]
    assert len(line.texts) == len(genuine) + len(doubled)
    assert list(dict.fromkeys(line.texts)) == genuine


def test_reordered_frames_come_after_the_one_that_follows_them(tmp_path: Path) -> None:
    (line,), truth = _run(tmp_path, "reorder=0.1")
    genuine = _genuine(tmp_path)
    moved = {fault["f"] for fault in _faults(truth, "reorder")}
    assert moved
    assert Counter(line.texts) == Counter(genuine)
    assert line.texts != genuine
    assert [text for text in line.texts if text not in moved] == [text for text in genuine if text not in moved]
    place = {text: at for at, text in enumerate(line.texts)}
    for before, after in pairwise(genuine):
        if before in moved and after not in moved:
            assert place[before] == place[after] + 1


def test_garbage_comes_on_top_of_what_is_genuine(tmp_path: Path) -> None:
    (line,), truth = _run(tmp_path, "garbage=0.1")
    genuine = _genuine(tmp_path)
    told = _faults(truth, "garbage")
    assert Counter(line.texts) == Counter(genuine) + Counter(fault["f"] for fault in told if "f" in fault)
    assert line.binary == [bytes.fromhex(fault["x"]) for fault in told if "x" in fault]
    assert line.binary
    assert len({fault.get("f", "")[:12] for fault in told}) > 5
    for fault in told:
        assert "f" not in fault or fault["f"] not in genuine


def test_the_same_seed_does_the_same_whatever_else_is_subscribed(tmp_path: Path) -> None:
    plan = "drop=0.05,dup=0.05,reorder=0.05,garbage=0.05,gap=0.05"

    def run(name: str, *more: str, seed: int = 1) -> list[tuple[Any, ...]]:
        folder = tmp_path / name
        folder.mkdir()
        _, truth = _run(folder, plan, f"/stream?streams={STREAMS}", *more, seed=seed)
        return [(f["fault"], f.get("f"), f.get("x")) for f in truth_lines(truth, "fault") if f["c"] in (0, -1)]

    alone = run("alone")
    assert len(alone) > 50
    assert alone == run("again")
    assert alone == run("with others", "/stream?streams=btcusdt@trade")
    assert alone != run("another seed", seed=2)


def test_a_silent_stream_is_acked_and_sends_nothing(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    desk = Desk("silent=btcusdt@trade", truth=truth)
    line = desk.open("/stream")
    line.send({"method": "SUBSCRIBE", "params": STREAMS.split("/"), "id": 1})
    desk.run(5 * SECOND)
    desk.finish()
    assert line.frames()[0] == {"result": None, "id": 1}
    assert {frame["stream"] for frame in line.frames()[1:]} == {"btcusdt@depth@100ms", "btcusdt@bookTicker"}
    assert {fault["stream"] for fault in _faults(truth, "silent")} == {"btcusdt@trade"}


def test_a_stream_that_falls_silent_wakes_when_it_is_subscribed_again() -> None:
    desk = Desk("silent=btcusdt@depth@100ms:2s")
    line = desk.open("/stream?streams=btcusdt@depth@100ms")

    def heard() -> int:
        at = len(line.texts)
        desk.run(1 * SECOND)
        return len(line.texts) - at

    assert [heard() > 2 for _ in range(4)] == [True, True, False, False]
    line.send({"method": "UNSUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 1})
    line.send({"method": "SUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 2})
    assert heard() > 2


def test_a_swallowed_request_has_no_answer_and_no_effect(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    desk = Desk("ack_swallow=1", truth=truth)
    line = desk.open("/stream")
    line.send({"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1})
    desk.run(3 * SECOND)
    desk.finish()
    assert line.texts == []
    assert len(_faults(truth, "ack_swallow")) == 1


def test_half_open_takes_the_first_connection_of_a_path_and_says_nothing(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    desk = Desk("half_open=2s", truth=truth)
    first, second = (desk.open(f"/stream?streams={STREAMS}") for _ in range(2))
    other = desk.open("/public/stream?streams=btcusdt@depth@100ms")
    desk.run(2 * SECOND)
    at = [len(line.texts) for line in (first, second, other)]
    desk.run(3 * SECOND)
    desk.finish()
    assert len(first.texts) == at[0]
    assert not first.peer.closed
    assert len(second.texts) > at[1]
    assert len(other.texts) == at[2]
    first.send({"method": "LIST_SUBSCRIPTIONS", "id": 1})
    assert len(first.texts) == at[0]


def test_slow_is_late_by_that_much_and_in_order(tmp_path: Path) -> None:
    (line,), truth = _run(tmp_path, "slow=500ms", seconds=5)
    genuine = _genuine(tmp_path, seconds=5)
    assert line.texts == genuine[: len(line.texts)]
    assert len(line.texts) < len(genuine)
    for row in truth_lines(truth, "sent"):
        data = json.loads(row["f"])["data"]
        if "E" in data:
            assert 499 <= row["t"] // MS - data["E"] <= 520


def test_a_cut_comes_at_its_age() -> None:
    desk = Desk("cut=3s")
    line = desk.open("/stream")
    desk.run(3 * SECOND - 10 * MS)
    assert not line.peer.closed
    desk.run(10 * MS)
    assert (line.peer.closed, line.peer.close_code) == (True, 1001)


def test_a_shutdown_is_announced_on_spot_without_being_subscribed() -> None:
    desk = Desk("shutdown=2s")
    combined, raw, linear = desk.open("/stream"), desk.open("/ws"), desk.open("/public/stream")
    desk.run(3 * SECOND)
    (notice,) = combined.frames()
    assert (notice["stream"], notice["data"]["e"]) == ("!serverShutdown", "serverShutdown")
    assert raw.frames()[0]["e"] == "serverShutdown"
    assert linear.texts == []
    assert not combined.peer.closed
    desk.run(5 * SECOND)
    assert combined.peer.closed
    assert not linear.peer.closed


def test_refused_requests_say_when_to_come_back(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    desk = Desk("http_429=0.5", truth=truth)
    answers = [desk.world.get("/api/v3/depth?symbol=BTCUSDT", desk.now) for _ in range(200)]
    desk.finish()
    refused = [answer for answer in answers if answer is not None and answer.status == 429]
    assert 60 < len(refused) < 140
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    assert len(_faults(truth, "http_429")) == len(refused)


@pytest.mark.parametrize(
    ("prefix", "limit", "weight", "budget"), [("/api/v3", 1000, 50, 6000), ("/fapi/v1", 1000, 20, 2400)]
)
def test_the_weight_budget_is_the_venues_and_refills_each_minute(
    prefix: str, limit: int, weight: int, budget: int
) -> None:
    desk = Desk(rate=1.0)
    target = f"{prefix}/depth?symbol=BTCUSDT&limit={limit}"
    for number in range(budget // weight):
        answer = desk.world.get(target, desk.now)
        assert answer is not None
        assert (answer.status, answer.headers["X-MBX-USED-WEIGHT-1M"]) == (200, str((number + 1) * weight))
    answer = desk.world.get(target, desk.now)
    assert answer is not None
    assert (answer.status, json.loads(answer.body)["code"]) == (429, -1003)
    after_s = int(answer.headers["Retry-After"])
    assert 0 < after_s <= 60
    assert desk.world.get(target, desk.now + after_s * SECOND).status == 200  # type: ignore[union-attr]


def test_refusals_have_the_documented_codes() -> None:
    desk = Desk()
    for target, status, code in (
        ("/api/v3/depth?symbol=NOSUCH", 400, -1121),
        ("/api/v3/depth", 400, -1102),
        ("/fapi/v1/depth?symbol=BTCUSDT&limit=7", 400, -4021),
        ("/api/v3/depth?symbol=BTCUSDT&limit=6000", 400, -1130),
        ("/api/v3/historicalTrades?symbol=BTCUSDT&fromId=x", 400, -1100),
    ):
        answer = desk.get(target)
        assert (answer.status, json.loads(answer.body)["code"]) == (status, code), target
    assert desk.get("/api/v3/nosuch").status == 404


def test_an_old_snapshot_cannot_be_bridged_and_a_fresh_one_can() -> None:
    desk = Desk("snapshot_old=0.5")
    desk.run(10 * SECOND)
    line = desk.open("/stream?streams=btcusdt@depth@100ms")
    desk.run(1 * SECOND)
    bodies = [desk.get("/api/v3/depth?symbol=BTCUSDT&limit=5000") for _ in range(20)]
    desk.run(2 * SECOND)
    bridged = []
    for body in bodies:
        book = Book(linear=False)
        book.load(json.dumps(body))
        try:
            for event in line.data("btcusdt@depth@100ms"):
                book.event(event)
        except Gap:
            bridged.append(False)
        else:
            bridged.append(book.bridged)
    assert set(bridged) == {True, False}
