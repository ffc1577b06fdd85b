"""Segments whose files were removed on purpose: a mark beside the certificate says so, and where their rows are."""

from __future__ import annotations

from pathlib import Path

SUFFIX = ".removed"


def mark_of(certificate: Path) -> Path:
    """Where the mark of a segment is, or would be."""
    return certificate.with_suffix(SUFFIX)
