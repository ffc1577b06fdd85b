"""The subscription ledger: every (instrument, channel) wanted, and what became of it. Nothing is silently missing.

Rows live in the ring's shared memory, so that ``status`` shows them without asking the feed; the hot kernels add to
``frames``, ``records`` and ``last_data_ns`` of a row directly. States change only here, and each change is a status
record.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from ringcollect.records import Status

if TYPE_CHECKING:
    from ringcollect.feed.sink import Sink
    from ringcollect.feed.stream import Stream

# A row (ring.layout.LEDGER_ROW) as int64 words; word 0 packs instrument, channel, state, reason and conn.
L_HEAD, L_SINCE, L_LAST_DATA, L_FRAMES, L_RECORDS, L_GAPS, L_DUPLICATES = range(7)
L_TRACKED, L_MISSING, L_OUT_OF_ORDER, L_DROPPED, L_BACKFILLED, L_BEHIND, L_GAP_SIZES = range(11, 18)


class State(enum.IntEnum):
    """Where a subscription stands."""

    NONE = 0
    REQUESTED = 1
    ACKED = 2
    FLOWING = 3
    STALE = 4
    FAILED = 5
    CLOSED = 6


class Reason(enum.IntEnum):
    """Why it stands there; add-only."""

    NONE = 0
    STARTING = 1
    CONNECTING = 2
    DISCONNECTED = 3
    NO_ACK = 4
    NO_DATA = 5
    SILENT = 6
    UNKNOWN_SYMBOL = 7
    REFUSED = 8
    NOT_TRADING = 9
    REST_FAILED = 10
    RESUBSCRIBED = 11
    DELISTED = 12
    NOT_WANTED = 13
    NO_ROOM = 14
    CIRCUIT_OPEN = 15


REASON_TEXT = {
    Reason.NONE: "",
    Reason.STARTING: "not asked for yet",
    Reason.CONNECTING: "its connection is not up",
    Reason.DISCONNECTED: "its connection went down",
    Reason.NO_ACK: "the exchange did not answer the request in time",
    Reason.NO_DATA: "acknowledged, then silent: wrong path, or no such stream",
    Reason.SILENT: "flowed, then stopped",
    Reason.UNKNOWN_SYMBOL: "not in the exchange's instrument list",
    Reason.REFUSED: "the exchange answered with an error",
    Reason.NOT_TRADING: "listed, but not trading",
    Reason.REST_FAILED: "its REST poll fails",
    Reason.RESUBSCRIBED: "asked for again",
    Reason.DELISTED: "the exchange lists it no more",
    Reason.CIRCUIT_OPEN: "so many connections failed in a row that only a probe is made from time to time",
    Reason.NO_ROOM: "more connections than records can tell apart",
    Reason.NOT_WANTED: "the configuration does not name it any more",
}

_STATUS = {
    State.REQUESTED: Status.REQUESTED,
    State.ACKED: Status.ACKED,
    State.FLOWING: Status.FLOWING,
    State.STALE: Status.STALE,
    State.FAILED: Status.STALE,
    State.CLOSED: Status.CLOSED,
}


def move(stream: Stream, state: State, reason: Reason, now_ns: int, sink: Sink, conn: int | None = None) -> bool:
    """Put ``stream`` into ``state``; if that changes anything, write it down and publish it (number = reason)."""
    row = stream.row
    if conn is not None:
        row["conn"] = conn
    if row["state"][0] == state and row["reason"][0] == reason:
        return False
    row["state"], row["reason"], row["since_ns"] = state, reason, now_ns
    code = _STATUS.get(state)
    if code is not None:
        sink.status(
            code, now_ns,
            instrument=stream.instrument, channel=stream.channel, conn=int(row["conn"][0]) & 0xFF,
            ts_event=stream.last_data_ns, number=float(reason), start=int(state),
        )  # fmt: skip
    return True
