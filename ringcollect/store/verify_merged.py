"""Merged files under ``verify``: each is the file its record says, and its rows are those of certified files, once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ringcollect.errors import LakeError, NotFoundError
from ringcollect.store import parquet
from ringcollect.store.chunk import Chunk
from ringcollect.store.compaction.manifest import hidden_keys, manifests
from ringcollect.store.compaction.record import SUFFIX, Record, decode, records_of
from ringcollect.store.compaction.slices import Slices, slices_of
from ringcollect.store.location import Lake
from ringcollect.store.parts import columns_for, rebuild
from ringcollect.store.report import Report
from ringcollect.store.verify_place import place_problem

_TRIES = 5


class Part(NamedTuple):
    """The records of one certified file, read from the merged file ``path``, and that file's schema and metadata."""

    path: str
    chunk: Chunk
    schema: Any
    metadata: dict[str, Any]


def read_part(slices: Slices, path: str, table: str, dtype: np.dtype, instrument: int | None) -> Part | None:
    """What was the file ``path`` before it was merged; None if no merged file has it. LakeError if it is unreadable.

    Files may be merged again while we look: then the next one is found.
    """
    for _ in range(_TRIES):
        place = slices.of(path)
        if place.path == path or place.rows is None:
            return None
        try:
            with slices.lake.open_file(place.path) as opened:
                file = parquet.open_file(opened)
                values = parquet.read_rows(file, columns_for(table, dtype), place.first, place.rows)
                pieces = [rebuild(table, part, dtype, instrument) for part in values]
                records = np.concatenate([np.empty(0, dtype), *(piece.records for piece in pieces)])
                chunk = Chunk(records, b"".join(piece.blob for piece in pieces))
                return Part(place.path, chunk, file.schema_arrow, parquet.metadata_of(file))
        except NotFoundError:
            slices.forget()
    return None


def identity_problem(part: Part, identity: dict[str, Any], name: str) -> str | None:
    """What a merged file says otherwise about the segment it took in as ``name``; None if nothing."""
    own = part.metadata.get("identity") or {}
    sources = part.metadata.get("sources") or []
    source: dict[str, Any] = next((one for one in sources if one.get("name") == name), {})
    said = own | {key: source.get(key) for key in ("seq_from", "seq_to")}
    return None if said == identity else f"says that {name} in it is {said}, certified is {identity}"


def check_merged(lake: Lake, certified: set[str], report: Report) -> set[str]:
    """Check every merged file of the lake; ``certified`` are the keys in certificates. Returns the merged files' keys.

    A record whose file is not there says nothing: its swap is still to come, or was followed by another.
    """
    hidden = hidden_keys(lake, manifests(lake))
    known = set()
    for entry in lake.files("certificates"):
        if not entry.key.endswith(SUFFIX):
            continue
        try:
            record = decode(lake.read(entry.key), entry.key)
            found = lake.stat(f"{record.folder}/{record.name}")
        except NotFoundError:
            continue
        except LakeError as error:
            report.problem(entry.key, str(error).removeprefix(f"{entry.key}: "))
            continue
        key = f"{record.folder}/{record.name}"
        if found is None or key in known:
            continue
        known.add(key)
        if key not in hidden:
            _check(lake, record, certified, hidden, report)
    return known


def is_merged(lake: Lake, key: str) -> bool:
    """Whether a record explains the file ``key`` (that came while we looked elsewhere)."""
    folder, _, name = key.rpartition("/")
    try:
        return any(record.name == name for _, record in records_of(lake, folder))
    except LakeError:
        return False


def _check(lake: Lake, record: Record, certified: set[str], hidden: frozenset[str], report: Report) -> None:
    key = f"{record.folder}/{record.name}"
    try:
        sha256, size = hashlib.sha256(), 0
        for piece in lake.pieces(key):
            sha256.update(piece)
            size += len(piece)
        problems = _problems(lake, record, size, sha256.hexdigest())
    except NotFoundError:
        return  # merged again meanwhile
    except LakeError as error:
        problems = iter([f"cannot be read: {error}"])
    report.bytes += record.bytes
    for what in problems:
        report.problem(key, what)
    for path, _ in slices_of(record):
        if path not in certified:
            report.problem(key, f"holds rows of {path}, which is in no certificate")
        elif path not in hidden and lake.exists(path) and lake.exists(key):
            report.problem(key, f"holds rows of {path}, which is there, too: its rows are there twice")


def _problems(lake: Lake, record: Record, size: int, sha256: str) -> Iterator[str]:
    key = f"{record.folder}/{record.name}"
    if size != record.bytes:
        yield f"has {size} bytes, recorded are {record.bytes}"
    if sha256 != record.sha256:
        yield "is not the file that was recorded: another sha256"
    with lake.open_file(key) as opened:
        try:
            file = parquet.open_file(opened)
            metadata = parquet.metadata_of(file)
            tier, _, table = str(metadata["identity"]["table"]).partition("/")
            wrong = place_problem(key, str(metadata["identity"]["ring"]), tier, table, metadata)
        except (LakeError, KeyError, TypeError, ValueError) as error:
            yield f"cannot be read: {error}"
            return
        rows = sum(source.rows for source in record.sources)
        if not file.metadata.num_rows == rows == record.rows:
            yield f"has {file.metadata.num_rows} rows, recorded are {rows}"
        if wrong is not None:
            yield wrong
