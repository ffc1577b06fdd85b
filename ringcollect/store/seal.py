"""Sealing: a complete journal becomes Parquet files and a certificate, then the journal goes.

A pure function of the journal, and safe to repeat after a kill at any point: every file has a name and an identity
that follow from the content, a file of the same identity is replaced by equal bytes, and the journal is deleted only
when everything else is durable. Run as ``python -m ringcollect.store.seal --data DIR JOURNAL...``.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import ringcollect
from ringcollect.errors import EnvironmentRefused, LakeError
from ringcollect.failpoints import fail
from ringcollect.store import certificate, parquet
from ringcollect.store.chunk import RingKind, kind_of
from ringcollect.store.cursor import exchange_of, journal_files, journal_folder, readable
from ringcollect.store.drain import set_aside
from ringcollect.store.durable import (
    fsync_file,
    fsync_folder,
    lock_now,
    make_folders,
    only_one,
    put_in_place,
    temporary_beside,
    write_whole,
)
from ringcollect.store.journal import Journal
from ringcollect.store.naming import DAY_NS, certificate_path, parse_journal_stem
from ringcollect.store.parts import Part, Segment, claims_of, load, parts, rebuild

CERTIFICATE_FORMAT = 1
DEFAULT_LEVEL = 4
LOCK_WAIT_S = 20.0


class Sealed(NamedTuple):
    """What one journal became."""

    journal: str
    certificate: str
    files: int
    rows: int
    bytes: int


class Lake(NamedTuple):
    """Where to and how: the lake's folder, zstd level, and whether fsync is wanted."""

    data: Path
    level: int
    sync: bool


def seal(journal_path: Path, data: Path, level: int = DEFAULT_LEVEL, *, sync: bool = True) -> Sealed | None:
    """Turn one complete (or left behind) journal into files and delete it; None if it is gone already.

    Raises LakeError if it is no journal, EnvironmentRefused if its writer is alive, OSError if the disk refuses.
    """
    fd = _lock(journal_path)
    if fd is None:
        return None
    try:
        with only_one(journal_folder(data) / ".seal.lock"):
            return _seal(Journal.open(journal_path), Lake(data, level, sync))
    finally:
        os.close(fd)


def _lock(path: Path) -> int | None:
    """The journal's lock; a writer that has just handed it over may hold it a moment longer."""
    give_up = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fd = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            lock_now(fd, path)
        except EnvironmentRefused:
            os.close(fd)
            if time.monotonic() > give_up:
                raise
            time.sleep(0.02)
            continue
        if os.fstat(fd).st_nlink:
            return fd
        os.close(fd)  # somebody sealed and deleted it while we waited


def _seal(journal: Journal, lake: Lake) -> Sealed:
    fail("seal.start")
    kind = kind_of(journal.dtype)
    segment = load(journal, kind)
    _refuse_overlap(journal, segment, lake.data)
    files = [_write_part(part, segment, lake) for part in parts(segment, kind)]
    path = lake.data / certificate_path(exchange_of(journal.header.ring), journal.header.stem, segment.first_ns)
    write_whole(path, _certificate(journal, segment, kind, files), "seal.sidecar", sync=lake.sync)
    _delete(journal, lake)
    return Sealed(
        journal=journal.path.name,
        certificate=str(path.relative_to(lake.data)),
        files=len(files),
        rows=journal.rows,
        bytes=sum(file["bytes"] for file in files),
    )


def _refuse_overlap(journal: Journal, segment: Segment, data: Path) -> None:
    """LakeError if the lake already holds some of these records in other segments (a replay cut differently)."""
    header = journal.header
    found: dict[int, Path] = {}
    last_ns = int(segment.stream[-1]) if len(segment.stream) else segment.first_ns
    for ns in range(segment.first_ns - DAY_NS, last_ns + 2 * DAY_NS, DAY_NS):
        folder = data / certificate_path(exchange_of(header.ring), "", max(ns, 0)).parent
        for path in folder.glob(f"{header.ring}-{header.generation}-*.json"):
            parts_of_name = parse_journal_stem(path.stem)
            if parts_of_name is not None and parts_of_name[2] < journal.seq_to:
                found[parts_of_name[2]] = path
    before = max((seq for seq in found if seq < header.seq_from), default=-1)
    for seq_from, path in found.items():
        if seq_from < before:
            continue  # what is before its neighbour ends before it, too
        seq_to = json.loads(path.read_bytes())["seq_to"]
        if (seq_from, seq_to) != (header.seq_from, journal.seq_to) and seq_to > header.seq_from:
            raise LakeError(
                f"{journal.path.name}: records {seq_from} to {seq_to - 1} of this ring and generation are in the lake "
                f"already, cut differently ({path.name}); use another --data or remove them first"
            )


def _write_part(part: Part, segment: Segment, lake: Lake) -> dict[str, Any]:
    """Write one file, read it back, give it its name; returns its entry in the certificate."""
    claims = certificate.file_claims(part.chunk)
    metadata = part.metadata | {"claims": claims}
    folder = lake.data / part.folder
    make_folders(folder, sync=lake.sync)
    temporary = temporary_beside(folder / part.name(""))
    fail("seal.before_write")
    with open(temporary, "wb") as target:
        rows = parquet.write(target, part.columns, metadata, part.to_columns(part.chunk), lake.level)
        target.flush()
        fail("seal.after_write")
        if lake.sync:
            os.fsync(target.fileno())
    fail("seal.after_fsync")
    _read_back(temporary, part, segment, claims["row_hash"])
    fail("seal.after_readback")
    final = _free_name(folder, part)
    content = temporary.read_bytes()
    put_in_place(temporary, final, "seal", sync=lake.sync)
    return {
        "path": str(final.relative_to(lake.data)),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "rows": rows,
        "tier": part.tier,
        "table": part.table,
        "instrument": part.instrument,
        "claims": claims,
        "blocks": certificate.block_sums(part.chunk),
    }


