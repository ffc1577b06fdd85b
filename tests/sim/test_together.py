"""Several exchanges on one port, as a collector of all of them is tried against."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import orjson
import pytest
import websockets

from ringcollect.errors import ConfigError
from ringcollect.exchanges import load
from ringcollect.exchanges.protocol import Want
from ringcollect.records import Channel
from ringcollect.sim.faults import parse_faults
from ringcollect.sim.server import Simulator
from ringcollect.sim.solo import KINDS
from ringcollect.sim.together import EXCHANGES, stage_of


async def hear(exchange: str, base: str) -> list[str | bytes]:
    """Ten frames of one book at the address that our exchange module builds on ``base``."""
    module = load(exchange)
    market, symbol = (
        ("spot", "BTCUSDT") if exchange == "binance" else (KINDS[exchange].markets[0], KINDS[exchange].symbols[0])
    )
    (leg,) = module.legs(market, [Want(symbol, Channel.BOOK)], base)
    async with websockets.connect(leg.url, max_size=None) as socket:
        for request in module.subscribe(leg, leg.wants, 1):
            await socket.send(request.text)
        return [await asyncio.wait_for(socket.recv(), 10) for _ in range(10)]


async def hear_all(truth: Path) -> list[list[str | bytes]]:
    simulator = Simulator(stage_of(EXCHANGES, time.time_ns(), rate=2000.0, seed=3, truth=truth))
    await simulator.start()
    try:
        return await asyncio.gather(*(hear(name, simulator.urls("spot")["ws"]) for name in EXCHANGES))
    finally:
        await simulator.stop()


def test_every_exchange_speaks_on_the_same_port_and_all_are_in_one_truth_file(tmp_path: Path) -> None:
    heard = asyncio.run(hear_all(tmp_path / "truth.jsonl"))
    assert [len(frames) for frames in heard] == [10] * len(EXCHANGES)
    lines = [orjson.loads(line) for line in (tmp_path / "truth.jsonl").read_bytes().splitlines()]
    assert sum(line["k"] == "start" for line in lines) == len(EXCHANGES)
    opened = [line["c"] for line in lines if line["k"] == "open"]
    assert sorted(opened) == list(range(len(EXCHANGES)))
    assert {line["c"] for line in lines if line["k"] == "sent"} == set(opened)


def test_symbols_of_several_exchanges_say_whose_they_are() -> None:
    faults = parse_faults("")
    stage_of(("okx", "upbit"), 0, symbols=("okx:BTC-USDT", "upbit:KRW-BTC"), faults=faults)
    with pytest.raises(ConfigError, match="okx:SYMBOL"):
        stage_of(("okx", "upbit"), 0, symbols=("BTC-USDT",), faults=faults)
    with pytest.raises(ConfigError, match="nowhere"):
        stage_of(("nowhere",), 0)
