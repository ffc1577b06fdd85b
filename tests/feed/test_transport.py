"""The socket shell: what arrives is delivered whole, in order, stamped at the socket read, and exactly once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from ringcollect.feed.transport import Callbacks, DirectConnection, open_connection


class Log:
    """Everything the transport said, and two moments a test may wait for."""

    def __init__(self, expected: int = 1) -> None:
        self.frames: list[tuple[int, bytes, int, int]] = []
        self.alive: list[int] = []
        self.closed: list[tuple[int, int, str]] = []
        self.connection: DirectConnection | None = None
        self.expected = expected
        self.enough = asyncio.Event()
        self.gone = asyncio.Event()
        self.ping_seen = asyncio.Event()

    def callbacks(self, now_ns: Callable[[], int] | None = None) -> Callbacks:
        options = {} if now_ns is None else {"now_ns": now_ns}
        return Callbacks(self.on_frames, self.on_alive, self.on_close, **options)

    def on_frames(self, conn: int, payloads: list[bytes], opcode: int, ts_recv: int) -> None:
        self.frames += [(conn, payload, opcode, ts_recv) for payload in payloads]
        if len(self.frames) >= self.expected:
            self.enough.set()

    def on_alive(self, conn: int, ts: int) -> None:
        self.alive.append(ts)
        self.ping_seen.set()

    def on_close(self, conn: int, code: int, reason: str, ts: int) -> None:
        self.closed.append((conn, code, reason))
        self.gone.set()

    def on_open(self, connection: DirectConnection, ts: int) -> None:
        self.connection = connection


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await main()

    uvloop.run(bounded())


def url_of(server: Any) -> str:
    return f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def serving(handler: Callable[[ServerConnection], Coroutine[Any, Any, None]]) -> Any:
    return await serve(handler, "127.0.0.1", 0, compression=None, ping_interval=None, close_timeout=0.2)


def test_fragmented_binary_and_text_messages_are_delivered_whole_and_in_order():
    async def main() -> None:
        async def handler(ws: ServerConnection) -> None:
            await ws.send(['{"a"', ":1", "}"])
            await ws.send(b"binary")
            await ws.send("ünï")
            await ws.wait_closed()

        log = Log(expected=3)
        async with await serving(handler) as server:
            await open_connection(url_of(server), 7, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
            assert [(c, p, o) for c, p, o, _ in log.frames] == [
                (7, b'{"a":1}', Opcode.TEXT),
                (7, b"binary", Opcode.BINARY),
                (7, "ünï".encode(), Opcode.TEXT),
            ]
            assert log.connection is not None
            log.connection.drop()

    run(main)


def test_a_burst_of_20000_frames_arrives_complete_while_nobody_queues_it():
    count = 20_000

    async def main() -> None:
        async def handler(ws: ServerConnection) -> None:
            for first in range(0, count, 100):
                block = b"".join(
                    Frame(Opcode.TEXT, str(i).encode()).serialize(mask=False) for i in range(first, first + 100)
                )
                ws.transport.write(block)
                while ws.transport.get_write_buffer_size() > 1 << 18:
                    await asyncio.sleep(0)
            await ws.wait_closed()

        log = Log(expected=count)
        async with await serving(handler) as server:
            await open_connection(url_of(server), 0, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
            assert [int(p) for _, p, _, _ in log.frames] == list(range(count))
            stamps = [ts for *_, ts in log.frames]
            assert stamps == sorted(stamps)
            assert log.connection is not None and not log.connection.recv_messages.frames.queue
            log.connection.drop()

    run(main)


class Wire:
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        self.written = b""
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written += data

    def abort(self) -> None:
        self.aborted = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None: ...


def shaken_hands(log: Log, now_ns: Callable[[], int]) -> tuple[DirectConnection, Wire]:
    """A DirectConnection past its handshake, without a socket: the test plays the socket reads itself."""
    connection = DirectConnection(ClientProtocol(parse_uri("ws://venue.test/stream")), ping_interval=None)
    wire = Wire()
    connection.connection_made(wire)  # type: ignore[arg-type]
    connection.protocol.send_request(connection.protocol.connect())
    server = ServerProtocol()
    server.receive_data(b"".join(connection.protocol.data_to_send()))
    [request] = server.events_received()
    server.send_response(server.accept(request))
    connection.data_received(b"".join(server.data_to_send()))
    connection.bind(3, log.callbacks(now_ns))
    return connection, wire


def test_the_receive_stamp_is_the_socket_reads_and_does_not_move_when_the_consumer_is_slow():
    async def main() -> None:
        clock = [1_000]
        log = Log()

        def slow(conn: int, payloads: list[bytes], opcode: int, ts_recv: int) -> None:
            for payload in payloads:
                clock[0] += 5_000_000  # the consumer takes 5 ms of this clock per frame
                log.frames.append((conn, payload, opcode, ts_recv))

        log.on_frames = slow  # type: ignore[method-assign]
        connection, _ = shaken_hands(log, lambda: clock[0])
        burst = b"".join(Frame(Opcode.TEXT, str(i).encode()).serialize(mask=False) for i in range(50))
        connection.data_received(burst)
        second = clock[0]
        connection.data_received(burst[:2])  # half a frame more: stamped by the read that completes it
        third = clock[0] = second + 77
        connection.data_received(burst[2:6])
        assert [ts for *_, ts in log.frames] == [1_000] * 50 + [third] * 2
        assert [int(p) for _, p, _, _ in log.frames] == [*range(50), 0, 1]

    run(main)


def test_pings_are_answered_with_their_payload_and_count_as_life():
    async def main() -> None:
        clock = [5]
        log = Log()
        connection, wire = shaken_hands(log, lambda: clock[0])
        wire.written = b""
        clock[0] = 9
        connection.data_received(Frame(Opcode.PING, b"1700000000000").serialize(mask=False))
        assert log.alive == [9]
        assert wire.written[:1] == bytes([0x80 | Opcode.PONG])
        assert len(wire.written) == 2 + 4 + 13
        mask, masked = wire.written[2:6], wire.written[6:]
        assert bytes(b ^ mask[i % 4] for i, b in enumerate(masked)) == b"1700000000000"
        connection.data_received(Frame(Opcode.PONG, b"unasked").serialize(mask=False))
        assert log.alive == [9, 9]

    run(main)


def test_a_message_above_the_limit_closes_the_connection_once_and_is_not_delivered():
    async def main() -> None:
        async def handler(ws: ServerConnection) -> None:
            await ws.send("x" * 2000)
            await ws.wait_closed()

        log = Log()
        async with await serving(handler) as server:
            await open_connection(url_of(server), 1, log.callbacks(), max_bytes=1000, on_open=log.on_open)
            await log.gone.wait()
        assert log.frames == []
        assert [(conn, code) for conn, code, _ in log.closed] == [(1, 1009)]

    run(main)


def test_a_server_close_is_told_once_with_its_code_and_reason():
    async def main() -> None:
        async def handler(ws: ServerConnection) -> None:
            await ws.close(1008, "24 hours are over")

        log = Log()
        async with await serving(handler) as server:
            await open_connection(url_of(server), 2, log.callbacks(), on_open=log.on_open)
            await log.gone.wait()
        assert log.closed == [(2, 1008, "24 hours are over")]

    run(main)


def test_a_refused_connection_is_told_as_a_close():
    async def main() -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))  # bound but not listening: connecting is refused
            log = Log()
            url = f"ws://127.0.0.1:{probe.getsockname()[1]}"
            await open_connection(url, 4, log.callbacks(), on_open=log.on_open)
        assert [(conn, code) for conn, code, _ in log.closed] == [(4, 1006)]
        assert "cannot connect" in log.closed[0][2]

    run(main)


def test_an_http_error_instead_of_a_handshake_is_told_as_a_close():
    async def main() -> None:
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 418 teapot\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            writer.close()

        log = Log()
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        async with server:
            await open_connection(url_of(server), 4, log.callbacks(), on_open=log.on_open)
        assert [(conn, code) for conn, code, _ in log.closed] == [(4, 1006)]
        assert "418" in log.closed[0][2]

    run(main)


def test_dropping_a_half_open_connection_does_not_wait_for_the_peer():
    async def main() -> None:
        finished = asyncio.Event()

        async def dead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            protocol = ServerProtocol()
            while not (events := protocol.events_received()):
                protocol.receive_data(await reader.read(4096))
            protocol.send_response(protocol.accept(events[0]))
            writer.write(b"".join(protocol.data_to_send()))
            while await reader.read(4096):  # swallows everything, also the close frame, and never answers
                pass
            finished.set()

        log = Log()
        server = await asyncio.start_server(dead, "127.0.0.1", 0)
        async with server:
            await open_connection(url_of(server), 4, log.callbacks(), on_open=log.on_open)
            assert log.connection is not None
            log.connection.drop()
            await log.connection.connection_lost_waiter
            await finished.wait()
        assert log.closed == []  # the owner dropped it: it is not told again

    run(main)


@pytest.mark.parametrize("together", [True, False])
def test_a_frame_in_the_same_read_as_the_handshake_answer_is_not_lost(together: bool):
    async def main() -> None:
        async def eager(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            protocol = ServerProtocol()
            while not (events := protocol.events_received()):
                protocol.receive_data(await reader.read(4096))
            protocol.send_response(protocol.accept(events[0]))
            answer = b"".join(protocol.data_to_send())
            frame = Frame(Opcode.TEXT, b"first").serialize(mask=False)
            if together:
                writer.write(answer + frame)
            else:
                writer.write(answer)
                await writer.drain()
                writer.write(frame)
            await reader.read(4096)

        log = Log()
        server = await asyncio.start_server(eager, "127.0.0.1", 0)
        async with server:
            await open_connection(url_of(server), 4, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
            assert log.frames[0][1] == b"first"
            assert log.connection is not None
            log.connection.drop()
            await log.connection.connection_lost_waiter

    run(main)
