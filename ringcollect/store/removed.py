"""Segments whose files were removed on purpose: a mark beside the certificate says so, and where their rows are.

The mark is ``<certificate>.removing`` until the last file is gone and ``.removed`` from then on.
"""

from __future__ import annotations

from pathlib import Path

REMOVING, REMOVED = ".removing", ".removed"


def begun_mark(certificate: Path) -> Path:
    """Where the mark of a removal is that is not over."""
    return certificate.with_suffix(REMOVING)


def is_removed(certificate: Path) -> bool:
    """Whether the files of a segment are gone, or may be."""
    return begun_mark(certificate).exists() or certificate.with_suffix(REMOVED).exists()


def end_removal(certificate: Path) -> None:
    """The last file is gone."""
    begun_mark(certificate).rename(certificate.with_suffix(REMOVED))
