"""Which day folders go: those past their age, then the oldest of what is too much. Never today's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ringcollect.config import Retention
from ringcollect.durations import parse_duration
from ringcollect.store.files import LakeFile
from ringcollect.store.naming import DAY_NS, date_of

GB = 1_000_000_000


class Folder(NamedTuple):
    """A day folder: ``type`` is its table (``trades``) with its tier (``raw/trades``); ``bytes`` of its files."""

    folder: str
    table: str
    type: str
    date: str
    files: int
    bytes: int


class Doomed(NamedTuple):
    """A folder that goes, and why."""

    folder: Folder
    why: str


class Limit(NamedTuple):
    """A limit, and the tables it is for: all but ``others`` if ``types`` is empty."""

    types: tuple[str, ...]
    others: tuple[str, ...]
    age_ns: int
    max_bytes: int

    def covers(self, folder: Folder) -> bool:
        """Whether it is about this folder."""
        names = {folder.table, folder.type}
        return bool(names & set(self.types)) if self.types else not names & set(self.others)


def folders_of(found: Iterable[LakeFile]) -> list[Folder]:
    """The day folders of a listing, oldest first."""
    sizes: dict[str, list[int]] = {}
    named: dict[str, LakeFile] = {}
    for file in found:
        folder = file.path.rpartition("/")[0]
        sizes.setdefault(folder, []).append(file.bytes)
        named[folder] = file
    folders = [
        Folder(folder, file.table, file.type, file.date, len(sizes[folder]), sum(sizes[folder]))
        for folder, file in named.items()
    ]
    return sorted(folders, key=lambda one: (one.date, one.folder))


def limits_of(retention: Retention) -> list[Limit]:
    """The general limits, and those of each override; ages in ns, 0: for ever; bytes, 0: any number."""
    own = tuple(name for override in retention.override for name in override.types)
    limits = [Limit((), own, _ns(retention.age), int(retention.max_gb * GB))]
    for override in retention.override:
        age = override.age or retention.age
        limits.append(Limit(override.types, (), _ns(age), int(override.max_gb * GB)))
    return limits


def doomed(folders: Sequence[Folder], retention: Retention, now_ns: int, free_bytes: int) -> list[Doomed]:
    """What goes, in this order; ``free_bytes`` are those of the file system now.

    ``max_gb`` of ``[retention]`` is for all folders together, of an override for those of its types.
    """
    today = date_of(now_ns)
    going: dict[str, Doomed] = {}
    limits = limits_of(retention)
    for limit in limits:
        for one in folders:
            is_old = limit.age_ns and one.date <= date_of(max(0, now_ns - limit.age_ns - DAY_NS))
            if is_old and limit.covers(one) and one.date < today:
                going.setdefault(one.folder, Doomed(one, "age"))
    for limit in limits[1:]:
        own = [one for one in folders if limit.covers(one)]
        _shrink(own, limit.max_bytes, today, going)
    _shrink(folders, limits[0].max_bytes, today, going)
    missing = int(retention.min_free_gb * GB) - free_bytes - sum(one.folder.bytes for one in going.values())
    for one in folders:
        if missing > 0 and one.folder not in going and one.date < today:
            going[one.folder] = Doomed(one, "space")
            missing -= one.bytes
    return sorted(going.values(), key=lambda one: (one.folder.date, one.folder.folder))


def _shrink(folders: Sequence[Folder], limit: int, today: str, going: dict[str, Doomed]) -> None:
    """Add the oldest of ``folders`` until what stays of them is within ``limit`` (0: none)."""
    size = sum(one.bytes for one in folders if one.folder not in going)
    for one in folders:
        if not limit or size <= limit:
            return
        if one.folder not in going and one.date < today:
            going[one.folder] = Doomed(one, "size")
            size -= one.bytes


def _ns(age: str) -> int:
    return 0 if age in ("", "forever") else parse_duration(age)