def _read_back(path: Path, part: Part, segment: Segment, row_hash: str) -> None:
    """What can be read from the file is what was in the journal, record for record; else LakeError."""
    dtype = segment.chunk.records.dtype
    pieces = (
        rebuild(part.table, columns, dtype, part.instrument)
        for columns in parquet.read(parquet.open_file(path), part.columns)
    )
    if certificate.row_hash_of(pieces) != row_hash:
        raise LakeError(f"{path}: reads back differently from what was written")


def _free_name(folder: Path, part: Part) -> Path:
    """The name this identity already has, else the first free one: plain, then ``-<seq_from>`` and more."""
    identity = part.metadata["identity"]
    seq = f"-{identity['seq_from']}"
    suffixes = ["", seq, f"{seq}-{identity['generation']}"]
    suffixes += [f"{suffixes[-1]}-{n}" for n in range(1, 1000)]
    free = None
    for suffix in suffixes:
        path = folder / part.name(suffix)
        if not path.exists():
            free = free or path
            if suffix == suffixes[2]:
                break
        elif _identity(path) == identity:
            return path
    if free is None:
        raise LakeError(f"{folder}: no free name for {part.name('')}")
    return free


def _identity(path: Path) -> Any:
    """The identity a file claims; None if it is not ours (then it is left alone)."""
    try:
        return parquet.metadata_of(parquet.open_file(path)).get("identity")
    except LakeError:
        return None


def _certificate(journal: Journal, segment: Segment, kind: RingKind, files: list[dict[str, Any]]) -> bytes:
    """The sidecar: everything from the journal, and which software wrote it. No wall time: sealing again is equal."""
    header = journal.header
    content = {
        "format": CERTIFICATE_FORMAT,
        "ring": header.ring,
        "kind": kind.value,
        "exchange": exchange_of(header.ring),
        "generation": header.generation,
        "seq_from": header.seq_from,
        "seq_to": journal.seq_to,
        "first_seq": header.first_seq,
        "previous": header.previous,
        "records": journal.rows,
        "lost": [list(lost) for lost in journal.lost],
        "damaged_bytes": sum(d.end - d.at for d in journal.damage),
        "complete": journal.ended,
        "unstored_fields": segment.unstored,
        "stream_ns": [segment.first_ns, int(segment.stream[-1])] if len(segment.stream) else None,
        "dtype": header.dtype,
        "itemsize": header.itemsize,
        "meta": header.meta,
        "claims": claims_of(kind, segment.chunk, header.meta),
        "files": files,
        "instruments": [_plain(i) for _, i in sorted(journal.instruments.items())],
        "run": {
            "ringcollect": ringcollect.__version__,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "numpy": version("numpy"),
            "pyarrow": version("pyarrow"),
        },
    }
    return sign(content)


def sign(content: dict[str, Any]) -> bytes:
    """JSON with the sha256 of itself (without that line), so that a changed certificate is noticed."""
    bare = json.dumps(content, sort_keys=True, indent=1, allow_nan=False)
    return json.dumps(
        content | {"sha256": hashlib.sha256(bare.encode()).hexdigest()}, sort_keys=True, indent=1, allow_nan=False
    ).encode()


def _plain(instrument: Any) -> dict[str, Any]:
    return {name: getattr(instrument, name) for name in instrument.__struct_fields__}


def _delete(journal: Journal, lake: Lake) -> None:
    """Delete the journal, after what takes its place as the cursor is durable."""
    folder = journal_folder(lake.data)
    header = journal.header
    if lake.sync:
        for file in journal_files(lake.data):
            if (file.ring, file.generation) == (header.ring, header.generation) and file.seq_from >= journal.seq_to:
                fsync_file(file.path)
        fsync_folder(folder)
    fail("seal.before_delete")
    journal.path.unlink()
    fail("seal.after_delete")
    if lake.sync:
        fsync_folder(folder)


def seal_all(paths: list[Path], data: Path, level: int = DEFAULT_LEVEL, *, sync: bool = True) -> list[Sealed]:
    """Seal several journals in order, in this process (replay); stops at the first error."""
    return [sealed for path in paths if (sealed := seal(path, data, level, sync=sync)) is not None]


def main(arguments: list[str] | None = None) -> int:
    """Seal each journal given; one line of JSON each. Exit 0, 1 (a journal is no journal), 4 (the disk refuses)."""
    parser = argparse.ArgumentParser(prog="python -m ringcollect.store.seal", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--zstd-level", type=int, default=DEFAULT_LEVEL)
    parser.add_argument("--no-fsync", action="store_true")
    parser.add_argument("journals", type=Path, nargs="+")
    options = parser.parse_args(arguments)
    worst = 0
    for path in options.journals:
        try:
            sealed = seal(path, options.data, options.zstd_level, sync=not options.no_fsync)
            print(json.dumps(None if sealed is None else sealed._asdict()), flush=True)
        except (OSError, EnvironmentRefused) as error:
            print(f"{path}: {error}", file=sys.stderr)
            worst = 4
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EROFS, errno.EDQUOT):
                break
        except LakeError as error:
            worst = max(worst, 1)
            kept = "" if readable(path) else f"; kept as {set_aside(path).name}"
            print(f"{error}{kept}", file=sys.stderr)
    return worst


if __name__ == "__main__":
    sys.exit(main())
