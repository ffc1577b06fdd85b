"""Single files under ``verify``: the chosen ones, or the newest of each, against what was certified of them."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import unquote

from ringcollect.records import dtype_from_list
from ringcollect.store.compaction.slices import Slices
from ringcollect.store.location import Lake
from ringcollect.store.naming import parse_journal_stem
from ringcollect.store.removed import why_removed
from ringcollect.store.report import Report
from ringcollect.store.selection import Selection
from ringcollect.store.verify_certificates import MALFORMED, Progress, certificate_keys
from ringcollect.store.verify_segment import Certificate, FileEntry, check_file, read_certificate


def certificates_of(keys: list[str], selection: Selection) -> list[str]:
    """Those of the exchanges and days that were chosen, told from their folders."""
    first, last = selection.dates()
    chosen = []
    for key in keys:
        folders = folders_of(key)
        exchange, date = folders.get("exchange", ""), folders.get("date", first)
        if (not selection.exchanges or exchange in selection.exchanges) and first <= date <= last:
            chosen.append(key)
    return chosen


def folders_of(key: str) -> dict[str, str]:
    """``exchange=binance/date=…`` as a dict of decoded values."""
    pairs = (part.partition("=") for part in PurePosixPath(key).parent.parts)
    return {name: unquote(value) for name, equals, value in pairs if equals}


def check_files(
    lake: Lake,
    selection: Selection,
    report: Report,
    *,
    strict: bool,
    latest: bool,
    under: str = "",
    progress: Progress | None = None,
) -> None:
    """Check each chosen file (in the folder, or of the name, ``under``) by itself; certificates are read newest day
    first, each once."""
    slices = Slices(lake)
    seen: set[str] = set()
    keys = sorted(certificates_of(certificate_keys(lake), selection), key=_by_day, reverse=True)
    for done, key in enumerate(keys):
        if progress is not None:
            progress(done, len(keys), key)
        found = read_certificate(lake, key, report)
        if found is None or why_removed(lake, key) is not None:
            continue
        try:
            wanted = [entry for entry in found.files if _wants(selection, entry, under)]
            if latest:
                newest = {_series(entry): entry for entry in sorted(wanted, key=lambda entry: entry.path)}
                wanted = [entry for series, entry in newest.items() if series not in seen]
                seen |= newest.keys()
            report.certificates += bool(wanted)
            _check(slices, found, wanted, report, strict=strict)
        except MALFORMED as error:
            report.problem(key, f"cannot be checked: {error!r}")


def _by_day(key: str) -> tuple[str, int, int]:
    """Newest last: the day, then the generation and position in the name."""
    _, generation, seq_from = parse_journal_stem(PurePosixPath(key).stem) or ("", 0, 0)
    return folders_of(key).get("date", ""), generation, seq_from


def _series(entry: FileEntry) -> str:
    """What one file of which is the newest: its folder without the day."""
    return str(PurePosixPath(entry.path).parent.parent)


def _wants(selection: Selection, entry: FileEntry, under: str) -> bool:
    if under and entry.path != under and not entry.path.startswith(f"{under}/"):
        return False
    folders = folders_of(entry.path)
    if not selection.wants_table(entry.tier, entry.table):
        return False
    if selection.markets and folders.get("market") not in selection.markets:
        return False
    return selection.wants_symbol(folders.get("symbol", ""))


def _check(slices: Slices, cert: Certificate, wanted: list[FileEntry], report: Report, *, strict: bool) -> None:
    dtype = dtype_from_list(cert.dtype, cert.itemsize)
    for entry in wanted:
        chunk = check_file(slices, cert, entry, dtype, report, strict=strict)
        report.files += 1
        report.records += 0 if chunk is None else len(chunk.records)
