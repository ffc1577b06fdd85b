"""Several files of one ring written as one, and the proof that every row of each is in it, in its order."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from ringcollect.errors import LakeError
from ringcollect.failpoints import fail
from ringcollect.store import certificate, parquet
from ringcollect.store.chunk import Chunk
from ringcollect.store.compaction.certified import Proof
from ringcollect.store.compaction.plan import Batch
from ringcollect.store.compaction.record import Record, Source
from ringcollect.store.location import Lake
from ringcollect.store.parts import columns_for, rebuild
from ringcollect.store.schema import Column
from ringcollect.store.schema_versions import columns_at, version_of

GROUP_ROWS = 1 << 16
GROUP_BYTES = 16 << 20
"""A row group takes whole segments up to these sizes, or a part of a longer one: so that the rows of one segment are
read without those of many others. Both bound the memory."""


def merged_name(batch: Batch, taken: set[str]) -> str:
    """A name that no file of the folder has or had: the first segment's, with the positions it reaches."""
    first, last = batch.proofs[0], batch.proofs[-1]
    stem = first.name.removesuffix(".parquet").removesuffix(f"-{first.seq_from}")
    name = f"{stem}-{first.seq_from}-{last.seq_to}"
    free = (f"{name}{more}.parquet" for more in ["", *(f"-{n}" for n in range(2, 1000))])
    return next(candidate for candidate in free if candidate not in taken)


def merge(
    lake: Lake, folder: str, batch: Batch, target: Path, level: int, *, sync: bool, progress: Callable[[int], None]
) -> Record:
    """Write the rows of ``batch`` (files in ``folder``) to the new file ``target``, and read every row back.

    ``progress`` is told rows as they are read or checked. Memory: some row groups. LakeError if a source is not what
    its certificate says, or what was written is not.
    """
    first = batch.proofs[0]
    columns = columns_for(first.table, first.dtype)
    with open(target, "wb") as file:
        _write(file, lake, folder, batch, columns, level, progress)
        file.flush()
        fail("compact.after_write")
        if sync:
            os.fsync(file.fileno())
    fail("compact.after_fsync")
    _prove(target, batch.proofs, columns, progress)
    fail("compact.after_readback")
    with open(target, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Record(
        folder=folder,
        name=target.name,
        bytes=target.stat().st_size,
        sha256=sha256,
        rows=sum(proof.rows for proof in batch.proofs),
        sources=[Source(name=proof.name, rows=proof.rows) for proof in batch.proofs],
        replaces=[piece.name for piece in batch.pieces],
    )


def _write(
    file: Any,
    lake: Lake,
    folder: str,
    batch: Batch,
    columns: Sequence[Column],
    level: int,
    progress: Callable[[int], None],
) -> None:
    metadata = _metadata(batch)
    there = columns_at(columns, version_of(metadata))
    groups = _groups(_segments(lake, folder, batch, columns))
    first = next(groups)
    encodings = parquet.encodings_of_table(there, first, level)
    with parquet.writer(file, there, metadata, encodings) as writer:
        for table in itertools.chain([first], groups):
            writer.write_table(table, row_group_size=max(len(table), 1))
            progress(len(table))


def _segments(lake: Lake, folder: str, batch: Batch, columns: Sequence[Column]) -> Iterator[tuple[bool, pa.Table]]:
    """Row groups of the sources, and whether each is a whole source."""
    for piece in batch.pieces:
        key = f"{folder}/{piece.name}"
        try:
            with lake.open_file(key) as opened:
                file = parquet.open_file(opened)
                there = parquet.columns_in(file, columns)
                if file.metadata.num_rows != sum(proof.rows for proof in piece.proofs):
                    raise LakeError(f"has {file.metadata.num_rows} rows, not as many as are certified")
                groups = file.metadata.num_row_groups
                # of a merged file each group has whole segments, or a part of one that is longer than a group
                whole = groups == 1 or len(piece.proofs) > 1
                for group in range(groups):
                    yield whole, parquet.read_group(file, group, there)
        except LakeError as error:
            raise LakeError(f"{key}: {error}") from error


def _groups(tables: Iterator[tuple[bool, pa.Table]]) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    rows = size = 0
    for whole, table in tables:
        too_many = rows + len(table) > GROUP_ROWS or size + table.nbytes > GROUP_BYTES
        if waiting and (too_many or not whole):
            yield pa.concat_tables(waiting)
            waiting, rows, size = [], 0, 0
        if not whole:
            yield table
            continue
        waiting.append(table)
        rows += len(table)
        size += table.nbytes
    if waiting:
        yield pa.concat_tables(waiting)


def _metadata(batch: Batch) -> dict[str, Any]:
    """That of the first segment, over the positions of all, and where the rows of each are."""
    first, last = batch.pieces[0].metadata, batch.proofs[-1]
    sources = [
        {
            "name": proof.name,
            "seq_from": proof.seq_from,
            "seq_to": proof.seq_to,
            "rows": proof.rows,
            "row_hash": proof.row_hash,
        }
        for proof in batch.proofs
    ]
    return first | {
        "identity": first["identity"] | {"seq_to": last.seq_to},
        "claims": _claims(batch.proofs),
        "sources": sources,
    }


def _claims(proofs: Sequence[Proof]) -> dict[str, Any]:
    """Counts and ranges over all; the hashes stay those of the segments."""
    out: dict[str, Any] = {"records": sum(proof.claims["records"] for proof in proofs)}
    for name in ("seq", *certificate.TIMES):
        spans = [proof.claims[name] for proof in proofs if proof.claims.get(name)]
        if spans:
            out[name] = [min(span[0] for span in spans), max(span[1] for span in spans)]
    return out


def _prove(path: Path, proofs: Sequence[Proof], columns: Sequence[Column], progress: Callable[[int], None]) -> None:
    """Each segment's rows, read back from the merged file, are the certified ones in the certified order."""
    file = parquet.open_file(path)
    pieces = _Rows(file, columns)
    for proof in proofs:
        records = (rebuild(proof.table, values, proof.dtype, proof.instrument) for values in pieces.take(proof.rows))
        if certificate.row_hash_of(_counted(records, progress)) != proof.row_hash:
            raise LakeError(
                f"{proof.name}: its rows are not the ones that are certified: `ringcollect verify` says more"
            )
    if pieces.left:
        raise LakeError(f"{path}: holds more rows than its sources")


def _counted(chunks: Iterator[Chunk], progress: Callable[[int], None]) -> Iterator[Chunk]:
    for chunk in chunks:
        progress(len(chunk.records))
        yield chunk


class _Rows:
    """The rows of a file one after the other, each row group read once."""

    def __init__(self, file: Any, columns: Sequence[Column]) -> None:
        self.left = file.metadata.num_rows
        self._file = file
        self._columns = columns
        there = parquet.columns_in(file, columns)
        self._tables = (parquet.read_group(file, n, there) for n in range(file.metadata.num_row_groups))
        self._table: pa.Table | None = None

    def take(self, rows: int) -> Iterator[Any]:
        """The next ``rows`` rows. LakeError if there are fewer."""
        if rows > self.left:
            raise LakeError("it holds fewer rows than its sources")
        self.left -= rows
        while rows:
            if self._table is None or not len(self._table):
                self._table = next(self._tables)
                continue
            part, self._table = self._table.slice(0, rows), self._table.slice(rows)
            rows -= len(part)
            yield parquet.values_of(self._file, part, self._columns)
