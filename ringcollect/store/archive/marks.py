"""What is archived, told by empty files beside the certificates: ``<stem>.<archive>.archived``.

A mark is a memory, not the truth: the archive itself is asked before anything is removed here, and a mark that was
lost costs a comparison. Archives have different marks (:attr:`Target.mark`), so another bucket begins anew.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ringcollect.store.archive.keys import CERTIFICATES
from ringcollect.store.removed import REMOVED, REMOVING

ARCHIVED = ".archived"
CERTIFICATE = ".json"
_TICK_NS = 2_000_000_000  # two changes so close to each other may leave a folder with one and the same time


def archived_mark(certificate: Path, mark: str) -> Path:
    """Where the mark of a segment is; ``mark`` is :attr:`Target.mark`."""
    return certificate.with_name(archived_name(certificate.stem, mark))


def archived_name(stem: str, mark: str) -> str:
    """Name of the mark of a segment whose certificate is ``<stem>.json``."""
    return f"{stem}.{mark}{ARCHIVED}"


def is_archived(certificate: Path, mark: str) -> bool:
    """Whether the segment of ``certificate``, and the certificate itself, were verified in the archive."""
    return archived_mark(certificate, mark).exists()


class Pending(NamedTuple):
    """A segment that the archive does not have, or that is still here and should not be."""

    certificate: Path
    mtime_ns: int


class Watch:
    """Segments waiting for the archive. A look costs one stat per day folder in which nothing has changed."""

    def __init__(self, data: Path, mark: str, *, removes: bool) -> None:
        """``removes``: archived segments wait, too, until their files are gone."""
        self._folder = data / CERTIFICATES
        self._mark = f".{mark}{ARCHIVED}"
        self._removes = removes
        self._known: dict[str, tuple[int, list[Pending]]] = {}

    def look(self) -> list[Pending]:
        """What waits now, the oldest first."""
        now_ns = time.time_ns()
        found: list[Pending] = []
        known: dict[str, tuple[int, list[Pending]]] = {}
        for folder in _day_folders(self._folder):
            mtime_ns = Path(folder).stat().st_mtime_ns
            before = self._known.get(folder)
            if before is None or before[0] != mtime_ns or abs(now_ns - mtime_ns) < _TICK_NS:
                before = (mtime_ns, list(self._in(folder)))
            known[folder] = before
            found += before[1]
        self._known = known
        return sorted(found, key=lambda pending: (pending.mtime_ns, pending.certificate))

    def forget(self) -> None:
        """Look at every folder anew next time."""
        self._known.clear()

    def _in(self, folder: str) -> Iterator[Pending]:
        names = {entry.name: entry for entry in os.scandir(folder)}
        for name, entry in names.items():
            if not name.endswith(CERTIFICATE) or name.startswith("."):
                continue
            stem = name.removesuffix(CERTIFICATE)
            is_archived = stem + self._mark in names
            if stem + REMOVED in names or (is_archived and not self._removes):
                continue
            if stem + REMOVING in names and not is_archived:
                continue  # it goes for another reason, half of it may be gone
            yield Pending(Path(entry.path), entry.stat().st_mtime_ns)


def _day_folders(certificates: Path) -> list[str]:
    if not certificates.is_dir():
        return []
    exchanges = [entry.path for entry in os.scandir(certificates) if entry.is_dir()]
    return [entry.path for exchange in exchanges for entry in os.scandir(exchange) if entry.is_dir()]
