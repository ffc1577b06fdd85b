"""What a process used, as the kernel counts."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Usage:
    """Totals of a process at one moment: its threads' voluntary switches, and processor seconds."""

    at_s: float
    switches: int
    cpu_s: float

    def since(self, before: Usage) -> dict[str, float]:
        """``wakeups`` per second and ``cpu`` per cent between two moments."""
        took_s = self.at_s - before.at_s
        return {
            "wakeups": (self.switches - before.switches) / took_s,
            "cpu": 100 * (self.cpu_s - before.cpu_s) / took_s,
        }


def usage(pid: int) -> Usage:
    """Now. Raises OSError when there is no such process."""
    switches, cpu_ns = 0, 0
    for task in (PROC / str(pid) / "task").iterdir():
        status = (task / "status").read_text()
        switches += int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
        cpu_ns += int((task / "schedstat").read_text().split()[0])
    return Usage(time.monotonic(), switches, cpu_ns / 1e9)


def children(pid: int) -> dict[int, str]:
    """Every process below ``pid``, with its command line."""
    parents: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue  # it ended while we looked
            parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found: dict[int, str] = {}
    todo = list(parents.get(pid, ()))
    while todo:
        child = todo.pop()
        todo += parents.get(child, [])
        found[child] = (PROC / str(child) / "cmdline").read_text().replace("\0", " ").strip()
    return found


def own() -> Usage:
    """This process's."""
    return usage(os.getpid())
