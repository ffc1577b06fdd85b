"""iceoryx2's Python binding as a channel: shared memory without copies, one sample is one batch.

Its readers have no blocking receive: they poll, or wait for an event that the sender notifies after each sample
(``wait="event"``). ``RetryUntilDelivered`` makes the sender wait for a slow reader, so that nothing is lost.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

from benchmarks.ring.links import RECORD_BYTES

_END = (1 << 64) - 1
_BUFFER = 1024


class Iceoryx:
    """A service of its own name; every process opens it after the fork."""

    def __init__(self, readers: int, batch: int, name: str, wait: str) -> None:
        self._readers, self._batch, self._name, self._wait = readers, batch, name, wait
        words = [("words", ctypes.c_uint64 * (batch * RECORD_BYTES // 8))]
        self._block = type("Block", (ctypes.Structure,), {"_fields_": words})

    def _open(self) -> tuple[Any, Any]:
        import iceoryx2

        iceoryx2.set_log_level(iceoryx2.LogLevel.Error)
        node = iceoryx2.NodeBuilder.new().create(iceoryx2.ServiceType.Ipc)
        builder = node.service_builder(iceoryx2.ServiceName.new(self._name)).publish_subscribe(self._block)
        builder = builder.subscriber_max_buffer_size(_BUFFER).enable_safe_overflow(False)
        return node, builder.max_subscribers(max(2, self._readers)).open_or_create()

    def _event(self, node: Any) -> Any:
        import iceoryx2

        return node.service_builder(iceoryx2.ServiceName.new(self._name)).event().open_or_create()

    def sender(self) -> IceoryxSender:
        import iceoryx2

        node, service = self._open()
        retry = iceoryx2.BackpressureStrategy.RetryUntilDelivered
        publisher = service.publisher_builder().backpressure_strategy(retry).create()
        notifier = self._event(node).notifier_builder().create() if self._wait == "event" else None
        return IceoryxSender((node, service), publisher, notifier, self._block, self._batch)

    def receiver(self, index: int) -> IceoryxReceiver:
        node, service = self._open()
        subscriber = service.subscriber_builder().buffer_size(_BUFFER).create()
        listener = self._event(node).listener_builder().create() if self._wait == "event" else None
        return IceoryxReceiver((node, service), subscriber, listener, self._batch, yields=self._wait != "spin")


class IceoryxSender:
    """Copies its block into a loaned sample."""

    def __init__(self, alive: Any, publisher: Any, notifier: Any, block: Any, batch: int) -> None:
        self._alive = alive  # the node must outlive its ports
        self._publisher = publisher
        self._notifier = notifier
        self._block = block()
        self._batch = batch

    def renew(self) -> None:
        self._publisher.update_connections()

    def send(self) -> int:
        self._publisher.send_copy(self._block)
        return self._batch

    def stamped(self, stamp_ns: int) -> None:
        self._block.words[0] = stamp_ns
        self._publisher.send_copy(self._block)
        if self._notifier is not None:
            self._notifier.notify()

    def end(self) -> None:
        self.stamped(_END)
        self._block.words[0] = 0


class IceoryxReceiver:
    """Polls; gives the processor away between polls unless it spins or waits for an event."""

    def __init__(self, alive: Any, subscriber: Any, listener: Any, batch: int, *, yields: bool) -> None:
        self._alive = alive
        self._receive = subscriber.receive
        self._listener = listener
        self._batch = batch
        self._yields = yields
        self.ended = False
        self.lost = 0

    def _next(self) -> int:
        while (sample := self._receive()) is None:
            if self._listener is not None:
                self._listener.blocking_wait()
            elif self._yields:
                os.sched_yield()
        return int(sample.payload().contents.words[0])

    def take(self) -> int:
        if self._next() == _END:
            self.ended = True
            return 0
        return self._batch

    def stamp(self) -> int:
        stamp = self._next()
        return -1 if stamp == _END else stamp

    def renew(self) -> None:
        self.ended = False
