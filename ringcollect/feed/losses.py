"""What the end of a connection costs the streams that it carried: holes, and books without a base."""

from __future__ import annotations

from ringcollect.feed.books import Books, Cause
from ringcollect.feed.bridge import Phase
from ringcollect.feed.core import Core
from ringcollect.feed.requests import Requests
from ringcollect.feed.stream import ANY_CONN, Stream


class Losses:
    """Told by the connections; the data says what is missing by GAP and RESYNC_BEGIN."""

    def __init__(self, core: Core, requests: Requests, books: Books) -> None:
        self._core = core
        self._requests = requests
        self._books = books

    def one_of_several(self, streams: list[Stream], conn: int, now_ns: int) -> None:
        """A connection is gone; another one goes on with ``streams``. A book without ids needs a base from there."""
        for stream in streams:
            stream.take_back()
            stream.forget_conn(conn)
            bridge = stream.bridge
            if bridge is None:
                continue
            bridge.forget_conn(conn)
            if bridge.numbered or (bridge.phase is not Phase.VOID and stream.conn != conn):
                continue
            self._core.timers.cancel(("base", stream.key))
            self._core.timers.cancel(("snapshot", stream.key))
            if bridge.phase is not Phase.VOID:
                stream.gap = True
                self._books.void(stream, Cause.RECONNECT, now_ns)
            self._books.want_snapshot(stream, now_ns)

    def whole(self, streams: list[Stream], now_ns: int) -> None:
        """A connection is gone: what it carried has a hole, and its books have no base any more."""
        for stream in streams:
            stream.take_back()
            stream.conn = ANY_CONN
            stream.forget_conns()  # the next socket's first copies are copies of this one's
            self._core.timers.cancel(("stream", stream.key))
            stream.reconnected = True
            self._requests.forget(stream.align_request)
            stream.align_request = 0
            if stream.ids is None:
                stream.gap = True  # dense ids will tell exactly; everything else can only say "perhaps"
            if stream.bridge is not None:
                self._core.timers.cancel(("snapshot", stream.key))
                self._core.timers.cancel(("base", stream.key))
                self._requests.forget(stream.snapshot_request)
                if stream.bridge.phase is not Phase.VOID:
                    self._books.void(stream, Cause.RECONNECT, now_ns)
                else:
                    stream.bridge.void()
                stream.snapshot_request = 0
