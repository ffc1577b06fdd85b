"""Journals that are not sealed yet, seen from the folder and from what the journal process last said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ringcollect.observe.snapshot import Journals
from ringcollect.store.naming import JOURNAL_SUFFIX

WRITER_STATE_FILE = "journal.state.json"


def look(data: Path, runtime: Path, now_s: float) -> Journals:
    """Journals below ``data`` at wall time ``now_s``; ``error`` is the writer's own word (disk full, ...)."""
    count, size, oldest = 0, 0, now_s
    for path in (data / "journal").glob(f"*{JOURNAL_SUFFIX}"):
        try:
            facts = path.stat()
        except FileNotFoundError:
            continue  # sealed while we looked
        count += 1
        size += facts.st_size
        oldest = min(oldest, facts.st_mtime)
    return Journals(count=count, bytes=size, oldest_s=max(0.0, now_s - oldest), error=writer_error(runtime))


def writer_error(runtime: Path) -> str:
    """What keeps the writer from writing, "" if nothing does."""
    try:
        said: Any = msgspec.json.decode((runtime / WRITER_STATE_FILE).read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        return ""
    return str(said.get("error") or "") if isinstance(said, dict) else ""
