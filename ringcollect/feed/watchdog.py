"""Deadlines of single streams: acknowledged but silent, or flowing and then silent. Each is named in the ledger.

A live stream does not hide a dead one: every stream has its own deadline, and only the silent one is asked for again,
with longer and longer pauses. How long silence may last depends on the channel and on the stream's own rhythm: a
market that trades once a minute is not dead after 30 s.
"""

from __future__ import annotations

from ringcollect.feed.core import Core
from ringcollect.feed.ledger import Reason, State, move
from ringcollect.feed.stream import Stream
from ringcollect.records import Channel

RHYTHM = 20
"""A stream may be silent for this many of its own mean intervals."""

_PATIENCE = {Channel.TRADE: 10, Channel.TICKER: 10, Channel.LIQUIDATION: 0}
"""Multiples of the configured deadlines; 0: silence says nothing (no liquidation is good news)."""


class Watchdog:
    """Deadlines of all streams of a session; ``due`` collects those to be asked for again."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.due: list[Stream] = []

    def watch(self, stream: Stream, now_ns: int) -> None:
        """(Re)start the stream's deadline for its present state."""
        deadline = self._deadline_ns(stream)
        if deadline is None:
            self._core.timers.cancel(("stream", stream.key))
        else:
            self._core.timers.set(("stream", stream.key), max(deadline, now_ns))

    def check(self, stream: Stream, now_ns: int) -> None:
        """The deadline came: still silent?"""
        deadline = self._deadline_ns(stream)
        if deadline is None:
            return
        if now_ns < deadline:
            self._core.timers.set(("stream", stream.key), deadline)
            return
        core = self._core
        if stream.state is State.FLOWING:
            self._silent(stream, Reason.SILENT, now_ns)
        elif stream.state is State.ACKED:
            self._silent(stream, Reason.NO_DATA, now_ns)
        if core.passive:
            return  # it flows again when the capture says so
        self.due.append(stream)

    def no_ack(self, streams: list[Stream], now_ns: int) -> None:
        """The exchange swallowed the request for these."""
        self._core.sink.count("silent_streams", len(streams))
        self.due.extend(streams)

    def take_due(self) -> list[Stream]:
        """Streams to be asked for again now; each once."""
        due, self.due = list(dict.fromkeys(self.due)), []
        return due

    def _silent(self, stream: Stream, reason: Reason, now_ns: int) -> None:
        core = self._core
        stream.take_back()
        core.sink.count("silent_streams")
        move(stream, State.STALE, reason, now_ns, core.sink)

    def _deadline_ns(self, stream: Stream) -> int | None:
        """When silence becomes news; None where it never does."""
        options = self._core.options
        patience = _PATIENCE.get(stream.channel, 1)
        if not patience or stream.channel is Channel.OPEN_INTEREST:
            return None
        if stream.state is State.FLOWING:
            return stream.last_data_ns + max(options.stale_ns * patience, RHYTHM * stream.mean_interval_ns())
        if stream.state is State.ACKED:
            tries = min(max(0, stream.asked - 1), 20)
            wait = min(options.data_ns * patience << tries, max(options.resubscribe_max_ns, options.data_ns * patience))
            return int(stream.row["since_ns"][0]) + wait
        return None
