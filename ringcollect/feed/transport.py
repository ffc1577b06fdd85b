"""WebSocket frames straight out of the socket read: no queue, no task switch, one stamp per read.

websockets does handshake, TLS, masking, pings and limits. Its ``recv()`` is never used: the messages it would queue
are handed over synchronously from ``data_received``, so nothing can pile up between the socket and the ring and a
frame never waits for its turn. Back pressure is TCP's own: while a callback runs the socket is not read.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN

MAX_MESSAGE_BYTES = 16 << 20
CLOSE_TIMEOUT_S = 1.0
_MESSAGE_OPCODES = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


@dataclass(frozen=True)
class Callbacks:
    """Where a socket's events go; all are called synchronously on the loop, times in int64 ns.

    ``on_frames(conn, payloads, opcode, ts_recv)`` with the complete messages of one socket read, in order, one call per
    run of equal opcodes; ``on_alive(conn, ts_recv)`` per ping or pong; ``on_close(conn, code, reason, ts)`` exactly
    once per opened socket.
    """

    on_frames: Callable[[int, list[bytes], int, int], None]
    on_alive: Callable[[int, int], None]
    on_close: Callable[[int, int, str, int], None]
    now_ns: Callable[[], int] = time.time_ns


class DirectConnection(ClientConnection):
    """A websockets client connection that delivers from ``data_received`` (set ``bind`` before the handshake ends)."""

    stamp_ns = 0
    conn = -1
    callbacks: Callbacks | None = None
    waiting: list[bytes]
    parts: list[bytes] | None = None
    first_opcode = 0
    closing = False

    def bind(self, conn: int, callbacks: Callbacks) -> None:
        """Deliver as connection ``conn`` from now on."""
        self.conn = conn
        self.callbacks = callbacks
        self.waiting = []

    def data_received(self, data: bytes) -> None:
        """Stamp the socket read before anything else, then parse and deliver every message in it."""
        self.stamp_ns = time.time_ns() if self.callbacks is None else self.callbacks.now_ns()
        super().data_received(data)
        self._hand_over()
        if self.closing is False and self.response is not None and self.protocol.state is not OPEN:
            self.closing = True  # a peer that says goodbye and then holds the line must not keep it
            self.loop.call_later(CLOSE_TIMEOUT_S, self.transport.abort)

    def process_event(self, event: Any) -> None:
        """Called by websockets for each frame of the read, in order."""
        if self.response is None or not isinstance(event, Frame):
            super().process_event(event)
            return
        if event.opcode in _MESSAGE_OPCODES:
            self._message(event)
            return
        self._hand_over()
        if self.callbacks is not None:
            self.callbacks.on_alive(self.conn, self.stamp_ns)
        if event.opcode is Opcode.PONG:
            self.acknowledge_pings(bytes(event.data))

    def _message(self, event: Frame) -> None:
        if event.opcode is not Opcode.CONT:
            if event.opcode != self.first_opcode:
                self._hand_over()
            self.first_opcode = int(event.opcode)
            if event.fin:
                self._deliver(bytes(event.data))
                return
            self.parts = []
        if self.parts is None:
            return
        self.parts.append(bytes(event.data))  # websockets bounds the sum by max_size
        if event.fin:
            whole, self.parts = b"".join(self.parts), None
            self._deliver(whole)

    def _deliver(self, payload: bytes) -> None:
        if self.callbacks is not None and not self.closing:
            self.waiting.append(payload)

    def _hand_over(self) -> None:
        """What this read brought so far, as one batch."""
        if self.callbacks is not None and self.waiting:
            payloads, self.waiting = self.waiting, []
            self.callbacks.on_frames(self.conn, payloads, self.first_opcode, self.stamp_ns)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner once, with the peer's close code, else ours (1009: message too big), else 1006."""
        super().connection_lost(exc)
        callbacks, self.callbacks = self.callbacks, None
        if callbacks is not None:
            close = self.protocol.close_rcvd or self.protocol.close_sent
            code = 1006 if close is None else int(close.code)
            reason = close.reason if close is not None and close.reason else str(exc or "")
            callbacks.on_close(self.conn, code, reason, callbacks.now_ns())

    def send_text(self, text: str) -> None:
        """Write one text message now; the write buffer is bounded by the few small frames a client sends."""
        self.protocol.send_text(text.encode())
        self.send_data()

    def send_ping(self) -> None:
        """Ask for a sign of life; any pong counts."""
        self.protocol.send_ping(b"")
        self.send_data()

    def drop(self) -> None:
        """Close without further callbacks: say goodbye, then abort, so that a dead peer cannot hold us up."""
        self.callbacks = None
        if self.protocol.state is OPEN:
            self.protocol.send_close(1000)
            self.send_data()
        self.closing = True
        self.loop.call_later(CLOSE_TIMEOUT_S, self.transport.abort)


async def open_connection(
    url: str,
    conn: int,
    callbacks: Callbacks,
    *,
    max_bytes: int = MAX_MESSAGE_BYTES,
    open_timeout_s: float = 10.0,
    proxy: str | None = None,
    tls: ssl.SSLContext | None = None,
    on_open: Callable[[DirectConnection, int], None],
) -> None:
    """Connect; ``on_open(connection, now_ns)`` runs before the first message, ``on_close`` also if connecting fails.

    TLS is verified with the system's roots (or ``tls``); compression is off: the venues do not document it, and one
    inflate per frame costs more than the bytes saved.
    """

    opened = False

    class Bound(DirectConnection):
        """Frames may stand in the same read as the handshake's answer: the binding must be there before it."""

        def process_event(self, event: Any) -> None:
            nonlocal opened
            first = self.response is None
            super().process_event(event)
            if first and self.protocol.handshake_exc is None:
                opened = True
                self.bind(conn, callbacks)
                on_open(self, self.stamp_ns)

    options: dict[str, Any] = {"ssl": tls} if tls is not None else {}
    try:
        await connect(
            url,
            create_connection=Bound,
            compression=None,
            ping_interval=None,
            open_timeout=open_timeout_s,
            close_timeout=CLOSE_TIMEOUT_S,
            max_size=max_bytes,
            proxy=proxy,
            **options,
        )
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI, WebSocketException) as error:
        if opened:
            return  # lost right after opening: connection_lost has told it
        callbacks.on_close(conn, 1006, f"cannot connect: {error or type(error).__name__}", callbacks.now_ns())
