"""One process of the stress test: ``produce|read rec|frm FOLDER [PAUSE_US]``. Every field follows from the position.

A reader works until the file ``over`` is there and everything is read; then it prints kept, lost, its cursor.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from ringcollect.errors import NotFoundError
from ringcollect.ring.attach import Reader
from ringcollect.ring.frames import Direction, FrameEntry, FrameProducer, FrameReader
from ringcollect.ring.paths import ring_path
from ringcollect.ring.producer import Producer
from tests.ring.records import batch, is_true

CAPACITY, ENTRIES, DATA_BYTES = 1024, 256, 1 << 16
_PATTERN = bytes(range(256)) * 16


def payload_of(number: int) -> bytes:
    """Bytes of any length up to 3 kB that follow from the entry's number."""
    return _PATTERN[number % 256 : number % 256 + number * 131 % 3000]


def produce_records(folder: Path) -> None:
    """Batches of changing size, for ever."""
    ring = Producer.open(folder, "x.rec", capacity=CAPACITY, generation=1)
    ring.publish(batch(ring.head, 1))  # loads the kernel
    print("started", flush=True)
    while True:
        ring.publish(batch(ring.head, 1 + ring.head % 61))


def produce_frames(folder: Path) -> None:
    """Frames of changing length, for ever."""
    frames = FrameProducer.open(folder, "x.frm", entries=ENTRIES, data_bytes=DATA_BYTES, generation=1)
    publish_frame(frames)  # loads the kernel
    print("started", flush=True)
    while True:
        publish_frame(frames)


def publish_frame(frames: FrameProducer) -> None:
    """The next one."""
    number = frames.ring.head
    frames.publish(payload_of(number), ts_recv=number * 5, conn=number % 250, direction=Direction.IN, url=str(number))


def read_some(reader: Reader) -> tuple[int, tuple[int, int], list[int]]:
    """(kept, lost, their positions); a record that is not what its position says ends the process."""
    read = reader.read()
    if not is_true(read.records):
        sys.exit(f"torn: {read.records[:3]}")
    return len(read.records), read.lost, read.records["seq"].tolist()


def read_frames(reader: FrameReader) -> tuple[int, tuple[int, int], list[int]]:
    """As :func:`read_some`."""
    entries, lost = reader.read()
    for entry in entries:
        if not _is_whole(entry):
            sys.exit(f"torn: {entry}")
    return len(entries), lost, [entry.seq for entry in entries]


def _is_whole(entry: FrameEntry) -> bool:
    number = entry.seq
    return (entry.payload, entry.ts_recv, entry.conn, entry.url) == (
        payload_of(number), number * 5, number % 250, str(number),
    )  # fmt: skip


def follow(kind: str, folder: Path, pause_us: int) -> None:
    """Read until all is over, checking everything, ``pause_us`` between two reads."""
    ring: Reader | None = None
    while ring is None:
        try:
            ring = Reader(ring_path(folder, f"x.{kind}"), cursor=0)
        except NotFoundError:
            time.sleep(0.001)
    frames = FrameReader(ring) if kind == "frm" else None
    print("started", flush=True)
    kept_total = lost_total = expected = 0
    while True:
        over = (folder / "over").exists()
        kept, lost, positions = read_some(ring) if frames is None else read_frames(frames)
        if lost[0] != lost[1]:
            if lost[0] != expected:
                sys.exit(f"loss {lost} does not begin at {expected}")
            expected = lost[1]
        if positions != list(range(expected, expected + kept)):
            sys.exit(f"positions {positions[:3]} do not follow {expected}")
        expected += kept
        kept_total, lost_total = kept_total + kept, lost_total + lost[1] - lost[0]
        if over and not ring.lag:
            break
        if pause_us:
            time.sleep(pause_us / 1e6)
    print(kept_total, lost_total, ring.cursor, flush=True)


if __name__ == "__main__":
    role, kind_, folder_ = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    if role == "read":
        follow(kind_, folder_, int(sys.argv[4]))
    elif kind_ == "rec":
        produce_records(folder_)
    else:
        produce_frames(folder_)
