"""``verify``: recompute every claim of the lake, and prove that its files cover each ring exactly once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from ringcollect.errors import LakeError
from ringcollect.store import parquet, ranges
from ringcollect.store.compaction.slices import Slices
from ringcollect.store.cursor import journal_files, journal_folder
from ringcollect.store.journal import Header, Journal, Lost
from ringcollect.store.location import Lake
from ringcollect.store.ranges import Span
from ringcollect.store.removed import is_removed, why_removed
from ringcollect.store.report import Coverage, Loss, Report
from ringcollect.store.verify_merged import check_merged, is_merged
from ringcollect.store.verify_segment import Certificate, book_claims, check_segment, read_certificate

MALFORMED = (LakeError, KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, MemoryError)
"""What a certificate raises whose parts are not of the kind they should be."""
TIERS = ("raw", "rest", "sync", "frames", "rejects")
Progress = Callable[[int, int, str], None]


def verify(data: Path, strict: bool = False, progress: Progress | None = None) -> Report:
    """Check the lake in folder ``data``. ``progress(done, total, place)`` is called before each certificate.

    Reads every certified file once; memory is one segment. A lake that is being written can be checked: what is not
    sealed yet is read from its journal.
    """
    report = Report(str(data))
    journals = _open_journals(data, report)  # before the certificates: what is sealed meanwhile is then seen twice
    paths = certificate_paths(data)
    certificates: list[tuple[str, Certificate]] = []
    well_formed: list[Certificate] = []
    slices = Slices(Lake.open(data))
    for done, path in enumerate(paths):
        place = path.relative_to(data).as_posix()
        if progress is not None:
            progress(done, len(paths), place)
        checked = check_certificate(data, path, report, strict=strict, slices=slices)
        if checked is None:
            continue
        found = checked.certificate
        if checked.is_good:
            well_formed.append(found)
        report.lost += [Loss(found.ring, found.generation, *lost) for lost in found.lost]
        certificates.append((place, found))
    sealed = {cert.key for _, cert in certificates}
    journals = [journal for journal in journals if journal.key not in sealed]
    for journal in journals:
        journal.add_to(report)
    _check_unclaimed(data, set(paths), certificates, report, strict=strict)
    _check_rings(certificates, journals, report, strict=strict)
    report.chain_gaps += _links(well_formed)
    return report


class Checked(NamedTuple):
    """A certificate that was read; ``is_good`` if it could be checked at all."""

    certificate: Certificate
    is_good: bool


def check_certificate(
    data: Path, path: Path, report: Report, *, strict: bool = False, slices: Slices | None = None
) -> Checked | None:
    """Make every claim of the certificate at ``path`` again; what differs goes into ``report``. None: it is none."""
    place = path.relative_to(data).as_posix()
    found = read_certificate(path, place, report)
    if found is None:
        return None
    report.certificates += 1
    if is_removed(path):
        report.note(place, f"its {found.records} records {why_removed(path)}")
        return Checked(found, True)
    try:
        check_segment(data, place, found, report, strict=strict, slices=slices)
    except MALFORMED as error:
        report.problem(place, f"cannot be checked: {error!r}")
        return Checked(found, False)
    return Checked(found, True)


def certificate_paths(data: Path) -> list[Path]:
    """Every certificate of the lake, by exchange, day and ring."""
    return sorted((data / "certificates").rglob("*.json"))


class Unsealed(NamedTuple):
    """A journal that is not sealed yet, without its content."""

    place: str
    header: Header
    seq_to: int
    rows: int
    lost: list[Lost]
    notes: list[str]
    problems: list[str]

    @property
    def key(self) -> tuple[str, int, int]:
        """(ring, generation, seq_from)."""
        return self.header.ring, self.header.generation, self.header.seq_from

    def add_to(self, report: Report) -> None:
        """Count it and say what is wrong with it. One without records or losses is nothing but a cursor."""
        for what in self.problems:
            report.problem(self.place, what)
        for what in self.notes:
            report.note(self.place, what)
        if self.rows or self.lost:
            report.unsealed_journals += 1
            report.unsealed_records += self.rows
            report.lost += [Loss(self.header.ring, self.header.generation, *lost) for lost in self.lost]


def _open_journals(data: Path, report: Report) -> list[Unsealed]:
    for path in sorted(journal_folder(data).glob("*.damaged")):
        report.problem(path.relative_to(data).as_posix(), "is a journal that could not be read")
    found = []
    for file in journal_files(data):
        place = file.path.relative_to(data).as_posix()
        try:
            journal = Journal.open(file.path)
        except FileNotFoundError:
            continue  # sealed while we looked: its certificate comes next
        except LakeError as error:
            report.problem(place, str(error))
            continue
        problems = [
            f"bytes {bad.at} to {bad.end - 1} are damaged" for bad in journal.damage if bad.end <= journal.good_bytes
        ]
        try:
            for _ in journal.chunks():
                pass
        except LakeError as error:
            problems.append(str(error))
        torn = f"its last {journal.torn_bytes} bytes are no whole frame: being written, or torn by a crash"
        found.append(
            Unsealed(
                place,
                journal.header,
                journal.seq_to,
                journal.rows,
                journal.lost,
                [torn] if journal.torn_bytes else [],
                problems,
            )
        )
    return found


def _check_unclaimed(
    data: Path, checked: set[Path], certificates: list[tuple[str, Certificate]], report: Report, *, strict: bool
) -> None:
    """Parquet files that no certificate names would double rows for whoever reads the folder."""
    lake = Lake.open(data)
    found = [
        (path.relative_to(data).as_posix(), path) for tier in TIERS for path in sorted((data / tier).rglob("*.parquet"))
    ]
    claimed = {entry.path for _, cert in certificates for entry in cert.files}
    for path in set(certificate_paths(data)) - checked:  # sealed while we looked
        newer = read_certificate(path, path.relative_to(data).as_posix(), report)
        claimed |= set() if newer is None else {entry.path for entry in newer.files}
    claimed |= check_merged(lake, claimed, report)
    stray = [(place, path) for place, path in found if place not in claimed]
    if not stray:
        return
    waiting = {(file.ring, file.generation, file.seq_from) for file in journal_files(data)}
    for place, path in stray:
        if is_merged(lake, place) or not path.exists():  # swapped while we looked
            continue
        report.files += 1
        try:
            identity = parquet.metadata_of(parquet.open_file(path)).get("identity") or {}
        except LakeError as error:
            (report.problem if strict else report.note)(place, f"is in no certificate ({error})")
            continue
        if (identity.get("ring"), identity.get("generation"), identity.get("seq_from")) in waiting:
            report.note(place, "is being sealed: its journal is still there")
        else:
            report.problem(place, "is in no certificate: its rows may be there twice")


def _check_rings(
    certificates: list[tuple[str, Certificate]], journals: list[Unsealed], report: Report, *, strict: bool
) -> None:
    """Per (ring, generation): segments follow each other without overlap or hole, from where this lake began."""
    spans = [
        (cert.ring, cert.generation, cert.first_seq, cert.previous, Span(cert.seq_from, cert.seq_to, place))
        for place, cert in certificates
    ] + [
        (*j.key[:2], j.header.first_seq, j.header.previous, Span(j.header.seq_from, j.seq_to, j.place))
        for j in journals
    ]
    ends: dict[tuple[str, int], int] = {}
    links = []
    spans.sort(key=lambda s: (s[0], s[1], s[4]))
    for (ring, generation), group in groupby(spans, key=lambda s: (s[0], s[1])):
        members = list(group)
        starts = {first for _, _, first, _, _ in members}
        start = min(starts)
        if len(starts) > 1:
            report.problem(f"{ring} generation {generation}", f"its certificates disagree where it begins: {starts}")
        own = [span for *_, span in members]
        doubled, holes = ranges.overlaps_and_holes(own, start)
        for a, b in doubled:
            both = (b.start, min(a.stop, b.stop))
            report.problem(b.place, f"records {ranges.text([both])} are also in {a.place}")
        for first, last, behind in holes:
            report.problem(
                f"{ring} generation {generation}",
                f"records {ranges.text([(first, last)])} are in no certificate; missing before {behind.place}",
            )
        ends[ring, generation] = max(span.stop for span in own)
        links += [(ring, generation, previous) for _, _, _, previous, _ in members if previous is not None]
        if ends[ring, generation] > start:
            report.coverage.append(Coverage(ring, generation, start, ends[ring, generation], len(own)))
    for ring, generation, (before, seq_to) in links:
        place = f"{ring} generation {before}"
        end = ends.get((ring, before))
        if end is None and seq_to > 0:
            what = f"nothing is left of it; generation {generation} says it ended at record {seq_to}"
            (report.problem if strict else report.note)(place, what)
        elif end is not None and end != seq_to:
            report.problem(place, f"ends at record {end}; generation {generation} says it ended at record {seq_to}")


def _links(certificates: list[Certificate]) -> int:
    """Breaks of a book's chain between one segment and the next."""
    gaps = 0
    last: dict[tuple[str, int, str], int] = {}
    for cert in sorted(certificates, key=lambda c: c.key):
        for number, book in book_claims(cert):
            key = (cert.ring, cert.generation, number)
            first_prev, last_id = book.get("first_prev"), book.get("last_id")
            if first_prev is not None and last.get(key, first_prev) != first_prev:
                gaps += 1
            if last_id is not None:
                last[key] = last_id
    return gaps
