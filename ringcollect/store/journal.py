"""The journal: an append-only file of framed records, and at the same time the writer's cursor.

What is in the file with a good crc is stored, nothing else is; on opening, the file is cut after its last good frame
and its ``seq_to`` is where draining goes on. So every record is in the journals exactly once by construction.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import zstandard

from ringcollect.errors import LakeError
from ringcollect.failpoints import fail
from ringcollect.instruments import Instrument
from ringcollect.records import dtype_from_list, dtype_to_list
from ringcollect.store.chunk import Chunk, compress, decompress
from ringcollect.store.durable import lock_now, sync_data, write_all
from ringcollect.store.framing import Damage, FrameType, JournalFrame, pack_frame, scan
from ringcollect.store.naming import JOURNAL_SUFFIX, journal_stem
from ringcollect.store.rotation import Segment

JOURNAL_LEVEL = 1


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """First frame of a journal: all that is needed to read it without the ring."""

    ring: str
    generation: int
    seq_from: int
    first_seq: int  # where this lake's part of the generation begins
    dtype: list[list[Any]]
    itemsize: int
    meta: dict[str, Any] = {}
    stream_ns: int = 0  # stream time before the first record; see rotation.py
    open_batch: bool = False
    previous: tuple[int, int] | None = None  # (generation, seq_to) where the ring's last generation ended
    instruments: list[Instrument] = []

    def record_dtype(self) -> np.dtype:
        """The records' dtype."""
        return dtype_from_list(self.dtype, self.itemsize)

    @property
    def stem(self) -> str:
        """File name without suffix."""
        return journal_stem(self.ring, self.generation, self.seq_from)


def header_for(
    ring: str, generation: int, dtype: np.dtype, seq_from: int, first_seq: int, *, segment: Segment, **rest: Any
) -> Header:
    """A header whose dtype and stream state come from the objects the writer holds."""
    return Header(
        ring=ring,
        generation=generation,
        seq_from=seq_from,
        first_seq=first_seq,
        dtype=dtype_to_list(dtype),
        itemsize=dtype.itemsize,
        stream_ns=segment.stream_ns,
        open_batch=segment.open_batch,
        **rest,
    )


class Lost(NamedTuple):
    """Records [seq_from, seq_to) that never reached the journal, and why."""

    seq_from: int
    seq_to: int
    cause: str


