"""Segments whose files were merged before they were archived: the merged file goes, with the record of it.

The archive may have some of its sources, from before; and its own compaction may have merged them there. A row must
not be found twice meanwhile, so the manifest of compaction hides the newcomer until it is there and what it replaces
from then on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import NamedTuple

from ringcollect.errors import NotFoundError
from ringcollect.failpoints import fail
from ringcollect.store.archive.fingerprint import Fingerprint, is_stored
from ringcollect.store.archive.sending import Entry, Sending, stage
from ringcollect.store.compaction import manifest
from ringcollect.store.compaction.lease import Lease
from ringcollect.store.compaction.record import SUFFIX, Record, certificates_of, decode, encode, record_key, records_of
from ringcollect.store.location import Lake
from ringcollect.store.naming import folder_value
from ringcollect.store.server_lake import part_of


class Old(NamedTuple):
    """What a merged file replaces in the archive: keys of files in its folder, and of records of compaction."""

    files: list[str]
    records: list[str]


def record_with(lake: Lake, path: str) -> Record | None:
    """The record of the merged file of ``lake`` that has the rows of ``path``; None if there is none."""
    folder, _, name = path.rpartition("/")
    hidden = manifest.hidden_in(lake, folder)
    for _, record in records_of(lake, folder):
        is_source = any(source.name == name for source in record.sources)
        if is_source and record.name not in hidden and lake.exists(f"{folder}/{record.name}"):
            return record
    return None


def is_merged_there(sending: Sending, path: str) -> bool:
    """Whether the archive's own compaction has the file ``path`` in a merged one, which is as its record says."""
    if sending.keys.layout != "hive":
        return False  # not a lake, which nobody can compact
    with stage("verify"):
        if not sending.has_merged(sending.keys.key(f"{certificates_of(path)}/compacted")):
            return False
        server = sending.keys.server
        lake = part_of(sending.lake, folder_value(server)) if server else sending.lake
        record = record_with(lake, path)
        if record is None:
            return False
        found = Fingerprint(record.bytes, record.sha256, frozenset())
        return sending.counted(bool(is_stored(lake, f"{record.folder}/{record.name}", found)))


def send_merged(sending: Sending, record: Record) -> None:
    """Archive the merged file of ``record`` and the record itself."""
    merged = f"{record.folder}/{record.name}"
    found = sending.read(Entry(merged, record.bytes, record.sha256))
    with stage("verify"):
        old = _replaced(sending, record)
    is_there = sending.is_there(merged, found)

    def bring() -> None:
        sending.put_small(record_key(record), encode(record))
        if not is_there:
            sending.put(merged, found)

    with stage("upload"), sending.one_swap, Lease(sending.lake, held=bool(old.files)):
        take_place(sending.lake, sending.keys.key(merged), old, bring, is_there=is_there)


def take_place(lake: Lake, key: str, old: Old, bring: Callable[[], None], *, is_there: bool) -> None:
    """``bring`` puts the merged file ``key`` into ``lake``; whoever lists it finds that or ``old``, never both."""
    if not old.files:
        bring()
        return
    folder = str(PurePosixPath(key).parent)
    if not is_there:
        manifest.hide(lake, folder, [_name(key)])
        fail("archive.merged.after_hide")
    bring()
    manifest.hide(lake, folder, map(_name, old.files))
    fail("archive.merged.after_swap")
    for one in (*old.files, *old.records):
        with contextlib.suppress(NotFoundError):
            lake.delete(one)
        fail("archive.merged.after_delete")
    manifest.hide(lake, folder, [])


def _replaced(sending: Sending, record: Record) -> Old:
    """Files in the archive whose rows are in the merged file, too: its sources, and files these were merged into."""
    sources = {source.name for source in record.sources}
    own = record_key(record)
    files = [sending.keys.key(f"{record.folder}/{name}") for name in {*sources, *record.replaces}]
    records = []
    for entry in sending.lake.files(_folder(sending, own)):
        if not entry.key.endswith(SUFFIX) or entry.key == sending.keys.key(own):
            continue
        other = decode(sending.lake.read(entry.key), entry.key)
        if sources & {source.name for source in other.sources}:
            records.append(entry.key)
            files.append(sending.keys.key(f"{other.folder}/{other.name}"))
    return Old(sorted({key for key in files if sending.lake.exists(key)}), records)


def _folder(sending: Sending, path: str) -> str:
    return str(PurePosixPath(sending.keys.key(path)).parent)


def _name(key: str) -> str:
    return PurePosixPath(key).name
