"""Captures with two markets, without URLs, with bad lines, with frames of every kind other projects kept."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from ringcollect.errors import ConfigError, NotFoundError
from tests.replay import lake, oracle
from tests.replay.run import cut, replayed

pytestmark = pytest.mark.usefixtures("sealed_here")

SECOND = 1_000_000_000


def write(path: Path, lines: list[dict]) -> Path:
    with gzip.open(path, "wt") as file:
        for line in lines:
            file.write(json.dumps(line) + "\n")
    return path


def test_one_capture_may_hold_both_markets_and_each_connection_keeps_its_number(captures: Path, tmp_path: Path) -> None:
    """The same symbol in both markets is two instruments; nothing of one market gets into the other."""
    lines = []
    for name, conn in (("binance_spot_2021", 3), ("binance_usdm_2021b", 8)):
        for number, line in enumerate(oracle.json_lines(captures / f"{name}.jsonl.gz")):
            if number < 600:
                moved = line["t"] if conn == 3 else line["t"] - 1617647796769690000 + 1633998511200000000
                lines.append(line | {"t": moved, "c": conn if line["c"] >= 0 else -1})
    lines.sort(key=lambda line: line["t"])
    data = tmp_path / "lake"
    assert replayed(write(tmp_path / "both.jsonl.gz", lines), data).problems() == []
    expected = {("spot", "NKNUSDT"): 3, ("linear", "BATUSDT"): 8}
    for (market, symbol), conn in expected.items():
        rows = lake.table(data, "raw", "orderbooks", symbol, market)
        assert rows is not None
        assert set(rows["conn"].to_pylist()) == {conn}
        other = lake.table(data, "raw", "orderbooks", symbol, "linear" if market == "spot" else "spot")
        assert other is not None
        assert len(other) == 0


def test_a_capture_without_urls_and_flags_says_what_is_missing(captures: Path, tmp_path: Path) -> None:
    capture = cut(captures / "binance_spot_2024.jsonl.gz", tmp_path / "c.jsonl.gz", 5)
    with pytest.raises(ConfigError, match=r"c\.jsonl\.gz:1: .*connection 0.*--exchange.*--market"):
        replayed(capture, tmp_path / "lake")


def test_a_market_the_exchange_does_not_have_is_refused_by_name(captures: Path, tmp_path: Path) -> None:
    capture = cut(captures / "binance_spot_2024.jsonl.gz", tmp_path / "c.jsonl.gz", 5)
    with pytest.raises(ConfigError, match=r"spot, linear.*'option'"):
        replayed(capture, tmp_path / "lake", market="option")


def test_a_capture_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        replayed(tmp_path / "nowhere.jsonl", tmp_path / "lake", market="spot")


def test_an_empty_capture_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    report = replayed(write(tmp_path / "empty.jsonl.gz", []), tmp_path / "lake", market="spot")
    assert report.problems() == [f"{tmp_path / 'empty.jsonl.gz'}: nothing to replay"]


def test_bad_lines_are_named_and_everything_else_is_replayed(captures: Path, tmp_path: Path) -> None:
    good = cut(captures / "binance_spot_2024.jsonl.gz", tmp_path / "good.jsonl.gz", 300)
    with gzip.open(good, "rt") as file:
        lines = file.read().splitlines()
    lines[100:100] = ['{"t": 1, "c": 0', '{"t":"soon","c":0,"d":"in","f":""}']
    bad = tmp_path / "bad.jsonl.gz"
    bad.write_bytes(gzip.compress("\n".join(lines).encode()))
    reports = [replayed(path, tmp_path / path.stem, market="spot") for path in (good, bad)]
    assert reports[0].problems() == []
    assert reports[1].bad_lines == 2
    assert [":101: " in reports[1].errors[0], ":102: " in reports[1].errors[1]] == [True, True]
    assert reports[0].exchanges[0].stored == reports[1].exchanges[0].stored


@pytest.mark.parametrize(("name", "market"), [("frames_binance_spot", "spot"), ("frames_binance_usdm", "linear")])
def test_a_session_survives_every_single_frame_and_accounts_for_it(
    captures: Path, tmp_path: Path, name: str, market: str
) -> None:
    """Unrelated frames of many years, some edited: decoded, control, ignored or rejected, never lost, never fatal."""
    frames = list(oracle.json_lines(captures / f"{name}.jsonl.gz"))
    start = 1_700_000_000 * SECOND
    lines = [{"t": start + number * SECOND, "c": 0, "d": "in", "f": frame["f"]} for number, frame in enumerate(frames)]
    report = replayed(write(tmp_path / "frames.jsonl.gz", lines), tmp_path / "lake", market=market)
    counters = report.exchanges[0].counters
    assert counters["frames_in"] == len(frames)
    assert counters["frames_in"] == sum(counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    assert counters["decoded"] > len(frames) // 3
    assert not any(report.exchanges[0].lost.values())


@pytest.mark.parametrize(("name", "market"), [("frames_binance_spot", "spot"), ("frames_binance_usdm", "linear")])
def test_each_single_frame_alone_is_accounted_for(captures: Path, tmp_path: Path, name: str, market: str) -> None:
    """One by one, each as the first thing a fresh session ever sees."""
    from tests.replay.alone import first_frame

    for number, frame in enumerate(oracle.json_lines(captures / f"{name}.jsonl.gz")):
        counters = first_frame(frame["f"].encode(), market, tmp_path / str(number))
        assert counters["frames_in"] == 1
        assert sum(counters[n] for n in ("decoded", "control", "ignored", "rejected")) == 1


def test_klines_are_ignored_not_rejected(captures: Path, tmp_path: Path) -> None:
    capture = captures / "binance_spot_2021.jsonl.gz"
    klines = sum("@kline" in line["f"][:40] for line in oracle.json_lines(capture) if line["d"] == "in")
    report = replayed(capture, tmp_path)
    counters = report.exchanges[0].counters
    assert klines > 0
    assert (counters["ignored"], counters["rejected"]) == (klines, 0)


def test_a_connection_that_goes_down_and_comes_back_voids_its_books_until_the_next_snapshot(
    captures: Path, tmp_path: Path
) -> None:
    """Nobody knows what was missed: said per stream in ``status``, and no delta is applied before a new base."""
    lines = list(oracle.json_lines(captures / "binance_spot_2021.jsonl.gz"))
    opened = next(line for line in lines if line["d"] == "out")
    at = 150
    down = {"t": lines[at]["t"] - 2000, "c": 0, "d": "close", "s": 1006, "f": "reset"}
    again = opened | {"t": lines[at]["t"] - 1000}
    capture = write(tmp_path / "c.jsonl.gz", [*lines[:at], down, again, *lines[at:]])
    report = replayed(capture, tmp_path / "lake")
    assert report.exchanges[0].counters["seq_gaps"] == 0
    rows = lake.table(tmp_path / "lake", "raw", "orderbooks", "NKNUSDT", "spot")
    assert rows is not None
    pairs = list(zip(rows["ts_recv"].to_pylist(), rows["flags"].to_pylist(), strict=True))
    assert any(ts < down["t"] and not flags & lake.UNSYNCED for ts, flags in pairs)
    assert all(flags & lake.UNSYNCED for ts, flags in pairs if ts > again["t"])
    status = lake.table(tmp_path / "lake", "raw", "status", "NKNUSDT", "spot")
    assert status is not None
    disconnected = [row for row in status.to_pylist() if row["code"] == 5]
    assert {row["channel"] for row in disconnected} >= {1, 3}
    assert {row["ts_recv"] for row in disconnected} == {down["t"]}
