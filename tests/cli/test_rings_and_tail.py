"""``rings`` and ``tail`` on real rings, as a user types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ringcollect.instruments import Instrument
from ringcollect.ring.attach import attach
from ringcollect.ring.frames import Direction, FrameProducer
from ringcollect.ring.producer import Producer
from ringcollect.sync.bar_record import BAR
from tests.cli.running import ringcollect
from tests.observe.rings import CAPACITY, producer, trades


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"RINGCOLLECT_RUNTIME": str(tmp_path)}


@pytest.fixture
def ring(tmp_path: Path):
    made = producer(tmp_path)
    yield made
    made.close()


def test_rings_lists_them_with_their_readers(ring: Producer, tmp_path: Path, env: dict[str, str]) -> None:
    attach(ring.path, register="notebook")
    ring.publish(trades(8))
    done = ringcollect("rings", cwd=tmp_path, env=env)
    assert done.returncode == 0
    assert "binance.rec" in done.stdout
    assert "notebook" in done.stdout
    (report,) = json.loads(ringcollect("rings", "--json", cwd=tmp_path, env=env).stdout)
    assert (report["head"], report["capacity"], report["consumers"][0]["lag"]) == (8, CAPACITY, 8)


def test_no_rings_is_exit_3(tmp_path: Path, env: dict[str, str]) -> None:
    done = ringcollect("rings", cwd=tmp_path, env=env)
    assert done.returncode == 3
    assert f"no rings in {tmp_path}" in done.stderr


def test_tail_shows_the_newest_records_and_registers_nowhere(
    ring: Producer, tmp_path: Path, env: dict[str, str]
) -> None:
    ring.publish(trades(8))
    done = ringcollect("tail", "binance", "-n", "3", "--json", cwd=tmp_path, env=env)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["seq"] for record in records] == [5, 6, 7]
    assert records[0] | {"price": 100.5, "size": 0.25, "kind_name": "trade", "symbol": "spot:BTCUSDT"} == records[0]
    assert ring.control.consumers() == []


def test_tail_filters_by_channel_and_symbol_and_looks_back_until_it_has_enough(
    ring: Producer, tmp_path: Path, env: dict[str, str]
) -> None:
    ring.publish(trades(4, instrument=1))
    for start in range(0, 40, 8):
        ring.publish(trades(8, instrument=0, first=start))
    done = ringcollect("tail", "binance.rec", "-n", "3", "--symbol", "ETHUSDT", "--json", cwd=tmp_path, env=env)
    assert [json.loads(line)["seq"] for line in done.stdout.splitlines()] == [1, 2, 3]
    done = ringcollect("tail", "binance.rec", "--channel", "book", cwd=tmp_path, env=env)
    assert (done.returncode, done.stdout) == (0, "")


def test_bars_have_both_their_stamps_and_their_ring_its_kind(tmp_path: Path, env: dict[str, str]) -> None:
    ring = Producer.open(tmp_path, "binance.1s.bar", BAR, 1024, generation=1, meta={"kind": "bar", "bar": "1s"})
    ring.instruments.put(Instrument(number=0, exchange="binance", market="spot", symbol="BTCUSDT"))
    bars = np.zeros(2, BAR)
    bars["seq"] = (0, 1)
    bars["ts_open_ns"] = (0, 10**9)
    bars["ts_close_ns"] = (10**9, 2 * 10**9)
    bars["close"] = (100.5, np.nan)
    ring.publish(bars)
    (report,) = json.loads(ringcollect("rings", "--json", cwd=tmp_path, env=env).stdout)
    assert (report["name"], report["kind"], report["head"]) == ("binance.1s.bar", "bar", 2)
    first, second = map(
        json.loads, ringcollect("tail", "binance.1s.bar", "--json", cwd=tmp_path, env=env).stdout.splitlines()
    )
    assert (first["symbol"], first["ts_close_ns"], first["close"]) == ("spot:BTCUSDT", 10**9, 100.5)
    assert second["close"] is None
    lines = ringcollect("tail", "binance.1s.bar", cwd=tmp_path, env=env).stdout.splitlines()
    assert "00:00:01.000000 to 00:00:02.000000  spot:BTCUSDT" in lines[1]
    ring.close()


def test_tail_of_an_unknown_channel_names_those_there_are(ring: Producer, tmp_path: Path, env: dict[str, str]) -> None:
    done = ringcollect("tail", "binance", "--channel", "boook", cwd=tmp_path, env=env)
    assert done.returncode == 2
    assert "'boook'" in done.stderr
    assert "book" in done.stderr


def test_tail_of_no_ring_is_exit_3(tmp_path: Path, env: dict[str, str]) -> None:
    assert ringcollect("tail", "binance", cwd=tmp_path, env=env).returncode == 3


def test_tail_follows_until_the_ring_closes_and_counts_what_it_was_too_slow_for(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    ring.publish(trades(2))
    environment = {**os.environ, "RINGCOLLECT_RUNTIME": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-m", "ringcollect", "tail", "binance", "-n", "1", "--follow", "--json"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as tail:  # fmt: skip
        assert tail.stdout is not None
        assert tail.stderr is not None
        seen = [json.loads(tail.stdout.readline())["seq"]]
        for start in range(0, 4 * CAPACITY, 8):
            ring.publish(trades(8, first=start))
        ring.close()
        seen += [json.loads(line)["seq"] for line in tail.stdout]
        complaints = tail.stderr.read()
        assert tail.wait(30) == 0
    lost = sum(int(line.split()[1]) for line in complaints.splitlines() if line.startswith("lost "))
    assert seen[0] == 1
    assert seen[-1] == 4 * CAPACITY + 1
    assert seen == sorted(seen)
    assert len(seen) + lost == 4 * CAPACITY + 1


def test_tail_of_frames_shows_their_bytes(tmp_path: Path, env: dict[str, str]) -> None:
    frames = FrameProducer.open(tmp_path, "binance.frm", entries=16, data_bytes=8192, generation=1)
    frames.publish(b'{"e":"trade"}', ts_recv=10**18, conn=1, direction=Direction.IN)
    frames.publish(b"garbage", ts_recv=10**18, conn=2, direction=Direction.REJECT, reason="not JSON")
    done = ringcollect("tail", "binance.frm", "--json", cwd=tmp_path, env=env)
    first, second = [json.loads(line) for line in done.stdout.splitlines()]
    assert (first["payload"], first["direction"], first["conn"]) == ('{"e":"trade"}', "in", 1)
    assert (second["payload"], second["reason"]) == ("garbage", "not JSON")
    text = ringcollect("tail", "binance.frm", "-n", "1", cwd=tmp_path, env=env).stdout
    assert text.count("\n") == 1
    assert "reject  not JSON  garbage" in text
    frames.close()


def test_tail_reads_without_the_compiler(ring: Producer, tmp_path: Path) -> None:
    ring.publish(trades(2))
    program = (
        "import sys; from ringcollect import cli; code = cli.run(['tail', 'binance', '-n', '1']);"
        "print(code, 'numba' in sys.modules, 'pyarrow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "RINGCOLLECT_RUNTIME": str(tmp_path)}, cwd=tmp_path,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "0 False False"
