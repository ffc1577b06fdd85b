"""How the archive stands, from what the archive process last said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ringcollect.observe.snapshot import Archive
from ringcollect.store.archive.state import STATE_FILE

STATE_FRESH_S = 5.0


def look(runtime: Path, now_s: float) -> Archive:
    """At wall time ``now_s``; all zero while the process does not report (it is shown as down then)."""
    path = runtime / STATE_FILE
    try:
        if now_s - path.stat().st_mtime > STATE_FRESH_S:
            return Archive()
        said: Any = msgspec.json.decode(path.read_bytes())
        sent, waiting = said["sent"], said["waiting"]
        failing_ns = said["failing_since_ns"]
        return Archive(
            uri=said["uri"],
            waiting_segments=waiting["segments"],
            waiting_files=waiting["files"],
            waiting_bytes=waiting["bytes"],
            oldest_s=waiting["oldest_s"],
            segments=sent["segments"],
            files=sent["files"],
            bytes=sent["bytes"],
            there=sent["there"],
            removed=sent["removed"],
            seconds=sent["seconds"],
            retries=said["retries"],
            failures=said["failures"],
            error=said["error"],
            failing_s=max(0.0, now_s - failing_ns / 1e9) if failing_ns else 0.0,
        )
    except (FileNotFoundError, msgspec.MsgspecError, KeyError, TypeError):
        return Archive()
