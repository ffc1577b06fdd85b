"""``examples/config/ccxt.toml`` runs, with its class replaced by one whose exchange is simulated."""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ringcollect.config import parse
from ringcollect.decode import skip
from ringcollect.feed.ledger import State
from ringcollect.feed.process import run
from ringcollect.ring import protocol
from ringcollect.ring.attach import attach
from ringcollect.sim.world import Options, World
from tests.feed.loopback import served
from tests.unified.desk import pointed

EXAMPLE = Path(__file__).parents[2] / "examples" / "config" / "ccxt.toml"


@pytest.mark.skipif(find_spec("ccxt") is None, reason="not installed: pip install 'ringcollect[ccxt]'")
def test_every_stream_of_the_example_flows(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path / "budget"))
    for module in (protocol, skip):
        module.warm()  # nothing is compiled while a socket is open
    config = parse(EXAMPLE.read_text().replace("kucoin", "binance")).config
    with served(lambda: World(Options(rate=800.0, seed=5), time.time_ns())) as host:
        [told] = config.ccxt
        there = pointed("binance", host, trades_limit=told.trades_limit)
        places = {"data": str(tmp_path / "data"), "runtime_dir": str(tmp_path / "run")}
        config = msgspec.structs.replace(
            config, ccxt=(there,), collector=msgspec.structs.replace(config.collector, **places)
        )
        [exchange] = config.exchanges()
        ring = config.runtime_path() / f"{exchange}.rec.ring"
        deadline = time.monotonic() + 20
        seen: list[bool] = []
        readers: list[Any] = []

        def stop() -> bool:
            if not readers and ring.exists():
                readers.append(attach(ring))
            if readers:
                states = readers[0].ledger.rows()["state"]
                seen.append(len(states) == 6 and bool((states == State.FLOWING).all()))
            return time.monotonic() > deadline or any(seen)

        run(config, exchange, stop)
    assert any(seen)
