"""Between a library's frames and the owner's callbacks: the batch of one socket read, fragments, the one close."""

from __future__ import annotations

from ringcollect.feed.transport.interface import Callbacks

TEXT = 1


class Receiver:
    """The messages of one socket read, in ``waiting`` until ``hand_over``; all of them have opcode ``opcode``.

    An adapter stamps each socket read in ``stamp_ns``, appends whole messages of the same opcode to ``waiting`` itself,
    because a call per message is what it can save, and leaves everything else to the methods.
    """

    __slots__ = ("_callbacks", "_parts", "_parts_opcode", "conn", "now_ns", "opcode", "stamp_ns", "waiting")

    def __init__(self, conn: int, callbacks: Callbacks) -> None:
        self.conn = conn
        self.now_ns = callbacks.now_ns
        self.stamp_ns = 0
        self.opcode = TEXT
        self.waiting: list[bytes] = []
        self._callbacks: Callbacks | None = callbacks
        self._parts: bytearray | None = None
        self._parts_opcode = TEXT

    @property
    def listening(self) -> bool:
        """Whether the owner is still told anything."""
        return self._callbacks is not None

    @property
    def partial_bytes(self) -> int:
        """Size of the fragments so far of an unfinished message, or -1."""
        return -1 if self._parts is None else len(self._parts)

    def message(self, payload: bytes, opcode: int) -> None:
        """A complete message."""
        if opcode != self.opcode:
            self.hand_over()
            self.opcode = opcode
        self.waiting.append(payload)

    def fragment(self, payload: bytes, opcode: int, *, last: bool) -> None:
        """One fragment; ``opcode`` 0 continues. The adapter checks order and ``partial_bytes``."""
        if opcode or self._parts is None:
            self._parts, self._parts_opcode = bytearray(), opcode
        self._parts += payload
        if last:
            whole, self._parts = bytes(self._parts), None
            self.message(whole, self._parts_opcode)

    def hand_over(self) -> None:
        """Give the owner what is waiting, as one batch."""
        if self.waiting:
            payloads = self.waiting.copy()
            self.waiting.clear()
            if self._callbacks is not None:
                self._callbacks.on_frames(self.conn, payloads, self.opcode, self.stamp_ns)

    def alive(self) -> None:
        """A ping or pong, behind the messages that came before it."""
        self.hand_over()
        if self._callbacks is not None:
            self._callbacks.on_alive(self.conn, self.stamp_ns)

    def closed(self, code: int, reason: str) -> None:
        """The connection is gone, or was never made; only the first call is told."""
        callbacks, self._callbacks = self._callbacks, None
        self.waiting.clear()
        if callbacks is not None:
            callbacks.on_close(self.conn, code, reason, callbacks.now_ns())

    def leave(self) -> None:
        """The owner wants to hear nothing more."""
        self._callbacks = None
        self.waiting.clear()
