"""The sealer seen from the journal process: a short-lived child with pyarrow, one at a time, tried again on failure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

NICE = 10
SMALL_CHILD = {  # [measured] 1,000,000 records of one instrument are sealed in 300 MB instead of 380
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
RETRY_FIRST_S = 1.0
RETRY_MAX_S = 60.0


class Sealers:
    """Queue of complete journals. What waits is bounded by the disk: the queue is the journals on it."""

    def __init__(self, data: Path, *, level: int, sync: bool) -> None:
        self.waiting: list[Path] = []
        self.journals = 0
        self.files = 0
        self.rows = 0
        self.bytes = 0
        self.failures = 0
        self.error = ""
        self._command = [
            sys.executable, "-m", "ringcollect.store.seal", "--data", str(data), "--zstd-level", str(level),
        ]  # fmt: skip
        if not sync:
            self._command.append("--no-fsync")
        self._child: subprocess.Popen[bytes] | None = None
        self._out: IO[bytes] | None = None
        self._err: IO[bytes] | None = None
        self._retry_s = RETRY_FIRST_S
        self._not_before = 0.0

    @property
    def running(self) -> bool:
        """A sealer is at work."""
        return self._child is not None

    @property
    def idle(self) -> bool:
        """Nothing is being sealed and nothing waits."""
        return self._child is None and not self.waiting

    def add(self, paths: Sequence[Path]) -> None:
        """Queue complete journals."""
        self.waiting += [path for path in paths if path not in self.waiting]

    def poll(self, now_s: float) -> None:
        """Collect a finished sealer, start the next; ``now_s`` is monotonic. Never waits."""
        if self._child is not None:
            code = self._child.poll()
            if code is None:
                return
            self._finish(code, now_s)
        if self.waiting and now_s >= self._not_before:
            self._start(now_s)

    def hurry(self) -> None:
        """Forget the back-off: the process is about to stop."""
        self._not_before = 0.0

    def _start(self, now_s: float) -> None:
        try:
            self._out = tempfile.TemporaryFile()  # noqa: SIM115 closed when the child's words are read
            self._err = tempfile.TemporaryFile()  # noqa: SIM115
            command = [*self._command, *map(str, self.waiting)]
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=self._out, stderr=self._err, env=os.environ | SMALL_CHILD
            )
            os.setpriority(os.PRIO_PROCESS, self._child.pid, NICE)
        except ProcessLookupError:
            return  # it is over already; poll collects it
        except OSError as error:
            self._failed(f"cannot start the sealer: {error}", now_s)

    def _finish(self, code: int, now_s: float) -> None:
        self._child = None
        for line in _text(self._out).splitlines():
            sealed = _json(line)
            if sealed:
                self.journals += 1
                self.files += sealed["files"]
                self.rows += sealed["rows"]
                self.bytes += sealed["bytes"]
        self.waiting = [path for path in self.waiting if path.exists()]
        said = _text(self._err).strip().splitlines()
        if code == 0:
            self.error = ""
            self._retry_s = RETRY_FIRST_S
        else:
            self._failed(said[-1] if said else f"the sealer ended with {code}", now_s)

    def _failed(self, error: str, now_s: float) -> None:
        self.failures += 1
        self.error = error
        self._not_before = now_s + self._retry_s
        self._retry_s = min(RETRY_MAX_S, self._retry_s * 2)


def _text(file: IO[bytes] | None) -> str:
    if file is None:
        return ""
    with file:
        file.seek(0)
        return file.read().decode(errors="replace")


def _json(line: str) -> dict[str, int] | None:
    try:
        found = json.loads(line)
    except ValueError:  # cut off by a kill
        return None
    return found if isinstance(found, dict) else None
