"""Records that are in an object store: the chosen days are fetched, built from, and removed here again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from ringcollect.errors import ConfigError, NotFoundError
from ringcollect.sources.offline.beside import folder_of
from ringcollect.sources.offline.segments import RECORDS
from ringcollect.store.archive.keys import Keys
from ringcollect.store.archive.pull import pull, segments_of
from ringcollect.store.location import Lake
from ringcollect.store.naming import DAY_NS
from ringcollect.store.selection import Selection
from ringcollect.store.server_lake import ServerLake, parts_of

Progress = Callable[[str, float, int], None]


class Input(NamedTuple):
    """Where records are read, and where they come from (None: they are there)."""

    folder: Path
    remote: Lake | None

    @classmethod
    def of(cls, uri: str, data: Path) -> Input:
        """``uri`` is a folder or ``s3://bucket/prefix``; ``data`` is the collector's own folder. Raises ConfigError."""
        lake = Lake.open(uri)
        return cls(folder_of(lake, data, "inputs"), lake if lake.folder is None else None)

    def fetch(self, selection: Selection, progress: Progress) -> None:
        """Bring the segments of the chosen exchanges and days, and of the day before, from which books are known.

        What is here and right is not fetched again, so a fetch that was cut off goes on. Takes as much room as the
        selection does in the store. Raises LakeError for a file that is not what is certified, ConfigError for an
        archive of several collectors, NotFoundError if there is nothing of the selection.
        """
        if self.remote is None:
            return
        parts = parts_of(self.remote)
        if len(parts) > 1:
            names = ", ".join(part.server or "(none)" for part in parts if isinstance(part, ServerLake))
            raise ConfigError(f"{self.remote} is the archive of several collectors ({names}): archive pull brings one")
        keys = Keys(server=part.server) if isinstance(part := parts[0], ServerLake) else Keys()
        days = Selection(
            start_ns=max(0, selection.start_ns - DAY_NS), end_ns=selection.end_ns, exchanges=selection.exchanges
        )
        found = [
            remote
            for remote in segments_of(self.remote, keys, days)
            if msgspec.json.decode(remote.content)["ring"].endswith(RECORDS)
        ]
        if not found:
            raise NotFoundError(f"{self.remote} has no sealed records of this selection")
        pull(self.remote, keys, found, Lake.open(self.folder), progress)

    def forget(self) -> None:
        """Remove what was fetched: the rows that were made of it know how far they go."""
        if self.remote is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
