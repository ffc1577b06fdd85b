"""What one socket read brought may come in any cut: the ring, the counters and the recorded frames are the same."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ringcollect.exchanges import load
from ringcollect.feed.counters import FEED_COUNTERS
from ringcollect.feed.plan import MarketPlan, Options, Plan
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.ring.attach import attach
from ringcollect.ring.producer import Producer


class FrameLog:
    """A frame ring that forgets nothing."""

    def __init__(self) -> None:
        self.entries: list[tuple[Any, ...]] = []

    def publish(self, *entry: Any, **more: Any) -> int:
        self.entries.append((*entry, more))
        return len(self.entries)


def reads(captures: Path, name: str, most: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The capture as socket reads of up to 40 frames, here and there with garbage among them."""
    rng = random.Random(9)
    run: list[dict[str, Any]] = []
    with gzip.open(captures / f"{name}.jsonl.gz", "rt") as file:
        for line in map(json.loads, islice(file, most)):
            if line["d"] == "in":
                if rng.random() < 0.02:
                    run.append(line | {"f": rng.choice(["garbage", '{"result":null,"id":7}', line["f"][:-1]])})
                run.append(line)
            if run and (line["d"] != "in" or len(run) >= rng.randrange(1, 40)):
                yield "in", run
                run = []
            if line["d"] != "in":
                yield line["d"], [line]
    yield "in", run


def run_of(captures: Path, name: str, market: str, folder: Path, cut: int, record: bool) -> tuple[Any, ...]:
    """Everything the session leaves behind when frames come ``cut`` at a time (0: as they were read)."""
    ring = Producer.open(folder, "binance.rec", capacity=1 << 19, generation=1, counters=FEED_COUNTERS, ledger_rows=256)
    log = FrameLog()
    options = Options(discover=True, record_frames=record)
    plan = Plan(exchange="binance", markets=(MarketPlan(market=market),), options=options)
    session = Session(plan, load("binance"), Registry(None, "binance"), ring, log)  # type: ignore[arg-type]
    started = False
    now = 0
    for kind, lines in reads(captures, name, 9_000):
        if not lines:
            continue
        now = lines[0]["t"]
        if not started:
            session.start(now)
            started = True
        while (due := session.next_deadline()) <= now:
            session.timer(due)
        if kind == "in":
            payloads = [line["f"].encode() for line in lines]
            step = cut or len(payloads)
            for at in range(0, len(payloads), step):
                session.frames(lines[0]["c"], payloads[at : at + step], now)
        elif kind == "rest":
            session.rest_seen(lines[0]["u"], 200, lines[0]["f"].encode(), now)
        session.actions()
    session.stop(now)
    reader = attach(ring.path)
    reader.cursor = 0
    records = reader.read(1 << 19).records.tobytes()
    counters = {name: ring.counters[name] for name in FEED_COUNTERS}
    ring.close()
    return records, counters, log.entries


@pytest.mark.parametrize("record", [False, True])
@pytest.mark.parametrize(("name", "market"), [("binance_usdm_2021b", "linear"), ("binance_spot_2024", "spot")])
def test_however_the_frames_of_a_read_are_cut_the_same_bytes_are_left(captures, tmp_path, name, market, record):
    single = run_of(captures, name, market, tmp_path / "1", 1, record)
    assert single[1]["rejected"] > 20
    assert single[1]["decoded"] > 5_000
    for cut in (0, 7):
        assert run_of(captures, name, market, tmp_path / str(cut), cut, record) == single


def test_frames_that_the_kernel_refuses_cost_the_same_however_many_came_together(tmp_path: Path) -> None:
    handed = 0
    module: Any = load("binance")
    venue: Any = SimpleNamespace(**{name: getattr(module, name) for name in module.__all__})

    def count(frames: list[bytes], ctx: Any, ts_recv: int) -> int:
        nonlocal handed
        handed += len(frames)
        return int(module.on_hot_frames(frames, ctx, ts_recv))

    venue.on_hot_frames = count
    ring = Producer.open(tmp_path, "binance.rec", capacity=1 << 12, generation=1, counters=FEED_COUNTERS)
    plan = Plan(exchange="binance", markets=(MarketPlan(market="spot"),), options=Options(discover=True))
    session = Session(plan, venue, Registry(None, "binance"), ring)
    now = 1_700_000_000_000_000_000
    session.start(now)
    session.open(0, "wss://stream.binance.com:9443/stream?streams=btcusdt@trade", now)
    session.frames(0, [b'{"result":null,"id":7}'] * 2000, now)
    frames_in = ring.counters["frames_in"]
    ring.close()
    assert frames_in == 2000
    assert 2000 <= handed <= 2000 * 65
