"""The default transport: the ``websockets`` library, asked for every message of a socket read at once.

After the handshake each read goes straight through the library's sans-I/O protocol, which parses, checks, answers
pings and closes; neither its queue nor its ``recv()`` is ever used. Text is handed over as the bytes it came in. The
library would check UTF-8 only in ``recv()``: a message that is not UTF-8 is therefore not answered with close code
1007, it reaches the decoder, which refuses it and keeps it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI, WebSocketException
from websockets.extensions.permessage_deflate import enable_client_permessage_deflate
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN

from ringcollect.feed.transport.interface import (
    CLOSE_TIMEOUT_S,
    USER_AGENT,
    Callbacks,
    Connection,
    Options,
    Refusal,
    refused_text,
)
from ringcollect.feed.transport.reading import BytesProtocol
from ringcollect.feed.transport.receiving import Receiver

_CONTROL = frozenset({Opcode.PING, Opcode.PONG})


class WebsocketsConnection(ClientConnection):
    """A connection of the library that delivers from ``data_received``."""

    def __init__(
        self, protocol: ClientProtocol, receiver: Receiver, on_open: Callable[[Connection, int], None], **options: Any
    ) -> None:
        super().__init__(protocol, **options)
        self.receiver = receiver
        self._tell_open = on_open
        self._closing = False

    @property
    def conn(self) -> int:
        return self.receiver.conn

    def data_received(self, data: bytes) -> None:
        """Stamp the socket read before anything else, then parse and deliver every message in it."""
        receiver = self.receiver
        receiver.stamp_ns = receiver.now_ns()
        if self.response is None:
            super().data_received(data)  # the handshake's answer, perhaps with the first frames behind it
        else:
            protocol = self.protocol
            protocol.receive_data(data)
            self.send_data()
            waiting = receiver.waiting
            for event in protocol.events_received():
                if event.opcode == receiver.opcode and event.fin:  # type: ignore[union-attr]
                    waiting.append(bytes(event.data))  # type: ignore[union-attr]
                else:
                    self._take(event)
        receiver.hand_over()
        if not self._closing and self.response is not None and self.protocol.state is not OPEN:
            self._abort_soon()  # a peer that says goodbye and then holds the line must not keep it

    def process_event(self, event: Any) -> None:
        """Called by the library for the handshake's answer, and for frames that came in the same read."""
        if self.response is not None:
            self._take(event)
            return
        super().process_event(event)
        if self.protocol.handshake_exc is None:
            self._tell_open(self, self.receiver.stamp_ns)

    def _take(self, frame: Any) -> None:
        assert isinstance(frame, Frame)
        if frame.opcode in _CONTROL:
            self.receiver.alive()
        elif frame.opcode is Opcode.CLOSE:
            return
        elif frame.fin and frame.opcode is not Opcode.CONT:
            self.receiver.message(bytes(frame.data), int(frame.opcode))
        else:  # the library checks the order of fragments and bounds their sum
            self.receiver.fragment(bytes(frame.data), int(frame.opcode), last=frame.fin)

    def pause_writing(self) -> None:
        """A peer that sends pings and reads no pongs is not read either: its flood stays its own."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again, so do we."""
        super().resume_writing()
        self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner once."""
        super().connection_lost(exc)
        close = self.protocol.close_rcvd or self.protocol.close_sent
        if self.response is None or self.protocol.handshake_exc is not None:
            return  # open_connection tells it
        reason = close.reason if close is not None and close.reason else str(exc or "")
        self.receiver.closed(1006 if close is None else int(close.code), reason)

    def send_text(self, text: str) -> None:
        if self.protocol.state is OPEN:
            self.protocol.send_text(text.encode())
            self.send_data()

    def send_ping(self) -> None:
        if self.protocol.state is OPEN:
            self.protocol.send_ping(b"")
            self.send_data()

    def drop(self) -> None:
        self.receiver.leave()
        if self.protocol.state is OPEN:
            self.protocol.send_close(1000)
            self.send_data()
        self._abort_soon()

    def _abort_soon(self) -> None:
        self._closing = True
        self.loop.call_later(CLOSE_TIMEOUT_S, self.transport.abort)


async def open_connection(
    url: str,
    conn: int,
    callbacks: Callbacks,
    *,
    on_open: Callable[[Connection, int], None],
    options: Options = Options(),  # noqa: B008  frozen
) -> Refusal | None:
    """:class:`~ringcollect.feed.transport.interface.Opener` of ``websockets``."""
    receiver = Receiver(conn, callbacks)
    opened = False

    def tell_open(connection: Connection, now_ns: int) -> None:
        nonlocal opened
        opened = True
        on_open(connection, now_ns)

    def build(protocol: ClientProtocol, **keywords: Any) -> WebsocketsConnection:
        ours = BytesProtocol(
            protocol.uri,
            extensions=enable_client_permessage_deflate(None) if options.deflate else None,
            max_size=options.max_bytes,
            logger=protocol.logger,
        )
        return WebsocketsConnection(ours, receiver, tell_open, **keywords)

    tls: dict[str, Any] = {"ssl": options.tls} if options.tls is not None else {}
    try:
        await connect(
            url,
            create_connection=build,  # type: ignore[arg-type]
            compression=None,
            ping_interval=None,
            open_timeout=options.open_timeout_s,
            close_timeout=CLOSE_TIMEOUT_S,
            user_agent_header=USER_AGENT,
            proxy=options.proxy,
            **tls,
        )
    except InvalidStatus as error:
        headers = dict(error.response.headers.raw_items())
        receiver.closed(1006, f"cannot connect: {refused_text(error.response.status_code, headers)}")
        return Refusal(error.response.status_code, headers)
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI, WebSocketException) as error:
        if not opened:  # else lost right after opening: connection_lost has told it
            receiver.closed(1006, f"cannot connect: {error or type(error).__name__}")
    finally:
        if not opened:
            receiver.leave()  # cancelled: nothing may be told later
    return None
