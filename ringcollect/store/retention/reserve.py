"""A little of the disk, held back: what retention needs to write before anything goes, when the disk is full."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from ringcollect.store.compaction.record import COMPACTION
from ringcollect.store.durable import make_folders, write_all

NAME = "state/reserve"
RESERVE_BYTES = 1 << 20


def keep(data: Path, *, sync: bool) -> None:
    """See that the reserve is there, unless the disk has no room for it."""
    for folder in (data / COMPACTION, data / "journal", (data / NAME).parent):
        make_folders(folder, sync=sync)
    reserve = data / NAME
    if reserve.exists() or shutil.disk_usage(data).free < 2 * RESERVE_BYTES:
        return
    with open(reserve, "wb", buffering=0) as file:
        write_all(file.fileno(), os.urandom(RESERVE_BYTES), 0)  # nothing that a file system could keep in less


def spend(data: Path) -> bool:
    """Give the reserve back to the disk; False if it is gone already."""
    with contextlib.suppress(FileNotFoundError):
        (data / NAME).unlink()
        return True
    return False
