"""``ringcollect sim`` as a process of its own, for tests of whole collectors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from types import TracebackType


class Simulated:
    """Serves ``exchanges`` while the block runs; ``ws`` and ``rest`` are its addresses."""

    def __init__(self, exchanges: tuple[str, ...], symbols: str = "", rate: float = 200, seed: int = 5) -> None:
        self._command = [sys.executable, "-m", "ringcollect", "sim", "--rate", str(rate), "--seed", str(seed)]
        for exchange in exchanges:
            self._command += ["--exchange", exchange]
        if symbols:
            self._command += ["--symbols", symbols]

    def __enter__(self) -> Simulated:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RINGCOLLECT__")}
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True, env=clean)
        assert self._process.stdout is not None
        port = json.loads(self._process.stdout.readline())["port"]
        self.ws, self.rest = f"ws://127.0.0.1:{port}", f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=30)
