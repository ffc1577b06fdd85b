"""One certificate against its files: every claim is made again from the rows and compared."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import msgspec
import numpy as np

from ringcollect.errors import LakeError, NotFoundError, RingcollectError
from ringcollect.records import RECORD, Flag, dtype_from_list
from ringcollect.store import certificate, parquet, ranges
from ringcollect.store.chunk import Chunk, kind_of
from ringcollect.store.compaction.slices import Slices
from ringcollect.store.cursor import exchange_of
from ringcollect.store.location import Lake
from ringcollect.store.parts import claims_of, columns_for, rebuild
from ringcollect.store.report import Report
from ringcollect.store.retention.mark import mark_of
from ringcollect.store.schema import SCHEMA_VERSION, Column
from ringcollect.store.schema_versions import columns_at, is_known, version_of
from ringcollect.store.seal import CERTIFICATE_FORMAT, sign
from ringcollect.store.verify_merged import identity_problem, read_part
from ringcollect.store.verify_place import place_problem

FORBIDDEN_IN_RAW = frozenset({"source", "snapshot", "alignment", "recovered", "backfill"})


class FileEntry(msgspec.Struct, kw_only=True):
    """What a certificate says about one file."""

    path: str
    bytes: int
    sha256: str
    rows: int
    tier: str
    table: str
    instrument: int | None
    claims: dict[str, Any]
    blocks: str


class Certificate(msgspec.Struct, kw_only=True):
    """A sidecar, typed."""

    format: int
    ring: str
    kind: str
    exchange: str
    generation: int
    seq_from: int
    seq_to: int
    first_seq: int
    previous: tuple[int, int] | None
    records: int
    lost: list[tuple[int, int, str]]
    dtype: list[list[Any]]
    itemsize: int
    meta: dict[str, Any]
    claims: dict[str, Any]
    files: list[FileEntry]
    stream_ns: tuple[int, int] | None

    @property
    def key(self) -> tuple[str, int, int]:
        """(ring, generation, seq_from), as in the name of its journal."""
        return self.ring, self.generation, self.seq_from


class Found(NamedTuple):
    """The records read from one file."""

    entry: FileEntry
    chunk: Chunk


def read_certificate(lake: Lake, place: str, report: Report) -> Certificate | None:
    """The certificate ``place``, if it can be read at all; a changed one is a problem and is still checked."""
    raw = lake.read(place)
    try:
        content = json.loads(raw)
        found = msgspec.convert(content, Certificate)
        signed = sign({name: value for name, value in content.items() if name != "sha256"})
    except (ValueError, msgspec.ValidationError) as error:
        report.problem(place, f"is not a certificate: {error}")
        return None
    if signed != raw:
        report.problem(place, "was changed after it was written: its own sha256 does not fit")
    if found.format != CERTIFICATE_FORMAT:
        report.problem(place, f"has format {found.format}; this version knows {CERTIFICATE_FORMAT}")
        return None
    return found


def check_segment(place: str, cert: Certificate, report: Report, *, strict: bool, slices: Slices) -> None:
    """Recompute everything the certificate claims from its files; what differs goes into ``report``.

    ``slices`` knows where merged files are; one for all certificates of a day asks the lake once.
    """
    dtype = dtype_from_list(cert.dtype, cert.itemsize)
    kind = kind_of(dtype)
    before, retired = len(report.problems), report.retired_records
    if (kind.value, exchange_of(cert.ring)) != (cert.kind, cert.exchange):
        report.problem(place, f"its kind {cert.kind} or exchange {cert.exchange} does not fit the ring {cert.ring}")
    found = []
    for entry in cert.files:
        chunk = check_file(slices, cert, entry, dtype, report, strict=strict)
        if chunk is not None:
            found.append(Found(entry, chunk))
    whole = _merge(found, dtype)
    retired = report.retired_records - retired
    _check_coverage(place, cert, found, whole, retired, report)
    if len(whole.records) + retired != cert.records:
        report.problem(place, f"claims {cert.records} records, its files hold {len(whole.records)}")
    if not retired:
        _check_times(place, cert, whole, report)
    if len(report.problems) == before and not retired:  # else every claim would differ for a reason already named
        _compare(place, "claims", cert.claims, json.loads(json.dumps(claims_of(kind, whole, cert.meta))), report)
    report.records += len(whole.records)
    report.files += len(cert.files)
    report.chain_gaps += sum(int(book["chain_gaps"]) for _, book in book_claims(cert))


def book_claims(cert: Certificate) -> Iterator[tuple[str, dict[str, Any]]]:
    """(instrument, claims about its book) of every instrument that has one."""
    instruments = cert.claims.get("rows", {}).get("instruments", {})
    for number, claims in instruments.items():
        if "book" in claims:
            yield number, claims["book"]


def check_file(
    slices: Slices, cert: Certificate, entry: FileEntry, dtype: np.dtype, report: Report, *, strict: bool
) -> Chunk | None:
    """Make every claim about one file again; its records in ring order, None if they cannot be read."""
    place = entry.path
    if PurePosixPath(place).is_absolute() or ".." in PurePosixPath(place).parts:
        report.problem(place, "lies outside the lake")
        return None
    try:
        content = slices.lake.read(place)
    except NotFoundError:
        return _check_part(slices, cert, entry, dtype, report, strict=strict)
    except RingcollectError as error:
        report.problem(place, str(error))
        return None
    report.bytes += len(content)
    if len(content) != entry.bytes:
        report.problem(place, f"has {len(content)} bytes, certified are {entry.bytes}")
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        report.problem(place, "is not the file that was certified: another sha256")
    try:
        file = parquet.open_file(io.BytesIO(content))  # the name may lead elsewhere by now
        metadata = parquet.metadata_of(file)
        columns = columns_for(entry.table, dtype)
        pieces = [rebuild(entry.table, values, dtype, entry.instrument) for values in parquet.read(file, columns)]
    except (LakeError, KeyError, ValueError) as error:
        report.problem(place, f"cannot be read: {error}")
        return None
    chunk = Chunk(np.concatenate([p.records for p in pieces]), b"".join(p.blob for p in pieces))
    if file.metadata.num_rows != entry.rows:
        report.problem(place, f"has {file.metadata.num_rows} rows, certified are {entry.rows}")
    _check_rows(place, entry, chunk, report)
    _check_metadata(place, cert, entry, metadata, report)
    if strict:
        _check_contract(place, entry, chunk, file.schema_arrow, columns, metadata, report)
    return chunk


def _check_part(
    slices: Slices, cert: Certificate, entry: FileEntry, dtype: np.dtype, report: Report, *, strict: bool
) -> Chunk | None:
    """A file that was merged into another: its rows are there, and every claim about them still holds."""
    try:
        part = read_part(slices, entry.path, entry.table, dtype, entry.instrument)
    except (LakeError, KeyError, ValueError) as error:
        report.problem(entry.path, f"was merged; its rows cannot be read: {error}")
        return None
    if part is None:
        _check_gone(slices.lake, entry, report)
        return None
    _check_rows(part.path, entry, part.chunk, report)
    wrong = identity_problem(part, _identity(cert, entry), PurePosixPath(entry.path).name)
    if wrong is not None:
        report.problem(part.path, wrong)
    if strict:
        columns = columns_for(entry.table, dtype)
        _check_contract(part.path, entry, part.chunk, part.schema, columns, part.metadata, report)
    return part.chunk


def _check_gone(lake: Lake, entry: FileEntry, report: Report) -> None:
    """Nothing is left of a file: retention says so, or it is missing."""
    try:
        mark = mark_of(lake, entry.path.rpartition("/")[0])
    except LakeError as error:
        report.problem(entry.path, f"is missing, and what says why was changed: {error}")
        return
    if mark is None or PurePosixPath(entry.path).name not in mark.names:
        report.problem(entry.path, "is missing (No such file or directory)")
        return
    report.retired_files += 1
    report.retired_records += int(entry.claims["records"])


def _check_rows(place: str, entry: FileEntry, chunk: Chunk, report: Report) -> None:
    """The file's own claims, made again; a difference is narrowed down to a block of records."""
    claims = json.loads(json.dumps(certificate.file_claims(chunk)))
    records = chunk.records
    if len(records) != entry.claims.get("records"):
        report.problem(place, f"holds {len(records)} records, certified are {entry.claims.get('records')}")
    sums, certified = certificate.block_sums(chunk), entry.blocks
    for start in range(0, max(len(sums), len(certified)), 8):
        if sums[start : start + 8] != certified[start : start + 8]:
            first = start // 8 * certificate.BLOCK
            rows = records[first : first + certificate.BLOCK]
            span = f" (seq {rows['seq'][0]} to {rows['seq'][-1]})" if len(rows) else ""
            report.problem(place, f"differs from what was certified first in records {first} on{span}")
            return
    _compare(place, "claims", entry.claims, claims, report)


