"""``reload`` as a user runs it: the real processes take over a changed configuration, others of it undisturbed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import numpy as np

from ringcollect.observe.observer import Observer
from ringcollect.records import Channel, Flag, Kind, Status
from ringcollect.ring.attach import attach
from tests.cli.running import ringcollect
from tests.cli.simulated import Simulated
from tests.cli.test_start import start
from tests.promises.test_recordings import files

PATIENCE_S = 120.0
CONFIG = """
[collector]
data = "data"
runtime_dir = "run"
[http]
enabled = false
[storage]
record_frames = true
"""


def market(exchange: str, symbols: list[str], channels: list[str], simulator: Simulated) -> str:
    return (
        f'[[markets]]\nexchange = "{exchange}"\nmarket = "spot"\nsymbols = {json.dumps(symbols)}\n'
        f'channels = {json.dumps(channels)}\nurl = "{simulator.ws}"\nrest_url = "{simulator.rest}"\n'
    )


@contextmanager
def collecting(folder: Path, env: Mapping[str, str] = MappingProxyType({})) -> Iterator[subprocess.Popen[str]]:
    """``start`` in ``folder``; gone at the end, whatever happened."""
    with start(cwd=folder, **env) as process:
        try:
            yield process
        finally:
            process.kill()


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def states(folder: Path) -> dict[tuple[str, str, str], str]:
    """Exchange, market and symbol, channel of each subscription, and what became of it."""
    rows = Observer(folder / "run").subscriptions()
    return {(row.exchange, f"{row.market} {row.symbol}", row.channel): row.state for row in rows}


def everything(folder: Path, ring: str) -> tuple[np.ndarray, dict[str, int], list]:
    reader = attach(folder / "run" / f"{ring}.rec.ring")
    reader.cursor = 0
    return reader.read(1 << 20).records, dict(reader.counters), list(reader.instruments())


def test_reload_changes_what_it_can_on_the_live_connections_and_names_what_takes_a_restart(tmp_path: Path) -> None:
    symbols = "binance:BTCUSDT,binance:ETHUSDT,binance:SOLUSDT,upbit:KRW-BTC"
    with Simulated(("binance", "upbit"), symbols, rate=600) as simulator:
        file = tmp_path / "config.toml"
        all_three = ["book", "trade", "bbo"]
        upbit = market("upbit", ["BTC-KRW"], ["trade"], simulator)
        file.write_text(CONFIG + market("binance", ["BTCUSDT", "ETHUSDT"], all_three, simulator) + upbit)
        assert ringcollect("reload", cwd=tmp_path).returncode == 3
        with collecting(tmp_path) as process:
            wanted = {("binance", f"spot {s}", c): "flowing" for s in ("BTCUSDT", "ETHUSDT") for c in all_three}
            until(lambda: wanted.items() <= states(tmp_path).items(), "the first configuration is not collected")

            good = file.read_text()
            file.write_text(good.replace('"bbo"', '"bboo"'))
            bad = ringcollect("reload", cwd=tmp_path)
            assert bad.returncode == 2 and 'markets[0].channels[2]: found "bboo"' in bad.stderr
            os.kill(process.pid, signal.SIGHUP)  # the same by the signal alone: the supervisor finds it, too
            result = tmp_path / "run" / "reload.json"
            until(result.exists, "no answer to SIGHUP")
            said = json.loads(result.read_bytes())
            assert said["exit_code"] == 2 and "bboo" in said["lines"][0]
            file.write_text(good)
            assert wanted.items() <= states(tmp_path).items()

            changed = CONFIG + "[ring]\ncapacity = 65536\n"
            file.write_text(changed + market("binance", ["BTCUSDT", "SOLUSDT"], all_three, simulator))
            done = ringcollect("reload", cwd=tmp_path)
            assert done.returncode == 1, done.stderr
            assert done.stdout.splitlines() == [
                "binance: 3 streams added, 3 ended",
                "upbit: stopped, it is not configured any more",
                "not changed: ring.capacity: 131072 -> 65536 takes a restart",
            ]
            new = {("binance", "spot SOLUSDT", c): "flowing" for c in all_three}
            until(lambda: new.items() <= states(tmp_path).items(), "what was added does not flow")
            now = states(tmp_path)
            assert {now["binance", "spot ETHUSDT", c] for c in all_three} == {"closed"}
            assert ringcollect("status", "--check", cwd=tmp_path).returncode == 0
            again = ringcollect("reload", "--json", cwd=tmp_path)
            assert (again.returncode, json.loads(again.stdout)["lines"][0][:11]) == (1, "not changed")
            file.write_text(file.read_text().replace('"SOLUSDT"', '"SOLUSDT", "ETHUSTD"'))
            assert ringcollect("reload", cwd=tmp_path).stdout.startswith("binance: 0 streams added, 0 ended")
            until(lambda: ringcollect("status", "--check", cwd=tmp_path).returncode == 1, "a typo is not worth a word")
            now = json.loads(ringcollect("status", "--json", cwd=tmp_path).stdout)
            (problem,) = now["problems"]
            typo = "markets[0].symbols[2]: binance spot has no symbol 'ETHUSTD'; the nearest are ETHUSDT"
            assert problem.startswith(typo) and "markets[0].symbols[2]" in now["reason"]
            assert {states(tmp_path)["binance", "spot ETHUSTD", c] for c in all_three} == {"failed"}
            assert {states(tmp_path)["binance", "spot BTCUSDT", c] for c in all_three} == {"flowing"}
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 0, out
            assert "has no symbol 'ETHUSTD'" in out, "the log names it, too"
    records, counters, instruments = everything(tmp_path, "binance")
    assert (counters["reconnects"], counters["connects"], counters["resyncs"], counters["seq_gaps"]) == (0, 1, 0, 0)
    configured, *_ = records[(records["kind"] == Kind.STATUS) & (records["sub"] == Status.CONFIG_CHANGED)]
    numbers = {instrument.symbol: instrument.number for instrument in instruments}
    mine = records[records["instrument"] == numbers["BTCUSDT"]]
    after = mine[mine["seq"] > configured["seq"]]
    assert not (after["flags"] & (Flag.CLEAR | Flag.GAP | Flag.UNSYNCED)).any()
    statuses = after[after["kind"] == Kind.STATUS]
    assert set(statuses["sub"]) <= {Status.COUNTERS, Status.INSTRUMENT_CHANGED}
    deltas = mine[(mine["kind"] == Kind.BOOK_DELTA) & (mine["flags"] & Flag.UNSYNCED == 0)]
    last = deltas[deltas["flags"] & Flag.LAST != 0]
    assert (last["aux"][1:] == last["id"][:-1]).all() and (last["seq"] > configured["seq"]).any()
    closed = records[(records["kind"] == Kind.STATUS) & (records["sub"] == Status.CLOSED)]
    assert set(closed["instrument"]) == {numbers["ETHUSDT"]}
    assert set(closed["side"]) == {Channel.BOOK, Channel.TRADE, Channel.BBO}
    file.write_text(CONFIG + market("binance", ["BTCUSDT"], ["book"], simulator))
    done = ringcollect("replay", "data/frames", "--data", "again", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    live, replayed = files(tmp_path / "data"), files(tmp_path / "again")
    assert live.keys() == replayed.keys()
    assert [name for name in live if live[name] != replayed[name]] == [], "a replay of the recording is another ring"
    assert ringcollect("verify", "data", cwd=tmp_path).returncode == 0
