"""When does a book event follow what is known? ``change_id`` is ``last_id``, ``prev_change_id`` is ``prev_id``."""

from __future__ import annotations

from ringcollect.exchanges.protocol import Verdict


def accept(known_id: int, first_id: int, last_id: int, prev_id: int) -> Verdict:
    """After a delta or a snapshot: ``prev_change_id`` is the last ``change_id``. Ids grow, but not by one."""
    if prev_id == known_id:
        return Verdict.FITS
    return Verdict.STALE if last_id <= known_id else Verdict.GAP
