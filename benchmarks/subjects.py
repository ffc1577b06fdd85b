"""Subjects that run in workers: each one's name, the environment it needs, what its worker is told, what it said."""

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
class Entry:
    """``peer``: the environment it runs in, empty for ours. ``module``: its worker."""

    name: str
    module: str
    spec: dict[str, Any] = field(default_factory=dict)
    peer: str = ""
    ours: bool = False

    def told(self, **more: Any) -> Entry:
        """The same with more in its spec."""
        return replace(self, spec=self.spec | more)


class Measured:
    """Numbers of a set of entries, the ones that failed, and what every worker said of its last round.

    All workers run on processor ``cpu``; None: on any.
    """

    def __init__(self, entries: Iterable[Entry], ready: dict[str, Installed], rounds: int, cpu: int | None = 0) -> None:
        self.entries = [c for c in entries if not c.peer or c.peer in ready]
        self.evidence: dict[str, Any] = {}
        self.versions: dict[str, str] = {}
        self.skipped: list[Skip] = []
        with ExitStack() as stack:
            place = str(_SHARED_MEMORY) if _SHARED_MEMORY.is_dir() else None
            self._folder = stack.enter_context(TemporaryDirectory(prefix="ringcollect-bench-", dir=place))
            self._workers: dict[tuple[str, str], Worker] = {}
            opened: dict[str, Opened] = {}
            for entry in self.entries:
                try:
                    opened[entry.name] = self._open(stack, entry, cpu)
                except RunFailed as error:
                    self.skipped.append(Skip(entry.name, str(error)))
            self.numbers, failed = alternate({name: self._round(name, one) for name, one in opened.items()}, rounds)
        self.skipped += [Skip(name, reason) for name, reason in failed.items()]

    def _open(self, stack: ExitStack, entry: Entry, cpu: int | None) -> Opened:
        """One worker an environment; every subject in it forks its own readers."""
        place = entry.peer, entry.module
        if place not in self._workers:
            command = PEERS[entry.peer].command if entry.peer else own_python()
            log = LOGS / f"{entry.module.replace('.', '-')}-{entry.peer or 'own'}.log"
            worker = stack.enter_context(Worker([*command, "-m", entry.module], cpu=cpu, log=log))
            self.versions |= worker.versions
            self._workers[place] = worker
        return self._workers[place].open(entry.spec | {"folder": self._folder})

    def _round(self, name: str, one: Opened) -> Any:
        self.evidence[name] = []

        def run() -> float:
            number = one.round()
            self.evidence[name].append(one.evidence())
            return number

        return run

    def series(self) -> tuple[Series, ...]:
        """ns per unit, by entry."""
        return tuple(Series(c.name, self.numbers[c.name], c.ours) for c in self.entries if c.name in self.numbers)
