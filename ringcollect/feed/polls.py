"""Channels without a stream: asked for over REST at a steady pace, spread over the period."""

from __future__ import annotations

from ringcollect.exchanges.protocol import Batch, Decoded
from ringcollect.feed.core import Core
from ringcollect.feed.ledger import Reason, State, move
from ringcollect.feed.requests import Requests
from ringcollect.feed.stream import Stream, StreamKey


class Polls:
    """Every polled stream of a session; a poll that is not answered in time is not doubled."""

    def __init__(self, core: Core, requests: Requests) -> None:
        self._core = core
        self._requests = requests
        self._open: dict[StreamKey, int] = {}

    def begin(self, streams: list[Stream], now_ns: int) -> None:
        """Start polling ``streams``, spread over one period."""
        period = self._core.options.open_interest_ns
        for i, stream in enumerate(streams):
            move(stream, State.REQUESTED, Reason.NONE, now_ns, self._core.sink)
            self._core.timers.set(("poll", stream.key), now_ns + period * i // len(streams))

    def end(self, stream: Stream) -> None:
        """Poll it no more; an answer under way is nobody's."""
        self._core.timers.cancel(("poll", stream.key))
        self._requests.forget(self._open.pop(stream.key, 0))

    def due(self, stream: Stream, now_ns: int) -> None:
        """The period of ``stream`` is over."""
        if stream.state is State.FAILED:
            return
        if stream.key not in self._open:
            self._open[stream.key] = self._requests.open_interest(stream, now_ns)
        self._core.timers.set(("poll", stream.key), now_ns + self._core.options.open_interest_ns)

    def answered(self, stream: Stream, decoded: Decoded | None, now_ns: int) -> None:
        """The answer to a poll; None: there was no good one."""
        if self._core.streams.get(stream.key) is not stream:
            return  # it is not collected any more
        self._open.pop(stream.key, None)
        if decoded is None:
            stream.gap = True
            move(stream, State.STALE, Reason.REST_FAILED, now_ns, self._core.sink)
            return
        for batch in decoded.batches:
            self.publish(stream, batch, now_ns)

    def publish(self, stream: Stream, batch: Batch, now_ns: int) -> None:
        """Publish the records of a poll (they carry REST)."""
        if not len(batch.records):
            return
        if stream.state is not State.FLOWING:
            move(stream, State.FLOWING, Reason.NONE, now_ns, self._core.sink)
        stream.mark_gap(batch.records)
        self._core.sink.data(batch.records, now_ns)
        stream.touched(now_ns, len(batch.records))
