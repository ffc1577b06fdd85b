"""One sealed segment into the archive: its files, each verified there, then its certificate, then the mark.

Every step can be repeated: what the archive has already is compared, not sent again; files go here only after all of
them were found there, in this same run, by length and hash. So a kill anywhere costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ringcollect.errors import EnvironmentRefused, LakeError, NotFoundError, RingcollectError
from ringcollect.failpoints import fail
from ringcollect.store import parquet
from ringcollect.store.archive.fingerprint import fingerprint, is_stored, pieces_of
from ringcollect.store.archive.marks import archived_mark
from ringcollect.store.archive.settings import Target
from ringcollect.store.durable import write_whole
from ringcollect.store.location import Lake
from ringcollect.store.removed import REMOVED, begun_mark, end_removal

Tell = Callable[[str, int], None]
"""Called with the key and the bytes of every piece that was sent: somebody watches whether it goes on."""


class ArchiveError(LakeError):
    """A segment that could not be archived. ``stage``: read, upload, verify or remove; ``exit_code`` is its cause's."""

    def __init__(self, stage: str, error: Exception | str) -> None:
        super().__init__(str(error))
        self.stage = stage
        if isinstance(error, RingcollectError):
            self.exit_code = error.exit_code

    @property
    def is_of_the_store(self) -> bool:
        """Whether the next segment would fail the same way."""
        return self.exit_code in (EnvironmentRefused.exit_code, NotFoundError.exit_code)  # the latter: no such bucket


class Sent(NamedTuple):
    """What became of one segment: files and bytes that were sent now, files that were there already or removed."""

    certificate: str
    files: int
    bytes: int
    there: int
    removed: int
    seconds: float


class _Entry(msgspec.Struct, frozen=True):
    path: str
    bytes: int
    sha256: str


class _Certificate(msgspec.Struct, frozen=True):
    files: list[_Entry]


def entries_of(content: bytes, place: str) -> list[_Entry]:
    """The files a certificate names. LakeError if it is none."""
    try:
        return msgspec.json.decode(content, type=_Certificate).files
    except msgspec.MsgspecError as error:
        raise LakeError(f"{place}: is no certificate: {error}") from error


def send(data: Path, certificate: Path, target: Target, lake: Lake, *, remove: bool, tell: Tell) -> Sent:
    """Archive the segment of ``certificate`` in the lake's folder ``data``; ``lake`` is ``target`` opened.

    With ``remove`` its files go here afterwards. ArchiveError if anything is not as it should be: then no file has
    gone, and what was sent stays and is found there the next time.
    """
    began = time.monotonic()
    fail("archive.start")
    place = certificate.relative_to(data).as_posix()
    content = _read(certificate)
    entries = entries_of(content, place)
    begun = _is_being_removed(certificate, target)
    if begun is not False:
        with _stage("remove"):
            removed = _unlink(data, certificate, entries) if begun and remove else 0
        return Sent(place, 0, 0, 0, removed, time.monotonic() - began)
    sending = _Sending(data, target, lake, tell)
    for entry in entries:
        sending.file(entry)
    sending.certificate(place, content)
    mark = archived_mark(certificate, target.mark)
    write_whole(mark, b"", "archive.mark")
    removed = _remove(data, certificate, entries, target) if remove else 0
    return Sent(place, sending.files, sending.bytes, sending.there, removed, time.monotonic() - began)


class _Sending:
    """The files of one segment, and how many of them there was something to do for."""

    def __init__(self, data: Path, target: Target, lake: Lake, tell: Tell) -> None:
        self._data = data
        self._keys = target.keys
        self._lake = lake
        self._tell = tell
        self.files = self.bytes = self.there = 0

    def file(self, entry: _Entry) -> None:
        """One data file: it is in the archive afterwards, and was compared."""
        path, key = self._data / entry.path, self._keys.key(entry.path)
        try:
            found = fingerprint(path)
        except OSError as error:
            raise ArchiveError("read", f"{path}: {error.strerror or error}") from error
        if (found.bytes, found.sha256) != (entry.bytes, entry.sha256):
            raise ArchiveError("read", f"{path} is not what its certificate says: not archived, not removed")
        with _stage("verify"):
            if is_stored(self._lake, key, found):
                self.there += 1
                return
            self._refuse_anothers(key, path)
        fail("archive.before_upload")
        with _stage("upload"):
            self._lake.write_pieces(key, self._told(key, path))
        fail("archive.after_upload")
        with _stage("verify"):
            if not is_stored(self._lake, key, found):
                raise LakeError(f"{self._lake}/{key} is not what was sent: its length or hash differs from {path}")
        fail("archive.after_check")
        self.files += 1
        self.bytes += found.bytes

    def certificate(self, place: str, content: bytes) -> None:
        """The certificate, when all its files are there: who finds it there can rely on them."""
        key = self._keys.key(place)
        with _stage("verify"):
            if self._lake.exists(key) and self._lake.read(key) == content:
                return
        fail("archive.certificate.before_upload")
        with _stage("upload"):
            self._lake.write(key, content)
        fail("archive.certificate.after_upload")
        with _stage("verify"):
            if self._lake.read(key) != content:
                raise LakeError(f"{self._lake}/{key} is not the certificate that was sent")

    def _told(self, key: str, path: Path) -> Iterator[bytes]:
        for piece in pieces_of(path):
            yield piece
            fail("archive.during_upload")
            self._tell(key, len(piece))

    def _refuse_anothers(self, key: str, path: Path) -> None:
        """LakeError if the archive has a readable file of other records by this name: two collectors, one bucket."""
        if not self._lake.exists(key):
            return
        theirs = _identity(self._lake, key)
        if theirs is not None and theirs != parquet.metadata_of(parquet.open_file(path)).get("identity"):
            raise LakeError(
                f"{self._lake}/{key} holds other records than {path}: give each collector that shares an archive "
                "its own [archive] server_name"
            )


@contextlib.contextmanager
def _stage(name: str) -> Iterator[None]:
    """Errors within are ArchiveErrors of this stage."""
    try:
        yield
    except ArchiveError:
        raise
    except (RingcollectError, OSError) as error:
        raise ArchiveError(name, error) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArchiveError("read", f"{path}: {error.strerror or error}") from error


def _identity(lake: Lake, key: str) -> Any:
    """Whose rows a stored file says it has; None for one that cannot be read: half written, it may be replaced."""
    with lake.open_file(key) as file:
        try:
            return parquet.metadata_of(parquet.open_file(file)).get("identity")
        except LakeError:
            return None


def _remove(data: Path, certificate: Path, entries: list[_Entry], target: Target) -> int:
    """The files of an archived segment go. The certificate stays and says what this lake once held."""
    with _stage("remove"):
        write_whole(begun_mark(certificate), _reason(target), "archive.removal")
        return _unlink(data, certificate, entries)


def _unlink(data: Path, certificate: Path, entries: list[_Entry]) -> int:
    removed = 0
    for entry in entries:
        path = data / entry.path
        if path.exists():
            path.unlink()
            removed += 1
            fail("archive.after_unlink")
    end_removal(certificate)
    fail("archive.after_removed")
    return removed


def _reason(target: Target) -> bytes:
    return json.dumps({"archived": target.uri}, sort_keys=True).encode()


def _is_being_removed(certificate: Path, target: Target) -> bool | None:
    """Whether a removal has begun: True if it was ours, so that the archive has all of it; None if it was
    somebody else's, or is over."""
    if certificate.with_suffix(REMOVED).exists():
        return None
    try:
        return True if begun_mark(certificate).read_bytes() == _reason(target) else None
    except FileNotFoundError:
        return False
