"""What the certificates of one exchange and day say about each file: the claims that a merged file has to keep."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, NamedTuple

import msgspec
import numpy as np

from ringcollect.errors import LakeError
from ringcollect.records import dtype_from_list
from ringcollect.store.archive.marks import archived_name
from ringcollect.store.cursor import journal_files
from ringcollect.store.location import Lake
from ringcollect.store.naming import parse_journal_stem
from ringcollect.store.removed import REMOVED, REMOVING


class _Claims(msgspec.Struct):
    row_hash: str
    records: int
    seq: tuple[int, int] | None
    ts_event: tuple[int, int] | None = None
    ts_recv: tuple[int, int] | None = None
    ts_ns: tuple[int, int] | None = None
    ts_open_ns: tuple[int, int] | None = None
    ts_close_ns: tuple[int, int] | None = None


class _Entry(msgspec.Struct):
    path: str
    rows: int
    table: str
    instrument: int | None
    claims: _Claims


class _Certificate(msgspec.Struct):
    ring: str
    generation: int
    seq_from: int
    seq_to: int
    dtype: list[list[Any]]
    itemsize: int
    files: list[_Entry]


class Proof(NamedTuple):
    """What is certified of one file of a segment, by the name it had when it was sealed."""

    name: str
    ring: str
    generation: int
    seq_from: int
    seq_to: int
    table: str
    instrument: int | None
    rows: int
    claims: dict[str, Any]
    dtype: np.dtype

    @property
    def row_hash(self) -> str:
        """sha256 over its records."""
        return str(self.claims["row_hash"])

    @property
    def end_ns(self) -> int:
        """The latest time in it: when a row was stamped or received."""
        return max(span[1] for name in ("ts_recv", "ts_ns", "ts_close_ns") if (span := self.claims.get(name)))


def proofs_of(lake: Lake, certificates: str, archive: str = "") -> dict[str, Proof]:
    """By path: every file named in the folder ``certificates`` of one exchange and day, whose journal is gone.

    While a journal is there its sealer may write the file again, and it must find the one that it wrote. ``archive``
    is the mark of an archive that must have the segment (:attr:`~ringcollect.store.archive.settings.Target.mark`):
    until then it is not ours to change. Memory: the entries of one exchange's day.
    """
    journals = [] if lake.folder is None else journal_files(lake.folder)
    waiting = {(file.ring, file.generation, file.seq_from) for file in journals}
    entries = {entry.key for entry in lake.files(certificates)}
    found: dict[str, Proof] = {}
    for key in sorted(key for key in entries if key.endswith(".json")):
        path = PurePosixPath(key)
        is_gone = {str(path.with_suffix(mark)) for mark in (REMOVING, REMOVED)} & entries
        is_awaited = archive and str(path.with_name(archived_name(path.stem, archive))) not in entries
        if parse_journal_stem(path.stem) in waiting or is_gone or is_awaited:
            continue
        try:
            certificate = msgspec.json.decode(lake.read(key), type=_Certificate)
        except msgspec.MsgspecError as error:
            raise LakeError(f"{key}: is no certificate: {error}") from error
        dtype = dtype_from_list(certificate.dtype, certificate.itemsize)
        for entry in certificate.files:
            found[entry.path] = Proof(
                name=entry.path.rsplit("/", 1)[-1],
                ring=certificate.ring,
                generation=certificate.generation,
                seq_from=certificate.seq_from,
                seq_to=certificate.seq_to,
                table=entry.table,
                instrument=entry.instrument,
                rows=entry.rows,
                claims=_plain(entry.claims),
                dtype=dtype,
            )
    return found


def _plain(claims: _Claims) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(claims)
    return {name: value for name, value in plain.items() if value is not None or name == "seq"}
