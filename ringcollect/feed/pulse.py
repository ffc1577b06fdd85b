"""What a session says by the clock: a TICK in every silence, COUNTERS each minute, how many frames were rejected."""

from __future__ import annotations

from ringcollect.feed.connections import Connections
from ringcollect.feed.core import Core
from ringcollect.records import Status

_TELL_NS = 1_000_000_000  # connections are told to observers so often


class Pulse:
    """Its methods are what timers call."""

    def __init__(self, core: Core, connections: Connections) -> None:
        self._core = core
        self._connections = connections
        self._told_ns = 0
        self._rejects_said = 0

    def begin(self, now_ns: int) -> None:
        """The session starts."""
        core = self._core
        self._rejects_said = core.sink.counter("rejected")  # a ring taken over goes on counting
        core.timers.set(("tick",), now_ns + core.options.tick_ns)
        self.set_minute(now_ns)

    def minute(self, now_ns: int) -> None:
        """The counters of every stream, and when they are due again."""
        self.counters(now_ns)
        self.set_minute(now_ns)

    def tick(self, now_ns: int) -> None:
        """TICK if nothing was published for a while; observers are told where the connections stand."""
        core = self._core
        due = core.sink.last_publish_ns + core.options.tick_ns
        if now_ns >= due:
            core.sink.status(Status.TICK, now_ns)
            due = now_ns + core.options.tick_ns
        core.timers.set(("tick",), due)
        if now_ns - self._told_ns >= _TELL_NS:
            self._told_ns = now_ns
            self._connections.tell(now_ns)

    def set_minute(self, now_ns: int) -> None:
        """The next whole minute: UTC midnight is one of them."""
        period = self._core.options.counters_ns
        self._core.timers.set(("counters",), (now_ns // period + 1) * period)

    def counters(self, now_ns: int) -> None:
        """COUNTERS of every stream."""
        for stream in self._core.streams.values():
            self._core.sink.status(
                Status.COUNTERS, now_ns, instrument=stream.instrument, channel=stream.channel,
                ts_event=stream.last_data_ns, start=stream.frames, end=stream.records,
                number=float(stream.duplicates), second=float(stream.gaps),
            )  # fmt: skip

    def say_rejects(self, now_ns: int) -> None:
        """REJECTED: how many since it was last said."""
        core = self._core
        rejected = core.sink.counter("rejected")
        core.sink.status(Status.REJECTED, now_ns, number=float(rejected - self._rejects_said))
        self._rejects_said = rejected
