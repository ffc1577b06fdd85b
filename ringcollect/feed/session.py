"""The feed's state machine: events in with their times, records and actions out. No socket, no clock, no disk.

A session is a deterministic function of its inputs: ``start``, ``open``, ``frame``, ``alive``, ``close``, ``rest``,
``resync``, ``clock_step``, ``timer``, ``stop``. Equal inputs give equal bytes in the ring, live and in replay.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import hot
from ringcollect.exchanges.hot import C_CODE, C_LAST_PUBLISHED, quick
from ringcollect.exchanges.protocol import Answer, Code, Exchange, Notice, Outcome
from ringcollect.feed.actions import Action
from ringcollect.feed.alignment import Alignment
from ringcollect.feed.answers import Answers
from ringcollect.feed.backfill import Backfill
from ringcollect.feed.books import Books, Cause
from ringcollect.feed.bridge import Phase
from ringcollect.feed.catalogue import Catalogue
from ringcollect.feed.connections import Connections
from ringcollect.feed.core import Core
from ringcollect.feed.delivery import Delivery
from ringcollect.feed.legs import Phase as SocketPhase
from ringcollect.feed.legs import Socket
from ringcollect.feed.membership import Membership
from ringcollect.feed.pages import Page
from ringcollect.feed.plan import Plan
from ringcollect.feed.polls import Polls
from ringcollect.feed.prints import Prints
from ringcollect.feed.recording import Recorder
from ringcollect.feed.requests import Requests
from ringcollect.feed.sink import FrameRing, RecordRing, Sink
from ringcollect.feed.stream import ANY_CONN, Stream
from ringcollect.feed.watchdog import Watchdog
from ringcollect.instruments import Registry
from ringcollect.records import Channel, Status
from ringcollect.ring.frames import Direction

REST_CONN = 255
_TELL_NS = 1_000_000_000  # connections are told to observers so often
_RUN = 64  # frames handed on at once behind one the kernel refused: copying all that are left would be quadratic
_TAKEN = frozenset({Code.NOT_OPEN, Code.STALE, Code.GAP, Code.TOO_LONG})


class Session:
    """One feed process's worth of connections to one exchange.

    ``ring`` takes the records (a Producer of dtype RECORD with :data:`FEED_COUNTERS` and a ledger), ``frames`` rejects
    and, when recording, everything. ``actions()`` hands out what is to be done; the owner calls it after each input.
    """

    def __init__(
        self, plan: Plan, exchange: Exchange, registry: Registry, ring: RecordRing, frames: FrameRing | None = None
    ) -> None:
        options = plan.options
        decoder = exchange.decoder(max_past_ns=options.max_past_ns, max_future_skew_ns=options.max_future_skew_ns)
        sink = Sink(ring, frames)
        sink.attach(decoder)
        self.core = Core(plan, exchange, decoder, sink, random.Random(options.seed))
        if self.core.passive:
            decoder.hot.want_all()
        self.catalogue = Catalogue(self.core, registry)
        self.requests = Requests(self.core)
        self.books = Books(self.core, self.requests, self._renew)
        self.connections = Connections(self.core, self._lost, self._leg_lost, self._acked)
        self.watchdog = Watchdog(self.core)
        self.alignment, self.backfill = Alignment(self.core, self.requests), Backfill(self.core, self.requests)
        self.prints = Prints(self.core, self.alignment, self.backfill)
        self._delivery = Delivery(self.core, self.catalogue, self.books, self.prints, self.connections, self.watchdog)
        self.polls = Polls(self.core, self.requests)
        self._recorder = Recorder(sink, options.record_frames)
        self.membership = Membership(self.core, self.catalogue, self.requests, self.polls, self.connections)
        self.answers = Answers(
            self.core, self._recorder, self.catalogue, self.requests, self.books, self.polls, self.connections,
            self.membership, self.alignment, self.backfill,
        )  # fmt: skip
        self._sockets = self.connections.sockets
        self._on_hot_frames = quick(exchange.on_hot_frames)
        self._window_limit = 2 * options.breaker_window
        self._running = False
        self._told_ns = 0
        self._rejects_said = 0
        self._on_timer = self._handlers()

    # what the owner calls

    def actions(self) -> list[Action]:
        """What is to be done in the world since the last call, in order."""
        actions, self.core.actions = self.core.actions, []
        return actions

    def next_deadline(self) -> int:
        """When ``timer`` wants to be called next (ns; ``timers.NEVER``: not at all)."""
        return self.core.timers.next_deadline()

    def start(self, now_ns: int) -> None:
        """Begin: START voids every book, the instruments are asked for, connections follow."""
        core = self.core
        self._recorder.event("start", now_ns, core.plan)
        self._running = True
        self._rejects_said = core.sink.counter("rejected")  # a ring taken over goes on counting
        core.sink.ring.ledger.clear()
        self.catalogue.begin(now_ns)
        core.sink.status(Status.START, now_ns)
        core.timers.set(("tick",), now_ns + core.options.tick_ns)
        self._set_counters_timer(now_ns)
        if core.passive:
            return
        for market in core.plan.markets:
            core.timers.set(("metadata", market.market), now_ns + core.options.metadata_ns)
            self.answers.ask_instruments(market.market, now_ns)

    def open(self, conn: int, url: str, now_ns: int) -> None:
        """The socket ``conn`` is up."""
        self._recorder.event("open", now_ns, url, conn=conn)
        core = self.core
        if not core.passive:
            self.connections.opened(conn, now_ns)
            return
        if conn in self._sockets:
            self.connections.closed(conn, 1006, "opened again", now_ns)
        meaning = core.exchange.read_url(url)
        market = core.plan.markets[0].market if meaning is None else meaning.market
        socket = self.connections.implied(conn, url, market, now_ns)
        if meaning is not None:
            self.catalogue.expect(socket, meaning)

    def frames(self, conn: int, payloads: list[bytes], ts_recv: int, opcode: int = 1) -> None:
        """The messages of one socket read arrived at ``ts_recv`` on ``conn``, in this order."""
        at = 0
        while at < len(payloads):
            socket = self._sockets.get(conn)
            if socket is None:  # also when an earlier one of these made us give the socket up
                socket = self._unexpected(conn, payloads[at], ts_recv, opcode)
                if socket is None:
                    at += 1
                    continue
            socket.alive_ns = ts_recv
            rest = payloads[at : at + _RUN] if at else payloads
            taken = self._on_hot_frames(rest, socket.context, ts_recv)
            if taken:
                self._taken(socket, rest, taken, ts_recv, opcode)
                at += taken
            if taken < len(rest):
                if self._recorder.on:
                    self._recorder.frame(conn, payloads[at], ts_recv, opcode)
                self._count_in_window(socket, 1)
                self._slow(socket, payloads[at], ts_recv, int(socket.context[C_CODE]), opcode)
                at += 1

    def frame(self, conn: int, payload: bytes, ts_recv: int, opcode: int = 1) -> None:
        """A message arrived at ``ts_recv`` on ``conn``."""
        self.frames(conn, [payload], ts_recv, opcode)

    def alive(self, conn: int, now_ns: int) -> None:
        """A ping or pong arrived on ``conn``."""
        self._recorder.event("alive", now_ns, conn=conn)
        socket = self._sockets.get(conn)
        if socket is not None:
            socket.alive_ns = now_ns

    def close(self, conn: int, code: int, reason: str, now_ns: int) -> None:
        """The socket ``conn`` is gone, or could not be opened."""
        if not self._running:
            return
        self._recorder.event("close", now_ns, [code, reason], conn=conn)
        self.connections.closed(conn, code, reason, now_ns)

    def rest(self, request: int, status: int, headers: dict[str, str], body: bytes, now_ns: int) -> None:
        """The answer to the action ``Rest(request, ...)``; status 0: there is none, ``body`` says why."""
        if self._running:
            self.answers.rest(request, status, headers, body, now_ns)

    def rest_seen(self, url: str, status: int, body: bytes, now_ns: int) -> None:
        """A REST answer in a capture: nobody asked, the URL says what it is."""
        self.answers.seen(url, status, body, now_ns)

    def metadata(self, request: int, status: int, headers: dict[str, str], page: Page | None, now_ns: int) -> None:
        """A recorded answer to a request for the instrument list, reduced to what was planned."""
        self.answers.metadata(request, status, headers, page, now_ns)

    def reload(self, plan: Plan, now_ns: int) -> None:
        """Collect what ``plan`` says from now on; streams that it names too are not touched."""
        if not self._running:
            return
        self._recorder.event("reload", now_ns, plan)
        markets = {market.market for market in self.core.plan.markets}
        changing = self.membership.reload(plan, now_ns)
        for gone in sorted(markets - {market.market for market in plan.markets}):
            self.answers.ask_no_more(gone)
        for market in changing:
            self.answers.ask_instruments(market, now_ns)

    def aligned(self, request: int, status: int, headers: dict[str, str], now_ns: int) -> None:
        """A recorded answer that told the venue's newest trade; what it told is not recorded, and changes no record."""
        self.answers.aligned(request, status, headers, -1, now_ns)

    def resync(self, instrument: int, now_ns: int) -> None:
        """A consumer found the book of ``instrument`` wrong: fetch a new base for it alone."""
        self._recorder.event("resync", now_ns, instrument)
        stream = self.core.streams.get((instrument, int(Channel.BOOK)))
        if stream is None or stream.bridge is None:
            return
        stream.take_back()
        self.core.sink.count("resyncs_asked")
        if stream.bridge.phase is not Phase.VOID:
            self.books.void(stream, Cause.ASKED, now_ns)
            self.books.want_snapshot(stream, now_ns)

    def clock_step(self, step_ns: int, now_ns: int) -> None:
        """The wall clock was set by ``step_ns``: deadlines move with it, the data says so."""
        self._recorder.event("clock_step", now_ns, step_ns)
        core = self.core
        core.sink.count("clock_steps")
        core.timers.shift(step_ns)
        self.requests.shift(step_ns)
        self.connections.shift(step_ns)
        for stream in core.streams.values():
            stream.shift(step_ns)
        core.sink.status(Status.CLOCK_STEP, now_ns, number=step_ns / 1e9)
        self._set_counters_timer(now_ns)

    def timer(self, now_ns: int) -> None:
        """Do what is due at ``now_ns``."""
        timers = self.core.timers
        if timers.next_deadline() > now_ns:
            return
        self._recorder.event("timer", now_ns)
        while (key := timers.pop_due(now_ns)) is not None:
            self._on_timer[key[0]](*key[1:], now_ns)
        due = self.watchdog.take_due()
        if due:
            self._resubscribe(due, now_ns)

    def stop(self, now_ns: int) -> None:
        """End in order: the last counters, STOP, every socket closed."""
        self._recorder.event("stop", now_ns)
        self._running = False
        for stream in self.core.streams.values():
            if stream.bridge is not None:
                self.books.give_up_waiting(stream, now_ns)
            if stream.holes:
                self.prints.not_filled(stream, now_ns, at_once=True)
        self._counters(now_ns)
        self.core.sink.status(Status.STOP, now_ns)
        self.connections.tell(now_ns)
        self.connections.close_all()

    # frames

    def _taken(self, socket: Socket, payloads: list[bytes], n: int, ts_recv: int, opcode: int) -> None:
        """The kernel finished the first ``n`` by itself."""
        if self._recorder.on:
            for payload in payloads[:n]:
                self._recorder.frame(socket.conn, payload, ts_recv, opcode)
        self._count_in_window(socket, n)
        if socket.context[C_LAST_PUBLISHED] == ts_recv:
            self.core.sink.last_publish_ns = ts_recv

    def _count_in_window(self, socket: Socket, n: int) -> None:
        """``n`` more frames in the parse breaker's window, and of the leg."""
        frames = n
        while socket.window_frames + n >= self._window_limit:
            n -= self._window_limit - socket.window_frames
            socket.window_frames = self._window_limit
            self.connections.liveness.trim_window(socket)
        socket.window_frames += n
        if socket.leg is not None:
            socket.leg.frames += frames

    def _unexpected(self, conn: int, payload: bytes, ts_recv: int, opcode: int) -> Socket | None:
        """A frame of no socket: whose it is in a capture, else nobody's (it is counted and recorded)."""
        core = self.core
        if core.passive:
            return self.connections.implied(conn, "", core.plan.markets[0].market, ts_recv)
        if self._recorder.on:
            self._recorder.frame(conn, payload, ts_recv, opcode)
        core.sink.count("frames_in")
        core.sink.count("bytes_in", len(payload))
        core.sink.count("ignored")  # of a socket given up, or a bare acknowledgement of its end
        return None

    def _slow(self, socket: Socket, payload: bytes, ts_recv: int, code: int, opcode: int) -> None:
        core = self.core
        sink = core.sink
        sink.count("frames_in")
        sink.count("bytes_in", len(payload))
        if code in _TAKEN:
            batches = core.decoder.all_taken(socket.context)
            sink.count("decoded" if any(len(batch.records) for batch in batches) else "ignored")
            self._delivery.batches(socket, batches, int(socket.context[hot.C_SEQUENCE]), ts_recv)
            return
        try:
            decoded = core.decoder.cold(payload, socket.context, ts_recv)
            if decoded.unknown and core.passive:
                decoded = self.catalogue.discover(
                    socket.market, decoded.unknown, ts_recv, lambda: core.decoder.cold(payload, socket.context, ts_recv)
                )
        except RejectedFrame as error:
            self._reject(socket, payload, error.reason, ts_recv, opcode)
            return
        sink.count(_OUTCOME_COUNTER[decoded.outcome])
        self._delivery.batches(socket, decoded.batches, decoded.sequence, ts_recv)
        if isinstance(decoded.control, Answer):
            self.connections.acked(socket, decoded.control, ts_recv)
        elif isinstance(decoded.control, Notice) and decoded.control.closing:
            self.connections.handover.announced_cut(socket, ts_recv)

    def _reject(self, socket: Socket, payload: bytes, reason: str, ts_recv: int, opcode: int) -> None:
        core = self.core
        core.sink.count("rejected")
        core.sink.keep(
            payload[: core.options.reject_bytes], ts_recv, socket.conn, Direction.REJECT,
            opcode=opcode, reason=reason, url=socket.url, whole_length=len(payload),
        )  # fmt: skip
        if ("rejects",) not in core.timers:  # at most one status record a second says how many
            core.timers.set(("rejects",), ts_recv + 1_000_000_000)
        self.connections.liveness.rejected(socket, ts_recv)

    def _acked(self, streams: list[Stream], now_ns: int) -> None:
        """The exchange acknowledged these, or does not do such a thing and they were asked for."""
        for stream in streams:
            self.watchdog.watch(stream, now_ns)
            if stream.bridge is not None:
                self.books.expect(stream, now_ns)
            self.alignment.expect(stream, now_ns)

    # timers and accidents

    def _handlers(self) -> dict[str, Callable[..., object]]:
        """Timer name -> what to do; the rest of the timer's key and the time are the arguments."""
        streams, connections = self.core.streams, self.connections
        return {
            "tick": self._tick,
            "counters": self._minute,
            "rejects": self._say_rejects,
            "stream": lambda key, now: self.watchdog.check(streams[key], now),
            "alive": connections.liveness.check_alive,
            "ping": connections.liveness.ping,
            "ack": lambda conn, number, now: self.watchdog.no_ack(connections.ack_missing(conn, number, now), now),
            "send": connections.send_more,
            "connect": connections.connect_missing,
            "leg": connections.retry,
            "rollover": connections.handover.rollover,
            "overlap": connections.handover.overlap_over,
            "rest": self.requests.pump,
            "snapshot": lambda key, now: self.books.want_snapshot(streams[key], now),
            "base": lambda key, now: self.books.base_missing(streams[key], now),
            "ahead": lambda key, now: self.books.not_filled(streams[key], now),
            "holes": lambda key, now: self.prints.not_filled(streams[key], now),
            "poll": lambda key, now: self.polls.due(streams[key], now),
            "metadata": self.answers.launch,  # without metadata: data first, names later
            "list": self.answers.ask_instruments,
        }

    def _minute(self, now_ns: int) -> None:
        self._counters(now_ns)
        self._set_counters_timer(now_ns)

    def _tick(self, now_ns: int) -> None:
        core = self.core
        due = core.sink.last_publish_ns + core.options.tick_ns
        if now_ns >= due:
            core.sink.status(Status.TICK, now_ns)
            due = now_ns + core.options.tick_ns
        core.timers.set(("tick",), due)
        if now_ns - self._told_ns >= _TELL_NS:
            self._told_ns = now_ns
            self.connections.tell(now_ns)

    def _set_counters_timer(self, now_ns: int) -> None:
        """The next whole minute: UTC midnight is one of them."""
        period = self.core.options.counters_ns
        self.core.timers.set(("counters",), (now_ns // period + 1) * period)

    def _counters(self, now_ns: int) -> None:
        for stream in self.core.streams.values():
            self.core.sink.status(
                Status.COUNTERS, now_ns, instrument=stream.instrument, channel=stream.channel,
                ts_event=stream.last_data_ns, start=stream.frames, end=stream.records,
                number=float(stream.duplicates), second=float(stream.gaps),
            )  # fmt: skip

    def _say_rejects(self, now_ns: int) -> None:
        core = self.core
        rejected = core.sink.counter("rejected")
        core.sink.status(Status.REJECTED, now_ns, number=float(rejected - self._rejects_said))
        self._rejects_said = rejected

    def _resubscribe(self, streams: list[Stream], now_ns: int) -> None:
        """Ask again for these streams only; the others of their legs go on."""
        for leg in self.connections.legs:
            mine = [s for s in leg.streams if s in streams]
            if mine and leg.socket is not None and leg.socket.phase is SocketPhase.OPEN:
                self.core.sink.count("resubscribes", len(mine))
                self.connections.subscriptions.subscribe(leg.socket, mine, now_ns, again=True)

    def _renew(self, stream: Stream, now_ns: int) -> None:
        """Ask for one book anew where its base comes by the subscription: of one connection, the next time another."""
        sockets = [s for leg in self.connections.shards() if stream in leg.streams for s in leg.open_mates()]
        if sockets:
            self.core.sink.count("resubscribes")
            socket = sockets[(stream.snapshot_attempts - 1) % len(sockets)]
            self.connections.subscriptions.subscribe(socket, [stream], now_ns, again=True)

    def _leg_lost(self, streams: list[Stream], conn: int, now_ns: int) -> None:
        """A connection is gone; another one goes on with ``streams``. A book without ids needs a base from there."""
        for stream in streams:
            stream.take_back()
            stream.forget_conn(conn)
            bridge = stream.bridge
            if bridge is None:
                continue
            bridge.forget_conn(conn)
            if bridge.numbered or (bridge.phase is not Phase.VOID and stream.conn != conn):
                continue
            self.core.timers.cancel(("base", stream.key))
            self.core.timers.cancel(("snapshot", stream.key))
            if bridge.phase is not Phase.VOID:
                stream.gap = True
                self.books.void(stream, Cause.RECONNECT, now_ns)
            self.books.want_snapshot(stream, now_ns)

    def _lost(self, streams: list[Stream], now_ns: int) -> None:
        """A connection is gone: what it carried has a hole, and its books have no base any more."""
        for stream in streams:
            stream.take_back()
            stream.conn = ANY_CONN
            stream.forget_conns()  # the next socket's first copies are copies of this one's
            self.core.timers.cancel(("stream", stream.key))
            stream.reconnected = True
            self.requests.forget(stream.align_request)
            stream.align_request = 0
            if stream.ids is None:
                stream.gap = True  # dense ids will tell exactly; everything else can only say "perhaps"
            if stream.bridge is not None:
                self.core.timers.cancel(("snapshot", stream.key))
                self.core.timers.cancel(("base", stream.key))
                self.requests.forget(stream.snapshot_request)
                if stream.bridge.phase is not Phase.VOID:
                    self.books.void(stream, Cause.RECONNECT, now_ns)
                else:
                    stream.bridge.void()
                stream.snapshot_request = 0


_OUTCOME_COUNTER = {Outcome.DECODED: "decoded", Outcome.CONTROL: "control", Outcome.IGNORED: "ignored"}
