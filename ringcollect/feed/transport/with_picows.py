"""The optional transport: ``picows``, whose frame parser is compiled and reads into its own buffer.

It hands over frames, not messages: fragments, reserved bits, pongs and the answer to a close are the adapter's part.
The loop's own transports are used under it, so that TCP and TLS are the same as with the default transport. The receive
stamp is taken at the first frame of a socket read, after that frame was parsed: picows has no hook before it. Text is
not checked to be UTF-8, as with the default transport. picows parses one frame ahead: where a read begins with one good
message and a broken frame behind it, that message goes with the connection.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from picows import (
    WSCloseCode,
    WSError,
    WSFrame,
    WSInvalidStatusError,
    WSListener,
    WSMsgType,
    WSProtocolError,
    WSTransport,
    ws_connect,
)
from python_socks import ProxyError

from ringcollect.feed.transport.interface import (
    CLOSE_TIMEOUT_S,
    USER_AGENT,
    Callbacks,
    Connection,
    Options,
    Refusal,
    refused_text,
)
from ringcollect.feed.transport.receiving import TEXT, Receiver

_NOTHING = -1
_NO_STATUS = 1005
_LOG = logging.getLogger("picows.ringcollect")


class PicowsConnection(WSListener):  # type: ignore[misc]
    """Listener and connection in one."""

    def __init__(self, receiver: Receiver, on_open: Callable[[Connection, int], None], options: Options) -> None:
        self.receiver = receiver
        self.opened = False
        self._tell_open = on_open
        self._max_bytes = options.max_bytes
        self._transport: Any = None
        self._reading = False
        self._plain = TEXT  # whole messages of this opcode need no second look; _NOTHING while all do
        self._closing = False
        self._end: asyncio.Task[None] | None = None

    @property
    def conn(self) -> int:
        return self.receiver.conn

    # called by picows

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._end = asyncio.get_running_loop().create_task(_watch(transport))
        self._end.add_done_callback(_report)
        self.opened = True
        self.receiver.stamp_ns = self.receiver.now_ns()
        self._tell_open(self, self.receiver.stamp_ns)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        receiver = self.receiver
        if not self._reading:
            self._reading = True
            receiver.stamp_ns = receiver.now_ns()
            if transport.is_close_frame_sent:  # its parser found a fault; what comes now is noise
                self._plain, self._closing = _NOTHING, True
        if frame.msg_type == self._plain and frame.fin and not (frame.rsv1 or frame.rsv2 or frame.rsv3):
            receiver.waiting.append(frame.get_payload_as_bytes())
        else:
            self._take(frame)
        if frame.last_in_buffer:
            self._reading = False
            receiver.hand_over()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._plain, self._closing = _NOTHING, True
        self._reading = False
        handshake = transport.close_handshake
        close = None if handshake is None else handshake.recv or handshake.sent
        if close is None:
            self.receiver.closed(1006, "connection lost")
        else:
            self.receiver.closed(int(close.code) or _NO_STATUS, close.reason or "")

    def pause_writing(self) -> None:
        """A peer that sends pings and reads no pongs is not read either: its flood stays its own."""
        self._transport.underlying_transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again, so do we."""
        self._transport.underlying_transport.resume_reading()

    # everything but whole messages

    def _take(self, frame: WSFrame) -> None:
        if self._closing:
            return
        kind = int(frame.msg_type)
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            self._fail(WSCloseCode.PROTOCOL_ERROR, "reserved bits must be 0")
        elif kind == WSMsgType.PING:
            self._transport.send_pong(frame.get_payload_as_bytes())
            self.receiver.alive()
        elif kind == WSMsgType.PONG:
            self.receiver.alive()
        elif kind == WSMsgType.CLOSE:
            self._said_goodbye(frame)
        else:
            self._message(frame, kind)

    def _message(self, frame: WSFrame, kind: int) -> None:
        receiver = self.receiver
        held = receiver.partial_bytes
        if kind == WSMsgType.CONTINUATION and held < 0:
            self._fail(WSCloseCode.PROTOCOL_ERROR, "unexpected continuation frame")
        elif kind != WSMsgType.CONTINUATION and held >= 0:
            self._fail(WSCloseCode.PROTOCOL_ERROR, "expected a continuation frame")
        elif max(held, 0) + frame.payload_size > self._max_bytes:
            self._fail(WSCloseCode.MESSAGE_TOO_BIG, f"message over {self._max_bytes} bytes")
        elif frame.fin and kind != WSMsgType.CONTINUATION:
            receiver.message(frame.get_payload_as_bytes(), kind)
        else:
            receiver.fragment(frame.get_payload_as_bytes(), kind, last=bool(frame.fin))
        if not self._closing:
            self._plain = receiver.opcode if receiver.partial_bytes < 0 else _NOTHING

    def _said_goodbye(self, frame: WSFrame) -> None:
        """Answer with the peer's own words (RFC 6455 5.5.1); then it is the server's part to end TCP."""
        self._transport.send_close(int(frame.get_close_code()) or int(WSCloseCode.OK), frame.get_close_message())
        self._abort_soon()

    def _fail(self, code: WSCloseCode, reason: str) -> None:
        self._transport.send_close(code, reason)
        self._abort_soon()

    # called by the owner

    def send_text(self, text: str) -> None:
        if not self._closing:
            self._transport.send(WSMsgType.TEXT, text.encode())

    def send_ping(self) -> None:
        if not self._closing:
            self._transport.send_ping()

    def drop(self) -> None:
        self.receiver.leave()
        if not self._closing:
            self._transport.send_close(WSCloseCode.OK)
            self._abort_soon()

    def _abort_soon(self) -> None:
        self._plain, self._closing = _NOTHING, True
        asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self._transport.disconnect, False)


