"""The child's main against a simulated Binance that lists and delists: real sockets, a real timer."""

from __future__ import annotations

import time

import numpy as np
import pytest

from ringcollect.config import Websocket
from ringcollect.exchanges import binance
from ringcollect.records import Kind, Status
from ringcollect.sim.faults import parse_faults
from ringcollect.sim.world import Options, World
from tests.feed.loopback import collected_from, served

MARKETS = {"spot": (("*USDT",), ("trade",))}


@pytest.fixture(autouse=True)
def _own_budget(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path / "budget"))


def test_a_new_listing_is_collected_and_a_delisting_is_written_down(tmp_path):
    faults = parse_faults("list=SOLUSDT@3s,delist=ETHUSDT@6s")
    said: dict[int, list[int]] = {Status.INSTRUMENT_NEW: [], Status.INSTRUMENT_GONE: []}
    traded: set[int] = set()

    def enough(reader, config) -> bool:
        records = reader.read(1 << 16).records
        told = records[records["kind"] == Kind.STATUS]
        for code, numbers in said.items():
            numbers += told[told["sub"] == code]["instrument"].tolist()
        traded.update(np.unique(records[records["kind"] == Kind.TRADE]["instrument"]).tolist())
        return bool(said[Status.INSTRUMENT_GONE]) and len(traded) == 3

    options = Options(spot=("BTCUSDT", "ETHUSDT"), linear=("BTCUSDT",), rate=600.0, seed=5, faults=faults)
    binance.warm()  # before anybody's clock runs
    with served(lambda: World(options, time.time_ns())) as host:
        _, counters, instruments = collected_from(
            host, tmp_path, "binance", MARKETS, enough, websocket=Websocket(instruments_refresh="1s"), seconds=20.0
        )
    numbers = {instrument.symbol: instrument.number for instrument in instruments}
    assert numbers.keys() == {"BTCUSDT", "ETHUSDT", "SOLUSDT"} and traded == set(numbers.values())
    assert said == {
        Status.INSTRUMENT_NEW: [numbers["BTCUSDT"], numbers["ETHUSDT"], numbers["SOLUSDT"]],
        Status.INSTRUMENT_GONE: [numbers["ETHUSDT"]],
    }
    assert counters["reconnects"] == counters["rejected"] == counters["rest_errors"] == 0
