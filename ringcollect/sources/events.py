"""One thing that happened at a feed's edge, whatever file it was read from."""

from __future__ import annotations

import enum
from typing import NamedTuple

TEXT, BINARY = 1, 2
"""WebSocket opcodes of a data frame."""


class EventKind(enum.IntEnum):
    """What happened."""

    OPEN = 1  # the connection to ``url`` is up
    IN = 2  # a frame arrived
    OUT = 3  # we sent a frame
    REST = 4  # the answer to a GET of ``url`` arrived
    CLOSE = 5  # the connection went down: ``code``, reason in ``payload``
    TIMER = 6  # the feed looked at its timers


class Event(NamedTuple):
    """``ts``: int64 ns since the epoch, the local time it happened. ``code``: HTTP status or close code, else 0."""

    ts: int
    conn: int
    kind: EventKind
    url: str = ""
    payload: bytes = b""
    opcode: int = TEXT
    code: int = 0
