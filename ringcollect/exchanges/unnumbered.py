"""The rule of books that nothing numbers."""

from __future__ import annotations

from ringcollect.exchanges.protocol import Verdict


def follows(known_id: int, first_id: int, last_id: int, prev_id: int) -> Verdict:
    """Whatever comes follows."""
    return Verdict.FITS
