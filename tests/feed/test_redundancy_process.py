"""The child's main with two legs against the simulated Binance, each of whose connections loses other frames."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from ringcollect.config import Websocket
from ringcollect.feed.process import run
from ringcollect.records import Flag, Kind
from ringcollect.ring.attach import attach
from ringcollect.sim.peer import Peer
from tests.feed.script import BookOf
from tests.feed.test_process import Until, config_for, simulated


@pytest.fixture(autouse=True)
def _own_budget(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path / "budget"))


def test_what_one_leg_loses_the_other_brings_over_real_sockets(tmp_path, monkeypatch):
    deliver, opened = Peer.deliver, time.time_ns()

    def lossy(self, stream: str, key: int, text: str, now_ns: int) -> None:
        settled = now_ns - opened > 1_500_000_000  # both legs have brought every stream
        if not settled or (key + self.number) % 12:  # each connection loses others
            deliver(self, stream, key, text, now_ns)

    monkeypatch.setattr(Peer, "deliver", lossy)
    with simulated(tmp_path / "truth.jsonl") as host:
        config = config_for(tmp_path, host, websocket=Websocket(open_interest_poll="1s", redundancy=2))
        run(config, "binance", Until(config, lambda reader: reader.head > 9000))
    reader = attach(config.runtime_path() / "binance.rec.ring")
    counted = reader.counters
    assert counted["connects"] >= 4 and counted["dropped_duplicates"] > 300
    for zero in ("seq_gaps", "trade_gaps", "duplicates", "reconnects", "rejected", "silent_streams"):
        assert counted[zero] == 0, zero
    assert counted["frames_in"] == sum(counted[n] for n in ("decoded", "control", "ignored", "rejected"))
    reader.cursor = 0
    records = reader.read(1 << 20).records
    told = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_bytes().splitlines()]
    assert any(line["k"] == "trade" for line in told)
    for instrument in reader.instruments():
        mine = records[records["instrument"] == instrument.number]
        assert not BookOf().apply(mine).broken
        ids = mine["id"][(mine["kind"] == Kind.TRADE) & ((mine["flags"] & Flag.SNAPSHOT) == 0)]
        assert len(set(ids.tolist())) == len(ids) > 10
        if instrument.market == "spot":  # on USD-M some ids are spent on what is no trade; trade_gaps knows them
            assert sorted(ids.tolist()) == list(range(ids.min(), ids.max() + 1))
        assert len(set(np.unique(mine["conn"][mine["kind"] == Kind.TRADE]).tolist())) == 2
