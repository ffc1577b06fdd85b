"""The life of connections: open, serve, give up, come back. How it is done in turn:

:mod:`~ringcollect.feed.subscriptions` asks for the streams, :mod:`~ringcollect.feed.liveness` looks whether a
connection is worth keeping, :mod:`~ringcollect.feed.handover` replaces one before it is cut. Reconnects wait longer
and longer until data flows again.
"""

from __future__ import annotations

from collections.abc import Callable

from ringcollect.errors import RingcollectError
from ringcollect.exchanges import hot, protocol
from ringcollect.exchanges.protocol import Answer
from ringcollect.feed.actions import Close, Connect
from ringcollect.feed.backoff import Backoff
from ringcollect.feed.bridge import Phase as BookPhase
from ringcollect.feed.core import Core
from ringcollect.feed.handover import Handover
from ringcollect.feed.ledger import Reason, State, move
from ringcollect.feed.legs import Leg, Phase, Socket
from ringcollect.feed.liveness import Liveness
from ringcollect.feed.rest_budget import Window
from ringcollect.feed.stream import Stream
from ringcollect.feed.subscriptions import Subscriptions
from ringcollect.records import Status

MOST_LEGS = 127
"""Two numbers each below 255, which stands for REST."""
_TIMERS_OF_SOCKET = ("connect", "alive", "ping", "send")
_TIMERS_OF_LEG = ("leg", "rollover", "overlap")


