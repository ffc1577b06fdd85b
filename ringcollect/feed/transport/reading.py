"""websockets' sans-I/O protocol with a reader that copies each payload once, as bytes.

The library's own reader appends every socket read to a bytearray, copies each payload out of it as a bytearray and
moves the rest; a consumer that wants bytes copies once more. Frames are parsed by the library all the same.
"""

from __future__ import annotations

from collections.abc import Generator

from websockets.client import ClientProtocol
from websockets.protocol import Protocol
from websockets.streams import StreamReader


class BytesReader(StreamReader):
    """The socket reads as they came; a piece is a slice of one of them, or of as many joined as it spans."""

    def __init__(self, first: bytes) -> None:
        super().__init__()
        self._data = first
        self._at = 0
        self._more: list[bytes] = []
        self._more_bytes = 0

    def feed_data(self, data: bytes | bytearray) -> None:
        """One socket read."""
        if self._at == len(self._data) and not self._more:
            self._data, self._at = bytes(data), 0
        else:
            self._more.append(bytes(data))
            self._more_bytes += len(data)

    def read_exact(self, n: int) -> Generator[None, None, bytes]:  # type: ignore[override]
        """The next ``n`` bytes; EOFError if the stream ends before."""
        at = self._at
        end = at + n
        if end > len(self._data):
            while (held := len(self._data) - self._at + self._more_bytes) < n:
                if self.eof:
                    raise EOFError(f"stream ends after {held} bytes, expected {n} bytes")
                yield
            self._data = b"".join((self._data[self._at :], *self._more))
            self._more, self._more_bytes = [], 0
            at, end = 0, n
        self._at = end
        return self._data[at:end]

    def at_eof(self) -> Generator[None, None, bool]:
        """Whether the stream has ended and was read to the end; waits while neither is known."""
        while self._at == len(self._data) and not self._more:
            if self.eof:
                return True
            yield
        return False

    def discard(self) -> None:
        """Forget what was not read."""
        self._data, self._at, self._more, self._more_bytes = b"", 0, [], 0


class _FromHandshake(Protocol):
    """Where the library's client protocol goes once the handshake is done: on with our reader."""

    def parse(self) -> Generator[None]:
        rest = bytes(self.reader.buffer)
        ended = self.reader.eof
        self.reader = BytesReader(rest)
        self.reader.eof = ended
        yield from super().parse()


class BytesProtocol(ClientProtocol, _FromHandshake):
    """A client protocol whose data frames carry bytes."""
