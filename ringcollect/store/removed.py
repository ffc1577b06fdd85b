"""Segments whose files were removed on purpose: a mark beside the certificate says so, and where their rows are.

The mark is ``<certificate>.removing`` until the last file is gone and ``.removed`` from then on.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from ringcollect.errors import NotFoundError
from ringcollect.store.location import Lake

REMOVING, REMOVED = ".removing", ".removed"


def begun_mark(certificate: Path) -> Path:
    """Where the mark of a removal is that is not over."""
    return certificate.with_suffix(REMOVING)


def is_removed(certificate: Path) -> bool:
    """Whether the files of a segment are gone, or may be."""
    return begun_mark(certificate).exists() or certificate.with_suffix(REMOVED).exists()


def why_removed(lake: Lake, certificate: str) -> str | None:
    """Of a segment (the key of its certificate) whose files are gone, or may be: the end of a sentence about its
    records. None: they are there."""
    for mark in (REMOVED, REMOVING):
        try:
            said = json.loads(lake.read(str(PurePosixPath(certificate).with_suffix(mark))))
        except NotFoundError:
            continue
        except ValueError:
            said = None
        if isinstance(said, dict) and "archived" in said:
            return f"were removed once they were archived in {said['archived']}"
        return "were removed once their rows were built"
    return None


def end_removal(certificate: Path) -> None:
    """The last file is gone."""
    begun_mark(certificate).rename(certificate.with_suffix(REMOVED))
