"""``verify``: recompute every claim of the lake, and prove that its files cover each ring exactly once."""

from __future__ import annotations

from pathlib import Path

from ringcollect.errors import LakeError, NotFoundError
from ringcollect.store import parquet
from ringcollect.store.cursor import journal_files
from ringcollect.store.location import Lake
from ringcollect.store.report import Loss, Report
from ringcollect.store.selection import TIERS, Selection
from ringcollect.store.server_lake import ServerLake, parts_of
from ringcollect.store.verify_certificates import Progress, certificate_keys, check_all
from ringcollect.store.verify_files import certificates_of, check_files
from ringcollect.store.verify_journals import open_journals
from ringcollect.store.verify_merged import check_merged, is_merged
from ringcollect.store.verify_rings import chain_breaks, check_rings
from ringcollect.store.verify_segment import Certificate, read_certificate

EVERYTHING = Selection()


def verify(
    data: str | Path | Lake,
    strict: bool = False,
    progress: Progress | None = None,
    *,
    selection: Selection = EVERYTHING,
    latest: bool = False,
    under: str = "",
    jobs: int = 1,
) -> Report:
    """Check the lake ``data``, a folder or ``s3://bucket/prefix``, with ``jobs`` processes.

    ``progress(done, total, place)`` is called before each certificate. Reads every certified file once; memory is one
    segment per process. A lake that is being written can be checked: what is not sealed yet is read from its journal.

    A ``selection`` of exchanges and days leaves the others out, and with them the proof that nothing is missing
    before and after. One of types, markets or symbols, ``latest`` (the newest file of each type and instrument) and
    ``under`` (the key of a folder or file) check single files: that each is what was certified, not that they are all
    there.
    """
    lake = data if isinstance(data, Lake) else Lake.open(data)
    whole = Report(lake.uri)
    for part in parts_of(lake):
        report = _verify(part, strict, progress, selection, latest, under, jobs)
        whole.add(report.of_server(part.server) if isinstance(part, ServerLake) and part.server else report)
    return whole


def _verify(
    lake: Lake, strict: bool, progress: Progress | None, selection: Selection, latest: bool, under: str, jobs: int
) -> Report:
    report = Report(lake.uri)
    if latest or under or selection.types or selection.markets or selection.symbols:
        check_files(lake, selection, report, strict=strict, latest=latest, under=under, progress=progress)
        return report
    whole = selection == EVERYTHING
    # before the certificates: what is sealed meanwhile is then seen twice
    journals = open_journals(lake.folder, report) if lake.folder is not None and whole else []
    keys = certificates_of(certificate_keys(lake), selection)
    certificates: list[tuple[str, Certificate]] = []
    well_formed: list[Certificate] = []
    for key, checked in check_all(lake, keys, report, strict=strict, jobs=jobs, progress=progress):
        found = checked.certificate
        if checked.is_good:
            well_formed.append(found)
        report.lost += [Loss(found.ring, found.generation, *lost) for lost in found.lost]
        certificates.append((key, found))
    sealed = {cert.key for _, cert in certificates}
    journals = [journal for journal in journals if journal.key not in sealed]
    for journal in journals:
        journal.add_to(report)
    _check_unclaimed(lake, selection, set(keys), certificates, report, strict=strict)
    check_rings(certificates, journals, report, strict=strict, whole=whole)
    report.chain_gaps += chain_breaks(well_formed)
    return report


def _check_unclaimed(
    lake: Lake,
    selection: Selection,
    checked: set[str],
    certificates: list[tuple[str, Certificate]],
    report: Report,
    *,
    strict: bool,
) -> None:
    """Parquet files that no certificate names would double rows for whoever reads the folder."""
    found = [
        entry.key
        for tier in TIERS
        for entry in lake.files(tier)
        if entry.key.endswith(".parquet") and certificates_of([entry.key], selection)
    ]
    # before the certificates: a journal goes once its certificate is there
    waiting = {(f.ring, f.generation, f.seq_from) for f in journal_files(lake.folder)} if lake.folder else set()
    claimed = {entry.path for _, cert in certificates for entry in cert.files}
    for key in set(certificates_of(certificate_keys(lake), selection)) - checked:  # sealed while we looked
        newer = read_certificate(lake, key, report)
        claimed |= set() if newer is None else {entry.path for entry in newer.files}
    claimed |= check_merged(lake, claimed, report)
    stray = [key for key in found if key not in claimed]
    if not stray:
        return
    for key in stray:
        if not is_merged(lake, key) and lake.exists(key):  # else it was swapped while we looked
            report.files += 1
            _say_stray(lake, key, waiting, report, strict=strict)


def _say_stray(lake: Lake, key: str, waiting: set[tuple[str, int, int]], report: Report, *, strict: bool) -> None:
    try:
        with lake.open_file(key) as opened:
            identity = parquet.metadata_of(parquet.open_file(opened)).get("identity") or {}
    except NotFoundError:
        return
    except LakeError as error:
        (report.problem if strict else report.note)(key, f"is in no certificate ({error})")
        return
    if (identity.get("ring"), identity.get("generation"), identity.get("seq_from")) in waiting:
        report.note(key, "is being sealed: its journal is still there")
    else:
        report.problem(key, "is in no certificate: its rows may be there twice")
