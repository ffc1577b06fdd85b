"""``ringcollect start`` against the simulator, timed from its start to the first market record in shared memory."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.harness import RunFailed, last_line
from benchmarks.workers import ROOT
from ringcollect.errors import RingcollectError
from ringcollect.records import Kind
from ringcollect.ring.attach import attach

SYMBOLS = ("BTCUSDT", "ETHUSDT")
PATIENCE_S = 300.0
LOOK_S = 0.002


@contextmanager
def simulator() -> Iterator[dict[str, Any]]:
    """Simulated Binance on loopback; its first line: ports and addresses."""
    command = [sys.executable, "-m", "ringcollect", "sim", "--exchange", "binance", "--symbols", ",".join(SYMBOLS)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, env=_environment(), text=True)
    assert running.stdout is not None
    try:
        yield json.loads(running.stdout.readline())
    finally:
        running.terminate()
        running.communicate(timeout=30)


class Collector:
    """One collector's configuration and folders under ``folder``; ``memory`` holds its rings."""

    def __init__(self, folder: Path, memory: Path, ready: dict[str, Any]) -> None:
        self.runtime = memory / "run"
        self.log = folder / "start.log"
        self.config = folder / "config.toml"
        self.config.write_text(
            "\n".join(
                [
                    "[collector]", f'data = "{folder / "data"}"', f'runtime_dir = "{self.runtime}"',
                    "[http]", "enabled = false",
                    "[[markets]]", 'exchange = "binance"', 'market = "spot"', f"symbols = {json.dumps(SYMBOLS)}",
                    'channels = ["book", "trade", "bbo"]',
                    f'url = "{ready["ws"]["spot"]}"', f'rest_url = "{ready["rest"]["spot"]}"',
                ]
            )
        )  # fmt: skip

    def start(self, cache: Path) -> float:
        """Seconds from starting the process to the first record of a trade, a quote or a book; then it is stopped."""
        before = _newest(self.runtime)
        words = [sys.executable, "-m", "ringcollect", "--config", str(self.config), "start"]
        began = time.monotonic()
        with self.log.open("w") as log:
            running = subprocess.Popen(words, stdout=log, stderr=log, env=_environment(RINGCOLLECT_CACHE=str(cache)))
        try:
            while _newest(self.runtime) <= before:
                if running.poll() is not None or time.monotonic() - began > PATIENCE_S:
                    raise RunFailed(last_line(self.log.read_text(errors="replace")))
                time.sleep(LOOK_S)
            return time.monotonic() - began
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(60)

    def compiled_s(self) -> float:
        """Seconds that compiling took in the last start, as `ringcollect warm` itself said."""
        found = re.search(r"kernels ready in ([\d.]+) s", self.log.read_text(errors="replace"))
        if found is None:
            raise RunFailed("the start did not say that it compiled")
        return float(found[1])


def _newest(runtime: Path) -> int:
    """Receive time of the newest market record that can be read, 0 if there is none."""
    try:
        records = attach("binance.rec", directory=runtime).last(1 << 10)
    except RingcollectError:
        return 0
    market = records[records["kind"] != Kind.STATUS]
    return int(market["ts_recv"][-1]) if len(market) else 0


def first_line(command: list[str]) -> float:
    """Seconds from starting a process to its first line of output; then it is ended."""
    began = time.monotonic()
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment(), text=True)
    assert running.stdout is not None and running.stderr is not None
    line = running.stdout.readline()
    took = time.monotonic() - began
    running.kill()
    _, errors = running.communicate()
    if not line:
        raise RunFailed(last_line(errors))
    return took


def _environment(**more: str) -> dict[str, str]:
    ours = {"RINGCOLLECT_NUMBA_CACHE_SET", "NUMBA_CACHE_DIR"}  # chosen by this process for itself
    return {name: value for name, value in os.environ.items() if name not in ours} | {"PYTHONPATH": str(ROOT)} | more
