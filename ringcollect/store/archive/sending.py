"""Files on their way into the archive: compared, sent if need be, compared again; errors say at which stage."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from ringcollect.errors import EnvironmentRefused, LakeError, NotFoundError, RingcollectError
from ringcollect.failpoints import fail
from ringcollect.store import parquet
from ringcollect.store.archive.fingerprint import Fingerprint, fingerprint, is_stored, pieces_of
from ringcollect.store.archive.keys import Keys
from ringcollect.store.location import Lake

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


class Entry(msgspec.Struct, frozen=True):
    """A file as its certificate has it."""

    path: str
    bytes: int
    sha256: str


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Errors within are ArchiveErrors of this stage."""
    try:
        yield
    except ArchiveError:
        raise
    except (RingcollectError, OSError) as error:
        raise ArchiveError(name, error) from error


class Sending:
    """From the lake in the folder ``data`` into ``lake``. ``files`` and ``bytes`` were sent, ``there`` were there.

    Several threads may send files at once; ``one_swap`` is held by the one that lets a merged file take others' place.
    """

    def __init__(self, data: Path, keys: Keys, lake: Lake, tell: Tell) -> None:
        self.data = data
        self.keys = keys
        self.lake = lake
        self.files = self.bytes = self.there = 0
        self._tell = tell
        self._merged: dict[str, bool] = {}
        self._lock = threading.Lock()
        self.one_swap = threading.Lock()

    def read(self, entry: Entry) -> Fingerprint:
        """The file here, which is what ``entry`` says, or ArchiveError; FileNotFoundError if it is not here."""
        path = self.data / entry.path
        try:
            found = fingerprint(path)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise ArchiveError("read", f"{path}: {error.strerror or error}") from error
        if (found.bytes, found.sha256) != (entry.bytes, entry.sha256):
            raise ArchiveError("read", f"{path} is not what its certificate says: not archived, not removed")
        return found

    def is_there(self, path: str, found: Fingerprint) -> bool:
        """Whether the archive has this content under the key of ``path``; ArchiveError if it is somebody else's."""
        key = self.keys.key(path)
        with stage("verify"):
            is_equal = is_stored(self.lake, key, found)
            if is_equal is False:
                self._refuse_anothers(key, self.data / path)
        return self.counted(bool(is_equal))

    def counted(self, is_there: bool) -> bool:
        """``is_there``, counted if true."""
        with self._lock:
            self.there += is_there
        return is_there

    def put(self, path: str, found: Fingerprint) -> None:
        """Send the file ``path``, and find it there as it is here."""
        key = self.keys.key(path)
        fail("archive.before_upload")
        with stage("upload"):
            self.lake.write_pieces(key, self._told(key, self.data / path))
        fail("archive.after_upload")
        with stage("verify"):
            if not is_stored(self.lake, key, found):
                raise LakeError(f"{self.lake}/{key} is not what was sent: its length or hash differs from {path}")
        fail("archive.after_check")
        with self._lock:
            self.files += 1
            self.bytes += found.bytes

    def put_small(self, path: str, content: bytes) -> None:
        """The same for a certificate, or a record of compaction, in one request; none if it is there."""
        key = self.keys.key(path)
        with stage("verify"), contextlib.suppress(NotFoundError):
            if self.lake.read(key) == content:
                return
        fail("archive.certificate.before_upload")
        with stage("upload"):
            self.lake.write(key, content)
        fail("archive.certificate.after_upload")
        with stage("verify"):
            if self.lake.read(key) != content:
                raise LakeError(f"{self.lake}/{key} is not what was sent")

    def has_merged(self, folder: str) -> bool:
        """Whether the archive has anything in the folder ``folder`` of records of compaction; asked once."""
        with self._lock:
            if folder not in self._merged:
                self._merged[folder] = bool(self.lake.files(folder))
            return self._merged[folder]

    def _told(self, key: str, path: Path) -> Iterator[bytes]:
        for piece in pieces_of(path):
            yield piece
            fail("archive.during_upload")
            self._tell(key, len(piece))

    def _refuse_anothers(self, key: str, path: Path) -> None:
        """LakeError if the archive has a readable file of other records by this name: two collectors, one bucket."""
        theirs = _identity(self.lake, key)
        if theirs is not None and theirs != parquet.metadata_of(parquet.open_file(path)).get("identity"):
            raise LakeError(
                f"{self.lake}/{key} holds other records than {path}: give each collector that shares an archive "
                "its own [archive] server_name"
            )


def _identity(lake: Lake, key: str) -> Any:
    """Whose rows a stored file says it has; None for one that cannot be read: half written, it may be replaced."""
    with lake.open_file(key) as file:
        try:
            return parquet.metadata_of(parquet.open_file(file)).get("identity")
        except LakeError:
            return None
