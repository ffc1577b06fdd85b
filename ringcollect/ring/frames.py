"""Frame rings: entries of fixed size plus variable-length payloads, with the same guarantees as record rings.

Two cyclic areas in one file, both under the one protocol. Entries (``FRAME_ENTRY``) are the records of a ring like any
other: published and read by the same kernels. Payload words have a claim and a head of their own; a payload is complete
before its entry is published, and what was read of it counts only while its words are not claimed again. An entry's
payload is ``body + url + reason``, padded to whole words. Loss is counted in entries, exactly, whichever area lapped.
"""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ringcollect.errors import RingError
from ringcollect.ring import protocol
from ringcollect.ring.attach import Reader
from ringcollect.ring.layout import ENTRY_WORDS, FRAME_ENTRY, H_DATA_BYTES
from ringcollect.ring.paths import ring_path, runtime_dir
from ringcollect.ring.producer import Producer

_MAX_LENGTH = (1 << 31) - 1


class Direction(enum.IntEnum):
    """Where a frame went, or what else the entry tells."""

    IN = 1
    OUT = 2
    REST = 3
    EVENT = 4  # connects, closes, timers: what a replay needs besides frames
    REJECT = 5


class FrameEntry(NamedTuple):
    """One entry with its payload. ``whole_length`` is the frame's true length where only its head was kept."""

    seq: int
    ts_recv: int
    conn: int
    direction: Direction
    opcode: int
    status: int
    whole_length: int
    url: str
    reason: str
    payload: bytes


class FrameProducer:
    """A frame ring open for publishing; ``ring`` is the underlying :class:`Producer`."""

    def __init__(self, ring: Producer) -> None:
        self.ring = ring
        self._longest = int(ring.words[H_DATA_BYTES]) // 2
        self._entry = np.zeros(1, FRAME_ENTRY)
        self._entry_words = self._entry.view(np.int64)

    @classmethod
    def open(
        cls, directory: Path, name: str, *, entries: int, data_bytes: int, generation: int, start_ns: int = 0
    ) -> FrameProducer:
        """As :meth:`Producer.open`; ``data_bytes`` must be whole pages."""
        counters = ("frames", "too_long")
        meta = {"kind": "frames"}
        ring = Producer.open(
            directory, name, FRAME_ENTRY, entries,
            generation=generation, counters=counters, meta=meta, data_bytes=data_bytes, start_ns=start_ns,
        )  # fmt: skip
        return cls(ring)

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
    ) -> int:
        """Append one entry; what of a payload is over half the ring is cut, counted, and its true length kept."""
        self.ring.check_open()
        url_raw, reason_raw = url.encode()[: min(4096, self._longest // 4)], reason.encode()[:1024]
        room = self._longest - len(url_raw) - len(reason_raw)
        body = payload
        if len(payload) > room:
            body = payload[:room]
            self.ring.counters.count("too_long")
        entry = self._entry[0]
        entry["ts_recv"] = ts_recv
        entry["length"] = len(body) + len(url_raw) + len(reason_raw)
        entry["url_length"], entry["reason_length"] = len(url_raw), len(reason_raw)
        entry["whole_length"] = min(len(payload) if whole_length is None else whole_length, _MAX_LENGTH)
        entry["conn"], entry["direction"], entry["opcode"], entry["status"] = conn, direction, opcode, status
        raw = body + url_raw + reason_raw
        words = np.frombuffer(raw + bytes(-len(raw) % 8), np.int64)
        self.ring.counters.count("frames")
        return protocol.publish_frame(self.ring.words, self._entry_words, words, len(words))

    def close(self) -> None:
        """As :meth:`Producer.close`."""
        self.ring.close()


class FrameReader:
    """Reads a frame ring; ``ring`` is the underlying :class:`Reader` (cursor, generation, registration)."""

    def __init__(self, ring: Reader) -> None:
        if ring.dtype != FRAME_ENTRY:
            raise RingError(f"{ring.path} holds records, not frames")
        self.ring = ring
        self._payload = np.empty(int(ring.words[H_DATA_BYTES]) // 8, np.int64)

    def read(self, max_entries: int = 4096) -> tuple[list[FrameEntry], tuple[int, int]]:
        """New entries since the cursor and the exact range of entries lost; never waits. May raise RingReset."""
        entries, payload, start, lost = self.read_raw(max_entries)
        return [unpack_entry(entry, payload, start) for entry in entries], lost

    def read_raw(self, max_entries: int = 4096) -> tuple[np.ndarray, np.ndarray, int, tuple[int, int]]:
        """(entries, payload bytes, byte position of payload[0], lost): for those who store frames as they are.

        The payload is a view that the next read overwrites.
        """
        ring = self.ring
        wanted = min(max_entries, ring.head - ring.cursor, ring.capacity)
        if wanted <= 0:
            ring.read(0)  # raises RingReset if there is nothing more to come
            return np.empty(0, FRAME_ENTRY), self._payload[:0].view(np.uint8), 0, (ring.cursor, ring.cursor)
        out = np.empty(wanted * ENTRY_WORDS, np.int64)
        first, n, offset, bad, start = protocol.consume_frames(ring.words, ring.cursor, out, wanted, self._payload)
        lost = ring.advance(first, n, bad)
        entries = out.view(FRAME_ENTRY)[offset : offset + n]
        return entries, self._payload.view(np.uint8), start * 8, lost


def unpack_entry(entry: np.void, payload: np.ndarray, start: int) -> FrameEntry:
    """``entry`` (FRAME_ENTRY) with its bytes out of ``payload``, whose first byte is at position ``start``."""
    at = int(entry["start"]) * 8 - start
    raw = payload[at : at + int(entry["length"])].tobytes()
    body = len(raw) - int(entry["url_length"]) - int(entry["reason_length"])
    url_end = body + int(entry["url_length"])
    return FrameEntry(
        seq=int(entry["seq"]),
        ts_recv=int(entry["ts_recv"]),
        conn=int(entry["conn"]),
        direction=Direction(int(entry["direction"])),
        opcode=int(entry["opcode"]),
        status=int(entry["status"]),
        whole_length=int(entry["whole_length"]),
        url=raw[body:url_end].decode(errors="replace"),
        reason=raw[url_end:].decode(errors="replace"),
        payload=raw[:body],
    )


def attach_frames(
    name_or_path: str | os.PathLike[str], *, directory: Path | None = None, register: str | None = None
) -> FrameReader:
    """Open a frame ring (``binance.frm`` or a path) for reading; see :func:`ringcollect.ring.attach.attach`."""
    path = Path(name_or_path)
    if path.suffix != ".ring":
        path = ring_path(directory or runtime_dir(), str(name_or_path))
    return FrameReader(Reader(path, register=register))
