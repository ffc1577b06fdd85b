"""Segments whose files were removed on purpose: a mark beside the certificate says so, and where their rows are.

The mark is ``<certificate>.removing`` until the last file is gone and ``.removed`` from then on.
"""

from __future__ import annotations

import json
from pathlib import Path

REMOVING, REMOVED = ".removing", ".removed"


def begun_mark(certificate: Path) -> Path:
    """Where the mark of a removal is that is not over."""
    return certificate.with_suffix(REMOVING)


def is_removed(certificate: Path) -> bool:
    """Whether the files of a segment are gone, or may be."""
    return begun_mark(certificate).exists() or certificate.with_suffix(REMOVED).exists()


def why_removed(certificate: Path) -> str:
    """Of a segment whose files are gone: the end of a sentence about its records."""
    for mark in (certificate.with_suffix(REMOVED), begun_mark(certificate)):
        try:
            said = json.loads(mark.read_bytes())
        except (FileNotFoundError, ValueError):
            continue
        if isinstance(said, dict) and "archived" in said:
            return f"were removed once they were archived in {said['archived']}"
    return "were removed once their rows were built"


def end_removal(certificate: Path) -> None:
    """The last file is gone."""
    begun_mark(certificate).rename(certificate.with_suffix(REMOVED))
