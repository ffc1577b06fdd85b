"""The demo: simulated exchanges in a process of their own, and a configuration that collects from them."""

from __future__ import annotations

import ctypes
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from ringcollect.config import Config, Market
from ringcollect.config.venues import VENUES, markets_of
from ringcollect.errors import EnvironmentRefused
from ringcollect.observe.status import is_running
from ringcollect.supervise.cleaning import clean

RATE = 1000
EXCHANGE = "binance"
SYMBOLS = ("BTCUSDT", "ETHUSDT")
PREFIX = "ringcollect-demo-"
ABANDONED_S = 60.0
READY_S = 30.0
STOP_S = 10.0
_PR_SET_PDEATHSIG = 1


class Simulator:
    """``ringcollect sim`` as a child of this process; ``ready`` is its first line."""

    def __init__(self, rate: int = RATE, seed: int = 1) -> None:
        """Start it and wait until it listens; raises EnvironmentRefused if it does not within 30 s."""
        command = [
            sys.executable, "-m", "ringcollect.cli", "sim",
            "--exchange", EXCHANGE, "--symbols", ",".join(SYMBOLS), "--rate", str(rate), "--seed", str(seed),
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the collector, which hangs up first
            preexec_fn=_die_with_parent,
        )
        try:
            self.ready = self._line(READY_S)
        except EnvironmentRefused:
            self._process.kill()
            self._process.wait()
            raise

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def stop(self) -> dict[str, Any]:
        """End it; returns what it counted, empty if it has ended before."""
        if self._process.stdout is None or self._process.stdout.closed:
            return {}
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            counted = self._line(STOP_S)
        except EnvironmentRefused:
            self._process.kill()
            counted = {}
        self._process.wait()
        self._process.stdout.close()
        return counted

    def _line(self, patience_s: float) -> dict[str, Any]:
        stream = self._process.stdout
        assert stream is not None
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            line = stream.readline() if selector.select(patience_s) else b""
        try:
            return msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise EnvironmentRefused("the simulator did not start; `ringcollect sim` says why") from error


class Demo:
    """Simulator, configuration, and folders of one demo run; as a context it cleans up what is not data."""

    def __init__(self, base: Config, rate: int = RATE) -> None:
        """Settings other than markets, folders and port are those of ``base``."""
        self.rate = rate
        self.data = (Path("demo-data") / time.strftime("%Y%m%d-%H%M%S", time.gmtime())).absolute()
        memory = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
        sweep(memory, time.time())
        self.runtime = Path(tempfile.mkdtemp(prefix=PREFIX, dir=memory))
        self._simulator = Simulator(rate)
        self.ready = self._simulator.ready
        self.config = demo_config(base, self.ready, self.data, self.runtime)

    def stop_simulator(self) -> dict[str, Any]:
        """End it; returns what it counted (again: nothing)."""
        return self._simulator.stop()

    def __enter__(self) -> Demo:
        return self

    def __exit__(self, *_: object) -> None:
        self._simulator.stop()
        shutil.rmtree(self.runtime, ignore_errors=True)


def sweep(memory: Path, now_s: float) -> None:
    """Remove what demos that were killed left in ``memory``: folders a minute old that no supervisor owns."""
    for folder in memory.glob(f"{PREFIX}*"):
        try:
            old = now_s - folder.stat().st_mtime > ABANDONED_S and folder.stat().st_uid == os.getuid()
        except FileNotFoundError:
            continue  # another demo was quicker
        if old and not is_running(folder) and not clean(folder).kept:
            shutil.rmtree(folder, ignore_errors=True)


def demo_config(config: Config, ready: dict[str, Any], data: Path, runtime: Path) -> Config:
    """``config`` with the simulator's markets in place of its own, all their channels, and its own folders and port."""
    markets = tuple(
        Market(
            exchange=EXCHANGE,
            market=market,
            symbols=SYMBOLS,
            channels=VENUES[EXCHANGE, market].channels,
            url=ready["ws"][market],
            rest_url=ready["rest"][market],
        )
        for market in markets_of(EXCHANGE)
        if market in ready["ws"]
    )
    replace = msgspec.structs.replace
    return replace(
        config,
        markets=markets,
        collector=replace(config.collector, data=str(data), runtime_dir=str(runtime)),
        http=replace(config.http, port=0),
    )


def check_lake(data: Path) -> tuple[int, list[str]]:
    """``ringcollect verify`` on what was written: its exit code and its lines."""
    from ringcollect.store.verify import verify  # pyarrow: only when nothing collects any more

    report = verify(data)
    return report.exit_code, report.lines()


def _die_with_parent() -> None:
    """In the child before exec: the kernel ends it when the collector dies (Linux; elsewhere it lives on)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
