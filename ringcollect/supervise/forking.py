"""Processes from one preloaded, frozen forkserver."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Sequence
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from ringcollect.config import Log
from ringcollect.supervise import child
from ringcollect.supervise.kernels import EXCHANGES_VARIABLE
from ringcollect.supervise.plan import ChildSpec

PRELOAD = "ringcollect.supervise.preload"

# glibc gives every thread its own arena and BLAS starts a thread per core: neither belongs into a process of ours.
FORKSERVER_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}


_FORKSERVER_GONE = 255


class Spawner:
    """Starts children. The first start starts the forkserver and waits until it has preloaded."""

    def __init__(
        self, log: Log, preload: str = PRELOAD, collector: str = "ringcollect", exchanges: Sequence[str] = ()
    ) -> None:
        """``log``, ``preload``: see :func:`ringcollect.supervise.child.main`; ``collector``: its name, in titles.

        ``exchanges``: whose kernels are preloaded (all, if none is named).
        """
        os.environ.update(FORKSERVER_ENVIRONMENT)  # read by malloc and BLAS when the forkserver starts
        os.environ[EXCHANGES_VARIABLE] = ",".join(exchanges)
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([preload] if preload else [])
        self._log = log
        self._collector = collector
        self._preload = preload

    def __call__(self, spec: ChildSpec) -> ForkedProcess:
        """Start ``spec``; raises OSError or EOFError when the forkserver does not answer."""
        process = self._context.Process(
            target=child.main,
            args=(spec.name, f"{self._collector}: {spec.name}", spec.target, spec.args, self._log, self._preload),
            name=spec.name,
            daemon=True,  # if the supervisor ends by an exception, its exit handler terminates what is left
        )
        process.start()
        return ForkedProcess(process)


class ForkedProcess:
    """A started child, seen from the supervisor."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        self._pid = process.pid or 0
        self._born = birth(self._pid)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._pid

    def exit_code(self) -> int | None:
        """None while it runs; negative is the signal that ended it.

        The forkserver reports a child's end. If the forkserver itself was killed, children that live on are reported
        as 255: such a child is killed here, because its successor could not take the ring's lock.
        """
        code = self._process.exitcode
        if code == _FORKSERVER_GONE and self._born and birth(self._pid) == self._born:
            self._signal(signal.SIGKILL)
        return code

    def terminate(self) -> None:
        """SIGTERM."""
        if self._process.exitcode is None:
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process.exitcode is None:
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, number)


def birth(pid: int) -> str:
    """When ``pid`` was born, in kernel ticks: (pid, birth) is never used twice. "" where /proc does not tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    return stat.rpartition(b")")[2].split()[19].decode()
