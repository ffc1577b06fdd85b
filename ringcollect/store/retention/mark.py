"""What retention removed: one signed mark per day folder, beside the certificates of its exchange and day.

The certificates stay: they go on saying which positions there were. A mark excuses the files it names, no others, so
that ``verify`` still names a file that is missing for another reason.
"""

from __future__ import annotations

import msgspec

from ringcollect.errors import LakeError, NotFoundError
from ringcollect.store.compaction.record import certificates_of, folder_key
from ringcollect.store.location import Lake
from ringcollect.store.signed import decode_signed, encode_signed

SUFFIX = ".retired"
FORMAT = 1


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Files of segments that were in ``folder`` (relative to the lake), by name; why and when (UTC ns) they went."""

    format: int = FORMAT
    folder: str
    names: list[str]
    rows: int
    bytes: int
    why: str
    at_ns: int


def mark_key(folder: str) -> str:
    """Where the mark of a day folder is, relative to the lake."""
    return f"{certificates_of(folder)}/retired/{folder_key(folder)}{SUFFIX}"


def encode(mark: Mark) -> bytes:
    """As it stands in its file."""
    return encode_signed("retired", mark)


def decode(raw: bytes, place: str) -> Mark:
    """The inverse. LakeError for what is no mark, was changed, or is of a format this version does not know."""
    mark = decode_signed(raw, place, "retired", Mark, "a mark of retention")
    if mark.format != FORMAT:
        raise LakeError(f"{place}: has format {mark.format}; this version knows {FORMAT}")
    return mark


def mark_of(lake: Lake, folder: str) -> Mark | None:
    """The mark of a day folder; None if nothing of it was removed."""
    key = mark_key(folder)
    try:
        return decode(lake.read(key), key)
    except NotFoundError:
        return None


class Retired:
    """Which files of segments retention removed; the marks of one exchange and day are known at a time."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._day = ""
        self._names: dict[str, frozenset[str]] = {}

    def has(self, path: str) -> bool:
        """Whether the file ``path`` (relative to the lake) was removed. LakeError if the mark was changed."""
        day = certificates_of(path)
        if day != self._day:
            self._names, self._day = {}, day
        folder, _, name = path.rpartition("/")
        if folder not in self._names:
            mark = mark_of(self._lake, folder)
            self._names[folder] = frozenset(() if mark is None else mark.names)
        return name in self._names[folder]
