"""When does a book event follow what is known? Pure rules, also compiled into the kernel.

Each rule is ``(known_id, first_id, last_id, prev_id) -> Verdict``; the event's ``seqId`` is ``last_id``, its
``prevSeqId`` is ``prev_id``, and there is no first id.
"""

from __future__ import annotations

from ringcollect.exchanges.protocol import Verdict

FITS, STALE, GAP = int(Verdict.FITS), int(Verdict.STALE), int(Verdict.GAP)


def update_code(known_id: int, first_id: int, last_id: int, prev_id: int) -> int:
    """After a delta or a WebSocket snapshot: ``prevSeqId`` is the last ``seqId`` ("Order book channel").

    That includes the heartbeat (``seqId`` = ``prevSeqId``: no change) and the reset after maintenance (``seqId`` <
    ``prevSeqId``: the venue counts anew from there).
    """
    if prev_id == known_id:
        return FITS
    return STALE if last_id <= known_id else GAP


def join_code(known_id: int, first_id: int, last_id: int, prev_id: int) -> int:
    """After a snapshot, REST's included: the event covers its id (``prevSeqId`` <= id < ``seqId``)."""
    if prev_id == known_id:
        return FITS
    if last_id <= known_id:
        return STALE
    return FITS if prev_id < known_id else GAP


def accept(known_id: int, first_id: int, last_id: int, prev_id: int) -> Verdict:
    """Delta after delta."""
    return Verdict(update_code(known_id, first_id, last_id, prev_id))


def join(known_id: int, first_id: int, last_id: int, prev_id: int) -> Verdict:
    """Delta after snapshot."""
    return Verdict(join_code(known_id, first_id, last_id, prev_id))
