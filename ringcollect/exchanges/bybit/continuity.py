"""When does a book event follow what is known? A pure rule, also compiled into the kernel.

``(known_id, first_id, last_id, prev_id) -> Verdict``; the event's ``u`` is both first and last id, there is no previous
one. A snapshot (``u`` 1 after a restart of the service) replaces the book and is never asked about.
"""

from __future__ import annotations

from ringcollect.exchanges.protocol import Verdict

FITS, STALE, GAP = int(Verdict.FITS), int(Verdict.STALE), int(Verdict.GAP)


def update_code(known_id: int, first_id: int, last_id: int, prev_id: int) -> int:
    """``u`` counts the deltas of one topic by one (2,142 of 2,142 captured steps)."""
    if last_id == known_id + 1:
        return FITS
    return STALE if last_id <= known_id else GAP


def accept(known_id: int, first_id: int, last_id: int, prev_id: int) -> Verdict:
    """Delta after delta, and delta after snapshot."""
    return Verdict(update_code(known_id, first_id, last_id, prev_id))
