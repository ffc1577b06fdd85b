"""A merged file takes the place of what it was made of: in one step, or by a manifest where there is no such step.

Whatever is killed in between is settled by the next run, from what lies where. The sealer's lock is held while folders
are exchanged: what it puts into the folder is either carried over or comes after.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from ringcollect.errors import LakeError
from ringcollect.failpoints import fail
from ringcollect.store.compaction import exchange, manifest
from ringcollect.store.compaction.record import Record, encode, record_key, records_of
from ringcollect.store.compaction.workplace import Workplace, on_disk
from ringcollect.store.cursor import journal_folder
from ringcollect.store.durable import fsync_folder, only_one, write_whole
from ringcollect.store.location import PIECE_BYTES, Lake

EXCHANGE, MANIFEST = "exchange", "manifest"


class Changed(LakeError):
    """Somebody else changed the folder while its files were merged: nothing was swapped."""


def put(lake: Lake, folder: str, built: Path, records: Sequence[Record], *, sync: bool, exchanges: bool) -> str:
    """Let the files in ``built`` take their place in the day folder; returns how (EXCHANGE or MANIFEST).

    Raises Changed if a file that they replace is no longer what it was.
    """
    _write_records(lake, records, sync=sync)
    disk = on_disk(lake)
    if disk is not None and exchanges:
        place = Workplace(disk, folder, sync=sync)
        with only_one(journal_folder(disk) / ".seal.lock"):
            _check_unchanged(lake, folder, records)
            if _by_exchange(place, records):
                return EXCHANGE
    _by_manifest(lake, folder, built, records)
    return MANIFEST


def settle(lake: Lake, folder: str, *, sync: bool) -> None:
    """End what a run, this one or one that was killed, has begun in the day folder. LakeError where it cannot tell."""
    records = list(records_of(lake, folder))
    disk = on_disk(lake)
    place = None if disk is None else Workplace(disk, folder, sync=sync)
    if place is not None and place.is_swapped():
        place.put_back([record for _, record in records])
        manifest.hide(lake, folder, [])
        fail("compact.after_manifest")
    hidden = manifest.hidden_in(lake, folder)
    _delete(lake, folder, hidden, [record for _, record in records])
    there = names_in(lake, folder)
    for key, record in records:
        if record.name not in there:
            lake.delete(key)
            fail("compact.after_forget")
    if place is not None:
        place.clear()
        fail("compact.after_clear")
    if hidden:
        manifest.hide(lake, folder, [])
        fail("compact.after_show")


def names_in(lake: Lake, folder: str) -> dict[str, int]:
    """Bytes of each file in a folder, by name."""
    return {entry.key.removeprefix(f"{folder}/"): entry.bytes for entry in lake.files(folder)}


def _write_records(lake: Lake, records: Sequence[Record], *, sync: bool) -> None:
    disk = on_disk(lake)
    for record in records:
        if disk is not None:
            write_whole(disk / record_key(record), encode(record), "compact.record", sync=sync)
        else:
            lake.write(record_key(record), encode(record))


def _check_unchanged(lake: Lake, folder: str, records: Sequence[Record]) -> None:
    there = names_in(lake, folder)
    for name in (name for record in records for name in record.replaces):
        if name not in there:
            raise Changed(f"{folder}/{name}: has gone while it was merged; nothing was changed")


def _by_exchange(place: Workplace, records: Sequence[Record]) -> bool:
    """False where the file system cannot do it: then nothing has changed."""
    try:
        place.carry_over(name for record in records for name in record.replaces)
        fail("compact.before_swap")
        exchange.exchange(place.new, place.day)
    except OSError as error:
        if error.errno not in exchange.UNSUPPORTED:
            raise
        return False
    fail("compact.after_swap")
    if place.sync:
        fsync_folder(place.day.parent)
        fsync_folder(place.new.parent)
    fail("compact.after_swap_sync")
    return True


def _by_manifest(lake: Lake, folder: str, built: Path, records: Sequence[Record]) -> None:
    manifest.hide(lake, folder, [record.name for record in records])
    fail("compact.after_hide")
    for record in records:
        lake.write_pieces(f"{folder}/{record.name}", _pieces(built / record.name))
        found = lake.stat(f"{folder}/{record.name}")
        if found is None or found.bytes != record.bytes:
            raise LakeError(f"{lake}/{folder}/{record.name}: did not arrive as it was sent")
        fail("compact.after_put")
    with _sealer_waits(lake):
        _check_unchanged(lake, folder, records)
        manifest.hide(lake, folder, [name for record in records for name in record.replaces])
    fail("compact.after_commit")


def _delete(lake: Lake, folder: str, hidden: Sequence[str], records: Sequence[Record]) -> None:
    there = names_in(lake, folder)
    kept = there.keys() - set(hidden)
    for name in sorted(there.keys() & set(hidden)):
        is_coming = any(name == record.name for record in records)
        is_leaving = any(name in record.replaces for record in records if record.name in kept)
        if not (is_leaving or (is_coming and _has_sources(name, kept, records))):
            raise LakeError(f"{folder}/{name}: is hidden and nothing says where its rows are: look at it yourself")
        lake.delete(f"{folder}/{name}")
        fail("compact.after_delete")


def _has_sources(name: str, kept: set[str], records: Sequence[Record]) -> bool:
    return all(kept.issuperset(record.replaces) for record in records if record.name == name)


@contextlib.contextmanager
def _sealer_waits(lake: Lake) -> Iterator[None]:
    disk = on_disk(lake)
    if disk is None:
        yield
        return
    with only_one(journal_folder(disk) / ".seal.lock"):
        yield


def _pieces(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
