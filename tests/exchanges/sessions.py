"""A capture through a passive session into a ring, with its kernel or without, and the records that came of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from ringcollect.exchanges import load
from ringcollect.exchanges.hot import no_kernel
from ringcollect.feed.counters import FEED_COUNTERS
from ringcollect.feed.plan import MarketPlan, Options, Plan
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.records import Kind, Status
from ringcollect.ring.attach import attach
from ringcollect.ring.producer import Producer
from tests.exchanges.frames import lines


class Run(NamedTuple):
    """What a session made of a capture. ``upto``: of each line of the capture, how many records there were after it."""

    records: np.ndarray
    counters: dict[str, int]
    registry: Registry
    upto: dict[int, int]
    hot: int


def run(capture: Path, exchange: str, folder: Path, *, kernel: bool = True) -> Run:
    """Every line of ``capture`` at its time, timers too; ``kernel`` False sends every frame the typed way."""
    module: Any = load(exchange)
    hot = 0

    def on_hot(frames: list[bytes], ctx: np.ndarray, ts_recv: int) -> int:
        nonlocal hot
        done: int = module.on_hot_frames(frames, ctx, ts_recv) if kernel else no_kernel(frames, ctx, ts_recv)
        hot += done
        return done

    ring = Producer.open(
        folder, f"{exchange}.rec", capacity=1 << 17, generation=1, counters=FEED_COUNTERS, ledger_rows=256
    )  # fmt: skip
    registry = Registry(folder / "instruments.jsonl", exchange)
    plan = Plan(
        exchange=exchange,
        markets=(MarketPlan(market=module.markets[0]),),
        options=Options(discover=True, tick_ns=60 * 10**9),
    )
    venue: Any = SimpleNamespace(**{name: getattr(module, name) for name in module.__all__})
    venue.on_hot_frames = on_hot
    session = Session(plan, venue, registry, ring)
    reader = attach(ring.path)
    reader.cursor = 0
    parts: list[np.ndarray] = []

    def drain(least: int) -> None:
        if ring.head - reader.cursor >= least:
            read = reader.read(1 << 17)
            assert read.lost[0] == read.lost[1]
            ticks = (read.records["kind"] == Kind.STATUS) & (read.records["sub"] == Status.TICK)
            parts.append(read.records[~ticks] if least else read.records)

    upto: dict[int, int] = {}
    t = 0
    for i, line in enumerate(lines(capture)):
        t = line["t"]
        if not i:
            session.start(t)
        while (due := session.next_deadline()) <= t:
            session.timer(due)
            drain(least=1 << 16)  # a capture may sleep for a day: a ring does not hold its ticks
        if line["d"] == "in":
            session.frame(line["c"], line["f"].encode(), t, 1)
        elif line["d"] == "rest":
            session.rest_seen(line["u"], 200, line["f"].encode(), t)
        elif line["d"] == "out" and not line["f"]:
            session.open(line["c"], line["u"], t)
        session.actions()
        upto[i] = ring.counters["records"]
    session.stop(t)
    drain(least=0)
    counters = dict(ring.counters)
    ring.close()
    return Run(np.concatenate(parts), counters, registry, upto, hot)
