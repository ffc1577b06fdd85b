"""Where the rows of a certified file are now: in the file itself, or in a merged one."""

from __future__ import annotations

from ringcollect.store.compaction.manifest import hidden_in
from ringcollect.store.compaction.record import Record, Slice, certificates_of, records_of
from ringcollect.store.location import Lake

_LOOKS = 4


class Slices:
    """Answers for many files, each folder looked up once; what was known of another exchange or day is forgotten."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._day = ""
        self._folders: dict[str, dict[str, list[Slice]]] = {}

    def of(self, path: str) -> Slice:
        """Where the rows of ``path`` are (keys of the lake); ``path`` itself if it is there, or nothing else is.

        Merged away between this answer and the opening of the file: :meth:`forget`, and ask again.
        """
        day, folder = certificates_of(path), path.rpartition("/")[0]
        for _ in range(_LOOKS):
            if self.lake.exists(path):
                return Slice(path)
            if day != self._day:
                self._folders, self._day = {}, day
            if folder not in self._folders:
                self._folders[folder] = self._look(folder)
            for place in self._folders[folder].get(path, ()):
                if self.lake.exists(place.path):
                    return place
            del self._folders[folder]  # what was known may have been merged again since
        return Slice(path)

    def forget(self) -> None:
        """What is known is old."""
        self._folders = {}

    def _look(self, folder: str) -> dict[str, list[Slice]]:
        found: dict[str, list[Slice]] = {}
        hidden = set(hidden_in(self.lake, folder))
        for _, record in records_of(self.lake, folder):
            for path, place in slices_of(record) if record.name not in hidden else ():
                found.setdefault(path, []).append(place)
        return found


def slices_of(record: Record) -> list[tuple[str, Slice]]:
    """(path of a segment's file, its rows in the merged file) for each source, in order."""
    out, first = [], 0
    for source in record.sources:
        out.append((f"{record.folder}/{source.name}", Slice(f"{record.folder}/{record.name}", first, source.rows)))
        first += source.rows
    return out
