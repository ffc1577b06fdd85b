"""``journal.state.json`` in the runtime folder: how the journal process stands, rewritten every second."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringcollect.store.cursor import journal_files

if TYPE_CHECKING:
    from ringcollect.store.process import JournalProcess

STATE_FILE = "journal.state.json"


def write_state(runtime: Path, process: JournalProcess) -> None:
    """Replace the state file; readers see the old or the new one, never a part."""
    content = json.dumps(state_of(process), sort_keys=True).encode()
    temporary = runtime / f".{STATE_FILE}.{os.getpid()}"
    temporary.write_bytes(content)
    temporary.replace(runtime / STATE_FILE)


def state_of(process: JournalProcess) -> dict[str, Any]:
    """The state as JSON values. ``lost`` and ``rows`` count since this process started."""
    rings = {
        name: {
            "generation": state.reader.generation,
            "cursor": state.journal.cursor,
            "head": state.reader.head,
            "rows": state.journal.rows,
            "lost": state.journal.lost + process.losses.get(name, 0),
            "journal": state.journal.path.name,
            "error": state.error,
        }
        for name, state in process.rings.items()
    }
    sealers = process.sealers
    return {
        "pid": os.getpid(),
        "updated_ns": time.time_ns(),
        "error": process.error(),
        "rings": rings,
        "not_journaled": dict(process.attach_errors),
        "unsealed": unsealed(process),
        "damaged": len(list((process.data / "journal").glob("*.damaged"))),
        "sealed": {
            "journals": sealers.journals,
            "files": sealers.files,
            "rows": sealers.rows,
            "bytes": sealers.bytes,
            "failures": sealers.failures,
            "running": sealers.running,
            "error": sealers.error,
        },
    }


def unsealed(process: JournalProcess) -> dict[str, Any]:
    """Journals that hold records: count, bytes, age of the least recently written. Empty ones are cursors."""
    empty = {s.journal.path for s in process.rings.values() if s.journal.empty}
    count = size = 0
    oldest_s = 0.0
    now = time.time()
    for file in journal_files(process.data):
        if file.path in empty:
            continue
        try:
            facts = file.path.stat()
        except FileNotFoundError:
            continue  # sealed meanwhile
        count += 1
        size += facts.st_size
        oldest_s = max(oldest_s, now - facts.st_mtime)
    return {"count": count, "bytes": size, "oldest_s": round(oldest_s, 1)}
