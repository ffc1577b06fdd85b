"""One-way channels between processes, ours and the peers', behind one pair of ends.

Imports nothing of ours and no peer at the top: a worker in a peer's environment has only that peer. Messages are one
or several 64-byte records; what a channel sends in one call is said where it is chosen (``batch``).
"""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import get_context
from typing import Any, Protocol

RECORD_BYTES = 64
END = b"end"


class Sender(Protocol):
    """The producer's end."""

    def send(self) -> int:
        """Send one batch to every reader, waiting for room if that is the channel's way; records sent."""
        ...

    def stamped(self, stamp_ns: int) -> None:
        """Send one record that carries a time."""
        ...

    def end(self) -> None:
        """Tell every reader that nothing more comes in this round."""
        ...

    def renew(self) -> None:
        """Before a round."""
        ...


class Receiver(Protocol):
    """A reader's end. ``ended`` is set by the call that meets the end; ``lost`` counts records of this round."""

    ended: bool
    lost: int

    def take(self) -> int:
        """Wait for something; records received."""
        ...

    def stamp(self) -> int:
        """Wait for one stamped record; its time, or -1 at the end."""
        ...

    def renew(self) -> None:
        """Before a round."""
        ...


class Link(Protocol):
    """Made before the readers are forked off; each process then asks for its own end."""

    def sender(self) -> Sender: ...

    def receiver(self, index: int) -> Receiver: ...


class QueueSender:
    """Puts objects into one queue per reader: queues hand each message to one reader only."""

    def __init__(self, puts: list[Callable[[Any], Any]], block: Any, records: int, wrap: bool) -> None:
        self._puts = puts
        self._block = block
        self._records = records
        self._wrap = wrap

    def send(self) -> int:
        for put in self._puts:
            put(self._block)
        return self._records

    def stamped(self, stamp_ns: int) -> None:
        message = stamp_ns.to_bytes(8, "little") + bytes(RECORD_BYTES - 8)
        for put in self._puts:
            put([message] if self._wrap else message)

    def end(self) -> None:
        for put in self._puts:
            put([END] if self._wrap else END)

    def renew(self) -> None:
        """Nothing is left of a round."""


class MessageReceiver:
    """Takes one message a call."""

    def __init__(self, get: Callable[[], bytes], records: int) -> None:
        self._get = get
        self._records = records
        self.ended = False
        self.lost = 0

    def take(self) -> int:
        if self._get() == END:
            self.ended = True
            return 0
        return self._records

    def stamp(self) -> int:
        message = self._get()
        return -1 if message == END else int.from_bytes(message[:8], "little")

    def renew(self) -> None:
        self.ended = False


class MultiprocessingQueue:
    """The standard library's; one record or one batch as one bytes object a message."""

    def __init__(self, readers: int, batch: int) -> None:
        self._batch = batch
        # A bound, or the queue's own thread would let the sender run away from a slow reader.
        self._queues = [get_context("fork").Queue(maxsize=4096) for _ in range(readers)]

    def sender(self) -> QueueSender:
        return QueueSender([q.put for q in self._queues], bytes(RECORD_BYTES * self._batch), self._batch, wrap=False)

    def receiver(self, index: int) -> MessageReceiver:
        return MessageReceiver(self._queues[index].get, self._batch)


class FasterFifo:
    """faster-fifo: records are messages of their own, ``put_many`` and ``get_many`` move a batch; no pickling."""

    def __init__(self, readers: int, batch: int) -> None:
        from faster_fifo import Queue

        self._batch = batch
        self._queues = [Queue(4 << 20, loads=bytes, dumps=bytes) for _ in range(readers)]

    def sender(self) -> QueueSender:
        return QueueSender([q.put_many for q in self._queues], [bytes(RECORD_BYTES)] * self._batch, self._batch, True)

    def receiver(self, index: int) -> FasterFifoReceiver:
        return FasterFifoReceiver(self._queues[index].get_many)


class FasterFifoReceiver:
    """Takes all that is there, at most 1024 messages."""

    def __init__(self, get_many: Callable[..., list[bytes]]) -> None:
        self._get_many = get_many
        self._pending: list[bytes] = []
        self.ended = False
        self.lost = 0

    def take(self) -> int:
        got = self._get_many(max_messages_to_get=1024)
        if got[-1] == END:
            self.ended = True
            return len(got) - 1
        return len(got)

    def stamp(self) -> int:
        if not self._pending:
            self._pending = self._get_many(max_messages_to_get=1024)[::-1]
        message = self._pending.pop()
        return -1 if message == END else int.from_bytes(message[:8], "little")

    def renew(self) -> None:
        self.ended = False


class ZeroMq:
    """ZeroMQ over ipc: PUSH and PULL for one reader, PUB and SUB for several; one message is one batch.

    XPUB_NODROP makes the publisher wait for a slow subscriber, as PUSH does, so that nothing is lost.
    """

    def __init__(self, readers: int, batch: int, address: str) -> None:
        self._readers, self._batch, self._address = readers, batch, address

    def sender(self) -> ZeroMqSender:
        import zmq

        socket = zmq.Context().socket(zmq.PUSH if self._readers == 1 else zmq.XPUB)
        if self._readers > 1:
            socket.setsockopt(zmq.XPUB_NODROP, 1)
            socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        socket.bind(self._address)
        return ZeroMqSender(socket, self._batch, 0 if self._readers == 1 else self._readers)

    def receiver(self, index: int) -> MessageReceiver:
        import zmq

        socket = zmq.Context().socket(zmq.PULL if self._readers == 1 else zmq.SUB)
        if self._readers > 1:
            socket.setsockopt(zmq.SUBSCRIBE, b"")
        socket.connect(self._address)
        return MessageReceiver(socket.recv, self._batch)


class ZeroMqSender:
    """Waits before the first round until every subscription has arrived: what is published before is not delivered."""

    def __init__(self, socket: Any, batch: int, subscriptions: int) -> None:
        self._socket = socket
        self._send = socket.send
        self._block = bytes(RECORD_BYTES * batch)
        self._batch = batch
        self._subscriptions = subscriptions

    def renew(self) -> None:
        while self._subscriptions:
            self._socket.recv()
            self._subscriptions -= 1

    def send(self) -> int:
        self._send(self._block)
        return self._batch

    def stamped(self, stamp_ns: int) -> None:
        self._send(stamp_ns.to_bytes(8, "little") + bytes(RECORD_BYTES - 8))

    def end(self) -> None:
        self._send(END)
