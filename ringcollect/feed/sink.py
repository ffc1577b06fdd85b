"""The way into the rings: records and status records with their counts, and the frames worth keeping."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ringcollect.errors import RingcollectError
from ringcollect.exchanges.hot import COUNTED
from ringcollect.exchanges.protocol import Decoder
from ringcollect.feed.statuses import status_record
from ringcollect.instruments import Instrument
from ringcollect.records import Channel, Status
from ringcollect.ring.frames import Direction


class RecordRing(Protocol):
    """What the feed needs of a record ring (``ring.producer.Producer`` is one)."""

    counters: Any
    instruments: Any
    ledger: Any
    words: np.ndarray

    @property
    def capacity(self) -> int: ...

    def publish(self, batch: np.ndarray, n: int | None = None) -> int: ...


class FrameRing(Protocol):
    """What the feed needs of a frame ring (``ring.frames.FrameProducer`` is one)."""

    def publish(
        self,
        payload: bytes,
        *,
        ts_recv: int,
        conn: int,
        direction: Direction,
        opcode: int = 1,
        status: int = 0,
        url: str = "",
        reason: str = "",
        whole_length: int | None = None,
    ) -> int: ...


class Sink:
    """Publishes and counts. ``last_publish_ns`` is the session's time of the newest record."""

    def __init__(self, ring: RecordRing, frames: FrameRing | None) -> None:
        self.ring = ring
        self.frames = frames
        self.last_publish_ns = 0
        self.counts: np.ndarray = ring.counters.words
        self._index = {name: i for i, name in enumerate(ring.counters)}

    def attach(self, decoder: Decoder) -> None:
        """Let the exchange's kernel publish into the ring and count by itself."""
        counters = {name: self.counts[i : i + 1] for name, i in self._index.items() if name in COUNTED}
        decoder.attach_ring(self.ring.words, max(1, self.ring.capacity // 8), counters)

    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter of :data:`ringcollect.feed.counters.FEED_COUNTERS`."""
        self.counts[self._index[name]] += by

    def counter(self, name: str) -> int:
        """A counter's value."""
        return int(self.counts[self._index[name]])

    def data(self, batch: np.ndarray, now_ns: int) -> None:
        """Publish one batch from the exchange."""
        self.ring.publish(batch)
        self.last_publish_ns = now_ns
        self.count("records", len(batch))

    def status(self, code: Status, now_ns: int, **fields: Any) -> None:
        """Publish one status record (fields as in :func:`ringcollect.feed.statuses.status_record`)."""
        self.ring.publish(status_record(code, now_ns, **fields))
        self.last_publish_ns = now_ns
        self.count("status_records")

    def instrument(
        self, instrument: Instrument, now_ns: int, *, is_new: bool, is_changed: bool, gone_to: int | None = None
    ) -> None:
        """Bring the ring's table up to date before the first record that uses the row, and say what happened.

        ``gone_to``: it is listed no more; the instrument it is called now, -1 if there is none.
        """
        table = self.ring.instruments
        if is_new or is_changed or instrument.number >= table.count:
            table.put(instrument)
        if is_new or is_changed:
            changed = Status.INSTRUMENT_CHANGED if gone_to is None else Status.INSTRUMENT_GONE
            code = Status.INSTRUMENT_NEW if is_new else changed
            self.status(
                code, now_ns, instrument=instrument.number, channel=Channel.NONE, start=instrument.version,
                end=0 if gone_to is None else gone_to,
            )  # fmt: skip
        self.counts[self._index["instruments"]] = table.count

    def keep(self, payload: bytes, ts_recv: int, conn: int, direction: Direction, **fields: Any) -> None:
        """Put a frame into the frame ring, if there is one. What it refuses is counted, never fatal."""
        if self.frames is None:
            return
        try:
            self.frames.publish(payload, ts_recv=ts_recv, conn=conn & 0xFF, direction=direction, **fields)
        except (RingcollectError, ValueError, OSError):
            self.count("frame_errors")
