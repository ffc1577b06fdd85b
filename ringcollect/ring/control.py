"""The control file beside a ring: rows of registered consumers, and resync words.

Mapped read-write by consumers and the feed, never by plain readers. A row is allocated under ``flock``; after that
only its consumer writes it. Fixed names (``sync``, ``journal``) take their row back after a restart. Resync: two
words per instrument, ``requested`` (a consumer counts up) and ``done`` (the feed copies), pending while they differ.
Two more words ask in the same way for the whole books of the exchange.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ringcollect.errors import EnvironmentRefused, RingError
from ringcollect.instruments import MAX_INSTRUMENTS
from ringcollect.ring.reading import publish_word

MAGIC = b"RINGCTL1"
MAX_CONSUMERS = 64
ROW_WORDS = 32  # 256 bytes: two consumers never share a cache line
NAME_BYTES = 63
_ROWS = 4096 // 8
_BOOKS_REQUESTED, _BOOKS_DONE = 16, 32  # in the head, on lines of their own
_REQUESTED = _ROWS + MAX_CONSUMERS * ROW_WORDS
_DONE = _REQUESTED + MAX_INSTRUMENTS
_WORDS = _DONE + MAX_INSTRUMENTS
FILE_BYTES = _WORDS * 8
# Words of a row, after eight words of name.
_USED, _COMMITTED, _READ, _LOST, _HEARTBEAT, _REQUIRED, _PID = 8, 16, 17, 18, 19, 20, 21


@dataclass(frozen=True)
class ConsumerRow:
    """One registered consumer as anybody sees it. ``lost`` counts records, ever."""

    name: str
    committed: int
    read: int
    lost: int
    heartbeat_ns: int
    required: bool
    pid: int


def create_control(path: Path) -> None:
    """Write an empty control file under ``path`` (the caller renames it into place)."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o640)
    try:
        reserve(fd, FILE_BYTES, path)
        os.pwrite(fd, MAGIC, 0)
    finally:
        os.close(fd)


def reserve(fd: int, size: int, path: Path) -> None:
    """Really reserve ``size`` bytes: a mere truncate past the tmpfs size succeeds and then kills with SIGBUS."""
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(fd, 0, size)
        else:  # macOS: an ordinary file, written through
            os.ftruncate(fd, size)
    except OSError as error:
        raise EnvironmentRefused(
            f"cannot reserve {size} bytes for {path}: {error.strerror}; enlarge the tmpfs or make the ring smaller"
        ) from error


