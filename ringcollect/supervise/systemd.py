"""Telling systemd how we are: the sd_notify datagrams, without its library."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Notifier:
    """Sends state to ``$NOTIFY_SOCKET``; without one every call does nothing.

    A refused datagram is counted in ``failed`` and otherwise ignored: collecting goes on without systemd.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.failed = 0
        self._socket: socket.socket | None = None
        address = environment.get("NOTIFY_SOCKET", "")
        if address[:1] in ("/", "@"):
            self._address = "\0" + address[1:] if address.startswith("@") else address
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | getattr(socket, "SOCK_CLOEXEC", 0))
            self._socket.setblocking(False)

    def ready(self) -> None:
        """The processes are started."""
        self._send(f"READY=1\nMAINPID={os.getpid()}")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``."""
        self._send("STATUS=" + text.replace("\n", " "))

    def watchdog(self) -> None:
        """The supervisor's loop is turning; sent every second, whatever ``WatchdogSec`` is."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The stop has begun."""
        self._send("STOPPING=1")

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, message: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(message.encode(), self._address)
        except OSError:
            self.failed += 1
