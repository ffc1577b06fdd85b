"""What compaction of a lake came to so far, for ``status``: one small file, added to by each run."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ringcollect.store.durable import only_one, write_whole

if TYPE_CHECKING:
    from ringcollect.store.compaction.run import FolderReport

NAME = "state/compaction.json"


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Since the lake began; ``ended_ns``: when the last run that merged anything ended, ns since the epoch."""

    folders: int = 0
    files_before: int = 0
    files_after: int = 0
    rows: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    ended_ns: int = 0


def totals(data: Path) -> Totals:
    """What was merged in the lake so far; zeros if nothing was, or the file cannot be read."""
    try:
        return msgspec.json.decode((data / NAME).read_bytes(), type=Totals)
    except (OSError, msgspec.MsgspecError):
        return Totals()


def add_totals(data: Path, merged: Iterable[FolderReport], *, sync: bool) -> None:
    """Add what one run merged."""
    with only_one(data / "compaction" / "totals.lock"):
        old, new = totals(data), list(merged)
        sums = {
            name: getattr(old, name) + sum(getattr(one, name) for one in new)
            for name in ("files_before", "files_after", "rows", "bytes_before", "bytes_after")
        }
        whole = Totals(folders=old.folders + len(new), ended_ns=time.time_ns(), **sums)
        write_whole(data / NAME, msgspec.json.encode(whole), "compact.totals", sync=sync)
