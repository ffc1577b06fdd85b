"""Where the rows of a certified file are now: in the file itself, or in a merged one."""

from __future__ import annotations

from ringcollect.errors import NotFoundError
from ringcollect.store.compaction.manifest import hidden_keys, manifests
from ringcollect.store.compaction.record import Record, Slice, certificates_of, records_of_day
from ringcollect.store.location import Lake


class Slices:
    """Answers for the certificates of one exchange and day at a time; asks the lake again for another day."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._day = ""
        self._found: dict[str, list[Slice]] = {}
        self._hidden: frozenset[str] = frozenset()

    def of(self, path: str) -> Slice:
        """Where the rows of ``path`` are (keys of the lake); ``path`` itself if it is there, or nothing else is.

        Swapped away between this answer and the opening of the file: forget everything and ask again.
        """
        self._look(certificates_of(path))
        if path not in self._hidden and self.lake.exists(path):
            return Slice(path)
        for place in self._found.get(path, ()):
            if place.path not in self._hidden and self.lake.exists(place.path):
                return place
        return Slice(path)

    def forget(self) -> None:
        """What is known is old."""
        self._day = ""

    def _look(self, day: str) -> None:
        if day == self._day:
            return
        self._hidden = hidden_keys(self.lake, manifests(self.lake))
        self._found = {}
        for _, record in records_of_day(self.lake, day):
            for path, place in slices_of(record):
                self._found.setdefault(path, []).append(place)
        self._day = day


def slices_of(record: Record) -> list[tuple[str, Slice]]:
    """(path of a segment's file, its rows in the merged file) for each source, in order."""
    out, first = [], 0
    for source in record.sources:
        out.append((f"{record.folder}/{source.name}", Slice(f"{record.folder}/{record.name}", first, source.rows)))
        first += source.rows
    return out


def where(lake: Lake, path: str) -> Slice:
    """As :meth:`Slices.of`, for one path. NotFoundError if the rows are nowhere."""
    slices = Slices(lake)
    place = slices.of(path)
    if place.path == path and not lake.exists(path):
        raise NotFoundError(f"{lake}/{path} is not there, nor is a file it was merged into")
    return place
