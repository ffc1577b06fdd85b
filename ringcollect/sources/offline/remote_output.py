"""Rows whose place is an object store: built in a folder, which is their cursor, and sent as they are sealed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ringcollect.sources.offline.beside import folder_of
from ringcollect.store.install import Installed, install
from ringcollect.store.location import Lake


class Output(NamedTuple):
    """Where rows are built, and where they go from there (None: they are there)."""

    folder: Path
    remote: Lake | None

    @classmethod
    def of(cls, uri: str, data: Path) -> Output:
        """``uri`` is a folder or ``s3://bucket/prefix``; ``data`` is the collector's own folder. Raises ConfigError."""
        lake = Lake.open(uri)
        return cls(folder_of(lake, data, "outputs"), lake if lake.folder is None else None)

    def send(self) -> Installed | None:
        """Copy what is sealed and not there yet: data first, then the certificates. None if there is nowhere to.

        Raises LakeError where other rows have their place, EnvironmentRefused if the store refuses: sending again goes
        on, and building needs no store.
        """
        return None if self.remote is None else install(self.folder, self.remote)
