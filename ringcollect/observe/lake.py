"""What waits in the lake, counted from its folders alone: no file is opened."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

_TIERS = ("raw", "rest", "sync", "frames", "rejects")
_MERGED = re.compile(r"-[0-9]+-[0-9]+\.parquet$")


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Sealed files that later steps would take.

    ``compaction``: files in day folders that hold more than one, of which at least one was not merged before;
    ``folders``: those folders; ``bytes``: their size.
    ``archive``: files not yet archived; None while no archive is configured, and then nothing waits for one.
    """

    compaction: int = 0
    folders: int = 0
    bytes: int = 0
    archive: int | None = None


def waiting(data: Path) -> Waiting:
    """Walk the lake ``data`` (a missing folder holds nothing). Costs one directory read per day folder."""
    files = folders = size = 0
    for tier in _TIERS:
        for folder, _, names in os.walk(data / tier):
            segments = [name for name in names if name.endswith(".parquet") and not name.startswith(".")]
            if len(segments) > 1 and not all(_MERGED.search(name) for name in segments):
                folders += 1
                files += len(segments)
                size += sum(_size(Path(folder) / name) for name in segments)
    return Waiting(compaction=files, folders=folders, bytes=size)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # replaced while we looked
        return 0
