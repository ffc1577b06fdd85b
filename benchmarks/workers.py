"""The driver's end: start a worker in its environment, pinned or not, and have it run rounds."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.harness import RunFailed, last_line, pin

ROOT = Path(__file__).parents[1]
PATIENCE_S = 120.0
"""The longest a worker may take for one answer."""


class Worker:
    """One worker process; a context manager. Raises RunFailed, with the worker's reason, when it cannot go on."""

    def __init__(self, command: Sequence[str], *, cpu: int | None, log: Path) -> None:
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [*command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                preexec_fn=None if cpu is None else lambda: pin(cpu),
            )
        self._pending = b""
        self.versions: dict[str, str] = self._read()["versions"]

    def open(self, spec: dict[str, Any]) -> Opened:
        """Build the subject the spec names."""
        return Opened(self, self.ask({"open": spec})["handle"])

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request, one answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise RunFailed(self._last_words()) from None
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        fd = self._process.stdout.fileno()
        while b"\n" not in self._pending:
            if not select.select([fd], [], [], PATIENCE_S)[0]:
                raise RunFailed(f"no answer within {PATIENCE_S:.0f} s")
            part = os.read(fd, 1 << 16)
            if not part:
                raise RunFailed(self._last_words())
            self._pending += part
        line, _, self._pending = self._pending.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RunFailed(last_line(answer["error"]))
        return answer

    def _last_words(self) -> str:
        code = self._process.wait()
        return f"ended with {code}: {last_line(self._log.read_text(errors='replace'))}"

    def close(self) -> None:
        """End the worker."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Opened:
    """A subject in a worker."""

    def __init__(self, worker: Worker, handle: int) -> None:
        self._worker = worker
        self._handle = handle

    def round(self) -> float:
        """One round: ns per unit."""
        answer = self._worker.ask({"round": self._handle})
        if answer["units"] <= 0:
            raise RunFailed("the round did no unit of work")
        return float(answer["ns"]) / float(answer["units"])

    def evidence(self) -> Any:
        """What the last round led to."""
        return self._worker.ask({"evidence": self._handle})["evidence"]

    def close(self) -> None:
        """Free it."""
        self._worker.ask({"close": self._handle})


def own_python() -> list[str]:
    """The interpreter of this environment."""
    return [sys.executable]


Starter = Callable[[], Worker]
