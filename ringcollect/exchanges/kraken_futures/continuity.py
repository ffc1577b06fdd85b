"""When does a frame follow what is known? A pure rule, also compiled into the kernel.

``seq`` counts the frames of each product by one: in books from the snapshot on (7,014 of 7,014 captured steps), in
trades apart from that (snapshot's newest to the first trade: 3 of 3).
"""

from __future__ import annotations

from ringcollect.exchanges.protocol import Verdict

FITS, STALE, GAP = int(Verdict.FITS), int(Verdict.STALE), int(Verdict.GAP)


def sequence_code(known_id: int, first_id: int, last_id: int, prev_id: int) -> int:
    """FITS, STALE or GAP of a frame whose ``seq`` is ``last_id``."""
    if last_id == known_id + 1:
        return FITS
    return STALE if last_id <= known_id else GAP


def accept(known_id: int, first_id: int, last_id: int, prev_id: int) -> Verdict:
    """Delta after delta, and delta after snapshot."""
    return Verdict(sequence_code(known_id, first_id, last_id, prev_id))
