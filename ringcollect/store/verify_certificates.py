"""Certificates under ``verify``, one by one, or several at a time in processes of their own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

from ringcollect.errors import LakeError
from ringcollect.store.compaction.slices import Slices
from ringcollect.store.location import Lake
from ringcollect.store.removed import why_removed
from ringcollect.store.report import Report
from ringcollect.store.verify_segment import Certificate, check_segment, read_certificate

MALFORMED = (LakeError, KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, MemoryError)
"""What a certificate raises whose parts are not of the kind they should be."""
FOLDER = "certificates"
_FEW = 32  # certificates that are checked sooner than a process has started
_AHEAD = 4  # so many per process are handed out before the first is done
Progress = Callable[[int, int, str], None]


class Checked(NamedTuple):
    """A certificate that was read; ``is_good`` if it could be checked at all."""

    certificate: Certificate
    is_good: bool


def certificate_keys(lake: Lake) -> list[str]:
    """Every certificate of the lake, by exchange, day and ring."""
    return [entry.key for entry in lake.files(FOLDER) if entry.key.endswith(".json")]


def check_certificate(
    lake: Lake, key: str, report: Report, *, strict: bool = False, slices: Slices | None = None
) -> Checked | None:
    """Make every claim of the certificate ``key`` again; what differs goes into ``report``. None: it is none."""
    found = read_certificate(lake, key, report)
    if found is None:
        return None
    report.certificates += 1
    removed = why_removed(lake, key)
    if removed is not None:
        report.note(key, f"its {found.records} records {removed}")
        return Checked(found, True)
    try:
        check_segment(key, found, report, strict=strict, slices=slices or Slices(lake))
    except MALFORMED as error:
        report.problem(key, f"cannot be checked: {error!r}")
        return Checked(found, False)
    return Checked(found, True)


def check_all(
    lake: Lake, keys: list[str], report: Report, *, strict: bool, jobs: int, progress: Progress | None
) -> Iterator[tuple[str, Checked]]:
    """Check ``keys``, ``jobs`` at a time, in order; the outcome is the same for any number."""
    one = partial(_check_one, lake, strict)
    if jobs <= 1 or len(keys) < _FEW:
        slices = Slices(lake)
        for done, key in enumerate(keys):
            if progress is not None:
                progress(done, len(keys), key)
            checked = check_certificate(lake, key, report, strict=strict, slices=slices)
            if checked is not None:
                yield key, checked
        return
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        for done, (key, (checked, part)) in enumerate(zip(keys, pool.map(one, keys, chunksize=_AHEAD), strict=True)):
            if progress is not None:
                progress(done, len(keys), key)
            report.add(part)
            if checked is not None:
                yield key, checked


def _check_one(lake: Lake, strict: bool, key: str) -> tuple[Checked | None, Report]:
    report = Report(lake.uri)
    return check_certificate(lake, key, report, strict=strict), report