class Control:
    """An open control file."""

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        self.path = path
        flags = os.O_RDWR if writable else os.O_RDONLY
        self._fd = os.open(path, flags)
        if os.fstat(self._fd).st_size != FILE_BYTES or os.pread(self._fd, 8, 0) != MAGIC:
            os.close(self._fd)
            raise RingError(f"{path} is not a control file")
        access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
        self.words = np.frombuffer(mmap.mmap(self._fd, FILE_BYTES, access=access), np.int64)

    def close(self) -> None:
        """Give up the file descriptor; the mapping goes with the last view."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def register(self, name: str, cursor: int, *, required: bool = False) -> ConsumerSlot:
        """The row of consumer ``name``: its old one, or a free one starting at ``cursor``."""
        encoded = name.encode()
        if not 0 < len(encoded) <= NAME_BYTES or 0 in encoded:
            raise RingError(f"consumer name {name!r} must have 1 to {NAME_BYTES} bytes, none of them 0")
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        try:
            free = -1
            for index in range(MAX_CONSUMERS):
                row = self._row(index)
                if not row[_USED]:
                    free = index if free < 0 else free
                elif self._name(row) == name:
                    return ConsumerSlot(row, required)
            if free < 0:
                raise EnvironmentRefused(f"{self.path}: all {MAX_CONSUMERS} consumer rows are taken")
            row = self._row(free)
            row[:] = 0
            row[:8].view(np.uint8)[: len(encoded)] = np.frombuffer(encoded, np.uint8)
            row[_COMMITTED] = row[_READ] = cursor
            publish_word(row, _USED, 1)
            return ConsumerSlot(row, required)
        finally:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def forget(self, name: str) -> None:
        """Free the row of ``name`` (a reader that registered for a while)."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        try:
            for index in range(MAX_CONSUMERS):
                row = self._row(index)
                if row[_USED] and self._name(row) == name:
                    row[_USED] = 0
        finally:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def consumers(self) -> list[ConsumerRow]:
        """Every registered consumer."""
        rows = (self._row(index) for index in range(MAX_CONSUMERS))
        return [
            ConsumerRow(
                name=self._name(row),
                committed=int(row[_COMMITTED]),
                read=int(row[_READ]),
                lost=int(row[_LOST]),
                heartbeat_ns=int(row[_HEARTBEAT]),
                required=bool(row[_REQUIRED]),
                pid=int(row[_PID]),
            )
            for row in rows
            if row[_USED]
        ]

    def slowest_required(self) -> int | None:
        """Smallest committed cursor of the required consumers, or None without any."""
        rows = self.words[_ROWS:_REQUESTED].reshape(MAX_CONSUMERS, ROW_WORDS)
        required = rows[(rows[:, _USED] != 0) & (rows[:, _REQUIRED] != 0)]
        return int(required[:, _COMMITTED].min()) if len(required) else None

    def request_resync(self, instrument: int) -> None:
        """Ask the feed to resubscribe this one instrument; asking again while pending changes nothing."""
        if self.words[_REQUESTED + instrument] == self.words[_DONE + instrument]:
            self.words[_REQUESTED + instrument] += 1

    def pending_resyncs(self) -> list[int]:
        """Instruments whose resync was requested and not yet taken up."""
        requested, done = self.words[_REQUESTED:_DONE], self.words[_DONE:_WORDS]
        return [int(i) for i in np.flatnonzero(requested != done)]

    def resync_done(self, instrument: int) -> None:
        """The feed has taken the request up."""
        self.words[_DONE + instrument] = self.words[_REQUESTED + instrument]

    def request_books(self) -> None:
        """Ask for the whole books of this exchange; asking again while pending changes nothing."""
        if not self.books_pending():
            self.words[_BOOKS_REQUESTED] += 1

    def books_pending(self) -> bool:
        """Whether books were asked for and the feed has not said so in the stream yet."""
        return bool(self.words[_BOOKS_REQUESTED] != self.words[_BOOKS_DONE])

    def books_told(self) -> None:
        """The feed has put the request into the stream."""
        self.words[_BOOKS_DONE] = self.words[_BOOKS_REQUESTED]

    def _row(self, index: int) -> np.ndarray:
        start = _ROWS + index * ROW_WORDS
        return self.words[start : start + ROW_WORDS]

    @staticmethod
    def _name(row: np.ndarray) -> str:
        return row[:8].tobytes().rstrip(b"\0").decode(errors="replace")


class ConsumerSlot:
    """The row a registered consumer writes."""

    def __init__(self, row: np.ndarray, required: bool) -> None:
        self._row = row
        row[_PID] = os.getpid()
        row[_REQUIRED] = required

    @property
    def committed(self) -> int:
        """Position up to which the consumer has dealt with the ring."""
        return int(self._row[_COMMITTED])

    def read_to(self, cursor: int, lost: int) -> None:
        """Record progress: next position to read, and ``lost`` more records lost."""
        self._row[_READ] = cursor
        self._row[_LOST] += lost

    def commit(self, cursor: int) -> None:
        """Everything before ``cursor`` is dealt with."""
        self._row[_COMMITTED] = cursor

    def heartbeat(self, now_ns: int) -> None:
        """Say "alive" at wall time ``now_ns``."""
        self._row[_HEARTBEAT] = now_ns
