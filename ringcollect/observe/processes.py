"""The processes of a collector: those in its table, and whatever else lives below the supervisor."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ringcollect.observe.memory import PROC, Usage, cpu_and_rss, descendants, usage
from ringcollect.observe.process_table import ProcessRow, ProcessTable
from ringcollect.observe.snapshot import ProcessReport

MEMORY_EVERY_S = 30.0
"""Reading a process's memory map costs milliseconds, and holds that process up; memory does not change that fast."""
SHORTEST_S = 0.9
"""CPU time is counted in ticks of 10 ms: a share over less than this says little."""

_WORDS = (
    (b"forkserver", "forkserver"),
    (b"resource_tracker", "resource tracker"),
    (b"ringcollect.store.seal", "sealer"),
    (b"\0sim\0", "simulator"),
)


class ProcessWatch:
    """Usage of the processes in a table, with CPU shares from look to look."""

    def __init__(self, runtime: Path, shortest_s: float = SHORTEST_S) -> None:
        self._runtime = runtime
        self._shortest_s = shortest_s
        self._cpu: dict[int, tuple[float, float, float]] = {}
        self._usage: dict[int, Usage] = {}
        self._looked_s = float("-inf")
        self._others: dict[int, str] = {}

    def reports(self, table: ProcessTable, now_s: float) -> tuple[ProcessReport, ...]:
        """The supervisor, its children and their helpers at monotonic ``now_s``."""
        rows = (
            ProcessRow(
                name="supervisor", pid=table.supervisor_pid, state="running", started_ns=table.started_ns
            ),
            *table.processes,
        )  # fmt: skip
        unknown = any(row.pid and row.pid not in self._usage for row in rows)
        if now_s - self._looked_s >= (SHORTEST_S if unknown else MEMORY_EVERY_S):
            self._look(rows, now_s)
        known = {row.pid for row in rows}
        helpers = tuple(
            ProcessRow(name=name, pid=pid, state="running") for pid, name in self._others.items() if pid not in known
        )
        return tuple(self._report(row, now_s) for row in (*rows, *helpers))

    def _look(self, rows: tuple[ProcessRow, ...], now_s: float) -> None:
        self._looked_s = now_s
        self._others = {pid: _word(pid, name) for pid, name in descendants(rows[0].pid).items()}
        pids = {row.pid for row in rows if row.pid} | set(self._others)
        self._usage = {pid: usage(pid, self._runtime) for pid in pids}
        self._cpu = {pid: before for pid, before in self._cpu.items() if pid in pids}

    def _report(self, row: ProcessRow, now_s: float) -> ProcessReport:
        used = self._usage.get(row.pid, Usage())
        cpu_s, rss = cpu_and_rss(row.pid) if row.pid else (-1.0, -1)
        share = self._share(row.pid, cpu_s, now_s) if row.pid and cpu_s >= 0 else -1.0
        return ProcessReport(
            **msgspec.structs.asdict(row),
            rss=rss,
            pss=used.pss,
            ring_pss=used.ring_pss,
            cpu=share,
            counted=row.name != "simulator",
        )

    def _share(self, pid: int, cpu_s: float, now_s: float) -> float:
        """CPU share since the look before; over too short a time, the share before that."""
        then_s, before_s, share = self._cpu.get(pid, (now_s, cpu_s, -1.0))
        if now_s - then_s < self._shortest_s:
            self._cpu.setdefault(pid, (now_s, cpu_s, share))
            return share
        share = max(0.0, cpu_s - before_s) / (now_s - then_s)
        self._cpu[pid] = (now_s, cpu_s, share)
        return share


def _word(pid: int, kernel_name: str) -> str:
    """What a helper process is, from its command line."""
    try:
        command = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return kernel_name
    return next((word for sign, word in _WORDS if sign in command), kernel_name)
