"""Our ring as a channel: published and read by jitted loops, or by one call a batch from Python."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from benchmarks.ring.links import RECORD_BYTES
from ringcollect.jit import njit
from ringcollect.records import RECORD
from ringcollect.ring import protocol
from ringcollect.ring.attach import Reader
from ringcollect.ring.layout import H_STATE, STATE_CLOSED, STATE_LIVE
from ringcollect.ring.producer import Producer
from ringcollect.ring.waiting import Waiting, Watch

CAPACITY = 1 << 17
_WORDS = RECORD_BYTES // 8
_AT_ONCE = 1 << 14
"""Records a jitted loop publishes, or a reader copies, before it looks up: an eighth of the ring."""
_STAMP = 5
"""Word of a record that carries a time."""


@njit
def publish_many(ring: np.ndarray, batch: np.ndarray, n: int, times: int) -> int:
    """Publish the same ``n`` records ``times`` times."""
    head = 0
    for _ in range(times):
        head = protocol.publish(ring, batch, n)
    return head


class Ring:
    """A ring in shared memory, as big as a feed's.

    ``kernel``: the producer publishes from a jitted loop, else with one call a batch. ``gated``: it waits for the
    readers, as a replay does, so that nothing is lost; else it laps a reader that is too slow, as a feed does.
    """

    def __init__(self, folder: Path, batch: int, *, kernel: bool, gated: bool, waiting: Waiting) -> None:
        self._producer = Producer.open(folder, "bench.rec", RECORD, CAPACITY, generation=time.time_ns())
        self._batch, self._kernel, self._gated, self._waiting = batch, kernel, gated, waiting

    def sender(self) -> RingSender:
        times = _AT_ONCE // self._batch if self._kernel else 0
        return RingSender(self._producer, self._batch, times, gated=self._gated)

    def receiver(self, index: int) -> RingReceiver:
        name = f"reader{index}" if self._gated else None
        return RingReceiver(Reader(self._producer.path, register=name, required=self._gated), self._waiting)


class RingSender:
    """``times`` 0: one call a batch."""

    def __init__(self, producer: Producer, batch: int, times: int, *, gated: bool) -> None:
        self._producer, self._gated, self._times = producer, gated, times
        self._records = np.tile(np.arange(_WORDS), batch).view(RECORD)
        self._one = np.zeros(1, RECORD)
        self._stamp = self._one.view(np.int64)
        self._many = publish_many if times else None
        self._sends = batch * max(1, times)
        self._room = 0
        if times:
            publish_many(producer.words, self._records.view(np.int64), batch, 0)

    def send(self) -> int:
        if self._gated:
            self._room -= self._sends
            if self._room < 0:  # as a replay does: asked for many batches at once
                self._producer.gate(_AT_ONCE, os.sched_yield)
                self._room = _AT_ONCE - self._sends
        if self._many is None:
            self._producer.publish(self._records)
        else:
            self._many(self._producer.words, self._records.view(np.int64), len(self._records), self._times)
        return self._sends

    def stamped(self, stamp_ns: int) -> None:
        self._stamp[_STAMP] = stamp_ns
        self._producer.publish(self._one)

    def end(self) -> None:
        self._producer.words[H_STATE] = STATE_CLOSED

    def renew(self) -> None:
        self._room = 0
        self._producer.words[H_STATE] = STATE_LIVE


class RingReceiver:
    """Copies what is there into one buffer with the ring's kernel, up to ``_AT_ONCE`` records."""

    def __init__(self, reader: Reader, waiting: Waiting) -> None:
        self._reader, self._waiting, self._watch = reader, waiting, Watch()
        self._words = reader.words
        self._out = np.zeros(_AT_ONCE * _WORDS, np.int64)
        self._last = 0, 0
        self.ended = False
        self.lost = 0

    def take(self) -> int:
        reader = self._reader
        closed = self._closed()  # read before the records: then none can come after them
        first, n, offset, bad = protocol.consume(self._words, reader.cursor, self._out, _AT_ONCE)
        assert not bad, "the kernel compares every kept record's seq with its place"
        lost = reader.advance(first, n)
        self.lost += lost[1] - lost[0]
        if n:
            self._last = offset, offset + n
            if reader.registered:
                reader.commit()
        if not n and lost[0] == lost[1]:
            if closed:
                self._check()
                self.ended = True
            else:
                os.sched_yield()
        return n

    def _check(self) -> None:
        begin, end = self._last
        records = self._out[begin * _WORDS : end * _WORDS].reshape(-1, _WORDS)
        assert (records[:, 1:] == np.arange(1, _WORDS)).all(), "the last records read are not those published"

    def stamp(self) -> int:
        reader = self._reader
        while True:
            self._watch.set([(self._words, reader.cursor)])
            if self._waiting.wait(self._watch, 1.0, self._closed):
                break
            if self._closed() and not self._watch.ahead():
                return -1
        first, n, offset, _ = protocol.consume(self._words, reader.cursor, self._out, 1)
        reader.advance(first, n)
        return int(self._out[offset * _WORDS + _STAMP])

    def _closed(self) -> bool:
        return bool(self._words[H_STATE] == STATE_CLOSED)

    def renew(self) -> None:
        self.ended = False
        self.lost = 0
        self._last = 0, 0
        self._reader.cursor = self._reader.head
        if self._reader.registered:
            self._reader.commit()