async def open_connection(
    url: str,
    conn: int,
    callbacks: Callbacks,
    *,
    on_open: Callable[[Connection, int], None],
    options: Options = Options(),  # noqa: B008  frozen
) -> Refusal | None:
    """:class:`~ringcollect.feed.transport.interface.Opener` of ``picows``; ``options.deflate`` is not looked at."""
    receiver = Receiver(conn, callbacks)
    connection = PicowsConnection(receiver, on_open, options)

    def listener(_request: object, _response: object) -> PicowsConnection:
        if not receiver.listening:
            raise ConnectionAbortedError("given up while the handshake was under way")
        return connection

    secure = url.startswith("wss:")
    try:
        async with asyncio.timeout(options.open_timeout_s):
            await ws_connect(
                listener,
                url,
                ssl_context=options.tls,
                websocket_handshake_timeout=options.open_timeout_s,  # cancelled by us, it still ends the socket
                logger_name=_LOG,
                enable_auto_pong=False,  # picows would not show us the pings, nor the end of a read that is a ping
                max_frame_size=options.max_bytes,
                extra_headers={"User-Agent": USER_AGENT},
                proxy=options.proxy,
                use_aiofastnet=False,
                **({"ssl_shutdown_timeout": CLOSE_TIMEOUT_S} if secure else {}),
            )
        if not connection.opened:
            receiver.closed(1006, "cannot connect: the connection was closed before the handshake was done")
    except WSInvalidStatusError as error:
        response: Any = error.response
        headers = dict(response.headers)
        receiver.closed(1006, f"cannot connect: {refused_text(int(response.status), headers)}")
        return Refusal(int(response.status), headers)
    except TimeoutError:
        receiver.closed(1006, f"cannot connect: no handshake within {options.open_timeout_s:g} s")
    except (OSError, ProxyError, WSError) as error:
        if not connection.opened:
            receiver.closed(1006, f"cannot connect: {error or type(error).__name__}")
    finally:
        if not connection.opened:
            receiver.leave()  # cancelled: nothing may be told later
    return None


async def _watch(transport: WSTransport) -> None:
    await transport.wait_disconnected()


def _report(end: asyncio.Task[None]) -> None:
    """What a callback of ours raised, picows keeps until it is asked for; its own findings were told by on_close."""
    if end.cancelled():
        return
    error = end.exception()
    if error is not None and not isinstance(error, WSProtocolError):
        end.get_loop().call_exception_handler({"message": "a callback of the transport failed", "exception": error})
