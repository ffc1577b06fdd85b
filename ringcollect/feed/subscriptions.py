"""Asking for streams: the frames of a connection at the venue's pace, and the answers to them."""

from __future__ import annotations

from collections.abc import Callable

from ringcollect.exchanges import protocol
from ringcollect.exchanges.protocol import Answer, Request
from ringcollect.feed.actions import Send
from ringcollect.feed.core import Core
from ringcollect.feed.ledger import Reason, State, move
from ringcollect.feed.legs import Leg, Outgoing, Phase, Socket
from ringcollect.feed.placing import names_of
from ringcollect.feed.stream import Stream
from ringcollect.ring.frames import Direction

SECOND = 1_000_000_000


class Subscriptions:
    """Requests of every connection of a session. ``on_acked(streams, now)`` is told what is subscribed from now on."""

    def __init__(self, core: Core, on_acked: Callable[[list[Stream], int], None]) -> None:
        self._core = core
        self._on_acked = on_acked
        self._requests = 0

    def subscribe(self, socket: Socket, streams: list[Stream], now_ns: int, *, again: bool = False) -> None:
        """Queue the frames that ask for ``streams`` (``again``: after frames that cancel them)."""
        core = self._core
        leg = socket.leg
        if leg is None:
            return
        if again:
            self._cancel(socket, leg, streams)
        self._ask(socket, leg, streams)
        reason = Reason.RESUBSCRIBED if again else Reason.NONE
        alone = not leg.open_mates(socket)
        for stream in streams:
            stream.asked += 1
            if again or alone:  # else another socket carries it, and what the ledger says is about that one
                move(stream, State.REQUESTED, reason, now_ns, core.sink, socket.conn)
        self.flush(socket, now_ns)

    def _cancel(self, socket: Socket, leg: Leg, streams: list[Stream]) -> None:
        wants = [stream.want for stream in streams]
        for request in self._core.exchange.unsubscribe(leg.plan, wants, self._requests + 1):
            self._queue(socket, request, [])

    def _ask(self, socket: Socket, leg: Leg, streams: list[Stream]) -> None:
        by_want = {s.want: s for s in streams}
        for request in self._core.exchange.subscribe(leg.plan, list(by_want), self._requests + 1):
            self._queue(socket, request, [by_want[want] for want in request.wants if want in by_want])

    def extend(self, socket: Socket, streams: list[Stream], known: set[str], now_ns: int) -> None:
        """Ask for ``streams`` too, but not for those all of whose venue streams are ``known`` to be sent already."""
        core, leg = self._core, socket.leg
        assert leg is not None
        market = leg.plan.market
        url = core.market(market).url
        is_news = bool(set(leg.plan.streams) - known)
        there = [s for s in streams if not is_news or names_of(core.exchange, market, s.want, url) <= known]
        asked = [stream for stream in streams if stream not in there]
        if asked:
            self.subscribe(socket, asked, now_ns)
        for stream in there:  # the venue sends it already, for others
            move(stream, State.REQUESTED, Reason.NONE, now_ns, core.sink, socket.conn)
        self._on_acked(self._settle(socket, there, True, now_ns), now_ns)

    def shrink(self, socket: Socket, leg: Leg, plan: protocol.Leg, gone: list[protocol.Want], now_ns: int) -> None:
        """Ask for what ``plan`` needs and not for ``gone`` any more."""
        exchange = self._core.exchange
        requests = exchange.unsubscribe(leg.plan, gone, self._requests + 1) if gone else []
        if not requests:  # a venue whose requests replace each other: ask for what is left
            requests = exchange.subscribe(plan, (), self._requests + 1)
        for request in requests:
            self._queue(socket, request, [])
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
            if outgoing.streams and (core.exchange.acknowledges or _has_mates(socket)):
                socket.pending[outgoing.number] = outgoing
                core.timers.set(("ack", socket.conn, outgoing.number), now_ns + core.options.ack_ns)
            self.send(socket, outgoing.text, now_ns)
            for stream in outgoing.streams:
                if stream.awaits_base:
                    core.timers.set(("base", stream.key), now_ns + core.options.ack_ns)
            if not core.exchange.acknowledges:
                self._on_acked(self._settle(socket, outgoing.streams, True, now_ns), now_ns)

    def send(self, socket: Socket, text: str, now_ns: int) -> None:
        """One text frame, recorded if frames are."""
        core = self._core
        core.act(Send(socket.conn, text))
        if core.options.record_frames:
            core.sink.keep(text.encode(), now_ns, socket.conn, Direction.OUT, url=socket.url)

    def answered(self, socket: Socket, answer: Answer, now_ns: int) -> list[Stream]:
        """The venue answered a request: all of it, or the streams that the answer names. Those acknowledged by it.

        An answer that does not say to what it answers is taken for the only request that waits, if there is one.
        """
        settled = self._settle(socket, self._about(socket, answer), answer.ok, now_ns)
        return settled if answer.ok else []

    def _about(self, socket: Socket, answer: Answer) -> list[Stream]:
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

    def ack_missing(self, socket: Socket, number: int, now_ns: int) -> list[Stream]:
        """Request ``number`` was not answered in time; returns the streams that are silent because of it."""
        outgoing = socket.pending.pop(number, None)
        if outgoing is None:
            return []
        missing = [s for s in outgoing.streams if s.state is State.REQUESTED]
        for stream in missing:
            move(stream, State.STALE, Reason.NO_ACK, now_ns, self._core.sink, socket.conn)
        self._ask_here(socket, [s for s in outgoing.streams if s not in missing], now_ns)
        return missing

    def _ask_here(self, socket: Socket, streams: list[Stream], now_ns: int) -> None:
        """Ask ``socket`` again for what it was asked for in vain while another one carries it, or carried it before.

        The ledger is about what flows, wherever it does: it does not change.
        """
        leg = socket.leg
        carried = (State.ACKED, State.FLOWING) if self._core.exchange.acknowledges else (State.FLOWING,)
        silent = [
            stream
            for stream in streams
            if stream.key not in socket.flowing
            and (stream.state in carried or (stream.state, stream.reason) == (State.STALE, Reason.DISCONNECTED))
        ]
        if leg is None or not silent or not (leg.open_mates(socket) or _has_mates(socket)):
            return
        self._core.sink.count("resubscribes", len(silent))
        self._cancel(socket, leg, silent)
        self._ask(socket, leg, silent)
        self.flush(socket, now_ns)

    def _queue(self, socket: Socket, request: Request, streams: list[Stream]) -> None:
        self._requests = max(self._requests, request.request_id)
        socket.outbox.append(Outgoing(request.text, request.request_id, streams))


def _has_mates(socket: Socket) -> bool:
    """Another connection carries the same for good, so that silence of this one would not be noticed."""
    leg = socket.leg
    return leg is not None and len(leg.mates) > 1 and socket is not leg.successor
