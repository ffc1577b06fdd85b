"""When does a depth event follow what is known? Pure rules, also compiled into the kernel.

Each rule is ``(known_id, first_id, last_id, prev_id) -> Verdict`` with the event's U, u and pu. A negative known id is
the snapshot of a book that has not traded yet (``lastUpdateId`` -1): whatever comes first follows it.
"""

from __future__ import annotations

from ringcollect.exchanges.protocol import Verdict

FITS, STALE, GAP = int(Verdict.FITS), int(Verdict.STALE), int(Verdict.GAP)


def spot_code(known_id: int, first_id: int, last_id: int, prev_id: int) -> int:
    """Spot, after a delta or a snapshot ("How to manage a local order book correctly", web-socket-streams.md).

    An event that begins inside what is known and ends beyond it fits: sizes are absolute.
    """
    if last_id <= known_id:
        return STALE
    return FITS if first_id <= known_id + 1 or known_id < 0 else GAP


def linear_code(known_id: int, first_id: int, last_id: int, prev_id: int) -> int:
    """USD-M, after a delta: ``pu`` is the last event's ``u``. U is no help: the ids are the engine's and jump."""
    if prev_id == known_id:
        return FITS
    return STALE if last_id <= known_id else GAP


def linear_join_code(known_id: int, first_id: int, last_id: int, prev_id: int) -> int:
    """USD-M, after a snapshot: the event covers the snapshot's id.

    The documentation asks for U <= lastUpdateId <= u. Live, the first usable event may begin after the snapshot and
    name it (pu == lastUpdateId); as nothing of the symbol lies between pu and U, pu <= lastUpdateId <= u holds both.
    """
    if last_id < known_id:
        return STALE
    return FITS if prev_id <= known_id or first_id <= known_id or known_id < 0 else GAP


def accept_spot(known_id: int, first_id: int, last_id: int, prev_id: int) -> Verdict:
    """Delta after delta, spot."""
    return Verdict(spot_code(known_id, first_id, last_id, prev_id))


def accept_linear(known_id: int, first_id: int, last_id: int, prev_id: int) -> Verdict:
    """Delta after delta, USD-M."""
    return Verdict(linear_code(known_id, first_id, last_id, prev_id))


def join_spot(known_id: int, first_id: int, last_id: int, prev_id: int) -> Verdict:
    """Delta after snapshot, spot."""
    return Verdict(spot_code(known_id, first_id, last_id, prev_id))


def join_linear(known_id: int, first_id: int, last_id: int, prev_id: int) -> Verdict:
    """Delta after snapshot, USD-M."""
    return Verdict(linear_join_code(known_id, first_id, last_id, prev_id))
