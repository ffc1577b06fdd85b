"""A server that says exactly what a test tells it to, legal or not, and a log of what a transport made of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from websockets.frames import Close, Frame, Opcode
from websockets.server import ServerProtocol

from ringcollect.feed.transport import Callbacks, Connection


class Log:
    """Everything the transport said, and moments a test may wait for."""

    def __init__(self, expected: int = 1) -> None:
        self.calls: list[tuple[int, list[bytes], int, int]] = []
        self.alive: list[int] = []
        self.closed: list[tuple[int, int, str]] = []
        self.opened: list[int] = []
        self.order: list[str] = []
        self.messages = 0
        self.connection: Connection | None = None
        self.expected = expected
        self.enough = asyncio.Event()
        self.gone = asyncio.Event()
        self.sign_of_life = asyncio.Event()

    def callbacks(self, now_ns: Callable[[], int] | None = None) -> Callbacks:
        options = {} if now_ns is None else {"now_ns": now_ns}
        return Callbacks(self.on_frames, self.on_alive, self.on_close, **options)

    @property
    def line(self) -> Connection:
        assert self.connection is not None
        return self.connection

    @property
    def payloads(self) -> list[bytes]:
        return [payload for _, payloads, _, _ in self.calls for payload in payloads]

    def on_frames(self, conn: int, payloads: list[bytes], opcode: int, ts_recv: int) -> None:
        self.calls.append((conn, payloads, opcode, ts_recv))
        self.order.append("frames")
        self.messages += len(payloads)
        if self.messages >= self.expected:
            self.enough.set()

    def on_alive(self, conn: int, ts: int) -> None:
        self.alive.append(ts)
        self.order.append("alive")
        self.sign_of_life.set()

    def on_close(self, conn: int, code: int, reason: str, ts: int) -> None:
        self.closed.append((conn, code, reason))
        self.order.append("close")
        self.gone.set()

    def on_open(self, connection: Connection, ts: int) -> None:
        self.connection = connection
        self.opened.append(ts)
        self.order.append("open")


class Line:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.protocol = ServerProtocol()
        self.request: Any = None
        self._heard: list[Frame] = []

    async def handshake(self, behind: bytes = b"") -> None:
        """Accept, with ``behind`` in the same write."""
        while not (events := self.protocol.events_received()):
            self.protocol.receive_data(await self.reader.read(4096))
        self.request = events[0]
        self.protocol.send_response(self.protocol.accept(self.request))
        self.write(b"".join(self.protocol.data_to_send()) + behind)

    def write(self, *parts: bytes) -> None:
        """One system call, so one segment on loopback."""
        self.writer.write(b"".join(parts))

    async def hear(self) -> Frame | None:
        """The next frame of the client, unmasked; None at the end of its stream."""
        while not self._heard:
            data = await self.reader.read(65536)
            if not data:
                return None
            self.protocol.receive_data(data)
            self._heard += self.protocol.events_received()
        return self._heard.pop(0)

    async def hear_close(self) -> tuple[int, str]:
        """Code and reason of the client's close frame, whatever came before it."""
        while (heard := await self.hear()) is not None:
            if heard.opcode is Opcode.CLOSE:
                close = Close.parse(bytes(heard.data))
                return int(close.code), close.reason
        raise AssertionError("the client went without a close frame")

    async def until_gone(self) -> None:
        """Swallow everything until the client has closed TCP."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            return


Script = Callable[[Line], Awaitable[None]]


@asynccontextmanager
async def venue(script: Script, *, greet: bool = True, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Play ``script`` to every client, after the handshake if ``greet``; yields the URL. A failed script is raised."""
    lines: list[Line] = []

    async def play(line: Line) -> None:
        if greet:
            await line.handshake()
        await script(line)

    async with asyncio.TaskGroup() as plays:  # a script that fails ends the test at once

        def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            lines.append(Line(reader, writer))
            plays.create_task(play(lines[-1]))

        server = await asyncio.start_server(came, "127.0.0.1", 0, ssl=tls)
        try:
            yield f"{'ws' if tls is None else 'wss'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
    for line in lines:
        line.writer.transport.abort()


def run(main: Callable[[], Coroutine[Any, Any, None]], seconds: float = 20) -> None:
    """On the loop the feed uses; what a transport loses on the way to the loop's handler fails the test."""
    lost: list[dict[str, Any]] = []

    async def bounded() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: lost.append(context))
        async with asyncio.timeout(seconds):
            await main()

    uvloop.run(bounded())
    assert lost == []


def frame(
    opcode: int, data: bytes = b"", *, fin: bool = True, mask: bytes = b"", rsv: int = 0, length: int | None = None
) -> bytes:
    """One frame by RFC 6455 5.2, with every rule open to be broken; ``length`` may lie."""
    size = len(data) if length is None else length
    first = bytes([0x80 * fin | rsv << 4 | opcode])
    flag = 0x80 if mask else 0
    if size < 126:
        header = first + bytes([flag | size])
    elif size < 1 << 16:
        header = first + bytes([flag | 126]) + size.to_bytes(2, "big")
    else:
        header = first + bytes([flag | 127]) + size.to_bytes(8, "big")
    return header + mask + (bytes(b ^ mask[i % 4] for i, b in enumerate(data)) if mask else data)


def text(data: bytes | str) -> bytes:
    """A whole text message."""
    return frame(1, data.encode() if isinstance(data, str) else data)


def goodbye(code: int, reason: str = "") -> bytes:
    """A close frame."""
    return frame(8, code.to_bytes(2, "big") + reason.encode())
