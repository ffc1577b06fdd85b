"""The child that sends segments, seen from the process that starts it: what it said, whether it still moves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ringcollect.store.archive.settings import Target
from ringcollect.store.sealers import NICE, SMALL_CHILD

STALL_S = 120.0
"""A child that has said nothing for so long hangs: the slowest link sends a piece of 10 MB in that time."""


def arguments_of(data: Path, target: Target, *, remove: bool) -> list[str]:
    """The command line of a child, but for the certificates."""
    return [
        "--data", str(data), "--uri", target.uri,
        "--endpoint", target.endpoint.url, "--region", target.endpoint.region,
        "--layout", target.keys.layout, "--server", target.keys.server,
        *(["--remove"] if remove else []),
    ]  # fmt: skip


class Sender:
    """One child. :meth:`poll` never waits."""

    def __init__(self, data: Path, target: Target, certificates: Sequence[Path], *, remove: bool, now_s: float) -> None:
        """Start it; OSError if the host has no process left."""
        self.stalled = False
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 closed in close()
        self._err = tempfile.TemporaryFile()  # noqa: SIM115
        self._read = 0
        self._rest = b""
        self._moved_s = now_s
        command = [
            sys.executable, "-m", "ringcollect.store.archive.work", *arguments_of(data, target, remove=remove),
            *map(str, certificates),
        ]  # fmt: skip
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=self._out, stderr=self._err, env=os.environ | SMALL_CHILD
        )
        try:
            os.setpriority(os.PRIO_PROCESS, self._child.pid, NICE)
        except ProcessLookupError:
            return  # it is over already; poll tells

    def poll(self, now_s: float) -> tuple[int | None, list[dict[str, Any]]]:
        """Its exit code, None while it runs, and what it said since the last call. One that hangs is killed."""
        code = self._child.poll()
        self._out.seek(self._read)
        new = self._out.read()
        self._read += len(new)
        if new:
            self._moved_s = now_s
        elif code is None and now_s - self._moved_s > STALL_S:
            self.stalled = True
            self.kill()
        *lines, self._rest = (self._rest + new).split(b"\n")
        return code, [json.loads(line) for line in lines if line.startswith(b"{")]

    def last_words(self) -> str:
        """The last line on its standard error."""
        self._err.seek(0)
        said = self._err.read().decode(errors="replace").strip().splitlines()
        return said[-1] if said else ""

    def kill(self) -> None:
        """End it now: a kill costs an upload, nothing else."""
        self._child.kill()

    def close(self) -> None:
        """Forget it."""
        if self._child.stdin is not None:
            self._child.stdin.close()
        self._child.wait()
        self._out.close()
        self._err.close()
