"""Handing over: a successor is opened before the venue's own cut, or when the venue announces one.

The old socket is closed when the successor carries every stream the old one carried, or when its time is up.
"""

from __future__ import annotations

from collections.abc import Callable

from ringcollect.feed.core import Core
from ringcollect.feed.legs import Leg, Phase, Socket
from ringcollect.feed.stream import Stream


class Handover:
    """Successors of the legs of a session. ``connect(leg, now)`` opens one, ``give_up(socket, reason, now)`` ends a
    socket that goes to nobody, ``retire(socket)`` one whose successor serves.
    """

    def __init__(
        self,
        core: Core,
        legs: list[Leg],
        connect: Callable[[Leg, int], None],
        give_up: Callable[[Socket, str, int], None],
        retire: Callable[[Socket], None],
    ) -> None:
        self._core = core
        self._legs = legs
        self._connect = connect
        self._give_up = give_up
        self._close = retire

    def begin(self, socket: Socket, now_ns: int) -> None:
        """The socket is up: a successor has ``overlap_ns`` to carry everything, any other one its lifetime."""
        leg = socket.leg
        assert leg is not None
        if socket is leg.successor:
            self._core.timers.set(("overlap", leg.number), now_ns + self._core.options.overlap_ns)
        else:
            self._plan(leg, now_ns)

    def _plan(self, leg: Leg, opened_ns: int) -> None:
        """Spread over a tenth of the margin: sockets opened together must not all be replaced together."""
        lifetime_ns = self._core.exchange.limits(leg.plan.market).lifetime_ns
        if not lifetime_ns:
            return
        margin = self._core.options.rollover_ns
        spread = int(margin * self._core.rng.random())
        deadline = opened_ns + max(lifetime_ns // 2, lifetime_ns - margin - spread)
        self._core.timers.set(("rollover", leg.number), deadline)

    def rollover(self, number: int, now_ns: int) -> None:
        """Open the successor of leg ``number`` (planned, or because the venue announced that it goes down)."""
        leg = self._legs[number]
        if leg.socket is None or leg.successor is not None:
            return
        self._connect(leg, now_ns)

    def announced_cut(self, socket: Socket, now_ns: int) -> None:
        """The venue says that this socket will be cut soon."""
        if socket.leg is not None and socket is socket.leg.socket:
            self._core.timers.cancel(("rollover", socket.leg.number))
            self.rollover(socket.leg.number, now_ns)

    def carried(self, socket: Socket, stream: Stream, now_ns: int) -> None:
        """Data of ``stream`` came by ``socket``: backoff ends; a successor that carries all takes over."""
        leg = socket.leg
        if stream.key in socket.flowing:
            return
        socket.flowing.add(stream.key)
        if leg is None:
            return
        leg.backoff.reset()
        if socket is leg.successor:
            self.if_ready(leg, now_ns)

    def overlap_over(self, number: int, now_ns: int) -> None:
        """The successor had its time. Quiet streams need not have delivered anything; but if nothing at all came by it
        while the old one flows, it is the successor that goes.
        """
        leg = self._legs[number]
        if leg.successor is None or leg.socket is None or leg.successor.phase is not Phase.OPEN:
            return
        if leg.successor.flowing or not leg.socket.flowing:
            self._retire(leg, now_ns)
        else:
            self._give_up(leg.successor, "nothing came by it", now_ns)

    def if_ready(self, leg: Leg, now_ns: int) -> None:
        """Take over if the successor carries what the old one does."""
        if leg.socket is None or leg.successor is None:
            return
        if leg.successor.flowing >= leg.socket.flowing and not leg.successor.pending:
            self._retire(leg, now_ns)

    def _retire(self, leg: Leg, now_ns: int) -> None:
        assert leg.socket is not None
        self._close(leg.socket)
        self.promote(leg, now_ns)

    def promote(self, leg: Leg, now_ns: int) -> None:
        """The successor serves from now on."""
        core = self._core
        core.timers.cancel(("overlap", leg.number))
        core.sink.count("rollovers")
        leg.socket, leg.successor = leg.successor, None
        assert leg.socket is not None
        for stream in leg.streams:
            stream.row["conn"] = leg.socket.conn
            stream.forget_conn(leg.socket.conn ^ 1)
        self._plan(leg, leg.socket.opened_ns)
