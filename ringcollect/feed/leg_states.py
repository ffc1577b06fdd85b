"""Where a leg stands, in numbers for the ring and in words for people. Readers of rings load only this."""

from __future__ import annotations

import enum


class LegState(enum.IntEnum):
    """Where a leg stands, as others read it from the ring; add-only."""

    CONNECTING = 0
    OPEN = 1
    WAITING = 2  # for its next attempt
    CIRCUIT_OPEN = 3  # for a probe, after too many failures in a row
    HANDING_OVER = 4
    ENDED = 5


LEG_STATES = {
    LegState.CONNECTING: "connecting",
    LegState.OPEN: "open",
    LegState.WAITING: "waiting",
    LegState.CIRCUIT_OPEN: "circuit open",
    LegState.HANDING_OVER: "handing over",
    LegState.ENDED: "ended",
}