class Connections:
    """Every leg of a session. ``on_lost(streams, now)`` is told what a lost socket carried, ``on_leg_lost(streams,
    conn, now)`` what another one goes on carrying, ``on_acked`` what is subscribed from now on.
    """

    def __init__(
        self,
        core: Core,
        on_lost: Callable[[list[Stream], int], None],
        on_leg_lost: Callable[[list[Stream], int, int], None],
        on_acked: Callable[[list[Stream], int], None],
    ) -> None:
        self._core = core
        self._on_lost = on_lost
        self._on_leg_lost = on_leg_lost
        self._on_acked = on_acked
        self.legs: list[Leg] = []
        self.sockets: dict[int, Socket] = {}
        self.subscriptions = Subscriptions(core, on_acked)
        self.liveness = Liveness(core, self.sockets, self.subscriptions, self.give_up)
        self.handover = Handover(core, self.legs, self._connect_successor, self.give_up, self._retire)
        self._attempts: dict[str, Window] = {}

    # legs

    def add_leg(self, plan: protocol.Leg, streams: list[Stream], now_ns: int) -> None:
        """A new shard; its legs connect as soon as the connection budget allows."""
        mates: list[Leg] = []
        for _ in range(self._core.options.redundancy):
            mates.append(self._new_leg(plan, streams, mates))
        for stream in streams:
            move(stream, State.NONE, Reason.CONNECTING, now_ns, self._core.sink)
        for leg in mates:
            self._connect(leg, now_ns)

    def _new_leg(self, plan: protocol.Leg, streams: list[Stream], mates: list[Leg]) -> Leg:
        options = self._core.options
        backoff = Backoff(
            options.retry_first_ns, options.retry_max_ns, options.jitter, self._core.rng, options.max_attempts
        )
        place = next((leg.number for leg in self.legs if not leg.streams), len(self.legs))
        if place >= MOST_LEGS:
            raise RingcollectError(f"{place} connections are as many as records can tell apart")
        leg = Leg(place, plan, streams, backoff, mates=mates, row=self._core.sink.ring.ledger.leg(place))
        self.legs[place : place + 1] = [leg]
        return leg

    def tell(self, now_ns: int) -> None:
        """Write into the ring where every leg stands."""
        for leg in self.legs:
            leg.tell(now_ns)

    def room(self) -> int:
        """How many shards can still be added."""
        used = sum(1 for leg in self.legs if leg.streams)
        return (MOST_LEGS - used) // self._core.options.redundancy

    def shards(self) -> list[Leg]:
        """The first leg of every shard that carries something."""
        return [leg for leg in self.legs if leg.streams and leg.is_first]

    def implied(self, conn: int, url: str, market: str, now_ns: int) -> Socket:
        """A connection the session did not ask for: the capture's own."""
        meaning = self._core.exchange.read_url(url) if url else None
        context = self._core.decoder.context(market, conn, () if meaning is None else meaning.streams)
        context[hot.C_EXPECTED] = -1
        socket = Socket(conn, url, market, None, context, Phase.OPEN, opened_ns=now_ns, alive_ns=now_ns)
        self.sockets[conn] = socket
        self._core.sink.status(Status.CONNECTED, now_ns, conn=conn & 0xFF)
        return socket

    def extend(self, leg: Leg, plan: protocol.Leg, streams: list[Stream], now_ns: int) -> None:
        """The shard ``leg`` carries ``streams`` too, and is ``plan`` from now on; what it carried is not touched."""
        known = set(leg.plan.streams)
        leg.streams.extend(streams)  # one list for all mates
        for mate in leg.mates:
            mate.plan = plan
        sockets = leg.open_mates()
        if not sockets:
            for stream in streams:
                move(stream, State.NONE, Reason.CONNECTING, now_ns, self._core.sink)
        for socket in sockets:
            self.subscriptions.extend(socket, streams, known, now_ns)

    def shrink(
        self, leg: Leg, plan: protocol.Leg | None, streams: list[Stream], gone: list[protocol.Want], now_ns: int
    ) -> None:
        """The shard ``leg`` carries ``streams`` no more and is ``plan``; of ``gone`` wants it needs no stream. None: it
        ends.
        """
        left = [stream for stream in leg.streams if stream not in streams]
        for mate in leg.mates:
            mate.streams = left
            for socket in (mate.socket, mate.successor):
                if socket is not None:
                    socket.flowing -= {stream.key for stream in streams}
            if plan is None:
                self._end(mate)
                continue
            if set(plan.streams) != set(mate.plan.streams):
                for socket in mate.open_sockets():
                    self.subscriptions.shrink(socket, mate, plan, gone, now_ns)
            mate.plan = plan

    def _end(self, leg: Leg) -> None:
        """Nothing is left for ``leg`` to carry; another may take its place."""
        for socket in (leg.socket, leg.successor):
            if socket is not None:
                self._retire(socket)
        leg.socket = leg.successor = None
        for timer in _TIMERS_OF_LEG:
            self._core.timers.cancel((timer, leg.number))

    # opening

    def retry(self, number: int, now_ns: int) -> None:
        """The wait of leg ``number`` is over."""
        leg = self.legs[number]
        if leg.socket is None:
            self._connect(leg, now_ns)

    def _connect_successor(self, leg: Leg, now_ns: int) -> None:
        self._connect(leg, now_ns, successor=True)

    def _connect(self, leg: Leg, now_ns: int, *, successor: bool = False) -> None:
        core = self._core
        wait_ns = self._attempt_budget(leg.plan.market).wait_ns(now_ns, 1)
        if wait_ns:
            core.timers.set(("rollover" if successor else "leg", leg.number), now_ns + wait_ns)
            return
        conn = leg.next_conn()
        context = core.decoder.context(leg.plan.market, conn, leg.plan.streams)
        context[hot.C_EXPECTED] = -1  # a new connection counts its frames anew
        socket = Socket(conn, leg.plan.url, leg.plan.market, leg, context, alive_ns=now_ns)
        self.sockets[socket.conn] = socket
        if successor:
            leg.successor = socket
        else:
            leg.socket = socket
            core.sink.count("reconnects" if leg.connected_before else "connects")
            leg.connected_before = True
        core.timers.set(("connect", socket.conn), now_ns + core.options.connect_ns)
        core.act(Connect(socket.conn, socket.url))

    def connect_missing(self, conn: int, now_ns: int) -> None:
        """Connecting took too long."""
        socket = self.sockets.get(conn)
        if socket is not None and socket.phase is Phase.CONNECTING:
            self.give_up(socket, "no answer to connecting", now_ns)

    def opened(self, conn: int, now_ns: int) -> Socket | None:
        """The socket is up: subscribe. None if nobody asked for it."""
        core = self._core
        socket = self.sockets.get(conn)
        if socket is None or socket.phase is not Phase.CONNECTING or socket.leg is None:
            return None
        socket.phase = Phase.OPEN
        socket.opened_ns = socket.alive_ns = now_ns
        core.timers.cancel(("connect", conn))
        core.sink.status(Status.CONNECTED, now_ns, conn=conn & 0xFF)
        self.liveness.begin(socket, now_ns)
        self.handover.begin(socket, now_ns)
        self.subscriptions.subscribe(socket, socket.leg.streams, now_ns)
        return socket

    # answers

    def acked(self, socket: Socket, answer: Answer, now_ns: int) -> None:
        """The venue answered a request."""
        acked = self.subscriptions.answered(socket, answer, now_ns)
        if socket.leg is not None and socket is socket.leg.successor:
            self.handover.if_ready(socket.leg, now_ns)
        if answer.ok:
            self._on_acked(acked, now_ns)

    def send_more(self, conn: int, now_ns: int) -> None:
        """The venue's message rate allows another one."""
        socket = self.sockets.get(conn)
        if socket is not None:
            self.subscriptions.flush(socket, now_ns)

    def ack_missing(self, conn: int, number: int, now_ns: int) -> list[Stream]:
        """Request ``number`` was not answered in time; returns the streams that are silent because of it."""
        socket = self.sockets.get(conn)
        return [] if socket is None else self.subscriptions.ack_missing(socket, number, now_ns)

    # closing

    def give_up(self, socket: Socket, reason: str, now_ns: int) -> None:
        """Close a socket ourselves and come back."""
        self._core.act(Close(socket.conn))
        self.closed(socket.conn, 1006, reason, now_ns)

    def closed(self, conn: int, code: int, reason: str, now_ns: int) -> None:
        """The socket is gone, or never came up."""
        core = self._core
        socket = self.sockets.get(conn)
        if socket is None or socket.phase is Phase.CLOSED:
            return
        was_open = socket.phase is Phase.OPEN
        self._forget(socket)
        leg = socket.leg
        if leg is None:
            self._disconnected(self.carried_by(socket), conn, code, now_ns)
            return
        if socket is leg.successor:
            leg.successor = None
            core.timers.set(("rollover", leg.number), now_ns + leg.backoff.next_ns())
            return
        leg.socket = None
        if leg.successor is not None and leg.successor.phase is Phase.OPEN:
            self.handover.promote(leg, now_ns)  # the old one went first: what was missed shows as a gap, if any was
            return
        if leg.successor is not None:
            leg.socket, leg.successor = leg.successor, None
        if leg.open_mates():
            self._leg_lost(leg, socket, was_open, code, now_ns)
        elif was_open:
            self._disconnected(leg.streams, conn, code, now_ns)
        elif not leg.backoff.is_open:
            for stream in leg.streams:
                move(stream, State.STALE, Reason.CONNECTING, now_ns, core.sink)
        if leg.socket is None:
            self._come_back(leg, now_ns)

    def _retire(self, socket: Socket) -> None:
        """Close a socket that nobody needs any more."""
        self._core.act(Close(socket.conn))
        self._forget(socket)

    def _forget(self, socket: Socket) -> None:
        """No timer of ``socket`` fires again, no frame of it is looked at."""
        socket.phase = Phase.CLOSED
        self.sockets.pop(socket.conn, None)
        for timer in _TIMERS_OF_SOCKET:
            self._core.timers.cancel((timer, socket.conn))
        for number in socket.pending:
            self._core.timers.cancel(("ack", socket.conn, number))

    def _come_back(self, leg: Leg, now_ns: int) -> None:
        """Try again after a wait; when too many attempts failed in a row, everybody is told that it will be long."""
        core = self._core
        was_open = leg.backoff.is_open
        core.timers.set(("leg", leg.number), now_ns + leg.backoff.next_ns())
        if not leg.backoff.is_open:
            return
        if not was_open:
            core.sink.count("circuits_opened")
        if all(mate.backoff.is_open for mate in leg.mates):
            for stream in leg.streams:
                if stream.state is not State.FAILED:
                    move(stream, State.STALE, Reason.CIRCUIT_OPEN, now_ns, core.sink)

    def _leg_lost(self, leg: Leg, socket: Socket, was_open: bool, code: int, now_ns: int) -> None:
        """A mate goes on: only what came by the lost one alone is lost, and what follows one connection moves over."""
        if not was_open:
            return
        others = leg.open_mates()
        alone = socket.flowing - {key for other in others for key in other.flowing}
        lost = [stream for stream in leg.streams if stream.key in alone]
        self._core.sink.status(Status.DISCONNECTED, now_ns, conn=socket.conn & 0xFF, start=code)
        if lost:
            self._disconnected(lost, socket.conn, code, now_ns)
        self._on_leg_lost([stream for stream in leg.streams if stream.key not in alone], socket.conn, now_ns)

    def carried_by(self, socket: Socket) -> list[Stream]:
        """The streams of a socket: its leg's, or (a capture's own connection) those that came by it."""
        if socket.leg is not None:
            return socket.leg.streams
        conn = socket.conn
        return [s for s in self._core.streams.values() if s.conn == conn or int(s.row["conn"][0]) == conn]

    def _disconnected(self, streams: list[Stream], conn: int, code: int, now_ns: int) -> None:
        sink = self._core.sink
        for stream in streams:
            sink.status(
                Status.DISCONNECTED, now_ns, instrument=stream.instrument, channel=stream.channel,
                conn=conn & 0xFF, ts_event=stream.last_data_ns, start=code,
            )  # fmt: skip
            if stream.state is not State.FAILED:
                move(stream, State.STALE, Reason.DISCONNECTED, now_ns, sink)
        self._on_lost(streams, now_ns)

    def close_all(self) -> None:
        """The session ends."""
        for conn, socket in self.sockets.items():
            if socket.leg is not None:
                self._core.act(Close(conn))
        self.sockets.clear()

    def shift(self, step_ns: int) -> None:
        """The wall clock was set."""
        for socket in self.sockets.values():
            socket.alive_ns += step_ns
            socket.next_send_ns += step_ns
        for budget in self._attempts.values():
            budget.shift(step_ns)

    @staticmethod
    def carriers(socket: Socket, stream: Stream) -> tuple[int, ...]:
        """The connections that bring ``stream`` now: ``socket`` first, then others that have brought it."""
        leg = socket.leg
        if leg is None or (len(leg.mates) == 1 and leg.successor is None):
            return (socket.conn,)
        others = (other.conn for other in leg.open_mates(socket) if stream.key in other.flowing)
        return (socket.conn, *others)

    def stands_by(self, socket: Socket, stream: Stream) -> bool:
        """Whether a mate of ``socket`` is the one that a book without ids follows: two could not be told apart."""
        leg = socket.leg
        if leg is None or len(leg.mates) == 1 or stream.bridge is None or stream.bridge.phase is BookPhase.VOID:
            return False
        serving = self.sockets.get(stream.conn)
        return serving is not None and serving.leg is not leg

    def compare(self, socket: Socket, stream: Stream, is_copy: bool, now_ns: int) -> None:
        """Of two connections that bring ``stream``: whose frame came first, and by how much."""
        leg = socket.leg
        assert leg is not None
        if not is_copy:
            leg.firsts += 1
            stream.accepted_by, stream.accepted_ns = socket.conn, now_ns
            return
        leg.dropped += 1
        first = self.sockets.get(stream.accepted_by)
        if first is not None and first.leg is not None and first is not socket:
            first.leg.lead_ns = now_ns - stream.accepted_ns

    def _attempt_budget(self, market: str) -> Window:
        budget = self._attempts.get(market)
        if budget is None:
            limits = self._core.exchange.limits(market)
            share = self._core.options.rest_share
            budget = Window(int(limits.connects * share), limits.connects_window_ns)
            self._attempts[market] = budget
        return budget
