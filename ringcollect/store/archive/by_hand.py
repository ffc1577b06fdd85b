"""``ringcollect archive push`` and ``status``: the segments of a lake here, and what they are to its archive."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ringcollect.errors import LakeError, NotFoundError
from ringcollect.store.archive.choose import Segment, decode
from ringcollect.store.archive.keys import CERTIFICATES
from ringcollect.store.archive.marks import is_archived
from ringcollect.store.archive.send import send
from ringcollect.store.archive.sending import ArchiveError
from ringcollect.store.archive.settings import Target
from ringcollect.store.archive.work import lock
from ringcollect.store.naming import parse_journal_stem
from ringcollect.store.removed import is_removed
from ringcollect.store.selection import Selection

Progress = Callable[[str, float, int], None]
"""Told (certificate, part of all that is done, bytes so far)."""


class Local(NamedTuple):
    """A segment of this lake. ``is_removed``: its files are gone here; then it cannot be sent."""

    certificate: Path
    segment: Segment
    is_archived: bool
    is_removed: bool


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a push: segments, files and bytes sent, files that were there; (certificate, why) of failures."""

    segments: int
    files: int
    bytes: int
    there: int
    removed: int
    failed: list[tuple[str, str]]


def segments_in(data: Path, target: Target, selection: Selection) -> Iterator[Local]:
    """The chosen segments of the lake in the folder ``data``, by exchange and day. NotFoundError without a lake."""
    folder = data / CERTIFICATES
    if not folder.is_dir():
        raise NotFoundError(f"no sealed segments in {data}: there is no folder {CERTIFICATES}/")
    for path in sorted(folder.glob("*/*/*.json")):
        if parse_journal_stem(path.stem) is None:
            continue
        segment = decode(path.read_bytes(), str(path))
        if segment.is_in(selection):
            yield Local(path, segment, is_archived(path, target.mark), is_removed(path))


def push(data: Path, target: Target, found: list[Local], progress: Progress, *, remove: bool) -> Pushed:
    """Send segments, whatever their marks say. EnvironmentRefused while an archiver is at work in this lake.

    One that cannot be sent is in ``failed`` and the others go on, unless the store refuses: then it is the last.
    """
    fd = lock(data)
    try:
        lake = target.open()
        whole = max(1, sum(local.segment.bytes for local in found))
        counts: dict[str, Any] = dict.fromkeys(("segments", "files", "bytes", "there", "removed"), 0)
        failed: list[tuple[str, str]] = []
        done = moved = 0
        for local in found:
            name = local.certificate.name

            def tell(_key: str, length: int, name: str = name, done: int = done) -> None:
                nonlocal moved
                moved += length
                progress(name, done / whole, moved)

            progress(name, done / whole, moved)
            try:
                sent = send(data, local.certificate, target, lake, remove=remove, tell=tell)
            except ArchiveError as error:
                failed.append((name, str(error)))
                if error.is_of_the_store:
                    break
                continue
            except LakeError as error:
                failed.append((name, str(error)))
                continue
            done += local.segment.bytes
            for field in ("files", "bytes", "there", "removed"):
                counts[field] += getattr(sent, field)
            counts["segments"] += 1
        return Pushed(**counts, failed=failed)
    finally:
        os.close(fd)
