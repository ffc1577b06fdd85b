"""Servers as processes of a test: loopback ports from the system, no privileges, gone when the test is."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

NOBODY = 65534
READY_S = 60.0


def free_ports(count: int, *, below: int = 65_536) -> list[int]:
    """Ports of 127.0.0.1 that nobody has, all different."""
    with ExitStack() as stack:
        found: list[int] = []
        while len(found) < count:
            probe = stack.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            if port < below:
                found.append(port)
        return found


def answers(port: int) -> bool:
    """Whether something accepts connections at 127.0.0.1:port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """One process in a session of its own; it dies with the test's process, whatever ends that."""

    def __init__(self, command: Sequence[str], log: Path, *, owned: Sequence[Path] = ()) -> None:
        """``owned`` are the folders it writes to: they are given to ``nobody`` where the test runs as root."""
        self._log = log
        prefix: list[str] = []
        setpriv = shutil.which("setpriv")
        if setpriv is not None:
            if os.getuid() == 0:
                prefix = [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
                for folder in owned:
                    shutil.chown(folder, NOBODY, NOBODY)
            prefix += [setpriv, "--pdeathsig", "KILL"]  # after the change of user, which would forget it
        self._command = [*prefix, *command]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, ready: Callable[[], bool], env: dict[str, str] | None = None) -> None:
        """Start it and wait until ``ready()``."""
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=env
            )
        self.wait(ready)

    def wait(self, ready: Callable[[], bool]) -> None:
        """Until ``ready()``; fails with its log if it ends or takes too long."""
        assert self._process is not None
        end_s = time.monotonic() + READY_S
        while not ready():
            assert self._process.poll() is None, f"the server ended:\n{self.said()}"
            assert time.monotonic() < end_s, f"the server does not get ready:\n{self.said()}"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It keeps its connections and says nothing any more; ``thaw`` ends that."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGCONT)

    def said(self) -> str:
        """The end of its log."""
        return self._log.read_text(errors="replace")[-3000:]
