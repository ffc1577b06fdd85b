"""Frames of a journal: each one checks itself, so that a torn or damaged file shows exactly what is missing.

A frame is 48 bytes of head and a payload. The crc covers both (the head without its last four bytes), so any single
flipped bit or byte, and any burst of up to 32 bits, is found.
"""

from __future__ import annotations

import enum
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

MAGIC = b"RCJ1"
FORMAT = 1
_HEAD = struct.Struct("<4sHHIIqqqII")
HEAD_BYTES = _HEAD.size
MAX_PAYLOAD = 1 << 30
assert HEAD_BYTES == 48


class FrameType(enum.IntEnum):
    """What a journal frame holds."""

    HEADER = 1  # JSON: ring, generation, dtype, instrument table
    INSTRUMENTS = 2  # JSON: new or changed instruments, before the first record that uses them
    ROWS = 3  # records, zstd
    LOST = 4  # no record: the writer lost [seq_from, seq_to)
    END = 5  # the journal is complete; the next one goes on at seq_to


class JournalFrame(NamedTuple):
    """One good frame; ``at`` and ``end`` are its place in the file."""

    type: FrameType
    generation: int
    seq_from: int
    seq_to: int
    rows: int
    raw_length: int
    payload: memoryview
    at: int
    end: int


class Damage(NamedTuple):
    """Bytes between two good frames (or before the end) that are no good frame."""

    at: int
    end: int


def pack_frame(
    kind: FrameType, generation: int, seq_from: int, seq_to: int, rows: int, raw_length: int, payload: bytes
) -> bytes:
    """Head and payload, ready to append."""
    head = _HEAD.pack(MAGIC, kind, FORMAT, len(payload), rows, generation, seq_from, seq_to, raw_length, 0)
    crc = zlib.crc32(payload, zlib.crc32(head[:-4]))
    return head[:-4] + struct.pack("<I", crc) + payload


def parse_frame(content: memoryview, at: int) -> JournalFrame | None:
    """The frame at ``at`` if a whole, good one stands there."""
    if len(content) - at < HEAD_BYTES:
        return None
    magic, kind, version, length, rows, generation, seq_from, seq_to, raw_length, crc = _HEAD.unpack_from(content, at)
    end = at + HEAD_BYTES + length
    if magic != MAGIC or version != FORMAT or length > MAX_PAYLOAD or end > len(content):
        return None
    payload = content[at + HEAD_BYTES : end]
    if zlib.crc32(payload, zlib.crc32(content[at : at + HEAD_BYTES - 4])) != crc:
        return None
    if kind not in FrameType.__members__.values():
        return None
    return JournalFrame(FrameType(kind), generation, seq_from, seq_to, rows, raw_length, payload, at, end)


def scan(content: bytes) -> Iterator[JournalFrame | Damage]:
    """Every good frame in file order, and every stretch in between that is none; a torn tail is a last Damage."""
    view = memoryview(content)
    at = 0
    while at < len(view):
        frame = parse_frame(view, at)
        if frame is not None:
            yield frame
            at = frame.end
            continue
        bad = at
        at = _next_good(content, view, at + 1)
        yield Damage(bad, at)


def _next_good(content: bytes, view: memoryview, at: int) -> int:
    while True:
        at = content.find(MAGIC, at)
        if at < 0:
            return len(content)
        if parse_frame(view, at) is not None:
            return at
        at += 1
