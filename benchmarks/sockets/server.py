"""A WebSocket server that sends one prepared stream of frames to whoever connects, as fast as the socket takes it.

``python -m benchmarks.sockets.server FILE`` prints its port; it ends when its stdin is closed. It runs in a process
and on a processor of its own, so that it costs the receivers nothing but the loopback.
"""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CHUNK = 1 << 18


def encoded(payloads: Iterable[bytes]) -> bytes:
    """Unmasked text frames, one after the other (RFC 6455, 5.2)."""
    stream = bytearray()
    for payload in payloads:
        size = len(payload)
        if size < 126:
            stream += bytes((0x81, size))
        elif size < 1 << 16:
            stream += b"\x81\x7e" + size.to_bytes(2, "big")
        else:
            stream += b"\x81\x7f" + size.to_bytes(8, "big")
        stream += payload
    return bytes(stream)


def _serve(connection: socket.socket, stream: memoryview) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(4096)
    headers = dict(line.split(b": ", 1) for line in request.split(b"\r\n")[1:] if b": " in line)
    key = next(value for name, value in headers.items() if name.lower() == b"sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key + _MAGIC).digest())
    answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    connection.sendall(answer + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    try:
        for at in range(0, len(stream), _CHUNK):
            connection.sendall(stream[at : at + _CHUNK])
        connection.recv(4096)  # the receiver has enough and says goodbye
    except OSError:
        pass  # the receiver went away: it says itself how much it got
    connection.close()


def main() -> None:
    """Serve one connection after the other."""
    stream = memoryview(Path(sys.argv[1]).read_bytes())
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    threading.Thread(target=_leave_with_stdin, daemon=True).start()
    while True:
        connection, _ = listening.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _serve(connection, stream)


def _leave_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
