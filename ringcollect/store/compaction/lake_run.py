"""Compaction of all that is chosen of a lake: which folders need it, one after the other, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from ringcollect.errors import NotFoundError
from ringcollect.store.compaction.lease import Lease
from ringcollect.store.compaction.manifest import clean, hiding, stored_as
from ringcollect.store.compaction.record import COMPACTION, certificates_of, folder_key
from ringcollect.store.compaction.run import FolderReport, Proofs, Settings, compact_folder
from ringcollect.store.compaction.totals import add_totals
from ringcollect.store.files import files
from ringcollect.store.location import Lake
from ringcollect.store.naming import date_of
from ringcollect.store.selection import FOREVER, Selection
from ringcollect.store.server_lake import parts_of

Progress = Callable[[str, float, int], None]
"""Told (folder, part of all that is done, rows so far)."""


class Candidate(NamedTuple):
    """A day folder to look at, as ``lake`` calls it (one collector's part of a shared archive), and what lies in it."""

    lake: Lake
    folder: str
    files: int
    bytes: int


class CompactionReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each folder that was looked at."""

    data: str
    dry_run: bool
    folders: list[FolderReport]

    @property
    def merged(self) -> list[FolderReport]:
        """Folders in which something was, or would be, merged."""
        return [one for one in self.folders if one.files_before and not one.problem]

    @property
    def problems(self) -> list[FolderReport]:
        """Folders that were left as they are because something is wrong with them."""
        return [one for one in self.folders if one.problem]

    @property
    def exit_code(self) -> int:
        """0 all is well, 1 a folder could not be merged."""
        return 1 if self.problems else 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, with the totals."""
        merged = self.merged
        totals = {
            name: sum(getattr(one, name) for one in merged)
            for name in ("files_before", "files_after", "rows", "bytes_before", "bytes_after")
        }
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain | {"exit_code": self.exit_code, "merged": len(merged)} | totals


def candidates(lake: Lake, selection: Selection, settings: Settings) -> list[Candidate]:
    """Day folders with enough files, or with something that a killed run left; by exchange and day.

    ``--start`` and ``--end`` choose days: a folder is merged whole or not at all.
    """
    left = _left_behind(lake)
    fewest = max(settings.policy.min_files, settings.policy.target_files + 1)
    first = date_of(selection.start_ns)
    last = date_of(selection.end_ns - 1) if selection.end_ns < FOREVER else "9999-12-31"
    found = []
    for part in parts_of(lake):
        counts: dict[str, list[int]] = {}
        for file in files(part, selection):
            if first <= file.date <= last:
                counts.setdefault(file.path.rpartition("/")[0], []).append(file.bytes)
        found += [
            Candidate(part, folder, len(sizes), sum(sizes))
            for folder, sizes in counts.items()
            if len(sizes) >= fewest or folder_key(stored_as(part, folder)) in left
        ]
    return sorted(found, key=lambda one: (str(one.lake.path(certificates_of(one.folder))), one.folder))


def compact(
    lake: Lake,
    selection: Selection,
    settings: Settings,
    progress: Progress = lambda folder, fraction, rows: None,
    run: Callable[[Sequence[Candidate], Settings], Iterable[FolderReport]] | None = None,
) -> CompactionReport:
    """Merge small files of every chosen day folder. ``run`` does the folders elsewhere (dask) instead of here.

    NotFoundError if there is no lake, EnvironmentRefused if another host compacts this bucket or the disk refuses.
    """
    if lake.folder is not None and not lake.folder.is_dir():
        raise NotFoundError(f"{lake} is not there")
    found = candidates(lake, selection, settings)
    with Lease(lake, held=bool(found) and not settings.dry_run) as lease:
        reports = []
        tracker = _Tracker(found, progress)
        for report in run(found, settings) if run is not None else _here(found, settings, tracker):
            reports.append(report)
            tracker.end(report)
            lease.renew()
        if not settings.dry_run:
            clean(lake)
    whole = CompactionReport(data=str(lake), dry_run=settings.dry_run, folders=reports)
    if whole.merged and not settings.dry_run and lake.folder is not None:
        add_totals(lake.folder, whole.merged, sync=settings.sync)
    return whole


def _here(found: Sequence[Candidate], settings: Settings, tracker: _Tracker) -> Iterator[FolderReport]:
    for part, candidates_of_it in groupby(found, key=lambda one: one.lake):
        proofs = Proofs(part)
        for one in candidates_of_it:
            yield compact_folder(part, one.folder, settings, proofs, tracker.rows(one.folder))


def _left_behind(lake: Lake) -> set[str]:
    """Keys of folders that a killed run did not end: a manifest that hides something, or a hidden folder."""
    keys = {folder_key(folder) for folder in hiding(lake)}  # of the whole lake
    if lake.folder is not None:
        keys |= {path.name for path in (lake.folder / COMPACTION).glob("*") if path.is_dir()}
    return keys


class _Tracker:
    """How much is done: by bytes over folders, told whenever rows are."""

    def __init__(self, found: Sequence[Candidate], progress: Progress) -> None:
        self._sizes = [one.bytes for one in found]
        self._all = max(1, sum(self._sizes))
        self._done = self._rows = 0
        self._progress = progress

    def rows(self, folder: str) -> Callable[[int], None]:
        """What a folder tells its rows to."""

        def tell(rows: int) -> None:
            self._rows += rows
            self._progress(folder, self._done / self._all, self._rows)

        return tell

    def end(self, report: FolderReport) -> None:
        """One folder less."""
        self._done += self._sizes.pop(0)
        self._progress(report.folder, self._done / self._all, self._rows)
