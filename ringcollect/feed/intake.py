"""Frames as they come: to the kernel, what it refuses to the typed way, what nobody understands to the rejects."""

from __future__ import annotations

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import hot
from ringcollect.exchanges.hot import C_CODE, C_LAST_PUBLISHED, quick
from ringcollect.exchanges.protocol import Answer, Code, Notice, Outcome
from ringcollect.feed.catalogue import Catalogue
from ringcollect.feed.connections import Connections
from ringcollect.feed.core import Core
from ringcollect.feed.delivery import Delivery
from ringcollect.feed.legs import Socket
from ringcollect.feed.recording import Recorder
from ringcollect.ring.frames import Direction

_RUN = 64  # frames handed on at once behind one the kernel refused: copying all that are left would be quadratic
_TAKEN = frozenset({Code.NOT_OPEN, Code.STALE, Code.GAP, Code.TOO_LONG})
_OUTCOME_COUNTER = {Outcome.DECODED: "decoded", Outcome.CONTROL: "control", Outcome.IGNORED: "ignored"}


class Intake:
    """The way in of a session's frames; every one is counted as decoded, control, ignored or rejected."""

    def __init__(
        self, core: Core, recorder: Recorder, catalogue: Catalogue, delivery: Delivery, connections: Connections
    ) -> None:
        self._core = core
        self._recorder = recorder
        self._catalogue = catalogue
        self._delivery = delivery
        self._connections = connections
        self._sockets = connections.sockets
        self._on_hot_frames = quick(core.exchange.on_hot_frames)
        self._window_limit = 2 * core.options.breaker_window

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

    def _taken(self, socket: Socket, payloads: list[bytes], n: int, ts_recv: int, opcode: int) -> None:
        """The kernel finished the first ``n`` by itself."""
        if self._recorder.on:
            for payload in payloads[:n]:
                self._recorder.frame(socket.conn, payload, ts_recv, opcode)
        self._count_in_window(socket, n)
        if socket.context[C_LAST_PUBLISHED] == ts_recv:
            self._core.sink.last_publish_ns = ts_recv

    def _count_in_window(self, socket: Socket, n: int) -> None:
        """``n`` more frames in the parse breaker's window, and of the leg."""
        frames = n
        while socket.window_frames + n >= self._window_limit:
            n -= self._window_limit - socket.window_frames
            socket.window_frames = self._window_limit
            self._connections.liveness.trim_window(socket)
        socket.window_frames += n
        if socket.leg is not None:
            socket.leg.frames += frames

    def _unexpected(self, conn: int, payload: bytes, ts_recv: int, opcode: int) -> Socket | None:
        """A frame of no socket: whose it is in a capture, else nobody's (it is counted and recorded)."""
        core = self._core
        if core.passive:
            return self._connections.implied(conn, "", core.plan.markets[0].market, ts_recv)
        if self._recorder.on:
            self._recorder.frame(conn, payload, ts_recv, opcode)
        core.sink.count("frames_in")
        core.sink.count("bytes_in", len(payload))
        core.sink.count("ignored")  # of a socket given up, or a bare acknowledgement of its end
        return None

    def _slow(self, socket: Socket, payload: bytes, ts_recv: int, code: int, opcode: int) -> None:
        core = self._core
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
                decoded = self._catalogue.discover(
                    socket.market, decoded.unknown, ts_recv, lambda: core.decoder.cold(payload, socket.context, ts_recv)
                )
        except RejectedFrame as error:
            self._reject(socket, payload, error.reason, ts_recv, opcode)
            return
        sink.count(_OUTCOME_COUNTER[decoded.outcome])
        self._delivery.batches(socket, decoded.batches, decoded.sequence, ts_recv)
        if isinstance(decoded.control, Answer):
            self._connections.acked(socket, decoded.control, ts_recv)
        elif isinstance(decoded.control, Notice) and decoded.control.closing:
            self._connections.handover.announced_cut(socket, ts_recv)

    def _reject(self, socket: Socket, payload: bytes, reason: str, ts_recv: int, opcode: int) -> None:
        core = self._core
        core.sink.count("rejected")
        core.sink.keep(
            payload[: core.options.reject_bytes], ts_recv, socket.conn, Direction.REJECT,
            opcode=opcode, reason=reason, url=socket.url, whole_length=len(payload),
        )  # fmt: skip
        if ("rejects",) not in core.timers:  # at most one status record a second says how many
            core.timers.set(("rejects",), ts_recv + 1_000_000_000)
        self._connections.liveness.rejected(socket, ts_recv)
