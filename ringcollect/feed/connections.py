"""The life of connections: open, subscribe at the venue's pace, keep alive, give up, come back, hand over.

Reconnects wait longer and longer until data flows again. Before the venue's own cut a successor is opened; the old
socket is closed when the successor carries every stream the old one carried, or when its time is up.
"""

from __future__ import annotations

from collections.abc import Callable

from ringcollect.errors import RingcollectError
from ringcollect.exchanges import hot, protocol
from ringcollect.exchanges.protocol import Answer, Request
from ringcollect.feed.actions import Close, Connect, Ping, Send
from ringcollect.feed.backoff import Backoff
from ringcollect.feed.core import Core
from ringcollect.feed.ledger import Reason, State, move
from ringcollect.feed.legs import Leg, Outgoing, Phase, Socket
from ringcollect.feed.placing import names_of
from ringcollect.feed.rest_budget import Window
from ringcollect.feed.stream import Stream
from ringcollect.records import Status
from ringcollect.ring.frames import Direction

SECOND = 1_000_000_000
MOST_LEGS = 127
"""Two numbers each below 255, which stands for REST."""


class Connections:
    """Every leg of a session. ``on_lost(streams, now)`` is told what a lost socket carried, ``on_acked`` what is
    subscribed from now on.
    """

    def __init__(
        self,
        core: Core,
        on_lost: Callable[[list[Stream], int], None],
        on_acked: Callable[[list[Stream], int], None],
    ) -> None:
        self._core = core
        self._on_lost = on_lost
        self._on_acked = on_acked
        self.legs: list[Leg] = []
        self.sockets: dict[int, Socket] = {}
        self._requests = 0
        self._attempts: dict[str, Window] = {}

    # opening

    def add_leg(self, plan: protocol.Leg, streams: list[Stream], now_ns: int) -> None:
        """A new shard; it connects as soon as the connection budget allows."""
        options = self._core.options
        backoff = Backoff(options.retry_first_ns, options.retry_max_ns, options.jitter, self._core.rng)
        place = next((leg.number for leg in self.legs if not leg.streams), len(self.legs))
        if place >= MOST_LEGS:
            raise RingcollectError(f"{place} connections are as many as records can tell apart")
        leg = Leg(place, plan, streams, backoff)
        self.legs[place : place + 1] = [leg]
        for stream in streams:
            move(stream, State.NONE, Reason.CONNECTING, now_ns, self._core.sink)
        self._connect(leg, now_ns)

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
        """``leg`` carries ``streams`` too, and is ``plan`` from now on; what it carried before is not touched."""
        known = set(leg.plan.streams)
        is_news = bool(set(plan.streams) - known)
        leg.plan = plan
        leg.streams.extend(streams)
        sockets = [socket for socket in (leg.socket, leg.successor) if socket and socket.phase is Phase.OPEN]
        if not sockets:
            for stream in streams:
                move(stream, State.NONE, Reason.CONNECTING, now_ns, self._core.sink)
        url = self._core.market(plan.market).url
        there = [s for s in streams if not is_news or names_of(self._core.exchange, plan.market, s.want, url) <= known]
        for socket in sockets:
            asked = [stream for stream in streams if stream not in there]
            if asked:
                self.subscribe(socket, asked, now_ns)
            for stream in there:  # the venue sends it already, for others
                move(stream, State.REQUESTED, Reason.NONE, now_ns, self._core.sink, socket.conn)
            self._on_acked(self._settle(socket, there, True, now_ns), now_ns)

    def shrink(
        self, leg: Leg, plan: protocol.Leg | None, streams: list[Stream], gone: list[protocol.Want], now_ns: int
    ) -> None:
        """``leg`` carries ``streams`` no more and is ``plan``; of ``gone`` wants it needs no stream. None: it ends."""
        core = self._core
        before = set(leg.plan.streams)
        leg.streams = [stream for stream in leg.streams if stream not in streams]
        for socket in (leg.socket, leg.successor):
            if socket is not None:
                socket.flowing -= {stream.key for stream in streams}
        if plan is None:
            self._close(leg)
            return
        requests: list[Request] = []
        for socket in (leg.socket, leg.successor):
            if socket is None or socket.phase is not Phase.OPEN or set(plan.streams) == before:
                continue
            requests = core.exchange.unsubscribe(leg.plan, gone, self._requests + 1) if gone else []
            if not requests:  # a venue whose requests replace each other: ask for what is left
                requests = core.exchange.subscribe(plan, (), self._requests + 1)
            for request in requests:
                self._queue(socket, request, [])
            self.flush(socket, now_ns)
        leg.plan = plan

    def _close(self, leg: Leg) -> None:
        """Nothing is left for ``leg`` to carry; another may take its place."""
        core = self._core
        for socket in (leg.socket, leg.successor):
            if socket is not None:
                core.act(Close(socket.conn))
                socket.phase = Phase.CLOSED
                self.sockets.pop(socket.conn, None)
                for timer in ("connect", "alive", "ping", "send"):
                    core.timers.cancel((timer, socket.conn))
                for number in socket.pending:
                    core.timers.cancel(("ack", socket.conn, number))
        leg.socket = leg.successor = None
        for timer in ("leg", "rollover", "overlap"):
            core.timers.cancel((timer, leg.number))

    def retry(self, number: int, now_ns: int) -> None:
        """The wait of leg ``number`` is over."""
        leg = self.legs[number]
        if leg.socket is None:
            self._connect(leg, now_ns)

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
        core.timers.set(("alive", conn), now_ns + self._silence_ns(socket) // 2)
        keepalive = core.exchange.keepalive(socket.market)
        if keepalive.kind != "none":
            core.timers.set(("ping", conn), now_ns + keepalive.interval_ns)
        lifetime_ns = core.exchange.limits(socket.market).lifetime_ns
        if socket is socket.leg.successor:
            core.timers.set(("overlap", socket.leg.number), now_ns + core.options.overlap_ns)
        elif lifetime_ns:
            self._plan_rollover(socket.leg, now_ns, lifetime_ns)
        self.subscribe(socket, socket.leg.streams, now_ns)
        return socket

    # subscribing

    def subscribe(self, socket: Socket, streams: list[Stream], now_ns: int, *, again: bool = False) -> None:
        """Queue the frames that ask for ``streams`` (``again``: after frames that cancel them)."""
        core = self._core
        leg = socket.leg
        if leg is None:
            return
        by_want = {s.want: s for s in streams}
        wants = list(by_want)
        if again:
            for request in core.exchange.unsubscribe(leg.plan, wants, self._requests + 1):
                self._queue(socket, request, [])
        for request in core.exchange.subscribe(leg.plan, wants, self._requests + 1):
            self._queue(socket, request, [by_want[want] for want in request.wants if want in by_want])
        reason = Reason.RESUBSCRIBED if again else Reason.NONE
        for stream in streams:
            stream.asked += 1
            if socket is not leg.successor:  # of a successor: the old socket still carries it
                move(stream, State.REQUESTED, reason, now_ns, core.sink, socket.conn)
        self.flush(socket, now_ns)

    def flush(self, socket: Socket, now_ns: int) -> None:
        """Send what the venue's message rate allows."""
        core = self._core
        # Half the rate allowed: pongs count too, and the venue's clock is not ours.
        gap_ns = 2 * SECOND // max(1, core.exchange.limits(socket.market).messages_per_s)
        while socket.outbox and socket.phase is Phase.OPEN:
            if now_ns < socket.next_send_ns:
                core.timers.set(("send", socket.conn), socket.next_send_ns)
                return
            outgoing = socket.outbox.popleft()
            socket.next_send_ns = now_ns + gap_ns
            if outgoing.streams and core.exchange.acknowledges:
                socket.pending[outgoing.number] = outgoing
                core.timers.set(("ack", socket.conn, outgoing.number), now_ns + core.options.ack_ns)
            self._send(socket, outgoing.text, now_ns)
            for stream in outgoing.streams:
                if stream.awaits_base:
                    core.timers.set(("base", stream.key), now_ns + core.options.ack_ns)
            if not core.exchange.acknowledges:
                self._on_acked(self._settle(socket, outgoing.streams, True, now_ns), now_ns)

    def _send(self, socket: Socket, text: str, now_ns: int) -> None:
        core = self._core
        core.act(Send(socket.conn, text))
        if core.options.record_frames:
            core.sink.keep(text.encode(), now_ns, socket.conn, Direction.OUT, url=socket.url)

    def send_more(self, conn: int, now_ns: int) -> None:
        """The venue's message rate allows another one."""
        socket = self.sockets.get(conn)
        if socket is not None:
            self.flush(socket, now_ns)

    def acked(self, socket: Socket, answer: Answer, now_ns: int) -> None:
        """The venue answered a request: all of it, or the streams that the answer names.

        An answer that does not say to what it answers is taken for the only request that waits, if there is one.
        """
        streams = self._answered(socket, answer)
        acked = self._settle(socket, streams, answer.ok, now_ns)
        if socket.leg is not None and socket is socket.leg.successor:
            self._hand_over_if_ready(socket.leg, now_ns)
        if answer.ok:
            self._on_acked(acked, now_ns)

    def _answered(self, socket: Socket, answer: Answer) -> list[Stream]:
        """The streams an answer is about; requests with nothing left to be answered wait no longer."""
        number = answer.request_id
        if answer.wants:
            named = {(want.symbol, want.channel) for want in answer.wants}
            asked = list(socket.pending.values())
            streams = [s for outgoing in asked for s in outgoing.streams if (s.symbol, s.channel) in named]
            for outgoing in asked:
                outgoing.streams = [s for s in outgoing.streams if s not in streams]
            done = [outgoing.number for outgoing in asked if not outgoing.streams]
        else:
            if number is None and len(socket.pending) == 1:
                number = next(iter(socket.pending))
            if number is None or number not in socket.pending:
                return []
            streams, done = socket.pending[number].streams, [number]
        for one in done:
            del socket.pending[one]
            self._core.timers.cancel(("ack", socket.conn, one))
        return streams

    def _settle(self, socket: Socket, streams: list[Stream], ok: bool, now_ns: int) -> list[Stream]:
        """Write down that these were acknowledged or refused; those that were not flowing already are returned."""
        waiting = [s for s in streams if s.state is State.REQUESTED]
        state, reason = (State.ACKED, Reason.NONE) if ok else (State.FAILED, Reason.REFUSED)
        for stream in waiting:
            move(stream, state, reason, now_ns, self._core.sink, socket.conn)
        return waiting

    def ack_missing(self, conn: int, number: int, now_ns: int) -> list[Stream]:
        """Request ``number`` was not answered in time; returns the streams that are silent because of it."""
        socket = self.sockets.get(conn)
        outgoing = socket.pending.pop(number, None) if socket is not None else None
        if outgoing is None:
            return []
        missing = [s for s in outgoing.streams if s.state is State.REQUESTED]
        for stream in missing:
            move(stream, State.STALE, Reason.NO_ACK, now_ns, self._core.sink, conn)
        return missing

    def _queue(self, socket: Socket, request: Request, streams: list[Stream]) -> None:
        self._requests = max(self._requests, request.request_id)
        socket.outbox.append(Outgoing(request.text, request.request_id, streams))

    # watching

    def check_alive(self, conn: int, now_ns: int) -> None:
        """Half the silence: ask for a sign of life. The whole of it: the line is dead, whatever TCP says."""
        core = self._core
        socket = self.sockets.get(conn)
        if socket is None or socket.phase is not Phase.OPEN:
            return
        limit = self._silence_ns(socket)
        silent = now_ns - socket.alive_ns
        if silent >= limit:
            core.sink.count("half_open")
            self.give_up(socket, "half open", now_ns)
            return
        if silent >= limit // 2 and not socket.pinged:
            socket.pinged = True
            core.act(Ping(conn))
        elif silent < limit // 2:
            socket.pinged = False
        next_look = limit if socket.pinged else limit // 2
        core.timers.set(("alive", conn), socket.alive_ns + next_look)

    def ping(self, conn: int, now_ns: int) -> None:
        """The venue wants to hear from us at a steady pace."""
        core = self._core
        socket = self.sockets.get(conn)
        if socket is None or socket.phase is not Phase.OPEN:
            return
        keepalive = core.exchange.keepalive(socket.market)
        core.timers.set(("ping", conn), now_ns + keepalive.interval_ns)
        if keepalive.kind == "text":
            self._send(socket, keepalive.text, now_ns)
        else:
            core.act(Ping(conn))

    def rejected(self, socket: Socket, now_ns: int) -> None:
        """One more frame nobody understands: most of a window of them, and the connection is not worth keeping."""
        core = self._core
        socket.window_rejects += 1
        if socket.leg is None or socket.window_frames < core.options.breaker_window:
            return
        if socket.window_rejects * 2 >= socket.window_frames:
            core.sink.count("breaker_trips")
            self.give_up(socket, "most frames are rejected", now_ns)

    def trim_window(self, socket: Socket) -> None:
        """Keep the breaker's window recent: forget half of it when it has grown to twice its least size."""
        socket.window_frames //= 2
        socket.window_rejects //= 2

    def give_up(self, socket: Socket, reason: str, now_ns: int) -> None:
        """Close a socket ourselves and come back."""
        self._core.act(Close(socket.conn))
        self.closed(socket.conn, 1006, reason, now_ns)

    def closed(self, conn: int, code: int, reason: str, now_ns: int) -> None:
        """The socket is gone, or never came up."""
        core = self._core
        socket = self.sockets.pop(conn, None)
        if socket is None or socket.phase is Phase.CLOSED:
            return
        was_open = socket.phase is Phase.OPEN
        socket.phase = Phase.CLOSED
        for timer in (("connect", conn), ("alive", conn), ("ping", conn), ("send", conn)):
            core.timers.cancel(timer)
        for number in socket.pending:
            core.timers.cancel(("ack", conn, number))
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
            self._promote(leg, now_ns)  # the old one went first: what was missed shows as a gap, if anything was
            return
        if leg.successor is not None:
            leg.socket, leg.successor = leg.successor, None
        if was_open:
            self._disconnected(leg.streams, conn, code, now_ns)
        else:
            for stream in leg.streams:
                move(stream, State.STALE, Reason.CONNECTING, now_ns, core.sink)
        if leg.socket is None:
            core.timers.set(("leg", leg.number), now_ns + leg.backoff.next_ns())

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

    def _silence_ns(self, socket: Socket) -> int:
        """How long nothing at all may come: our own pings make every healthy venue answer within it."""
        return self._core.exchange.keepalive(socket.market).deadline_ns or self._core.options.stale_ns

    # handing over

    def _plan_rollover(self, leg: Leg, now_ns: int, lifetime_ns: int) -> None:
        """Spread over a tenth of the margin: sockets opened together must not all be replaced together."""
        margin = self._core.options.rollover_ns
        spread = int(margin * self._core.rng.random())
        self._core.timers.set(("rollover", leg.number), now_ns + max(lifetime_ns // 2, lifetime_ns - margin - spread))

    def rollover(self, number: int, now_ns: int) -> None:
        """Open the successor of leg ``number`` (planned, or because the venue announced that it goes down)."""
        leg = self.legs[number]
        if leg.socket is None or leg.successor is not None:
            return
        self._connect(leg, now_ns, successor=True)

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
            self._hand_over_if_ready(leg, now_ns)

    def overlap_over(self, number: int, now_ns: int) -> None:
        """The successor had its time. Quiet streams need not have delivered anything; but if nothing at all came by it
        while the old one flows, it is the successor that goes.
        """
        leg = self.legs[number]
        if leg.successor is None or leg.socket is None or leg.successor.phase is not Phase.OPEN:
            return
        if leg.successor.flowing or not leg.socket.flowing:
            self._retire(leg, now_ns)
        else:
            self.give_up(leg.successor, "nothing came by it", now_ns)

    def _hand_over_if_ready(self, leg: Leg, now_ns: int) -> None:
        if leg.socket is None or leg.successor is None:
            return
        if leg.successor.flowing >= leg.socket.flowing and not leg.successor.pending:
            self._retire(leg, now_ns)

    def _retire(self, leg: Leg, now_ns: int) -> None:
        old = leg.socket
        assert old is not None
        self._core.act(Close(old.conn))
        old.phase = Phase.CLOSED
        self.sockets.pop(old.conn, None)
        for timer in (("alive", old.conn), ("ping", old.conn), ("send", old.conn)):
            self._core.timers.cancel(timer)
        self._promote(leg, now_ns)

    def _promote(self, leg: Leg, now_ns: int) -> None:
        core = self._core
        core.timers.cancel(("overlap", leg.number))
        core.sink.count("rollovers")
        leg.socket, leg.successor = leg.successor, None
        assert leg.socket is not None
        for stream in leg.streams:
            stream.row["conn"] = leg.socket.conn
            stream.forget_conns(leg.socket.conn)
        lifetime_ns = core.exchange.limits(leg.plan.market).lifetime_ns
        if lifetime_ns:
            self._plan_rollover(leg, leg.socket.opened_ns, lifetime_ns)

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

    def rolling(self, socket: Socket) -> bool:
        """True while ``socket`` is one of two that carry the same streams."""
        return socket.leg is not None and socket.leg.successor is not None

    def _attempt_budget(self, market: str) -> Window:
        budget = self._attempts.get(market)
        if budget is None:
            limits = self._core.exchange.limits(market)
            share = self._core.options.rest_share
            budget = Window(int(limits.connects * share), limits.connects_window_ns)
            self._attempts[market] = budget
        return budget
