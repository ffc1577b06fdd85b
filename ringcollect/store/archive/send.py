"""One sealed segment into the archive: its files, each verified there, then its certificate, then the mark.

Every step can be repeated: what the archive has already is compared, not sent again; files go here only after all of
them were found there, in this same run, by length and hash. So a kill anywhere costs time and nothing else.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec

from ringcollect.errors import LakeError
from ringcollect.failpoints import fail
from ringcollect.store.archive.marks import archived_mark
from ringcollect.store.archive.merged import is_merged_there, record_with, send_merged
from ringcollect.store.archive.sending import ArchiveError, Entry, Sending, Tell, stage
from ringcollect.store.archive.settings import Target
from ringcollect.store.compaction.removal import unlink_merged
from ringcollect.store.durable import write_whole
from ringcollect.store.location import Lake
from ringcollect.store.removed import REMOVED, begun_mark, end_removal
from ringcollect.store.retention.mark import encode, mark_key, mark_of

AT_ONCE = 4
"""Files of a segment on their way at a time: most of it is waiting for answers. Each holds some pieces in memory."""


class Sent(NamedTuple):
    """What became of one segment: files and bytes that were sent now, files that were there already or removed."""

    certificate: str
    files: int
    bytes: int
    there: int
    removed: int
    seconds: float


class _Certificate(msgspec.Struct, frozen=True):
    files: list[Entry]


def entries_of(content: bytes, place: str) -> list[Entry]:
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
        with stage("remove"):
            removed = _unlink(data, certificate, entries) if begun and remove else 0
        return Sent(place, 0, 0, 0, removed, time.monotonic() - began)
    sending = Sending(data, target.keys, lake, tell)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(_send_file, sending, entry) for entry in entries]:
            try:
                done.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    sending.put_small(place, content)
    mark = archived_mark(certificate, target.mark)
    write_whole(mark, b"", "archive.mark")
    removed = _remove(data, certificate, entries, target) if remove else 0
    return Sent(place, sending.files, sending.bytes, sending.there, removed, time.monotonic() - began)


def _send_file(sending: Sending, entry: Entry) -> None:
    """One data file, by itself or within the file it was merged into: the archive has its rows afterwards."""
    try:
        found = sending.read(entry)
    except FileNotFoundError:
        _send_missing(sending, entry.path)
        return
    if sending.is_there(entry.path, found):
        return
    if not is_merged_there(sending, entry.path):
        sending.put(entry.path, found)


def _send_missing(sending: Sending, path: str) -> None:
    """A file that is not here: its rows were merged into another one, or retention removed it and says so."""
    here = Lake.open(sending.data)
    with stage("read"):
        record = record_with(here, path)
        mark = mark_of(here, path.rpartition("/")[0]) if record is None else None
        if record is None and (mark is None or path.rpartition("/")[2] not in mark.names):
            raise LakeError(f"{sending.data / path} is missing: neither merged nor removed by retention")
    if record is not None:
        send_merged(sending, record)
    elif mark is not None:
        sending.put_small(mark_key(mark.folder), encode(mark))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArchiveError("read", f"{path}: {error.strerror or error}") from error


def _remove(data: Path, certificate: Path, entries: list[Entry], target: Target) -> int:
    """The files of an archived segment go. The certificate stays and says what this lake once held."""
    with stage("remove"):
        write_whole(begun_mark(certificate), _reason(target), "archive.removal")
        return _unlink(data, certificate, entries)


def _unlink(data: Path, certificate: Path, entries: list[Entry]) -> int:
    removed = 0
    lake = Lake.open(data)
    for entry in entries:
        path = data / entry.path
        if path.exists():
            path.unlink()
            removed += 1
        else:
            removed += unlink_merged(lake, entry.path) > 0
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
