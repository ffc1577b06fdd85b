"""Retention: day folders go, durably marked first, then out of sight in one step, then from the disk."""

from __future__ import annotations

import errno
import shutil
import time
from pathlib import Path
from typing import Any

import msgspec

from ringcollect.config import Retention
from ringcollect.errors import EnvironmentRefused, LakeError, NotFoundError
from ringcollect.failpoints import fail
from ringcollect.store.compaction.folder_lock import only_one as only_one_at
from ringcollect.store.compaction.record import COMPACTION, folder_key, records_of
from ringcollect.store.compaction.run import Proofs
from ringcollect.store.compaction.swap import settle
from ringcollect.store.cursor import journal_folder
from ringcollect.store.durable import fsync_folder, make_folders, only_one, write_whole
from ringcollect.store.files import files
from ringcollect.store.location import Lake
from ringcollect.store.retention import reserve
from ringcollect.store.retention.mark import Mark, encode, mark_key, mark_of
from ringcollect.store.retention.plan import Doomed, doomed, folders_of

GOING = ".going"
"""Suffix of a folder that is out of sight and not yet deleted."""


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """One day folder that went, or would go, and why; ``kept``: why it was left where it is."""

    folder: str
    why: str
    files: int
    bytes: int
    kept: str = ""


class RetentionReport(msgspec.Struct, frozen=True, kw_only=True):
    """What went. ``free_bytes``: of the file system, before anything went."""

    data: str
    dry_run: bool
    free_bytes: int
    folders: list[Gone]

    @property
    def gone(self) -> list[Gone]:
        """The folders that went, or would go."""
        return [one for one in self.folders if not one.kept]

    @property
    def exit_code(self) -> int:
        """0 all that was to go went, 1 something had to be left where it is."""
        return 1 if any(one.kept for one in self.folders) else 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, with the totals."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        sums = {"files": sum(one.files for one in self.gone), "bytes": sum(one.bytes for one in self.gone)}
        return plain | sums | {"exit_code": self.exit_code}


def retain(
    data: Path,
    retention: Retention,
    *,
    sync: bool = True,
    dry_run: bool = False,
    archive: str = "",
    now_ns: int | None = None,
) -> RetentionReport:
    """Remove what ``retention`` says from the lake ``data``.

    ``archive`` is the mark of an archive that must have a segment before it goes
    (:attr:`~ringcollect.store.archive.settings.Target.mark`). NotFoundError without a lake, OSError or
    EnvironmentRefused if the disk refuses: the next run goes on.
    """
    if not data.is_dir():
        raise NotFoundError(f"{data} is not there")
    lake = Lake.open(data)
    if not dry_run:
        _go_on(data)
        if retention.is_on:
            reserve.keep(data, sync=sync)
    free = shutil.disk_usage(data).free
    going = doomed(folders_of(files(lake)), retention, time.time_ns() if now_ns is None else now_ns, free)
    proofs = Proofs(lake, archive)
    folders = []
    for one in going:
        try:
            folders.append(_remove(lake, one, proofs, sync=sync, dry_run=dry_run))
        except (OSError, EnvironmentRefused) as error:
            if not _is_full(error) or not reserve.spend(data):
                raise
            folders.append(_remove(lake, one, proofs, sync=sync, dry_run=dry_run))
    if retention.is_on and not dry_run:
        reserve.keep(data, sync=sync)
    return RetentionReport(data=str(data), dry_run=dry_run, free_bytes=free, folders=folders)


def _remove(
    lake: Lake,
    going: Doomed,
    proofs: Proofs,
    *,
    sync: bool,
    dry_run: bool,
) -> Gone:
    folder = going.folder.folder
    gone = Gone(folder=folder, why=going.why, files=going.folder.files, bytes=going.folder.bytes)
    with only_one_at(lake, folder) as is_ours:
        if not is_ours:
            return msgspec.structs.replace(gone, kept="it is being compacted")
        try:
            if not dry_run:
                fail("retain.start")
                settle(lake, folder, sync=sync)
            names = _certified(lake, folder, proofs)
        except (LakeError, NotFoundError) as error:
            return msgspec.structs.replace(gone, kept=str(error))
        if dry_run:
            return gone
        assert lake.folder is not None
        _mark(lake.folder, lake, gone, names, proofs, sync=sync)
        _take_away(lake.folder, folder, sync=sync)
        for key, _ in list(records_of(lake, folder)):
            lake.delete(key)
            fail("retain.after_forget")
    return gone


def _is_full(error: BaseException) -> bool:
    cause = error if isinstance(error, OSError) else error.__cause__
    return isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT)


def _certified(lake: Lake, folder: str, proofs: Proofs) -> list[str]:
    """Names of the segments' files in a folder, merged ones by what is in them. LakeError for a file of no segment."""
    known = proofs.of(folder)
    merged = {record.name: record for _, record in records_of(lake, folder)}
    names: list[str] = []
    for entry in lake.files(folder):
        name = entry.key.removeprefix(f"{folder}/")
        own = [source.name for source in merged[name].sources] if name in merged else [name]
        if any(f"{folder}/{one}" not in known for one in own):
            raise LakeError(f"{entry.key}: is in no certificate, is being sealed, or is not archived yet")
        names += own
    return names


def _mark(data: Path, lake: Lake, gone: Gone, names: list[str], proofs: Proofs, *, sync: bool) -> None:
    before, known = mark_of(lake, gone.folder), proofs.of(gone.folder)
    if before is not None and set(before.names) <= set(names):
        before = None  # of a run that was killed before anything went
    mark = Mark(
        folder=gone.folder,
        names=sorted({*names, *(() if before is None else before.names)}),
        rows=sum(known[f"{gone.folder}/{name}"].rows for name in names) + (0 if before is None else before.rows),
        bytes=gone.bytes + (0 if before is None else before.bytes),
        why=gone.why,
        at_ns=time.time_ns(),
    )
    write_whole(data / mark_key(gone.folder), encode(mark), "retain.mark", sync=sync)


def _take_away(data: Path, folder: str, *, sync: bool) -> None:
    day, away = data / folder, data / COMPACTION / f"{folder_key(folder)}{GOING}"
    make_folders(away.parent, sync=sync)
    with only_one(journal_folder(data) / ".seal.lock"):  # nobody is just writing into it
        day.rename(away)
        if sync:
            fsync_folder(day.parent)
            fsync_folder(away.parent)
    fail("retain.after_rename")
    _delete(away)


def _go_on(data: Path) -> None:
    """Delete what a killed run had put out of sight."""
    for away in (data / COMPACTION).glob(f"*{GOING}"):
        _delete(away)


def _delete(away: Path) -> None:
    for path in sorted(away.iterdir()):
        path.unlink()
        fail("retain.after_unlink")
    away.rmdir()
    fail("retain.after_clear")
