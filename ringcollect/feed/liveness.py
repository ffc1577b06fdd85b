"""Is a connection worth keeping? Silence, keepalive, and how much of what it brings is understood."""

from __future__ import annotations

from collections.abc import Callable

from ringcollect.feed.actions import Ping
from ringcollect.feed.core import Core
from ringcollect.feed.legs import Phase, Socket
from ringcollect.feed.subscriptions import Subscriptions


class Liveness:
    """Watches every socket of a session; ``give_up(socket, reason, now)`` ends one."""

    def __init__(
        self,
        core: Core,
        sockets: dict[int, Socket],
        subscriptions: Subscriptions,
        give_up: Callable[[Socket, str, int], None],
    ) -> None:
        self._core = core
        self._sockets = sockets
        self._subscriptions = subscriptions
        self._give_up = give_up

    def begin(self, socket: Socket, now_ns: int) -> None:
        """The socket is up: look at it from now on."""
        core = self._core
        core.timers.set(("alive", socket.conn), now_ns + self._silence_ns(socket) // 2)
        keepalive = core.exchange.keepalive(socket.market)
        if keepalive.kind != "none":
            core.timers.set(("ping", socket.conn), now_ns + keepalive.interval_ns)

    def check_alive(self, conn: int, now_ns: int) -> None:
        """Half the silence: ask for a sign of life. The whole of it: the line is dead, whatever TCP says."""
        core = self._core
        socket = self._sockets.get(conn)
        if socket is None or socket.phase is not Phase.OPEN:
            return
        limit = self._silence_ns(socket)
        silent = now_ns - socket.alive_ns
        if silent >= limit:
            core.sink.count("half_open")
            self._give_up(socket, "half open", now_ns)
            return
        if silent >= limit // 2 and not socket.pinged:
            socket.pinged = True
            core.act(Ping(conn))
        elif silent < limit // 2:
            socket.pinged = False
        next_look = limit if socket.pinged else limit // 2
        core.timers.set(("alive", conn), socket.alive_ns + next_look)

    def ping(self, conn: int, now_ns: int) -> None:
        """The venue wants to hear from us at a steady pace."""
        core = self._core
        socket = self._sockets.get(conn)
        if socket is None or socket.phase is not Phase.OPEN:
            return
        keepalive = core.exchange.keepalive(socket.market)
        core.timers.set(("ping", conn), now_ns + keepalive.interval_ns)
        if keepalive.kind == "text":
            self._subscriptions.send(socket, keepalive.text, now_ns)
        else:
            core.act(Ping(conn))

    def rejected(self, socket: Socket, now_ns: int) -> None:
        """One more frame nobody understands: most of a window of them, and the connection is not worth keeping."""
        core = self._core
        socket.window_rejects += 1
        if socket.leg is None or socket.window_frames < core.options.breaker_window:
            return
        if socket.window_rejects * 2 >= socket.window_frames:
            core.sink.count("breaker_trips")
            self._give_up(socket, "most frames are rejected", now_ns)

    def trim_window(self, socket: Socket) -> None:
        """Keep the breaker's window recent: forget half of it when it has grown to twice its least size."""
        socket.window_frames //= 2
        socket.window_rejects //= 2

    def _silence_ns(self, socket: Socket) -> int:
        """How long nothing at all may come: our own pings make every healthy venue answer within it."""
        return self._core.exchange.keepalive(socket.market).deadline_ns or self._core.options.stale_ns
