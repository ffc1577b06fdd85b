"""What is said of the host's clock, and of a hold-back that the network does not keep to, where receive times drive."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ringcollect.records import Flag, Kind
from ringcollect.ring.producer import Producer
from ringcollect.sync.host_clock import HostClock
from ringcollect.sync.settings import Parameters
from ringcollect.sync.worker import open_worker

from .streams import NAN, Stream

MS, SECOND = 10**6, 10**9
MINUTE = 60 * SECOND


def minutes(*delays_ms: np.ndarray, **more: object) -> np.ndarray:
    """One trade for each delay, spread over a minute each, and a first record of the minute after the last."""
    stream = Stream()
    for number, delays in enumerate(delays_ms, 1):
        for i, delay in enumerate(delays):
            recv = number * MINUTE + i * (MINUTE // len(delays))
            stream.trade(recv - int(delay) * MS, recv=recv, **more)
    return stream.time((len(delays_ms) + 1) * MINUTE).array()


def said(records: np.ndarray, hold_back_ms: int, chunk: int = 1000) -> list[str]:
    clock = HostClock(hold_back_ms * MS)
    return [line for i in range(0, len(records), chunk) for line in clock.add(records[i : i + chunk])]


@pytest.mark.parametrize("chunk", [7, 1000])
def test_a_hold_back_below_the_99th_percentile_of_delays_is_said_once(chunk: int) -> None:
    rng = np.random.default_rng(3)
    slow = rng.permutation(np.concatenate([np.full(980, 20), np.full(20, 700)]))  # two of a hundred take 700 ms
    fast = np.full(1000, 20)
    records = minutes(slow, slow, fast, slow)
    lines = said(records, 500, chunk)
    assert [line.split(":")[0] for line in lines] == [
        "sync.hold_back = 500 ms is less than the 701 ms within which 99 % of events arrive"
    ] * 2, "once for two minutes in a row, and again after a good one"
    assert said(records, 1000, chunk) == []


def test_a_clock_behind_the_exchanges_is_said_with_its_least_offset() -> None:
    delays = np.concatenate([np.full(500, -900), np.full(500, -850)])
    (line,) = said(minutes(delays), 1000)
    assert line.startswith("the host's clock is at least 900 ms behind the exchange's")


@pytest.mark.parametrize("flag", [Flag.SNAPSHOT, Flag.BACKFILLED, Flag.BAD_TS, Flag.REST])
def test_what_is_no_news_says_nothing_of_the_clocks(flag: Flag) -> None:
    assert said(minutes(np.full(1000, 5000), flags=Flag.LAST | flag), 100) == []


def test_a_minute_with_few_events_and_states_of_any_age_say_nothing() -> None:
    assert said(minutes(np.full(50, 5000)), 100) == []
    stream = Stream()
    for i in range(1000):
        stream.add(Kind.FUNDING, ts=MINUTE, recv=2 * MINUTE + i, price=0.1, size=NAN)
    assert said(stream.time(3 * MINUTE).array(), 100) == []


@pytest.mark.parametrize("mode", ["external", "trade"])
def test_the_synchronizer_says_it_of_rings_that_receive_times_drive(
    tmp_path: Path, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    ring = Producer.open(tmp_path, "test.rec", generation=1)
    worker = open_worker(tmp_path, "test", "1s", Parameters(grid_ns=SECOND, mode=mode, hold_back_ns=100 * MS))
    records = minutes(np.full(200, 400))
    records["instrument"] = 65535  # of no instrument: only the clocks are looked at
    ring.publish(records)
    while worker.step():
        pass
    lines = [record.getMessage() for record in caplog.records]
    assert any("sync.hold_back = 100 ms" in line and line.startswith("test.1s.row: ") for line in lines) == (
        mode == "external"
    )
