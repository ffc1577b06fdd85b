"""Which prints are history: on subscribing, the venue sends the last trade, or recent liquidations, once more.

They come first after the acknowledgement, and happened before it: rule G20 flags them SNAPSHOT. (In a capture of 2022
they are up to 25 s old; others have measured 20 hours.)
"""

from __future__ import annotations

WINDOW_NS = 10 * 1_000_000_000
"""What comes first, but later than this after the acknowledgement, is news."""


class History:
    """Subscriptions of one connection that were acknowledged and have not delivered yet."""

    def __init__(self) -> None:
        self._acked: dict[str, int] = {}

    @property
    def awaited(self) -> int:
        """How many subscriptions may still send history."""
        return len(self._acked)

    def acked(self, stream: str, ts_recv: int) -> None:
        """The venue acknowledged ``stream``."""
        self._acked[stream] = ts_recv

    def takes(self, stream: str, newest_event_ns: int, ts_recv: int) -> bool:
        """Whether the prints that just came by ``stream`` are its history; asked once per frame."""
        late = [name for name, acked in self._acked.items() if ts_recv > acked + WINDOW_NS]
        for name in late:
            del self._acked[name]
        acked_ns = self._acked.pop(stream, None)
        return acked_ns is not None and newest_event_ns <= acked_ns
