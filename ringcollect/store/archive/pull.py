"""The way back: chosen segments of an archive into a lake on this host, each file checked against its certificate.

What is here and right is not fetched. A certificate comes after its files, so a pull that was cut off goes on.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ringcollect.errors import LakeError, NotFoundError
from ringcollect.store.archive.choose import Segment, decode
from ringcollect.store.archive.fingerprint import fingerprint
from ringcollect.store.archive.keys import Keys
from ringcollect.store.archive.marks import CERTIFICATE
from ringcollect.store.archive.merged import Old, take_place
from ringcollect.store.archive.sending import Entry
from ringcollect.store.compaction import manifest
from ringcollect.store.compaction.record import SUFFIX, Record, certificates_of, folder_key, record_key
from ringcollect.store.compaction.record import decode as decode_record
from ringcollect.store.location import Lake
from ringcollect.store.removed import REMOVED, begun_mark
from ringcollect.store.retention.mark import decode as decode_mark
from ringcollect.store.retention.mark import mark_key
from ringcollect.store.selection import Selection

Progress = Callable[[str, float, int], None]
"""Told (certificate, part of all that is done, bytes so far)."""


class Remote(NamedTuple):
    """A segment of the archive: its certificate's path in a lake, content, and what that says."""

    path: str
    content: bytes
    segment: Segment


class Pulled(NamedTuple):
    """What became of a pull: segments, files and bytes that came, files that were here."""

    segments: int
    files: int
    bytes: int
    here: int


def segments_of(archive: Lake, keys: Keys, selection: Selection) -> Iterator[Remote]:
    """The chosen segments of this collector (by ``keys.server``) in the archive, by exchange and day."""
    for key in _certificate_keys(archive, keys):
        path = keys.certificate_of(key)
        if path is None or not path.endswith(CERTIFICATE) or not _may_hold(path, selection):
            continue
        content = archive.read(key)
        segment = decode(content, f"{archive}/{key}")
        if segment.is_in(selection):
            yield Remote(path, content, segment)


def pull(archive: Lake, keys: Keys, found: list[Remote], lake: Lake, progress: Progress) -> Pulled:
    """Bring segments into ``lake``. LakeError for a file that is not what is certified: it is not kept."""
    pulling = _Pulling(archive, keys, lake)
    whole = max(1, sum(remote.segment.bytes for remote in found))
    done = 0
    for remote in found:
        progress(remote.path, done / whole, pulling.bytes)
        for entry in remote.segment.files:
            pulling.file(entry)
        lake.write(remote.path, remote.content)
        if lake.folder is not None:
            _is_here_again(lake.folder / remote.path)
        done += remote.segment.bytes
    return Pulled(len(found), pulling.files, pulling.bytes, pulling.here)


class _Pulling:
    """Files on their way back."""

    def __init__(self, archive: Lake, keys: Keys, lake: Lake) -> None:
        self.files = self.bytes = self.here = 0
        self._archive = archive
        self._keys = keys
        self._lake = lake
        self._merged: set[str] = set()

    def file(self, entry: Entry) -> None:
        """One file, or the file that its rows were merged into."""
        if self._is_here(entry):
            self.here += 1
            return
        try:
            self._fetch(entry)
        except NotFoundError:
            record = self._record_with(entry.path)
            if record is not None:
                self._fetch_merged(record)
            elif not self._is_retired(entry.path):
                raise

    def _is_here(self, entry: Entry) -> bool:
        found = self._lake.stat(entry.path)
        if found is None or found.bytes != entry.bytes:
            return False
        if self._lake.folder is not None:
            return fingerprint(self._lake.folder / entry.path).sha256 == entry.sha256
        return _sha256(self._lake.pieces(entry.path)) == entry.sha256

    def _fetch(self, entry: Entry) -> None:
        key = self._keys.key(entry.path)
        found = self._archive.stat(key)
        if found is None:
            raise NotFoundError(f"{self._archive}/{key} is not there, and its certificate is")
        if found.bytes != entry.bytes:
            raise LakeError(f"{self._archive}/{key} has {found.bytes} bytes, its certificate says {entry.bytes}")
        length = self._lake.write_pieces(
            entry.path, _checked(self._archive.pieces(key), entry, f"{self._archive}/{key}")
        )
        self.files += 1
        self.bytes += length

    def _fetch_merged(self, record: Record) -> None:
        path = f"{record.folder}/{record.name}"
        if path in self._merged:
            return
        self._merged.add(path)
        own, entry = record_key(record), Entry(path, record.bytes, record.sha256)
        is_here = self._is_here(entry)
        self.here += is_here

        def bring() -> None:
            self._lake.write(own, self._archive.read(self._keys.key(own)))
            if not is_here:
                self._fetch(entry)

        names = {*(source.name for source in record.sources), *record.replaces}
        old = sorted(key for name in names if self._lake.exists(key := f"{record.folder}/{name}"))
        take_place(self._lake, path, Old(old, []), bring, is_there=is_here)

    def _is_retired(self, path: str) -> bool:
        """Whether the archive says that retention had removed the file before it could be archived; so does the lake
        then."""
        own = mark_key(path.rpartition("/")[0])
        try:
            content = self._archive.read(self._keys.key(own))
        except NotFoundError:
            return False
        if path.rpartition("/")[2] not in decode_mark(content, own).names:
            return False
        self._lake.write(own, content)
        return True

    def _record_with(self, path: str) -> Record | None:
        """The record of the archive's merged file that has the rows of ``path``."""
        folder, _, name = path.rpartition("/")
        some = f"{certificates_of(folder)}/compacted/{folder_key(folder)}/x{SUFFIX}"
        for entry in self._archive.files(str(PurePosixPath(self._keys.key(some)).parent)):
            record = decode_record(self._archive.read(entry.key), entry.key)
            key = self._keys.key(f"{record.folder}/{record.name}")
            hidden = manifest.hidden_in(self._archive, str(PurePosixPath(key).parent))
            is_source = any(source.name == name for source in record.sources)
            if is_source and record.name not in hidden and self._archive.exists(key):
                return record
        return None


def _certificate_keys(archive: Lake, keys: Keys) -> Iterator[str]:
    if keys.layout == "hive":
        yield from (entry.key for entry in archive.files(keys.certificates_folder()))
        return
    for exchange in archive.folders():
        yield from (entry.key for entry in archive.files(keys.certificates_folder(exchange)))


def _may_hold(path: str, selection: Selection) -> bool:
    """By exchange and date alone, so that the certificates of other days are not read."""
    values = dict(part.split("=", 1) for part in path.split("/") if "=" in part)
    first, last = selection.dates()
    earlier = values["date"] <= last
    return (
        earlier and values["date"] >= first and (not selection.exchanges or values["exchange"] in selection.exchanges)
    )


def _checked(pieces: Iterator[bytes], entry: Entry, place: str) -> Iterator[bytes]:
    """The pieces, and LakeError before the end if they are not the file that is certified."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
        yield piece
    if digest.hexdigest() != entry.sha256:
        raise LakeError(f"{place} is not what its certificate says: its SHA-256 differs")


def _sha256(pieces: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _is_here_again(certificate: Path) -> None:
    """The marks that say that the files of this segment are gone are wrong now."""
    for mark in (certificate.with_suffix(REMOVED), begun_mark(certificate)):
        with contextlib.suppress(FileNotFoundError):
            mark.unlink()
