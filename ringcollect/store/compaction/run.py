"""Compaction of a lake, day folder by day folder: what a killed run left is settled first, then files are merged."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from ringcollect.errors import LakeError, NotFoundError
from ringcollect.failpoints import fail
from ringcollect.store.compaction.certified import Proof, proofs_of
from ringcollect.store.compaction.folder_lock import only_one
from ringcollect.store.compaction.merging import merge, merged_name
from ringcollect.store.compaction.plan import Batch, Policy, batches, pieces_of
from ringcollect.store.compaction.record import certificates_of, records_of
from ringcollect.store.compaction.swap import names_in, put, settle
from ringcollect.store.compaction.workplace import Workplace, on_disk
from ringcollect.store.location import Lake

Progress = Callable[[int], None]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How files are merged. ``exchanges`` False: by manifest even where folders could be exchanged."""

    policy: Policy = Policy()
    level: int = 3
    sync: bool = True
    exchanges: bool = True
    dry_run: bool = False


class FolderReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one day folder. ``problem``: why it was left as it is; ``how``: exchange or manifest."""

    folder: str
    files_before: int = 0
    files_after: int = 0
    rows: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    how: str = ""
    busy: bool = False
    problem: str = ""


class Proofs:
    """Certificates of one exchange and day at a time: folders come sorted by them."""

    def __init__(self, lake: Lake, archive: str = "") -> None:
        self._lake = lake
        self._archive = archive
        self._place = ""
        self._found: dict[str, Proof] = {}

    def of(self, folder: str) -> dict[str, Proof]:
        """What is certified of the files of the exchange and day of ``folder``."""
        place = certificates_of(folder)
        if place != self._place:
            self._found, self._place = proofs_of(self._lake, place, self._archive), place
        return self._found


def compact_folder(
    lake: Lake, folder: str, settings: Settings, proofs: Proofs, progress: Progress = lambda rows: None
) -> FolderReport:
    """Merge what ``settings`` allows in one day folder. A folder that cannot be merged is left whole and says why.

    EnvironmentRefused and OSError (disk full, no permission) end the run: the next one settles what is left.
    """
    with contextlib.ExitStack() as stack:
        if not settings.dry_run and not stack.enter_context(only_one(lake, folder)):
            return FolderReport(folder=folder, busy=True)
        try:
            return _compact(lake, folder, settings, proofs, progress)
        except (LakeError, NotFoundError) as error:
            return FolderReport(folder=folder, problem=str(error))


def _compact(lake: Lake, folder: str, settings: Settings, proofs: Proofs, progress: Progress) -> FolderReport:
    if not settings.dry_run:
        settle(lake, folder, sync=settings.sync)
    pieces = pieces_of(lake, folder, proofs.of(folder), [record for _, record in records_of(lake, folder)])
    chosen = batches(pieces, settings.policy)
    merged = [piece for batch in chosen for piece in batch.pieces]
    report = FolderReport(
        folder=folder,
        files_before=len(merged),
        files_after=len(chosen),
        rows=sum(piece.rows for piece in merged),
        bytes_before=sum(piece.bytes for piece in merged),
    )
    if not chosen or settings.dry_run:
        return report
    fail("compact.start")
    how, size = _merge(lake, folder, chosen, settings, progress)
    settle(lake, folder, sync=settings.sync)
    return msgspec.structs.replace(report, how=how, bytes_after=size)


def _merge(lake: Lake, folder: str, chosen: list[Batch], settings: Settings, progress: Progress) -> tuple[str, int]:
    taken = set(names_in(lake, folder)) | {proof.name for batch in chosen for proof in batch.proofs}
    with _building(lake, folder, settings) as built:
        records = []
        for batch in chosen:
            target = built / merged_name(batch, taken)
            taken.add(target.name)
            records.append(merge(lake, folder, batch, target, settings.level, sync=settings.sync, progress=progress))
        how = put(lake, folder, built, records, sync=settings.sync, exchanges=settings.exchanges)
    return how, sum(record.bytes for record in records)


@contextlib.contextmanager
def _building(lake: Lake, folder: str, settings: Settings) -> Iterator[Path]:
    disk = on_disk(lake)
    if disk is None:
        with tempfile.TemporaryDirectory(prefix="ringcollect-compact-") as name:
            yield Path(name)
        return
    place = Workplace(disk, folder, sync=settings.sync)
    place.begin()
    is_done = False
    try:
        yield place.new
        is_done = True
    finally:
        if not is_done and not place.is_swapped():
            place.clear()  # a full disk needs the space, and nothing is lost
