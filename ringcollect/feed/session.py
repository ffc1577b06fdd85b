"""The feed's state machine: events in with their times, records and actions out. No socket, no clock, no disk.

A session is a deterministic function of its inputs: ``start``, ``open``, ``frame``, ``alive``, ``close``, ``rest``,
``resync``, ``clock_step``, ``timer``, ``stop``. Equal inputs give equal bytes in the ring, live and in replay.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from ringcollect.exchanges.protocol import Exchange
from ringcollect.feed.actions import Action
from ringcollect.feed.again import Again
from ringcollect.feed.alignment import Alignment
from ringcollect.feed.answers import Answers
from ringcollect.feed.backfill import Backfill
from ringcollect.feed.books import Books, Cause
from ringcollect.feed.bridge import Phase
from ringcollect.feed.catalogue import Catalogue
from ringcollect.feed.connections import Connections
from ringcollect.feed.core import Core
from ringcollect.feed.delivery import Delivery
from ringcollect.feed.intake import Intake
from ringcollect.feed.losses import Losses
from ringcollect.feed.membership import Membership
from ringcollect.feed.pages import Page
from ringcollect.feed.plan import Plan
from ringcollect.feed.polls import Polls
from ringcollect.feed.prints import Prints
from ringcollect.feed.pulse import Pulse
from ringcollect.feed.recording import Recorder
from ringcollect.feed.requests import Requests
from ringcollect.feed.sink import FrameRing, RecordRing, Sink
from ringcollect.feed.stream import Stream
from ringcollect.feed.watchdog import Watchdog
from ringcollect.instruments import Registry
from ringcollect.records import Channel, Status


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
        self.books = Books(self.core, self.requests, lambda stream, now_ns: self._again.renew(stream, now_ns))
        losses = Losses(self.core, self.requests, self.books)
        self.connections = Connections(self.core, losses.whole, losses.one_of_several, self._acked)
        self._again = Again(self.core, self.connections)
        self._pulse = Pulse(self.core, self.connections)
        self.watchdog = Watchdog(self.core)
        self.alignment, self.backfill = Alignment(self.core, self.requests), Backfill(self.core, self.requests)
        self.prints = Prints(self.core, self.alignment, self.backfill)
        delivery = Delivery(self.core, self.catalogue, self.books, self.prints, self.connections, self.watchdog)
        self.polls = Polls(self.core, self.requests)
        self._recorder = Recorder(sink, options.record_frames)
        self._intake = Intake(self.core, self._recorder, self.catalogue, delivery, self.connections)
        self.frames = self._intake.frames
        """The messages of one socket read: ``frames(conn, payloads, ts_recv, opcode=1)``, in their order."""
        self.membership = Membership(self.core, self.catalogue, self.requests, self.polls, self.connections)
        self.answers = Answers(
            self.core, self._recorder, self.catalogue, self.requests, self.books, self.polls, self.connections,
            self.membership, self.alignment, self.backfill,
        )  # fmt: skip
        self._sockets = self.connections.sockets
        self._running = False
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
        core.sink.ring.ledger.clear()
        self.catalogue.begin(now_ns)
        core.sink.status(Status.START, now_ns)
        self._pulse.begin(now_ns)
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

    def books_wanted(self, now_ns: int) -> None:
        """Somebody wants the whole books of the exchange: the stream says from which record."""
        self._recorder.event("books_wanted", now_ns)
        self.core.sink.status(Status.BOOKS_WANTED, now_ns)

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
        self._pulse.set_minute(now_ns)

    def clock_quality(self, offset_s: float | None, dispersion_s: float, now_ns: int) -> None:
        """What is known of the host's clock; an unknown offset is NaN in the record."""
        self._recorder.event("clock_quality", now_ns, [offset_s, dispersion_s])
        offset = math.nan if offset_s is None else offset_s
        self.core.sink.status(Status.CLOCK, now_ns, number=offset, second=dispersion_s)

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
            self._again.resubscribe(due, now_ns)

    def stop(self, now_ns: int) -> None:
        """End in order: the last counters, STOP, every socket closed."""
        self._recorder.event("stop", now_ns)
        self._running = False
        for stream in self.core.streams.values():
            if stream.bridge is not None:
                self.books.give_up_waiting(stream, now_ns)
            if stream.holes:
                self.prints.not_filled(stream, now_ns, at_once=True)
        self._pulse.counters(now_ns)
        self.core.sink.status(Status.STOP, now_ns)
        self.connections.tell(now_ns)
        self.connections.close_all()

    def _acked(self, streams: list[Stream], now_ns: int) -> None:
        """The exchange acknowledged these, or does not do such a thing and they were asked for."""
        for stream in streams:
            self.watchdog.watch(stream, now_ns)
            if stream.bridge is not None:
                self.books.expect(stream, now_ns)
            self.alignment.expect(stream, now_ns)

    # timers

    def _handlers(self) -> dict[str, Callable[..., object]]:
        """Timer name -> what to do; the rest of the timer's key and the time are the arguments."""
        streams, connections = self.core.streams, self.connections
        return {
            "tick": self._pulse.tick,
            "counters": self._pulse.minute,
            "rejects": self._pulse.say_rejects,
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