def _identity(cert: Certificate, entry: FileEntry) -> dict[str, Any]:
    return {
        "ring": cert.ring,
        "generation": cert.generation,
        "seq_from": cert.seq_from,
        "seq_to": cert.seq_to,
        "table": f"{entry.tier}/{entry.table}",
        "instrument": entry.instrument,
    }


def _check_metadata(place: str, cert: Certificate, entry: FileEntry, metadata: dict[str, Any], report: Report) -> None:
    identity = _identity(cert, entry)
    if metadata.get("identity") != identity:
        report.problem(place, f"says it is {metadata.get('identity')}, certified is {identity}")
    wrong = place_problem(place, cert.ring, entry.tier, entry.table, metadata)
    if wrong is not None:
        report.problem(place, wrong)
    if metadata.get("claims") != entry.claims:
        _compare(place, "claims in the file", entry.claims, metadata.get("claims"), report)


def _check_contract(
    place: str,
    entry: FileEntry,
    chunk: Chunk,
    schema: Any,
    columns: Sequence[Column],
    metadata: dict[str, Any],
    report: Report,
) -> None:
    """``--strict``: schemas are exactly a known version, and raw/ holds nothing but what came live."""
    version = version_of(metadata)
    known = parquet.arrow_schema(columns_at(columns, version))
    if not is_known(version) or not schema.equals(known, check_metadata=False):
        report.problem(place, f"its schema is not version {min(version, SCHEMA_VERSION)} of {entry.table}")
    if entry.tier != "raw":
        return
    for name in sorted(FORBIDDEN_IN_RAW & set(schema.names)):
        report.problem(place, f"raw/ must not have a column {name}")
    if chunk.records.dtype == RECORD:
        derived = chunk.records["flags"] & (Flag.REST | Flag.BACKFILLED | Flag.REPLAYED)
        if derived.any():
            seq = int(chunk.records["seq"][np.flatnonzero(derived)[0]])
            report.problem(place, f"raw/ must not hold records from REST or replayed ones (seq {seq})")


