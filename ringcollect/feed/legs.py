"""Legs and sockets: a leg is a fixed set of streams of one market; a socket is one connection that carries it.

A leg has one socket, and two while it is being replaced. A socket's number is the ``conn`` of its records: two per
leg, used in turn, so that old and new can be told apart. With redundancy several legs, the mates, carry the same
streams: what any of them brings first counts.
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from ringcollect.exchanges import protocol
from ringcollect.feed.backoff import Backoff
from ringcollect.feed.leg_states import LegState
from ringcollect.feed.stream import Stream, StreamKey


class Phase(enum.IntEnum):
    """Where a socket stands."""

    CONNECTING = 0
    OPEN = 1
    CLOSED = 2


@dataclass(eq=False)
class Outgoing:
    """A subscribe frame to send, the streams it is about, and the number its answer will carry."""

    text: str
    number: int
    streams: list[Stream]


@dataclass(eq=False)
class Socket:
    """One connection. Times are ns of the session's clock."""

    conn: int
    url: str
    market: str
    leg: Leg | None
    context: np.ndarray  # the decoder's
    phase: Phase = Phase.CONNECTING
    opened_ns: int = 0
    alive_ns: int = 0  # newest sign of life: frame, ping or pong
    next_send_ns: int = 0
    outbox: deque[Outgoing] = field(default_factory=deque)
    pending: dict[int, Outgoing] = field(default_factory=dict)  # sent, not yet answered
    flowing: set[StreamKey] = field(default_factory=set)  # streams that have delivered on this socket
    pinged: bool = False
    window_frames: int = 0
    window_rejects: int = 0


@dataclass(eq=False)
class Leg:
    """A shard of one market's subscriptions. ``mates``: every leg with the same streams, itself included, in order."""

    number: int
    plan: protocol.Leg
    streams: list[Stream]
    backoff: Backoff
    socket: Socket | None = None
    successor: Socket | None = None
    parity: int = 0
    connected_before: bool = False
    mates: list[Leg] = field(default_factory=list)
    frames: int = 0
    firsts: int = 0  # batches that it brought before any other leg
    dropped: int = 0  # batches that another leg had brought before
    lead_ns: int = 0  # how much earlier than a mate's copy the newest of its first arrivals came
    since_ns: int = 0  # when its state was last seen to change
    row: np.ndarray | None = None  # in the ring (dtype LEG_ROW), where there is room

    @property
    def state(self) -> LegState:
        if not self.streams:
            return LegState.ENDED
        if self.socket is None:
            return LegState.CIRCUIT_OPEN if self.backoff.is_open else LegState.WAITING
        if self.socket.phase is not Phase.OPEN:
            return LegState.CONNECTING
        return LegState.OPEN if self.successor is None else LegState.HANDING_OVER

    def tell(self, now_ns: int) -> None:
        """Bring its row in the ring up to date."""
        row = self.row
        if row is None:
            return
        state = self.state
        if row["state"][0] != state or not self.since_ns:
            self.since_ns = now_ns
        alive_ns = self.socket.alive_ns if self.socket is not None and self.socket.phase is Phase.OPEN else 0
        row[:] = (
            self.number, self.mates[0].number, -1 if self.socket is None else self.socket.conn, state,
            self.plan.market.encode(), len(self.streams), self.since_ns, self.backoff.attempts, self.frames,
            self.firsts, self.dropped, self.lead_ns, max(alive_ns, int(row["last_data_ns"][0])), 0,
        )  # fmt: skip

    @property
    def is_first(self) -> bool:
        """It stands for the shard; the other mates are its copies."""
        return self.mates[0] is self

    def open_mates(self, but: Socket | None = None) -> list[Socket]:
        """The sockets that are up and carry these streams, its own and its mates', without ``but``."""
        return [s for mate in self.mates for s in mate.open_sockets() if s is not but]

    def open_sockets(self) -> list[Socket]:
        """Its sockets that are up: none, one, or old and new."""
        return [s for s in (self.socket, self.successor) if s is not None and s.phase is Phase.OPEN]

    def next_conn(self) -> int:
        """A number for the next socket: not the serving one's, and not the last one's if that can be helped."""
        conn = 2 * self.number + self.parity
        if self.socket is not None and self.socket.conn == conn:
            conn ^= 1
        self.parity = (conn & 1) ^ 1
        return conn
