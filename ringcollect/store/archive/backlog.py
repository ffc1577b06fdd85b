"""What waits for the archive, counted: segments, their files and bytes, and since when."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from ringcollect.store.archive.marks import Pending

MEASURED_AT_ONCE = 200
"""Certificates read per call: an archive that is switched on late may find thousands."""


class _Size(msgspec.Struct, frozen=True):
    bytes: int


class _Sizes(msgspec.Struct, frozen=True):
    files: list[_Size]


class Size(NamedTuple):
    """Files of one segment and their bytes; the certificate counts as neither."""

    files: int
    bytes: int


class Backlog:
    """The waiting segments, the oldest first."""

    def __init__(self) -> None:
        self._pending: dict[Path, Pending] = {}
        self._sizes: dict[Path, Size] = {}

    @property
    def paths(self) -> list[Path]:
        """Certificates of what waits, the oldest first."""
        return list(self._pending)

    @property
    def files(self) -> int:
        """Files that wait; those of segments that :meth:`measure` has not read yet are missing."""
        return sum(size.files for size in self._sizes.values())

    @property
    def bytes(self) -> int:
        """And their bytes."""
        return sum(size.bytes for size in self._sizes.values())

    @property
    def oldest_s(self) -> float:
        """Seconds since the oldest of them was sealed, 0 if none waits."""
        oldest = min((pending.mtime_ns for pending in self._pending.values()), default=None)
        return 0.0 if oldest is None else max(0.0, (time.time_ns() - oldest) / 1e9)

    def update(self, pending: Sequence[Pending]) -> None:
        """What waits now."""
        self._pending = {each.certificate: each for each in pending}
        self._sizes = {path: size for path, size in self._sizes.items() if path in self._pending}

    def done(self, certificate: Path) -> None:
        """One does not wait any more."""
        self._pending.pop(certificate, None)
        self._sizes.pop(certificate, None)

    def measure(self) -> None:
        """Read the sizes of some segments that are not known yet; a certificate that cannot be read has none."""
        unknown = [path for path in self._pending if path not in self._sizes]
        for path in unknown[:MEASURED_AT_ONCE]:
            try:
                files = msgspec.json.decode(path.read_bytes(), type=_Sizes).files
            except (OSError, msgspec.MsgspecError):
                files = []
            self._sizes[path] = Size(len(files), sum(file.bytes for file in files))