class Journal:
    """A journal read back: header, records in order, losses. Damage in the middle is a loss with cause ``damaged``."""

    def __init__(self, path: Path, content: bytes) -> None:
        self.path = path
        parts = scan(content)
        first = next(parts, None)
        if not isinstance(first, JournalFrame) or first.type != FrameType.HEADER:
            raise LakeError(f"{path}: does not begin with a good journal header")
        try:
            self.header = msgspec.json.decode(first.payload, type=Header)
        except msgspec.DecodeError as error:
            raise LakeError(f"{path}: header: {error}") from error
        self.dtype = self.header.record_dtype()
        self.frames: list[JournalFrame] = []
        self.instruments: dict[int, Instrument] = {}
        self.lost: list[Lost] = []
        self.damage: list[Damage] = []
        self.seq_to = self.header.seq_from
        self.rows = 0
        self.ended = False
        self.good_bytes = first.end
        self._learn(self.header.instruments)
        for part in parts:
            if isinstance(part, Damage):
                self.damage.append(part)
            else:
                self._take(part)

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Read ``path``; LakeError if it is not a journal, OSError if it cannot be read."""
        return cls(path, path.read_bytes())

    @property
    def torn_bytes(self) -> int:
        """Bytes after the last good frame."""
        return self.damage[-1].end - self.good_bytes if self.damage and self.damage[-1].end > self.good_bytes else 0

    @property
    def empty(self) -> bool:
        """Nothing but a header: a cursor, waiting for records."""
        return not self.rows and not self.lost

    def chunks(self) -> Iterator[Chunk]:
        """The records, frame by frame."""
        for frame in self.frames:
            yield decompress(frame, self.dtype)

    def _learn(self, instruments: list[Instrument]) -> None:
        for instrument in instruments:
            self.instruments[instrument.number] = instrument

    def _take(self, frame: JournalFrame) -> None:
        if frame.generation != self.header.generation or frame.seq_from < self.seq_to or self.ended:
            raise LakeError(
                f"{self.path}: the frame at byte {frame.at} (records {frame.seq_from} to {frame.seq_to}) "
                f"does not follow record {self.seq_to}"
            )
        if frame.seq_from > self.seq_to:
            self.lost.append(Lost(self.seq_to, frame.seq_from, "damaged"))
        if frame.type == FrameType.ROWS:
            self.frames.append(frame)
            self.rows += frame.rows
        elif frame.type == FrameType.LOST:
            self.lost.append(Lost(frame.seq_from, frame.seq_to, bytes(frame.payload).decode()))
        elif frame.type == FrameType.INSTRUMENTS:
            self._learn(msgspec.json.decode(frame.payload, type=list[Instrument]))
        elif frame.type == FrameType.END:
            self.ended = True
        self.seq_to = frame.seq_to
        self.good_bytes = frame.end


def read_journal(path: Path) -> Journal:
    """As :meth:`Journal.open`."""
    return Journal.open(path)


def _check_free(path: Path) -> None:
    """EnvironmentRefused if a living writer holds the journal ``path``."""
    try:
        fd = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        lock_now(fd, path)
    finally:
        os.close(fd)


class JournalWriter:
    """Appends to one journal and holds its lock.

    Nothing handed over is forgotten: frames that could not be written (OSError) stay pending and go out with the
    next successful :meth:`flush`. A half-written frame is cut off at once, or at the next try.
    """

    def __init__(self, path: Path, fd: int, header: Header, size: int, seq_to: int, *, ended: bool = False) -> None:
        self.path = path
        self.header = header
        self.seq_to = seq_to
        self.size = size
        self.ended = ended
        self._fd = fd
        self._pending = bytearray()
        self._torn = False
        self._compressor = zstandard.ZstdCompressor(level=JOURNAL_LEVEL)

    @classmethod
    def create(cls, folder: Path, header: Header) -> JournalWriter:
        """A new journal with its header, whole or not at all. A journal of that name is replaced."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{header.stem}{JOURNAL_SUFFIX}"
        _check_free(path)
        temporary = path.with_suffix(".new")
        fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o640)
        try:
            lock_now(fd, temporary)
            seq = header.seq_from
            content = msgspec.json.encode(header)
            frame = pack_frame(FrameType.HEADER, header.generation, seq, seq, 0, len(content), content)
            write_all(fd, frame, 0)
            fail("journal.after_create")
            temporary.replace(path)
            fail("journal.after_create_rename")
        except BaseException:
            os.close(fd)
            raise
        return cls(path, fd, header, len(frame), seq)

    @classmethod
    def resume(cls, path: Path) -> tuple[JournalWriter, Journal]:
        """Take over the journal of a writer that is gone: cut the torn tail, go on behind the last good frame."""
        fd = os.open(path, os.O_RDWR)
        try:
            lock_now(fd, path)
            journal = Journal.open(path)
            if journal.torn_bytes:
                os.ftruncate(fd, journal.good_bytes)
                fail("journal.after_cut")
        except BaseException:
            os.close(fd)
            raise
        return cls(path, fd, journal.header, journal.good_bytes, journal.seq_to, ended=journal.ended), journal

    @property
    def pending_bytes(self) -> int:
        """Bytes that wait for a disk that takes them."""
        return len(self._pending)

    def append(self, records: np.ndarray, lost: tuple[int, int] | None = None, blob: bytes = b"") -> None:
        """Add a loss (``[from, to)``, empty is none), then ``records`` that follow it, and write it all out."""
        if lost is not None:
            self.add_lost(lost)
        self.add(Chunk(records, blob))
        self.flush()

    def add(self, chunk: Chunk) -> None:
        """Put consecutive records behind what is there; written by the next :meth:`flush`."""
        n = len(chunk.records)
        if not n:
            return
        first = int(chunk.records["seq"][0])
        if first != self.seq_to or int(chunk.records["seq"][-1]) != first + n - 1:
            raise LakeError(f"{self.path}: record {first} does not follow record {self.seq_to - 1}")
        raw_length, payload = compress(chunk, self._compressor)
        self._frame(FrameType.ROWS, first + n, n, raw_length, payload)

    def add_lost(self, lost: tuple[int, int], cause: str = "lapped") -> None:
        """Say that the records of ``[from, to)`` will never come."""
        if lost[0] == lost[1]:
            return
        if lost[0] != self.seq_to or lost[1] < lost[0]:
            raise LakeError(f"{self.path}: the loss {lost} does not follow record {self.seq_to - 1}")
        self._frame(FrameType.LOST, lost[1], 0, len(cause), cause.encode())

    def add_instruments(self, instruments: list[Instrument]) -> None:
        """New or changed instruments; before the first record that uses them."""
        if instruments:
            content = msgspec.json.encode(instruments)
            self._frame(FrameType.INSTRUMENTS, self.seq_to, 0, len(content), content)

    def add_end(self) -> None:
        """The journal is complete."""
        self._frame(FrameType.END, self.seq_to, 0, 0, b"")
        self.ended = True

    def _frame(self, kind: FrameType, seq_to: int, rows: int, raw_length: int, payload: bytes) -> None:
        if self.ended:
            raise LakeError(f"{self.path}: nothing can follow its end")
        self._pending += pack_frame(kind, self.header.generation, self.seq_to, seq_to, rows, raw_length, payload)
        self.seq_to = seq_to

    def flush(self) -> None:
        """Write what is pending; OSError leaves all of it pending and the file as it was."""
        if self._torn:
            os.ftruncate(self._fd, self.size)
            self._torn = False
        if not os.fstat(self._fd).st_nlink:
            self._restore()
        if not self._pending:
            return
        fail("journal.before_write")
        try:
            write_all(self._fd, self._pending, self.size)
            fail("journal.after_write")
        except OSError:
            self._torn = True
            os.ftruncate(self._fd, self.size)
            self._torn = False
            raise
        self.size += len(self._pending)
        self._pending.clear()

    def _restore(self) -> None:
        """The file was unlinked under us, but its content still hangs on our descriptor: give it its name back."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
        try:
            lock_now(fd, self.path)
            at = 0
            while at < self.size:
                piece = os.pread(self._fd, min(1 << 20, self.size - at), at)
                write_all(fd, piece, at)
                at += len(piece)
        except OSError:
            self.path.unlink()
            os.close(fd)
            raise
        os.close(self._fd)
        self._fd = fd

    def descriptor(self) -> int:
        """A duplicate of the file descriptor, for whoever syncs it; the caller closes it."""
        return os.dup(self._fd)

    def sync(self) -> None:
        """Make everything written durable."""
        sync_data(self._fd)
        fail("journal.after_fsync")

    def close(self) -> None:
        """Give the lock up. What is pending is dropped: it is still in the ring."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
