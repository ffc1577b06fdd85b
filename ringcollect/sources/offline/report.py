"""What a build did: plain data, for people and for ``--json``."""

from __future__ import annotations

from typing import Any

import msgspec

from ringcollect.store.naming import utc


class Built(msgspec.Struct, kw_only=True):
    """One row ring from one generation of records, in this run; group O is made of rows, not of segments.

    ``sync`` are the engine's counters, their increase.

    ``snapshots`` are records of ``sync/`` tables, ``bars`` those of every kind.
    ``lost`` are records that certificates call lost, ``missing`` those nothing explains. ``until_ns`` is the stamp of
    the newest row of this run, 0 without one. ``state``: built, finished (the stream is over), busy (by another run).
    """

    ring: str
    generation: int
    source_generation: int
    state: str = "built"
    segments: int = 0
    records: int = 0
    rows: int = 0
    snapshots: int = 0
    bars: int = 0
    files: int = 0
    bytes: int = 0
    lost: int = 0
    missing: int = 0
    until_ns: int = 0
    sync: dict[str, int] = {}
    notes: list[str] = []

    def problems(self) -> list[str]:
        """Why not everything is well, one line each."""
        out = []
        if self.lost:
            out.append(f"{self.ring}: {self.lost} records were lost before they reached the lake; rows say LOST there")
        if self.missing:
            out.append(f"{self.ring}: {self.missing} records are in no file of the lake; rows say LOST there")
        return out


class Report(msgspec.Struct, kw_only=True):
    """One pass over a lake. ``found`` counts the segments that were chosen, whether or not they were built already."""

    found: int = 0
    built: list[Built] = []
    errors: list[str] = []
    removed_segments: int = 0
    removed_bytes: int = 0
    seconds: float = 0.0

    def problems(self) -> list[str]:
        """Why not everything is well, one line each; empty: nothing was lost."""
        return self.errors + [problem for one in self.built for problem in one.problems()]

    @property
    def exit_code(self) -> int:
        """0 done, 1 something was lost or failed, 3 nothing was found."""
        if self.problems():
            return 1
        return 0 if self.found else 3

    def add(self, other: Report) -> None:
        """Take in the report of a later pass."""
        self.found += other.found
        self.built += other.built
        self.errors += other.errors
        self.removed_segments += other.removed_segments
        self.removed_bytes += other.removed_bytes
        self.seconds += other.seconds

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain | {"problems": self.problems(), "exit_code": self.exit_code}


def lines_of(built: Built) -> list[str]:
    """One build for a terminal or a log."""
    name = f"{built.ring} ({built.generation})"
    if built.state == "busy":
        return [f"{name}: another run is at it"]
    if not built.segments and not built.rows:
        return [f"{name}: nothing new"]
    until = f" up to {utc(built.until_ns):%Y-%m-%d %H:%M:%S} UTC" if built.until_ns else ""
    counted = ", ".join(f"{n:,} {key.replace('_', ' ')}" for key, n in built.sync.items() if n and key in _SAID)
    source = f" from {built.records:,} records in {built.segments} segments" if built.segments else ""
    out = [
        f"{name}: {built.rows:,} rows{until}{source}, "
        + (f"{built.snapshots:,} snapshot records, " if built.snapshots else "")
        + (f"{built.bars:,} bars, " if built.bars else "")
        + f"{built.files} files, {built.bytes / 1e6:.1f} MB"
        + (f"; {counted}" if counted else "")
    ]
    return out + [f"note: {built.ring}: {note}" for note in built.notes]


_SAID = (
    "late_events_dropped", "late_updates", "clock_outliers", "overruns", "skipped_rows", "chain_breaks",
    "checksums_bad",
)  # fmt: skip


def lines(report: Report) -> list[str]:
    """Everything, the problems last."""
    out = [line for built in report.built for line in lines_of(built)] or ["nothing new"]
    if report.removed_segments:
        out.append(f"removed {report.removed_segments} segments, {report.removed_bytes / 1e6:.1f} MB")
    return out + [f"PROBLEM: {problem}" for problem in report.problems()]