def _check_times(place: str, cert: Certificate, whole: Chunk, report: Report) -> None:
    """Stream time goes on from the segment before, so its start can be later than the first record, never earlier."""
    times = whole.times()
    if not len(times):
        if cert.stream_ns is not None:
            report.problem(place, f"claims the stream time {cert.stream_ns} of no record")
    elif (
        cert.stream_ns is None
        or cert.stream_ns[0] < times[0]
        or cert.stream_ns[1] != max(cert.stream_ns[0], int(times.max()))
    ):
        report.problem(place, f"claims the stream time {cert.stream_ns}, its records say {times[0]} to {times.max()}")


def _merge(found: list[Found], dtype: np.dtype) -> Chunk:
    """All records of the segment in ring order."""
    if not found:
        return Chunk(np.empty(0, dtype))
    records = np.concatenate([f.chunk.records for f in found])
    order = np.argsort(records["seq"], kind="stable")
    blob = b"".join(f.chunk.blob for f in found)
    if blob:
        ends = np.cumsum(records["length"].astype(np.int64))
        blob = b"".join(blob[ends[i] - int(records["length"][i]) : ends[i]] for i in order.tolist())
    return Chunk(records[order], blob)


def _check_coverage(
    place: str, cert: Certificate, found: list[Found], whole: Chunk, retired: int, report: Report
) -> None:
    """Each position of the segment is in exactly one file, or known to be lost, or one of ``retired`` removed ones."""
    seqs = whole.records["seq"].astype(np.int64)
    lost = [(a, b) for a, b, _ in cert.lost]
    holes = ranges.missing(seqs, cert.seq_from, cert.seq_to, lost)
    if sum(b - a for a, b in holes) == retired:
        holes = []
    for hole in holes[: ranges.SHOWN]:
        report.problem(place, f"records {ranges.text([hole])} are in none of its files{_neighbour(hole[0], found)}")
    twice = seqs[1:][seqs[1:] == seqs[:-1]]
    if len(twice):
        report.problem(place, f"records {ranges.text(ranges.runs(np.unique(twice)))} are there more than once")
    if len(seqs) and (seqs[0] < cert.seq_from or seqs[-1] >= cert.seq_to):
        report.problem(place, f"its files hold records outside {cert.seq_from} to {cert.seq_to - 1}")
    for item in found:
        own = item.chunk.records["seq"]
        if len(own) > 1 and (np.diff(own) <= 0).any():
            report.problem(item.entry.path, "its rows are not in ring order")
        inside = [(a, b) for a, b in lost if np.any((own >= a) & (own < b))]
        if inside:
            report.problem(item.entry.path, f"holds records that are certified as lost: {ranges.text(inside)}")


def _neighbour(seq: int, found: list[Found]) -> str:
    """Which file misses a record, told by the certified range and count of each."""
    for item in found:
        span = item.entry.claims.get("seq")
        short = item.entry.claims.get("records", 0) != len(item.chunk.records)
        if short and span and span[0] <= seq <= span[1]:
            return f"; {item.entry.path} is short of records"
    return ""


def _compare(place: str, key: str, certified: Any, recomputed: Any, report: Report) -> None:
    """Name every leaf that differs."""
    if isinstance(certified, dict) and isinstance(recomputed, dict):
        for name in sorted(certified.keys() | recomputed.keys()):
            _compare(place, f"{key}.{name}", certified.get(name), recomputed.get(name), report)
    elif certified != recomputed:
        report.problem(place, f"{key}: certified {certified}, recomputed {recomputed}")
