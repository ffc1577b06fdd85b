"""A whole collector beside a simulator that says nearly nothing, and beside one that talks: usage per process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.waiting.usage import children, usage

PROFILES = ("default", "low-power")
SETTLE_S = 8.0


def measure(seconds: float, rate: float, profile: str) -> dict[str, dict[str, float]]:
    """Process to ``wakeups`` per second and ``cpu`` per cent, over ``seconds`` of ``ringcollect start``."""
    cli = [sys.executable, "-m", "ringcollect.cli"]
    simulator = subprocess.Popen([*cli, "sim", "--rate", str(rate)], stdout=subprocess.PIPE)
    assert simulator.stdout is not None
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        config = Path(folder) / "config.toml"
        config.write_text(_config(json.loads(simulator.stdout.readline()), Path(folder), profile))
        with (Path(folder) / "log").open("w") as log:
            collector = subprocess.Popen(
                [*cli, "--config", str(config), "start"],
                stdout=log, stderr=log, env=os.environ | {"RINGCOLLECT_RUNTIME": folder},
            )  # fmt: skip
        try:
            _until_up(Path(folder) / "run" / "state.json")
            time.sleep(SETTLE_S)
            names = {collector.pid: "supervisor"} | {
                pid: name for pid, command in children(collector.pid).items() if (name := _name(command))
            }
            before = {pid: usage(pid) for pid in names}
            time.sleep(seconds)
            return {name: usage(pid).since(before[pid]) for pid, name in names.items()}
        finally:
            collector.send_signal(signal.SIGTERM)
            collector.wait()
            simulator.send_signal(signal.SIGTERM)
            simulator.wait()


def _until_up(state: Path) -> None:
    give_up = time.monotonic() + 120
    while not state.exists():
        if time.monotonic() > give_up:
            raise RuntimeError("the collector did not start")
        time.sleep(0.2)


def _name(command: str) -> str:
    """``sync`` for "ringcollect: sync"; the forkserver and the like sleep all the time and are left out."""
    return command.partition("ringcollect: ")[2]


def _config(ready: dict[str, dict[str, str]], folder: Path, profile: str) -> str:
    lines = [
        f'[collector]\ndata = "{folder}/data"\nruntime_dir = "{folder}/run"\nprofile = "{profile}"\n[http]\nport = 0\n'
    ]
    lines += [
        f'[[markets]]\nexchange = "binance"\nmarket = "{market}"\nsymbols = ["BTCUSDT", "ETHUSDT"]\n'
        f'url = "{url}"\nrest_url = "{ready["rest"][market]}"\n'
        for market, url in ready["ws"].items()
    ]
    return "".join(lines)
