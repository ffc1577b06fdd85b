"""Where a day folder of a file system is rebuilt: ``compaction/<key>/``, which no reader of tables looks into.

It holds what is built, with a mark in it. Exchanging the folders moves the mark to the day folder, so whether the
exchange has happened can be told after a kill by looking where the mark is.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ringcollect.errors import LakeError
from ringcollect.failpoints import fail
from ringcollect.store.compaction.record import COMPACTION, Record, folder_key
from ringcollect.store.durable import fsync_folder, make_folders
from ringcollect.store.location import Lake
from ringcollect.store.server_lake import ServerLake

MARK = ".being-swapped-in"


def on_disk(lake: Lake) -> Path | None:
    """The folder of a lake whose keys are its paths: none in an object store, nor of one collector's part."""
    return None if isinstance(lake, ServerLake) else lake.folder


class Workplace:
    """The places that belong to one day folder. ``folder`` is relative to the lake ``data``."""

    def __init__(self, data: Path, folder: str, *, sync: bool) -> None:
        self.day = data / folder
        self.new = data / COMPACTION / folder_key(folder)
        self.sync = sync

    def begin(self) -> None:
        """An empty folder ``new`` with the mark in it."""
        make_folders(self.new, sync=self.sync)
        (self.new / MARK).touch()
        if self.sync:
            fsync_folder(self.new)  # a power cut must not leave files without the mark

    def is_swapped(self) -> bool:
        """Whether ``new`` holds what was the day folder before."""
        return self.new.is_dir() and not (self.new / MARK).exists()

    def carry_over(self, replaced: Iterable[str]) -> None:
        """Whatever else is in the day folder is in ``new``, too. OSError where files cannot have two names."""
        leaving = set(replaced)
        for path in self.day.iterdir():
            if path.is_dir():
                raise LakeError(f"{path}: a folder within a day folder: it is left as it is")
            if path.name not in leaving:
                (self.new / path.name).hardlink_to(path)
        if self.sync:
            fsync_folder(self.new)

    def put_back(self, records: Iterable[Record]) -> None:
        """What came into the old folder at the last moment, by somebody who heeds no lock, is in the new one, too."""
        there = {path.name for path in self.day.iterdir()}
        replaced = {name for record in records if record.name in there for name in record.replaces}
        for path in self.new.iterdir():
            if path.name not in there and path.name not in replaced:
                (self.day / path.name).hardlink_to(path)
        if self.sync:
            fsync_folder(self.day)

    def clear(self) -> None:
        """Remove ``new`` and all in it, and the mark from the day folder."""
        if self.new.is_dir():
            for path in sorted(self.new.iterdir(), key=lambda path: (path.name == MARK, path.name)):
                path.unlink()  # the mark last: without it the rest would be taken for the old folder
                fail("compact.after_unlink")
            self.new.rmdir()
        (self.day / MARK).unlink(missing_ok=True)
