"""What a merged file was made of: one signed record per file, beside the certificates of its day.

The certificates of the segments stay as they are and go on proving every row; the record says in which rows of which
merged file a segment's file is now. A record counts while its file is in the folder, and only then, so that swapping
the folder is the one moment at which everything changes.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

import msgspec

from ringcollect.errors import LakeError, NotFoundError
from ringcollect.store.location import Lake
from ringcollect.store.signed import decode_signed, encode_signed

COMPACTION = "compaction"
"""The folder of a lake in which compaction works: no reader of tables looks into it, nobody archives it."""
SUFFIX = ".compacted"
FORMAT = 1


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One segment's file, by the name it had in the folder, and how many rows of the merged file are its."""

    name: str
    rows: int


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The merged file ``name`` in ``folder`` (relative to the lake), whose rows are those of ``sources``, one after the
    other; ``replaces``: the names that left the folder when it came."""

    format: int = FORMAT
    folder: str
    name: str
    bytes: int
    sha256: str
    rows: int
    sources: list[Source]
    replaces: list[str]


class Slice(NamedTuple):
    """Rows ``[first, first + rows)`` of the file ``path`` (relative to the lake); None: all of it."""

    path: str
    first: int = 0
    rows: int | None = None


def folder_key(folder: str) -> str:
    """A short name of a day folder, the same on every host."""
    return hashlib.sha256(folder.encode()).hexdigest()[:24]


def certificates_of(folder: str) -> str:
    """The certificates of the exchange and day of a day folder, relative to the lake."""
    values = {part.partition("=")[0]: part for part in PurePosixPath(folder).parts}
    if "exchange" not in values or "date" not in values:
        raise LakeError(f"{folder}: is no day folder of a lake")
    return f"certificates/{values['exchange']}/{values['date']}"


def record_key(record: Record) -> str:
    """The record's own place: no two merged files of a folder ever have the same name."""
    name = hashlib.sha256(record.name.encode()).hexdigest()[:16]
    return f"{_own_folder(record.folder)}/{name}{SUFFIX}"


def _own_folder(folder: str) -> str:
    return f"{certificates_of(folder)}/compacted/{folder_key(folder)}"


def encode(record: Record) -> bytes:
    """As it stands in its file, signed as certificates are."""
    return encode_signed("compacted", record)


def decode(raw: bytes, place: str) -> Record:
    """The inverse. LakeError for what is no record, was changed, or is of a format this version does not know."""
    record = decode_signed(raw, place, "compacted", Record, "a record of compaction")
    if record.format != FORMAT:
        raise LakeError(f"{place}: has format {record.format}; this version knows {FORMAT}")
    return record


def records_of(lake: Lake, folder: str) -> Iterator[tuple[str, Record]]:
    """(key, record) of every record of one day folder, whether its file is there or not."""
    for entry in lake.files(_own_folder(folder)):
        if entry.key.endswith(SUFFIX):
            with contextlib.suppress(NotFoundError):  # of a file that was merged again meanwhile
                yield entry.key, decode(lake.read(entry.key), entry.key)
