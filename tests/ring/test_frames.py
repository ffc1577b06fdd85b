"""Frame rings: variable-length payloads, exact loss, nothing torn."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from ringcollect.config import Config, Ring, Storage
from ringcollect.errors import RingError
from ringcollect.ring.frames import Direction, attach_frames
from ringcollect.ring.producer import Producer
from tests.ring.frames import assert_true, build_frames, publish_frame


def test_frames_come_back_byte_for_byte_and_losses_are_exact_ranges(tmp_path: Path) -> None:
    frames, seen, lost = build_frames(tmp_path), 0, 0
    reader = attach_frames("x.frm", directory=tmp_path)
    pace = random.Random(3)
    for seq in range(3000):
        publish_frame(frames, seq)
        if pace.random() < 0.02:
            entries, gap = reader.read(pace.randrange(1, 80))
            for entry in entries:
                assert_true(entry)
            assert [e.seq for e in entries] == list(range(gap[1], gap[1] + len(entries)))
            seen, lost = seen + len(entries), lost + gap[1] - gap[0]
            assert seen + lost == reader.ring.cursor
    assert seen and lost
    frames.close()


def test_a_frame_longer_than_half_of_the_ring_is_cut_and_its_length_kept(tmp_path: Path) -> None:
    frames = build_frames(tmp_path)
    frames.publish(b"z" * 100_000, ts_recv=1, conn=0, direction=Direction.REJECT, reason="too long")
    entries, lost = attach_frames("x.frm", directory=tmp_path).read()
    assert lost == (0, 0)
    assert len(entries[0].payload) == (1 << 13) - len("too long") and set(entries[0].payload) == {ord("z")}
    assert entries[0].whole_length == 100_000
    assert frames.ring.counters["too_long"] == 1
    frames.close()


def test_a_record_ring_is_not_taken_for_a_frame_ring(tmp_path: Path) -> None:
    Producer.open(tmp_path, "x.frm", generation=1, capacity=64).close()
    with pytest.raises(RingError, match="holds records, not frames"):
        attach_frames("x.frm", directory=tmp_path)


def test_an_empty_payload_is_an_entry_too(tmp_path: Path) -> None:
    frames = build_frames(tmp_path)
    frames.publish(b"", ts_recv=1, conn=0, direction=Direction.EVENT)
    entries, _ = attach_frames("x.frm", directory=tmp_path).read()
    assert [e.payload for e in entries] == [b""]
    assert isinstance(entries[0].seq, int) and np.int64(entries[0].seq) == 0
    frames.close()


def test_the_largest_snapshot_of_a_venue_fits_the_ring_of_a_recording(tmp_path: Path) -> None:
    """Coinbase Advanced sends books of 5 MB; a recording that lacks the end of one cannot be replayed."""
    assert Config().frame_ring_bytes == Ring().frame_bytes
    recording = Config(storage=Storage(record_frames=True)).frame_ring_bytes
    frames = build_frames(tmp_path, data_bytes=recording)
    reader = attach_frames("x.frm", directory=tmp_path)
    snapshot = random.Random(5).randbytes(5_100_000)
    for number in range(4):
        frames.publish(snapshot, ts_recv=number, conn=0, direction=Direction.IN)
        entries, lost = reader.read()
        assert lost[0] == lost[1] and [entry.payload == snapshot for entry in entries] == [True]
    assert frames.ring.counters["too_long"] == 0
    frames.publish(bytes(recording), ts_recv=9, conn=0, direction=Direction.IN)
    [entry] = reader.read()[0]
    assert (len(entry.payload), entry.whole_length) == (recording // 2, recording)
    assert frames.ring.counters["too_long"] == 1
    frames.close()
