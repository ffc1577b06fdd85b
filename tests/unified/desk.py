"""ccxt's own classes against the simulator on loopback, and what the simulator says it sent."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ringcollect.config import Collector, Config, Market
from ringcollect.config.schema import Ccxt, Storage, Websocket
from ringcollect.decode import skip
from ringcollect.feed.process import run
from ringcollect.records import Kind
from ringcollect.ring import protocol
from ringcollect.ring.attach import attach
from ringcollect.ring.frames import FrameEntry, attach_frames
from ringcollect.sim.faults import parse_faults
from ringcollect.sim.solo import SoloStage
from ringcollect.sim.stage import Stage
from ringcollect.sim.world import Options, World
from tests.feed.loopback import served

LONG = pytest.mark.skipif(not os.environ.get("RINGCOLLECT_CCXT"), reason="long form: RINGCOLLECT_CCXT=1")
"""For tests whose promise a shorter one shows, too."""
Top = tuple[tuple[tuple[float, float], ...], tuple[tuple[float, float], ...]]


@dataclass
class Run:
    """What a run left: records, counters, instruments by market, ledger rows, recorded frames, the truth."""

    folder: Path
    records: np.ndarray
    counters: dict[str, int]
    numbers: dict[str, int]
    ledger: np.ndarray
    entries: list[FrameEntry]

    def of(self, market: str, *kinds: Kind) -> np.ndarray:
        records = self.records[self.records["instrument"] == self.numbers[market]]
        return records[np.isin(records["kind"], kinds)]

    def truth(self, kind: str) -> list[dict[str, Any]]:
        lines = map(json.loads, (self.folder / "truth.jsonl").read_bytes().splitlines())
        return [line for line in lines if line["k"] == kind]


def pointed(exchange: str, host: str, **more: Any) -> Ccxt:
    """ccxt's class pointed at the simulator. Binance's address of spot must hold ``/stream``: by that it is told."""
    rest, socket = f"http://{host}", f"ws://{host}"
    told: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "binance": (
            {"public": f"{rest}/api/v3", "fapiPublic": f"{rest}/fapi/v1",
             "ws": {"spot": f"{socket}/ws/stream", "linear": f"{socket}/ws"}},
            {"fetchMarkets": {"types": ["spot", "linear"]}},
        ),
        "bybit": (
            {"public": rest, "ws": {"public": {m: f"{socket}/v5/public/{m}" for m in ("spot", "linear", "inverse")}}},
            {"fetchMarkets": {"types": ["spot", "linear", "inverse"]}},
        ),
        "kraken": ({"ws": {"publicV2": f"{socket}/v2"}}, {}),
        "okx": ({"rest": rest, "ws": f"{socket}/ws/v5"}, {"fetchMarkets": {"types": ["spot", "swap"]}}),
        "upbit": ({"public": rest, "ws": f"{socket}/websocket/v1"}, {}),
    }  # fmt: skip
    addresses, options = told[exchange]
    return Ccxt(id=exchange, options=options, urls={"api": addresses}, **more)


def collected(
    folder: Path,
    markets: dict[str, tuple[tuple[str, ...], tuple[str, ...]]],
    enough: Callable[[Any], bool],
    *,
    exchange: str = "binance",
    faults: str = "",
    rate: float = 800.0,
    depth: int = 20,
    seconds: float = 20.0,
    record: bool = False,
    data_deadline: str = "30s",
    **more: Any,
) -> Run:
    """Run the feed of ``ccxt_<exchange>`` until ``enough(reader)``; ``markets``: market -> (symbols, channels)."""
    for module in (protocol, skip):
        module.warm()
    truth, name = folder / "truth.jsonl", f"ccxt_{exchange}"

    def stage() -> Stage:
        now, plan = time.time_ns(), parse_faults(faults)
        if exchange == "binance":
            return World(Options(rate=rate, seed=5, faults=plan, truth=truth), now)
        return SoloStage(exchange, now, rate=rate, seed=5, faults=plan, truth=truth)

    with served(stage) as host:
        config = Config(
            collector=Collector(data=str(folder / "data"), runtime_dir=str(folder / "run")),
            markets=tuple(
                Market(exchange=name, market=market, symbols=symbols, channels=channels, depth=depth)
                for market, (symbols, channels) in markets.items()
            ),
            ccxt=(pointed(exchange, host, **more),),
            storage=Storage(record_frames=record),
            websocket=Websocket(retry_first="100ms", open_interest_poll="1s", data_deadline=data_deadline),
        )
        ring = config.runtime_path() / f"{name}.rec.ring"
        deadline = time.monotonic() + seconds
        readers: list[Any] = []

        def stop() -> bool:
            if not readers and ring.exists():
                readers.append(attach(ring))
            return time.monotonic() > deadline or (bool(readers) and enough(readers[0]))

        run(config, name, stop)
    reader = attach(ring)
    reader.cursor = 0
    frames = attach_frames(config.runtime_path() / f"{name}.frm.ring")
    frames.ring.cursor = 0
    numbers = {one.market: one.number for one in reader.instruments() if one.status == "trading"}
    return Run(
        folder, reader.read(1 << 20).records, dict(reader.counters), numbers, reader.ledger.rows(),
        frames.read(1 << 14)[0],
    )  # fmt: skip


def batches(records: np.ndarray) -> Iterator[np.ndarray]:
    """Records of one instrument and kind, cut behind each LAST."""
    ends = np.flatnonzero(records["flags"] & 1) + 1
    yield from np.split(records, ends)[:-1]


def top_of(batch: np.ndarray) -> Top:
    """(bids, asks) of a book in records, as pairs of price and size."""
    sides = [batch[batch["side"] == side] for side in (1, -1)]
    bids, asks = (tuple(zip(side["price"].tolist(), side["size"].tolist(), strict=True)) for side in sides)
    return bids, asks


def sent_books(run: Run, market: str, symbol: str, depth: int) -> dict[int, set[Top]]:
    """Event time in ms (0: of a REST snapshot) -> the books that a reader of what was sent has had, slowly.

    Each connection's depth events are applied to each snapshot by their ids alone.
    """
    path = "/api/v3/depth" if market == "spot" else "/fapi/v1/depth"
    events = [json.loads(line["f"]) for line in run.truth("sent") if '"depthUpdate"' in line["f"]]
    events = sorted((e for e in events if e["s"] == symbol and ("pu" in e) == (market != "spot")), key=lambda e: e["u"])
    found: dict[int, set[Top]] = {0: set()}
    for line in run.truth("rest"):
        if not line["u"].startswith(path) or f"symbol={symbol}" not in line["u"] or line["status"] != 200:
            continue
        body = json.loads(line["f"])
        sides = [{float(p): float(q) for p, q in body[side]} for side in ("bids", "asks")]
        for told in (0, body.get("T"), body.get("E")):  # which of them ccxt takes for the book's
            found.setdefault(told, set()).add(_top(sides, depth))
        for event in events:
            if event["u"] < body["lastUpdateId"]:  # an equal one changes nothing but the time
                continue
            for side, levels in zip(sides, (event["b"], event["a"]), strict=True):
                for price, size in levels:
                    side[float(price)] = float(size)
                    if float(size) == 0:
                        side.pop(float(price), None)
            found.setdefault(event["E"], set()).add(_top(sides, depth))
    return found


def sent_kraken_books(run: Run, symbol: str, depth: int) -> dict[int, set[Top]]:
    """As :func:`sent_books` of Kraken v2: each connection's snapshot and updates, cut to ``depth`` after each."""
    found: dict[int, set[Top]] = {}
    sides: dict[int, list[dict[float, float]]] = {}
    for line in run.truth("sent"):
        message = json.loads(line["f"])
        if message.get("channel") != "book" or message["data"][0]["symbol"] != symbol:
            continue
        [data] = message["data"]
        if message["type"] == "snapshot":
            sides[line["c"]] = [{}, {}]
        held = sides[line["c"]]
        for side, levels in zip(held, (data["bids"], data["asks"]), strict=True):
            side.update({level["price"]: level["qty"] for level in levels})
        top = _top([{p: q for p, q in side.items() if q} for side in held], depth)
        sides[line["c"]] = [dict(side) for side in top]
        moment = datetime.fromisoformat(data["timestamp"]) if "timestamp" in data else None
        for told in {0, 0 if moment is None else int(moment.timestamp() * 1_000_000) // 1000}:
            found.setdefault(told, set()).add(top)
    return found


def _top(sides: list[dict[float, float]], depth: int) -> Top:
    bids, asks = sides
    return tuple(sorted(bids.items(), reverse=True)[:depth]), tuple(sorted(asks.items())[:depth])
