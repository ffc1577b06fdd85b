"""``archive.state.json`` in the runtime folder: how the archive stands, rewritten every second."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

from ringcollect.runtime import write_atomically
from ringcollect.store.archive.backlog import Backlog

STATE_FILE = "archive.state.json"
STAGES = ("reach", "read", "upload", "verify", "remove", "timeout")
"""Where archiving can fail; counters of all of them exist from the start."""


class Counts:
    """Counted since the process started. ``there``: files the archive had already; ``error`` is the last, while it
    lasts."""

    def __init__(self) -> None:
        self.segments = 0
        self.files = 0
        self.bytes = 0
        self.there = 0
        self.removed = 0
        self.seconds = 0.0
        self.retries = 0
        self.failures = Counter(dict.fromkeys(STAGES, 0))
        self.error = ""
        self.failing_since_ns = 0

    def sent(self, line: dict[str, Any]) -> None:
        """A segment is in the archive; ``line`` is what the child said of it."""
        self.segments += 1
        for name in ("files", "bytes", "there", "removed", "seconds"):
            setattr(self, name, getattr(self, name) + line[name])


def write_state(runtime: Path, uri: str, counts: Counts, backlog: Backlog, *, sending: bool) -> None:
    """Replace the state file; readers see the old or the new one, never a part."""
    content = {
        "pid": os.getpid(),
        "updated_ns": time.time_ns(),
        "uri": uri,
        "sending": sending,
        "waiting": {
            "segments": len(backlog.paths),
            "files": backlog.files,
            "bytes": backlog.bytes,
            "oldest_s": round(backlog.oldest_s, 1),
        },
        "sent": {name: getattr(counts, name) for name in ("segments", "files", "bytes", "there", "removed", "seconds")},
        "retries": counts.retries,
        "failures": dict(counts.failures),
        "error": counts.error,
        "failing_since_ns": counts.failing_since_ns,
    }
    write_atomically(runtime / STATE_FILE, json.dumps(content, sort_keys=True).encode())
