"""What a build is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from ringcollect.config import Config
from ringcollect.sources.offline.row_files import Target
from ringcollect.store.rotation import Policy
from ringcollect.store.selection import Selection


def _silent(what: str, done: int, total: int) -> None:
    pass


def _never() -> bool:
    return False


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """``data`` is the lake that is read, ``out`` the folder of the rows.

    ``by_segment``: files end where the segment does that they were built from, so that its rows are there at once.
    ``delete_source``: remove segments whose rows are sealed and verified. ``stop()`` ends a build between two segments.
    """

    data: Path
    out: Path
    config: Config = Config()
    selection: Selection = Selection()
    by_segment: bool = False
    delete_source: bool = False
    progress: Callable[[str, int, int], None] = _silent
    """Called now and then with what is built, positions of its ring done and positions in all."""
    stop: Callable[[], bool] = _never

    @property
    def sync(self) -> bool:
        """Whether fsync is wanted."""
        return self.config.storage.fsync != "off"

    def target(self) -> Target:
        """Where rows go; files are cut as the live writer of this configuration cuts them."""
        storage = self.config.storage
        policy = Policy(time_ns=storage.rotate_time_ns, records=storage.rotate_records)
        return Target(self.out, policy, storage.zstd_level, sync=self.sync)
