"""What processes cost: memory and CPU from /proc, ring pages counted apart.

PSS shares a page among those who map it, so the sum over processes is what the collector really takes. Pages of ring
files are bounded by configuration, not by the program, and are shown as a number of their own.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Of one process, in bytes and seconds. ``pss`` is without ``ring_pss``; -1 where the host does not tell."""

    rss: int = -1
    pss: int = -1
    ring_pss: int = -1
    cpu_s: float = -1.0


def usage(pid: int, runtime: Path) -> Usage:
    """What ``pid`` uses now; ``runtime`` is the folder whose files count as rings. All -1 if it is gone."""
    cpu_s, rss = cpu_and_rss(pid)
    total = _field(PROC / str(pid) / "smaps_rollup", b"Pss:")
    rings = ring_pss(pid, runtime)
    if total < 0 or rings < 0:
        return Usage(rss=rss, cpu_s=cpu_s)
    return Usage(rss=rss, pss=total - rings, ring_pss=rings, cpu_s=cpu_s)


def cpu_and_rss(pid: int) -> tuple[float, int]:
    """(CPU seconds, resident bytes) of ``pid``, (-1, -1) if it is gone."""
    try:
        stat = (PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return _cpu_and_rss_elsewhere(pid)
    fields = stat.rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S, int(fields[21]) * _PAGE


def ring_pss(pid: int, runtime: Path) -> int:
    """PSS bytes of this process's mappings of files in ``runtime``, -1 if the host does not tell."""
    try:
        text = (PROC / str(pid) / "smaps").read_bytes()
    except OSError:
        return -1
    folder = os.fsencode(str(runtime.resolve())) + b"/"
    total, inside = 0, False
    for line in text.splitlines():
        if line.startswith(b"Pss:"):
            if inside:
                total += int(line.split()[1]) * 1024
        elif not line[:1].isupper():  # "7f.. r--s .. /path": a mapping begins; its fields are capitalised
            inside = folder in line
    return total


def descendants(pid: int) -> dict[int, str]:
    """Every living process below ``pid`` with a word for it (what the kernel calls it)."""
    parents: dict[int, list[int]] = {}
    names: dict[int, str] = {}
    for entry in PROC.iterdir() if PROC.is_dir() else ():
        if not entry.name.isdecimal():
            continue
        try:
            stat = (entry / "stat").read_bytes()
        except OSError:
            continue  # it ended while we looked
        head, _, tail = stat.rpartition(b")")
        fields = tail.split()
        if fields[0] != b"Z":
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
            names[int(entry.name)] = head.partition(b"(")[2].decode(errors="replace")
    found: dict[int, str] = {}
    waiting = list(parents.get(pid, ()))
    while waiting:
        child = waiting.pop()
        found[child] = names[child]
        waiting.extend(parents.get(child, ()))
    return found


def _field(path: Path, key: bytes) -> int:
    """Bytes in the kB field ``key`` of a /proc file, -1 if it is not there."""
    try:
        for line in path.read_bytes().splitlines():
            if line.startswith(key):
                return int(line.split()[1]) * 1024
    except OSError:
        return -1
    return -1


def _cpu_and_rss_elsewhere(pid: int) -> tuple[float, int]:
    if PROC.is_dir():
        return -1.0, -1
    import psutil  # macOS

    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        return times.user + times.system, process.memory_info().rss
    except psutil.Error:
        return -1.0, -1
