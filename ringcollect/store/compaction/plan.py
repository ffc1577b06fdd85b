"""Which files of a day folder become one: those of one ring and generation, certified, old enough, in ring order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from ringcollect.store import parquet
from ringcollect.store.compaction.certified import Proof
from ringcollect.store.compaction.record import Record
from ringcollect.store.location import Lake

_OWN = ("identity", "claims", "stamp_ns", "sources")
"""Metadata in which segments of one ring differ."""


class Policy(NamedTuple):
    """When files are merged: ``min_files`` at least, into ``target_files``, none with rows from ``before_ns`` on."""

    min_files: int = 2
    target_files: int = 1
    before_ns: int = 2**62


class Piece(NamedTuple):
    """A file as it lies in the folder: a segment's, or one merged before; ``proofs`` in the order of its rows.

    Without proofs it is one that nobody certified yet: it stays as it is, and nothing is merged across it.
    """

    name: str
    bytes: int
    rows: int
    metadata: dict[str, Any]
    like: str
    proofs: tuple[Proof, ...]

    @property
    def place(self) -> tuple[int, int]:
        """(generation, seq_from): where it is in its ring."""
        return int(self.metadata["identity"]["generation"]), int(self.metadata["identity"]["seq_from"])


class Batch(NamedTuple):
    """Files, in ring order, that become one."""

    pieces: tuple[Piece, ...]

    @property
    def proofs(self) -> list[Proof]:
        """What is certified of every segment in it."""
        return [proof for piece in self.pieces for proof in piece.proofs]


def pieces_of(lake: Lake, folder: str, proofs: Mapping[str, Proof], records: Iterable[Record]) -> list[Piece]:
    """The files of ours in a day folder. LakeError for one that cannot be read; foreign ones are nobody's to touch."""
    merged = {record.name: record for record in records}
    found = []
    for entry in lake.files(folder):
        name = entry.key.removeprefix(f"{folder}/")
        if "/" in name or not name.endswith(".parquet"):
            continue
        names = [name] if name not in merged else [source.name for source in merged[name].sources]
        known = [proofs.get(f"{folder}/{name}") for name in names]
        own = tuple(proof for proof in known if proof is not None)
        with lake.open_file(entry.key) as opened:
            file = parquet.open_file(opened)
            rows, schema = file.metadata.num_rows, file.schema_arrow
        if parquet.METADATA_KEY in (schema.metadata or {}):
            metadata = parquet.metadata_of(file)
            like = _like(metadata, schema.remove_metadata().to_string())
            found.append(Piece(name, entry.bytes, rows, metadata, like, own if len(own) == len(names) else ()))
    return found


def _like(metadata: dict[str, Any], schema: str) -> str:
    """Equal for files that can become one."""
    identity = metadata.get("identity") or {}
    lasting = {key: value for key, value in metadata.items() if key not in _OWN}
    whose = [identity.get(key) for key in ("ring", "generation", "instrument")]
    return json.dumps([whose, lasting, schema], sort_keys=True)


def batches(pieces: Sequence[Piece], policy: Policy) -> list[Batch]:
    """What is merged. Files between two that are merged are merged too: ranges of positions never interleave."""
    found = []
    for _, group in groupby(sorted(pieces, key=lambda piece: (piece.like, piece.place)), key=lambda piece: piece.like):
        for is_ready, run in groupby(group, key=lambda piece: _is_ready(piece, policy)):
            members = list(run)
            if is_ready and len(members) >= policy.min_files and len(members) > policy.target_files:
                found += [batch for batch in _split(members, policy.target_files) if len(batch.pieces) > 1]
    return found


def _is_ready(piece: Piece, policy: Policy) -> bool:
    return bool(piece.proofs) and max(proof.end_ns for proof in piece.proofs) < policy.before_ns


def _split(pieces: Sequence[Piece], parts: int) -> list[Batch]:
    """``pieces`` in ``parts`` consecutive batches of about equally many rows."""
    total, done = sum(piece.rows for piece in pieces), 0
    groups: list[list[Piece]] = [[] for _ in range(parts)]
    for piece in pieces:
        groups[min(parts - 1, done * parts // max(total, 1))].append(piece)
        done += piece.rows
    return [Batch(tuple(group)) for group in groups if group]
