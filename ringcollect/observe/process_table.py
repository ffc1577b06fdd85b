"""The process table on disk: ``processes.json`` in the runtime folder, for anybody who asks how we are."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ringcollect.runtime import write_atomically

TABLE_FILE = "processes.json"


class ProcessRow(msgspec.Struct, frozen=True, kw_only=True):
    """One process. ``started_ns`` is wall time; ``pid`` is 0 while it does not run."""

    name: str
    pid: int
    state: str
    restarts: int = 0
    started_ns: int = 0
    last_exit: str = ""


class ProcessTable(msgspec.Struct, frozen=True, kw_only=True):
    """The supervisor and its children. ``data`` is the folder they write to."""

    supervisor_pid: int
    started_ns: int
    data: str
    http: str = ""
    processes: tuple[ProcessRow, ...] = ()


def write_table(runtime: Path, table: ProcessTable) -> None:
    """Replace the table; a reader sees the old one or the new one."""
    write_atomically(runtime / TABLE_FILE, msgspec.json.encode(table))


def read_table(runtime: Path) -> ProcessTable | None:
    """The last table written, None if there is none or it is of another version."""
    try:
        return msgspec.json.decode((runtime / TABLE_FILE).read_bytes(), type=ProcessTable)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
