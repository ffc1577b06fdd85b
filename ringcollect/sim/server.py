"""The simulator's sockets: WebSocket and REST of all simulated markets on one loopback port.

Frames are written straight to the transport, many in one system call; nothing queues in between. A client whose
socket buffer is full beyond ``most_buffered`` is cut off, as the venue does, and counted.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State

from ringcollect.sim.peer import Outgoing, Peer
from ringcollect.sim.stage import Host, Stage

_TICK_S = 0.004
_FLUSH_EVERY_TICKS = 250
_FIN = 0x80
_OPCODES = {"text": _FIN | 1, "binary": _FIN | 2, "ping": _FIN | 9}
_MOST_BUFFERED = 4 << 20
_PATIENCE = 1 << 20
"""Bytes that may wait for a client before a patient stage waits, too."""
_MOST_REQUEST = 1 << 16
_MOST_EARLY = 16
_CONNECTIONS_WINDOW_S = 300.0


class Simulator:
    """Serves ``stage`` on 127.0.0.1. ``port`` 0 lets the system choose; ``start`` returns the port."""

    def __init__(
        self,
        stage: Stage,
        *,
        port: int = 0,
        most_buffered: int = _MOST_BUFFERED,
        connections_per_5min: int = 300,
    ) -> None:
        self.stage = stage
        self.port = port
        self.counters = {"connections": 0, "refused": 0, "slow_clients": 0, "frames_sent": 0, "bytes_sent": 0}
        self._most_buffered = most_buffered
        self._connections_per_5min = connections_per_5min
        self._attempts: list[float] = []
        self._clients: list[_Client] = []
        self._server: Server | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Bind and begin; returns the port."""
        quiet = logging.getLogger("ringcollect.sim.websockets")
        quiet.setLevel(logging.CRITICAL)
        self._server = await serve(
            self._serve_client,
            "127.0.0.1",
            self.port,
            create_connection=_Client,
            process_request=self._process_request,
            compression=None,
            ping_interval=None,
            max_size=_MOST_REQUEST,
            server_header=None,
            logger=quiet,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        self._ticking = asyncio.create_task(self._tick_forever())
        return self.port

    def urls(self, market: str) -> dict[str, str]:
        """Base URLs of one market, as a configuration's ``url`` and ``rest_url`` take them."""
        if market not in self.stage.markets:
            raise ValueError(f"market {market!r} is none of {', '.join(self.stage.markets)}")
        return {"ws": f"ws://127.0.0.1:{self.port}", "rest": f"http://127.0.0.1:{self.port}"}

    def ready_line(self) -> dict[str, Any]:
        """What the command prints when it serves."""
        markets = {market: self.urls(market) for market in self.stage.markets}
        return {"ready": True, "port": self.port} | {
            kind: {market: urls[kind] for market, urls in markets.items()} for kind in ("ws", "rest")
        }

    def stats(self) -> dict[str, int]:
        """Counters so far."""
        return self.counters | {"open": len(self._clients), "frames_made": self.stage.frames_made()}

    async def stop(self) -> None:
        """Send what is due, write the truth's end, close the clients and the port."""
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
            self._ticking = None
        now_ns = self._wire_ns()
        self.stage.finish()
        for client in list(self._clients):
            self._write(client, now_ns)
            self._part(client, 1001, "", now_ns)
        if self._closing:
            await asyncio.wait(self._closing)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None
        self.stage.truth.close()

    def _wire_ns(self) -> int:
        return self.stage.wire_ns(time.time_ns())

    async def _tick_forever(self) -> None:
        """Let time pass. A host that cannot keep up lags behind; its clients are still served in between."""
        ticks = 0
        while True:
            if not (self.stage.patient and self._backed_up()):
                self.stage.advance(self._wire_ns())
            now_ns = self._wire_ns()
            for client in list(self._clients):
                self._write(client, now_ns)
                peer = client.seat[1] if client.seat else None
                if peer is not None and peer.closed:
                    self._part(client, peer.close_code, peer.close_reason, now_ns)
            ticks += 1
            if ticks % _FLUSH_EVERY_TICKS == 0:
                self.stage.truth.flush()
            await asyncio.sleep(_TICK_S)

    def _backed_up(self) -> bool:
        return any(client.transport.get_write_buffer_size() > _PATIENCE for client in self._clients)

    def _write(self, client: _Client, now_ns: int) -> None:
        if client.seat is None:
            return
        peer = client.seat[1]
        if peer.half_open and not client.deaf:
            client.deaf = True
            client.transport.pause_reading()
        if client.protocol.state is not State.OPEN:
            return
        out = peer.drain(now_ns)
        if not out:
            return
        data = b"".join([part for frame in out for part in encode_frame(frame, peer.pieces())])
        client.transport.write(data)
        self.counters["frames_sent"] += len(out)
        self.counters["bytes_sent"] += len(data)
        if not self.stage.patient and client.transport.get_write_buffer_size() > self._most_buffered:
            self.counters["slow_clients"] += 1
            self._forget(client, 1006, "too slow", now_ns)
            client.transport.abort()

    def _part(self, client: _Client, code: int, reason: str, now_ns: int) -> None:
        """Close a connection from our side; a dead one is dropped."""
        self._forget(client, code, reason, now_ns)
        if client.deaf:
            client.transport.abort()
            return
        task = asyncio.create_task(client.close(code, reason))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _forget(self, client: _Client, code: int, reason: str, now_ns: int) -> None:
        if client.seat is not None:
            venue, peer = client.seat
            venue.lost(peer, code, reason, now_ns)
            client.seat = None
        if client in self._clients:
            self._clients.remove(client)

    def _process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        answer = self.stage.get(request.path, self._wire_ns())
        if answer is not None:
            body = answer.body.encode()
            headers = Headers(answer.headers | {"Content-Length": str(len(body)), "Connection": "close"})
            return Response(answer.status, "", headers, body)
        if not self.stage.has(request.path):
            return connection.respond(404, "no such path\n")
        now_s = time.monotonic()
        self._attempts = [at for at in self._attempts if now_s - at < _CONNECTIONS_WINDOW_S] + [now_s]
        if len(self._attempts) > self._connections_per_5min:
            self.counters["refused"] += 1
            return connection.respond(429, "too many connection attempts\n")
        return None

    async def _serve_client(self, connection: ServerConnection) -> None:
        assert isinstance(connection, _Client)
        assert connection.request is not None
        now_ns = self._wire_ns()
        connection.seat = self.stage.connect(connection.request.path, now_ns)
        if connection.seat is None:
            return
        connection.wire_ns = self._wire_ns
        self.counters["connections"] += 1
        self._clients.append(connection)
        connection.hear_early()
        await connection.wait_closed()
        self._forget(connection, connection.close_code or 1006, connection.close_reason or "", self._wire_ns())


class _Client(ServerConnection):
    """A connection that hands each frame to the venue at once, instead of queueing it for a reader."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seat: tuple[Host, Peer] | None = None
        self.deaf = False
        self.wire_ns = time.time_ns
        self._early: list[Frame] = []
        self._fragments = b""

    def hear_early(self) -> None:
        """Handle what arrived between the handshake and the seat."""
        early, self._early = self._early, []
        for frame in early:
            self._hear(frame)

    def process_event(self, event: Any) -> None:
        if not isinstance(event, Frame):
            super().process_event(event)
        elif self.seat is not None:
            self._hear(event)
        elif len(self._early) < _MOST_EARLY:
            self._early.append(event)

    def _hear(self, frame: Frame) -> None:
        if self.seat is None:
            return
        venue, peer = self.seat
        now_ns = self.wire_ns()
        if frame.opcode is Opcode.CLOSE:
            return
        if frame.opcode in (Opcode.PING, Opcode.PONG):
            peer.hear(now_ns)
            if frame.opcode is Opcode.PONG and frame.data:
                peer.pong()
            return
        self._fragments += bytes(frame.data)
        if frame.fin:
            text, self._fragments = self._fragments.decode(errors="replace"), b""
            venue.receive(peer, text, now_ns)


def encode_frame(frame: Outgoing, pieces: int = 1) -> tuple[bytes, ...]:
    """Headers and payloads of one unmasked message (RFC 6455 §5.2), a text in ``pieces`` fragments (§5.4)."""
    kind, payload = frame
    first = _OPCODES[kind]
    if pieces == 1 or kind != "text":
        return (_header(first, len(payload)), payload)
    size = -(-len(payload) // pieces)
    parts: list[bytes] = []
    for number in range(pieces):
        part = payload[number * size : (number + 1) * size]
        opcode = first & 0x0F if number == 0 else 0
        parts += (_header(opcode | (_FIN if number == pieces - 1 else 0), len(part)), part)
    return tuple(parts)


def _header(first: int, size: int) -> bytes:
    if size < 126:
        return bytes((first, size))
    if size < 1 << 16:
        return bytes((first, 126)) + size.to_bytes(2, "big")
    return bytes((first, 127)) + size.to_bytes(8, "big")
