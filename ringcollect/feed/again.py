"""Asking again: for streams that fell silent, and for a book whose base comes by its subscription."""

from __future__ import annotations

from ringcollect.feed.connections import Connections
from ringcollect.feed.core import Core
from ringcollect.feed.legs import Phase
from ringcollect.feed.stream import Stream


class Again:
    """Each attempt is counted in ``resubscribes``."""

    def __init__(self, core: Core, connections: Connections) -> None:
        self._core = core
        self._connections = connections

    def resubscribe(self, streams: list[Stream], now_ns: int) -> None:
        """Ask again for these streams only; the others of their legs go on."""
        for leg in self._connections.legs:
            mine = [s for s in leg.streams if s in streams]
            if mine and leg.socket is not None and leg.socket.phase is Phase.OPEN:
                self._core.sink.count("resubscribes", len(mine))
                self._connections.subscriptions.subscribe(leg.socket, mine, now_ns, again=True)

    def renew(self, stream: Stream, now_ns: int) -> None:
        """Ask for one book anew where its base comes by the subscription: of one connection, the next time another."""
        sockets = [s for leg in self._connections.shards() if stream in leg.streams for s in leg.open_mates()]
        if sockets:
            self._core.sink.count("resubscribes")
            socket = sockets[(stream.snapshot_attempts - 1) % len(sockets)]
            self._connections.subscriptions.subscribe(socket, [stream], now_ns, again=True)
