"""What the shell knows of a transport: how to open a connection, what to tell it, and what it tells."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from ringcollect import __version__

MAX_MESSAGE_BYTES = 16 << 20
"""Coinbase's first book snapshot of BTC-USD has 5 MB."""
CLOSE_TIMEOUT_S = 1.0
"""How long a peer may hold a line on which goodbye was said."""
USER_AGENT = f"ringcollect/{__version__}"


@dataclass(frozen=True)
class Callbacks:
    """Where a socket's events go; all are called synchronously on the loop, times in int64 ns.

    ``on_frames(conn, payloads, opcode, ts_recv)`` with the complete messages of one socket read, in order, one call per
    run of equal opcodes (1 text, 2 binary); payloads are the bytes of the wire, text is not checked to be UTF-8.
    ``on_alive(conn, ts_recv)`` per ping or pong; ``on_close(conn, code, reason, ts)`` exactly once per connection that
    its owner did not drop, with the peer's close code, else ours (1002, 1009), else 1006.
    """

    on_frames: Callable[[int, list[bytes], int, int], None]
    on_alive: Callable[[int, int], None]
    on_close: Callable[[int, int, str, int], None]
    now_ns: Callable[[], int] = time.time_ns


@dataclass(frozen=True)
class Options:
    """How a connection is made. ``max_bytes`` bounds a message, whole or in fragments: more is closed with 1009."""

    max_bytes: int = MAX_MESSAGE_BYTES
    open_timeout_s: float = 10.0
    proxy: str | None = None  # http://, https://, socks5://
    tls: ssl.SSLContext | None = None  # None: the system's roots; the certificate is always verified
    deflate: bool = False  # offer permessage-deflate; an inflate per frame costs more than the bytes saved


@dataclass(frozen=True)
class Refusal:
    """The server answered the handshake, but with an HTTP ``status`` of its own (403, 429, 451); header names as sent.

    The connection's ``on_close`` was called before.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)


class Connection(Protocol):
    """An open connection. Nothing raises after the connection has ended: then there is nobody to talk to."""

    @property
    def conn(self) -> int:
        """The owner's number of this connection."""

    def send_text(self, text: str) -> None:
        """Write one text message now; the write buffer is bounded by the few small frames a client sends."""

    def send_ping(self) -> None:
        """Ask for a sign of life; any pong counts."""

    def drop(self) -> None:
        """Close without any further callback: say goodbye, then abort, so that a dead peer cannot hold us up."""


class Opener(Protocol):
    """How one library opens connections."""

    async def __call__(
        self,
        url: str,
        conn: int,
        callbacks: Callbacks,
        *,
        on_open: Callable[[Connection, int], None],
        options: Options = ...,
    ) -> Refusal | None:
        """Connect. ``on_open(connection, now_ns)`` runs before the first frame, ``on_close`` also if connecting fails.

        Returns when the connection is open or has failed; cancelled before, it says nothing.
        """


def refused_text(status: int, headers: dict[str, str]) -> str:
    """``HTTP 429, Retry-After: 7``: the reason given to ``on_close``."""
    after = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return f"HTTP {status}" + (f", Retry-After: {after}" if after else "")
