"""Records on their way from ring to journal to table, and what the kinds of rings have in common."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import zstandard

from ringcollect.errors import LakeError
from ringcollect.records import RECORD, Flag
from ringcollect.ring.layout import FRAME_ENTRY
from ringcollect.store.framing import JournalFrame
from ringcollect.sync.snapshot_record import SNAPSHOT


class RingKind(enum.Enum):
    """What a ring holds, known from its dtype alone."""

    RECORDS = "records"
    ROWS = "rows"
    SNAPSHOTS = "snapshots"
    BARS = "bars"
    FRAMES = "frames"


def kind_of(dtype: np.dtype) -> RingKind:
    """The kind of a ring; LakeError for a dtype that is none of ours."""
    if dtype == RECORD:
        return RingKind.RECORDS
    if dtype == FRAME_ENTRY:
        return RingKind.FRAMES
    if dtype == SNAPSHOT:
        return RingKind.SNAPSHOTS
    names = dtype.names or ()
    if dtype.itemsize % 8 == 0 and names[:2] == ("seq", "ts_ns") and "instrument" in names:
        return RingKind.ROWS
    if dtype.itemsize % 8 == 0 and names[:3] == ("seq", "ts_open_ns", "ts_close_ns") and "instrument" in names:
        return RingKind.BARS
    raise LakeError(f"no journal for records of dtype {dtype}")


class Chunk(NamedTuple):
    """Consecutive records of one ring; ``blob`` holds the bytes of frame entries, end to end (else empty)."""

    records: np.ndarray
    blob: bytes = b""

    def times(self) -> np.ndarray:
        """int64 ns per record: the time that drives rotation and dates. Of a bar that is the last nanosecond it owns:
        what it says was known no earlier, and a bar of a whole day lies in that day."""
        names = self.records.dtype.names or ()
        if "ts_close_ns" in names:
            return self.records["ts_close_ns"] - 1
        return self.records["ts_ns" if "ts_ns" in names else "ts_recv"]  # a row has both

    def closes_batch(self) -> np.ndarray:
        """bool per record: the last of its batch."""
        if self.records.dtype == RECORD:
            return (self.records["flags"] & Flag.LAST) != 0
        return np.ones(len(self.records), bool)

    def sizes(self) -> np.ndarray:
        """int64 bytes per record, uncompressed."""
        sizes = np.full(len(self.records), self.records.dtype.itemsize, np.int64)
        if self.records.dtype == FRAME_ENTRY:
            sizes += self.records["length"]
        return sizes

    def split(self, n: int) -> tuple[Chunk, Chunk]:
        """The first ``n`` records and the rest."""
        at = int(self.records["length"][:n].sum()) if self.records.dtype == FRAME_ENTRY else 0
        return Chunk(self.records[:n], self.blob[:at]), Chunk(self.records[n:], self.blob[at:])


def by_instrument(records: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """(instrument, positions of its records in ring order) of every instrument, ascending; one pass over all."""
    numbers = np.ascontiguousarray(records["instrument"])
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-1 if len(numbers) else 0))
    for at in np.split(order, starts[1:]) if len(order) else ():
        yield int(numbers[at[0]]), at


def chunk_of_entries(entries: np.ndarray, payload: np.ndarray, start: int) -> Chunk:
    """What ``FrameReader.read_raw`` gave, with the bytes of each entry end to end and ``start`` cleared."""
    pieces = [
        payload[at : at + length].tobytes()
        for at, length in zip((entries["start"] * 8 - start).tolist(), entries["length"].tolist(), strict=True)
    ]
    entries = entries.copy()
    entries["start"] = 0
    return Chunk(entries, b"".join(pieces))


def compress(chunk: Chunk, compressor: zstandard.ZstdCompressor) -> tuple[int, bytes]:
    """(raw length, zstd bytes): 8-byte words transposed, so that like stands by like, then the blob."""
    words = np.ascontiguousarray(chunk.records).view(np.uint64).reshape(len(chunk.records), -1)
    raw = np.ascontiguousarray(words.T).tobytes() + chunk.blob
    return len(raw), compressor.compress(raw)


def decompress(frame: JournalFrame, dtype: np.dtype) -> Chunk:
    """The inverse of :func:`compress`; LakeError if the content is not what the frame's head says."""
    try:
        raw = zstandard.ZstdDecompressor().decompress(frame.payload, max_output_size=frame.raw_length)
    except zstandard.ZstdError as error:
        raise LakeError(f"journal frame at byte {frame.at}: {error}") from error
    size = frame.rows * dtype.itemsize
    if len(raw) != frame.raw_length or len(raw) < size:
        raise LakeError(f"journal frame at byte {frame.at}: {len(raw)} bytes are not {frame.rows} records")
    words = np.frombuffer(raw, np.uint64, size // 8).reshape(-1, frame.rows)
    records = np.ascontiguousarray(words.T).reshape(-1).view(dtype)
    if frame.rows != frame.seq_to - frame.seq_from or not np.array_equal(
        records["seq"], np.arange(frame.seq_from, frame.seq_to)
    ):
        raise LakeError(f"journal frame at byte {frame.at}: not the records {frame.seq_from} to {frame.seq_to - 1}")
    return Chunk(records, raw[size:])
