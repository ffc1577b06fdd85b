"""Retention while the collector runs: a short-lived child every now and then, behind everything else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import IO, Any

import msgspec
import structlog

from ringcollect.config import Config
from ringcollect.store.archive.settings import target_of
from ringcollect.store.sealers import SMALL_CHILD

NICE = 19
FIRST_S = 60.0
"""After the start, when there is much else to do; or one interval, if that is shorter."""


class Retainer:
    """Starts the child when it is due. A lake without limits never has one."""

    def __init__(self, config: Config) -> None:
        self.runs = self.files = self.bytes = 0
        self.error = ""
        self._config = config
        self._interval_s = config.retention.interval_ns / 1e9
        self._due_s: float | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._said: list[IO[bytes]] = []
        self._log = structlog.get_logger()

    def poll(self, now_s: float) -> None:
        """Collect a child that ended, start one that is due; ``now_s`` is monotonic. Never waits."""
        if not self._config.retention.is_on:
            return
        if self._due_s is None:
            self._due_s = now_s + min(FIRST_S, self._interval_s)
        if self._child is not None:
            code = self._child.poll()
            if code is None:
                return
            self._collect(code)
        if now_s >= self._due_s:
            self._due_s = now_s + self._interval_s
            self._start()

    def stop(self) -> None:
        """End a child that still runs: what it has begun, the next one ends."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None
            self._close()

    def _start(self) -> None:
        config = self._config
        target = target_of(config)
        command = [
            sys.executable, "-m", "ringcollect.store.retention.work", "--data", str(config.data_path()),
            "--limits", msgspec.json.encode(config.retention).decode(),
            "--archive", "" if target is None else target.mark,
            *(["--no-fsync"] if config.storage.fsync == "off" else []),
        ]  # fmt: skip
        try:
            self._said = [tempfile.TemporaryFile(), tempfile.TemporaryFile()]  # noqa: SIM115 closed in _close
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=self._said[0], stderr=self._said[1],
                env=os.environ | SMALL_CHILD,
            )  # fmt: skip
            os.setpriority(os.PRIO_PROCESS, self._child.pid, NICE)
        except ProcessLookupError:
            return  # it is over already; poll collects it
        except OSError as error:
            self._fail(f"cannot start: {error}")
            self._close()

    def _collect(self, code: int) -> None:
        self._child = None
        out, err = (_text(file) for file in self._said)
        self._close()
        self.runs += 1
        report = _report(out)
        if report is None:
            self._fail(err.strip().splitlines()[-1] if err.strip() else f"it ended with {code}")
            return
        self.files += report["files"]
        self.bytes += report["bytes"]
        kept = next((one["kept"] for one in report["folders"] if one["kept"]), "")
        if kept:
            self._fail(kept)
        else:
            self.error = ""
        if report["files"]:
            self._log.info("retention", files=report["files"], bytes=report["bytes"], folders=len(report["folders"]))

    def _fail(self, error: str) -> None:
        if error != self.error:
            self._log.error("retention_failed", reason=error)
        self.error = error

    def _close(self) -> None:
        for file in self._said:
            file.close()
        self._said = []


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _report(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
