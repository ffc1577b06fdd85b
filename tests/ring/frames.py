"""Frame rings for tests: entries whose every field and byte follows from their position."""

from __future__ import annotations

import random
from pathlib import Path

from ringcollect.ring.frames import Direction, FrameEntry, FrameProducer


def build_frames(folder: Path, entries: int = 64, data_bytes: int = 1 << 14) -> FrameProducer:
    """The ring ``x.frm``, taken over or new."""
    return FrameProducer.open(folder, "x.frm", entries=entries, data_bytes=data_bytes, generation=1)


def payload_of(seq: int) -> bytes:
    """Up to 900 bytes, none for some."""
    return random.Random(seq).randbytes(random.Random(seq).randrange(0, 900))


def publish_frame(frames: FrameProducer, seq: int) -> None:
    """Append the frame of this position."""
    frames.publish(
        payload_of(seq), ts_recv=seq * 10, conn=seq % 200, direction=Direction.IN, opcode=2,
        status=seq, url=f"wss://host/{seq}", reason=f"because {seq}",
    )  # fmt: skip


def assert_true(entry: FrameEntry) -> None:
    """Every field and byte is what ``publish_frame`` wrote for this ``seq``."""
    assert entry.payload == payload_of(entry.seq)
    assert entry.ts_recv == entry.seq * 10 and entry.conn == entry.seq % 200
    assert entry.url == f"wss://host/{entry.seq}" and entry.reason == f"because {entry.seq}"
    assert entry.direction is Direction.IN and entry.opcode == 2 and entry.status == entry.seq
