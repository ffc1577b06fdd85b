"""Journals that are not sealed yet, seen from the folder and from what the journal process last said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ringcollect.observe.snapshot import Journals
from ringcollect.store.naming import JOURNAL_SUFFIX
from ringcollect.store.writer_state import STATE_FILE as WRITER_STATE_FILE

STATE_FRESH_S = 5.0


def look(data: Path, runtime: Path, now_s: float) -> Journals:
    """Journals below ``data`` at wall time ``now_s``; ``error`` is the writer's own word (disk full, ...).

    The journal process leaves out journals without a record; when it does not report, all files count.
    """
    said = _said(runtime, now_s)
    error = str(said.get("error") or "")
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


def _said(runtime: Path, now_s: float) -> dict[str, Any]:
    """What the journal process last wrote about itself, empty if that was more than 5 s ago."""
    path = runtime / WRITER_STATE_FILE
    try:
        if now_s - path.stat().st_mtime > STATE_FRESH_S:
            return {}
        said: Any = msgspec.json.decode(path.read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        return {}
    return said if isinstance(said, dict) else {}
