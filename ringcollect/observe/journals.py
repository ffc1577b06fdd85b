"""Journals that are not sealed yet, seen from the folder and from what the journal process last said."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from ringcollect.observe.snapshot import Journals
from ringcollect.store.naming import JOURNAL_SUFFIX
from ringcollect.store.writer_state import STATE_FILE as WRITER_STATE_FILE

STATE_FRESH_S = 5.0
STUCK_S = 10.0
"""A journal process that lives and has said nothing for so long waits for a disk that does not answer."""


def look(data: Path, runtime: Path, now_s: float) -> Journals:
    """Journals below ``data`` at wall time ``now_s``; ``error`` is the writer's own word (disk full, ...).

    The journal process leaves out journals without a record; when it does not report, all files count.
    """
    said, silent_s = _said(runtime, now_s)
    error = str(said.get("error") or "")
    if silent_s > STUCK_S and _lives(said.get("pid")):
        error = f"no word from it for {silent_s:.0f} s, the disk does not answer"
    if silent_s > STATE_FRESH_S:
        said = {}
    unsealed = said.get("unsealed")
    if isinstance(unsealed, dict):
        return Journals(
            count=unsealed.get("count", 0), bytes=unsealed.get("bytes", 0), oldest_s=unsealed.get("oldest_s", 0.0),
            error=error,
        )  # fmt: skip
    count, size, oldest = 0, 0, now_s
    for path in (data / "journal").glob(f"*{JOURNAL_SUFFIX}"):
        try:
            facts = path.stat()
        except FileNotFoundError:
            continue  # sealed while we looked
        count += 1
        size += facts.st_size
        oldest = min(oldest, facts.st_mtime)
    return Journals(count=count, bytes=size, oldest_s=max(0.0, now_s - oldest), error=error)


def _said(runtime: Path, now_s: float) -> tuple[dict[str, Any], float]:
    """What the journal process last wrote about itself, and how many seconds ago; empty if it never did."""
    path = runtime / WRITER_STATE_FILE
    try:
        silent_s = now_s - path.stat().st_mtime
        said: Any = msgspec.json.decode(path.read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        return {}, 0.0
    return (said if isinstance(said, dict) else {}), silent_s


def _lives(pid: object) -> bool:
    """Whether there is a process of that number: what an earlier run left behind is not stuck."""
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
