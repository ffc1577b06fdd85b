"""Who sends to whom: each channel's name, the environment it needs, and what its worker is told."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import Series, Skip
from benchmarks.harness import RunFailed, alternate
from benchmarks.peers import PEERS, Installed
from benchmarks.workers import ROOT, Opened, Worker, own_python

LOGS = ROOT / "benchmarks" / "results" / "scratch"
_SHARED_MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Channel:
    """``peer``: the environment it runs in, empty for ours. ``spec``: see ``ring_worker``."""

    name: str
    spec: dict[str, Any] = field(default_factory=dict)
    peer: str = ""
    ours: bool = False

    def told(self, **more: Any) -> Channel:
        """The same with more in its spec."""
        return replace(self, spec=self.spec | more)


def ring(name: str, **spec: Any) -> Channel:
    """A ring of ours, under ``name``."""
    return Channel(f"ringcollect, {name}", {"link": "ring"} | spec, ours=True)


QUEUE = Channel("multiprocessing.Queue", {"link": "queue"})
FASTER_FIFO = Channel("faster-fifo", {"link": "faster-fifo"}, "faster-fifo")
ZEROMQ = Channel("ZeroMQ ipc", {"link": "zmq"}, "pyzmq")
ICEORYX = Channel("iceoryx2", {"link": "iceoryx"}, "iceoryx2")


class Measured:
    """Numbers of a set of channels, the ones that failed, and what every worker said of its last round."""

    def __init__(
        self, channels: Iterable[Channel], ready: dict[str, Installed], rounds: int, module: str, cpu: int = 0
    ) -> None:
        self.channels = [c for c in channels if not c.peer or c.peer in ready]
        self.evidence: dict[str, Any] = {}
        self.versions: dict[str, str] = {}
        self.skipped: list[Skip] = []
        with ExitStack() as stack:
            place = str(_SHARED_MEMORY) if _SHARED_MEMORY.is_dir() else None
            self._folder = stack.enter_context(TemporaryDirectory(prefix="ringcollect-bench-", dir=place))
            self._workers: dict[str, Worker] = {}
            opened: dict[str, Opened] = {}
            for channel in self.channels:
                try:
                    opened[channel.name] = self._open(stack, channel, module, cpu)
                except RunFailed as error:
                    self.skipped.append(Skip(channel.name, str(error)))
            self.numbers, failed = alternate({name: self._round(name, one) for name, one in opened.items()}, rounds)
        self.skipped += [Skip(name, reason) for name, reason in failed.items()]

    def _open(self, stack: ExitStack, channel: Channel, module: str, cpu: int) -> Opened:
        """One worker an environment; every subject in it forks its own readers."""
        if channel.peer not in self._workers:
            command = PEERS[channel.peer].command if channel.peer else own_python()
            log = LOGS / f"{module.rpartition('.')[2]}-{channel.peer or 'own'}.log"
            worker = stack.enter_context(Worker([*command, "-m", module], cpu=cpu, log=log))
            self.versions |= worker.versions
            self._workers[channel.peer] = worker
        return self._workers[channel.peer].open(channel.spec | {"folder": self._folder})

    def _round(self, name: str, one: Opened) -> Any:
        self.evidence[name] = []

        def run() -> float:
            number = one.round()
            self.evidence[name].append(one.evidence())
            return number

        return run

    def series(self) -> tuple[Series, ...]:
        """ns per unit, by channel."""
        return tuple(Series(c.name, self.numbers[c.name], c.ours) for c in self.channels if c.name in self.numbers)
